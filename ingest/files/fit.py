"""Read FIT files of Garmin and others, with a strap's RR intervals in their HRV messages.

An HRV message holds up to five intervals and no time; the messages of the activity around it do.
The next message with a time came after the intervals ended, so it serves as their arrival.
"""

from __future__ import annotations

import warnings
from datetime import datetime
from pathlib import Path

import fitdecode

from ebbtide.errors import EbbtideError
from ebbtide.rr_units import MAX_TICKS
from ebbtide.timestamps import from_datetime
from ingest.files.builder import RecordingBuilder
from ingest.files.recording import FileFormat, ReadContext, RecordedFile

_SCALE = 1000  # the file holds milliseconds


def _matches(head: bytes) -> bool:
    return len(head) >= 12 and head[8:12] == b".FIT"


def _read(path: Path, _: ReadContext) -> RecordedFile:
    """Read the intervals. A damaged end is a problem of the file; what stands before it is read.

    Raises EbbtideError when the file holds no RR intervals.
    """
    builder = RecordingBuilder(f"{path.name} (FIT)", _SCALE)
    problems: list[str] = []
    waiting: list[int] = []
    last_time: int | None = None
    warned: list[warnings.WarningMessage] = []

    def place(moment: int) -> None:
        for at in range(0, len(waiting), 16):
            builder.add_arrival(waiting[at : at + 16], moment)
        waiting.clear()

    try:
        with (
            warnings.catch_warnings(record=True) as warned,
            fitdecode.FitReader(path, check_crc=fitdecode.CrcCheck.WARN) as frames,
        ):
            warnings.simplefilter("always")
            for frame in frames:
                if not isinstance(frame, fitdecode.FitDataMessage):
                    continue
                if frame.name == "hrv":
                    waiting += _ticks(frame.get_value("time"), problems)
                    continue
                moment = frame.get_value("timestamp", fallback=None)
                if frame.name in ("record", "event") and isinstance(moment, datetime):
                    time = from_datetime(moment)
                    if last_time is None or time >= last_time:
                        last_time = time
                        place(time)
    except fitdecode.FitError as error:
        problems.append(f"the file is damaged ({error}); what stands before that was kept")
    problems += [f"the file is damaged ({item.message})" for item in warned]
    if waiting and last_time is not None:
        place(last_time)
    if builder.is_empty:
        why = problems[0] if problems else "it has no HRV messages"
        raise EbbtideError(
            f"{path} holds no RR intervals: {why}.",
            "On a Garmin watch: System > Data Recording > Log HRV, and record with a chest strap.",
        )
    return RecordedFile("FIT", (builder.build(),), tuple(problems))


def _ticks(times: object, problems: list[str]) -> list[int]:
    values = times if isinstance(times, tuple | list) else (times,)
    found = []
    for value in values:
        if not isinstance(value, int | float):
            continue  # the unused places of a message
        ticks = round(value * _SCALE)
        if 0 < ticks <= MAX_TICKS:
            found.append(ticks)
        else:
            problems.append(f"{value} s is not an interval between two beats")
    return found


FORMAT = FileFormat("FIT", timed=True, matches=_matches, read=_read)
