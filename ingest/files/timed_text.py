"""Recognise text files in which an app logged the date and time of each interval.

Polar Sensor Logger writes ``Phone timestamp;RR-interval [ms]``; HRV Logger writes
``date,rr,since start``. The times are those of the phone, when the notification arrived, in its
local zone; several intervals of one notification share one. They are placed as a strap's are.
Any other table with a column of dates, or of times since 1970, is of this format too.
"""

from __future__ import annotations

from ebbtide.errors import EbbtideError
from ingest.files.column_names import epoch_unit
from ingest.files.encoded_text import decode
from ingest.files.local_times import parse_clock
from ingest.files.recording import FileFormat
from ingest.files.rr_text import read_text_recording
from ingest.files.text_table import split_table


def _matches(head: bytes) -> bool:
    text, _ = decode(head)
    lines = text.splitlines()
    try:
        table = split_table("\n".join(lines[:-1] if len(lines) > 3 else lines))
    except EbbtideError:
        return False
    if not table.rows:
        return False
    for column in range(len(table.names)):
        cell = table.rows[0][column] if column < len(table.rows[0]) else ""
        found = parse_clock(cell)
        if found is not None and found[0] is not None and table.is_clock(column):
            return True
        values = [value for value in table.numbers(column).tolist() if value == value]
        if len(table.names) > 1 and values and epoch_unit(values[0]) is not None:
            return True
    return False


FORMAT = FileFormat("Text with times", timed=True, matches=_matches, read=read_text_recording)
