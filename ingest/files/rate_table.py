"""Read a table of heart rates with dates, which has no times between beats.

Beats cannot be had from rates: they feed the stress index alone, by heart rate only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebbtide.timestamps import SECOND
from ingest.files.builder import RateBuilder
from ingest.files.choices import ChoiceError
from ingest.files.column_names import OTHER, RATE, RR, epoch_unit
from ingest.files.encoded_text import FileText, read_text
from ingest.files.local_times import parse_clock, to_utc
from ingest.files.recording import RATES_NOTE, ReadAs, ReadContext, RecordedFile
from ingest.files.text_table import TextTable, split_table

_EPOCH_NS = {"s": SECOND, "ms": 1_000_000, "us": 1000, "ns": 1}
_UNKNOWN = -1


def read_rate_table(
    path: Path, context: ReadContext, text: FileText | None = None
) -> RecordedFile | None:
    """Read ``path``, or the ``text`` of it. None where it does not say the date of each rate.

    Raises EbbtideError where two columns may be the heart rate.
    """
    text = text or read_text(path)
    table = split_table(text.text, text.encoding, context.decimal)
    names = [name.lower() for name in table.names]
    rates = [
        c
        for c, name in enumerate(names)
        if RATE.search(name) and not RR.search(name) and not OTHER.search(name)
        if np.isfinite(table.numbers(c)).any()
    ]
    if not rates:
        return None
    if len(rates) > 1:
        raise ChoiceError(
            f"Both {table.name_of(rates[0])} and {table.name_of(rates[1])} of {path} may be the "
            "heart rate.",
            "Leave one of them in the file.",
            {},
        )
    found = _times(path, table, context, set(rates))
    if found is None:
        return None
    time_ns, column, notes = found
    values = table.numbers(rates[0])
    builder = RateBuilder(f"{path.name} (heart rates)")
    left_out = 0
    for row in np.argsort(time_ns, kind="stable").tolist():  # some apps write the newest first
        at = int(time_ns[row])
        left_out += at == _UNKNOWN or not builder.add(at, float(values[row]))
    if builder.is_empty:
        return None
    recording = builder.build()
    problems = []
    if left_out:
        problems.append(
            f"{left_out} of {len(values)} rows have no time or no heart rate of their own; left out"
        )
    read_as = ReadAs(
        column=table.name_of(rates[0]),
        unit="1/min",
        rows=len(values),
        encoding=table.encoding,
        decimal=table.decimal,
        time=table.name_of(column),
        quantity="heart rate",
        unit_from="name",
    )
    notes.append(RATES_NOTE.format(count=recording.count))
    return RecordedFile("Heart rates", (recording,), tuple(problems), read_as, tuple(notes))


def _times(
    path: Path, table: TextTable, context: ReadContext, rates: set[int]
) -> tuple[NDArray[np.int64], int, list[str]] | None:
    """The time of each row, -1 where it has none; its column; what to know. None without dates."""
    for c in range(len(table.names)):
        if c in rates:
            continue
        if table.is_clock(c):
            lines, cells = list(table.lines), list(table.cells(c))
            # Which of two hours is meant, where clocks go back, is told by the order.
            step = -1 if _is_newest_first(cells) else 1
            times, is_dated, notes, _ = to_utc(
                str(path),
                lines[::step],
                cells[::step],
                [0.0] * len(cells),
                has_elapsed=False,
                zone=context.zone if context.zone_given else None,
            )
            if is_dated:
                return times[::step], c, notes
            continue
        values = table.numbers(c)
        finite = values[np.isfinite(values)]
        unit = epoch_unit(float(finite[0])) if len(finite) else None
        if unit is not None:
            scaled = np.round(np.nan_to_num(values) * _EPOCH_NS[unit]).astype(np.int64)
            return np.where(np.isfinite(values), scaled, _UNKNOWN), c, []
    return None


def _is_newest_first(cells: list[str]) -> bool:
    moments = [found[0] for found in map(parse_clock, (cells[0], cells[-1])) if found is not None]
    if len(moments) < 2 or moments[0] is None or moments[1] is None:
        return False
    if (moments[0].tzinfo is None) != (moments[1].tzinfo is None):
        return False
    return moments[0] > moments[1]
