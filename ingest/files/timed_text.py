"""Read text files in which an app logged the time of each interval.

Polar Sensor Logger writes ``Phone timestamp;RR-interval [ms]``; HRV Logger writes
``date,rr,since start``. The times are those of the phone, when the notification arrived, in its
local zone; several intervals of one notification share one. They are placed as a strap's are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from ebbtide.errors import EbbtideError
from ebbtide.rr_units import MAX_TICKS
from ebbtide.timestamps import from_datetime
from ingest.files.builder import RecordingBuilder
from ingest.files.recording import FileFormat, ReadContext, RecordedFile, first_line

_SCALE = 10_000  # tenths of a millisecond: the files hold milliseconds, some with a fraction
_APPS = {
    "phone timestamp;rr-interval [ms]": ("Polar Sensor Logger", ";", 0, 1),
    "date,rr,since start": ("HRV Logger", ",", 0, 1),
    "date, rr, since start": ("HRV Logger", ",", 0, 1),
}


def _header(line: str) -> str:
    return line.strip().rstrip(";").lower()


def _matches(head: bytes) -> bool:
    return _header(first_line(head)) in _APPS


def _read(path: Path, context: ReadContext) -> RecordedFile:
    """Read the intervals; times without an offset are in the context's zone.

    Raises EbbtideError when no line can be read.
    """
    lines = path.read_bytes().decode("utf-8-sig", "replace").splitlines()
    title, separator, time_column, rr_column = _APPS[_header(lines[0])]
    problems: list[str] = []
    builder = RecordingBuilder(f"{path.name} ({title})", _SCALE)
    for received, ticks in _notifications(
        lines, separator, time_column, rr_column, ZoneInfo(context.zone), problems
    ):
        builder.add_arrival(ticks, received)
    if builder.is_empty:
        why = problems[0] if problems else "it ends after its header"
        raise EbbtideError(f"{path} holds no RR interval: {why}.", "Check the file.")
    return RecordedFile(title, (builder.build(),), tuple(problems))


def _notifications(
    lines: list[str],
    separator: str,
    time_column: int,
    rr_column: int,
    zone: ZoneInfo,
    problems: list[str],
) -> Iterator[tuple[int, list[int]]]:
    """Yield (time, ticks) of the rows that share a time: they came in one notification."""
    waiting: list[int] = []
    moment: int | None = None
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split(separator)]
        try:
            time = _parse_time(cells[time_column], zone, moment)
            ticks = round(float(cells[rr_column]) * _SCALE / 1000)
        except (ValueError, IndexError, OverflowError):
            problems.append(f"line {number}: {line.strip()[:60]!r} is not a time and an interval")
            continue
        if not 0 < ticks <= MAX_TICKS:
            problems.append(f"line {number}: {cells[rr_column]} is not an interval between beats")
            continue
        if moment is not None and time < moment:
            problems.append(f"line {number}: {cells[time_column]} is before the line above")
            continue
        if moment is not None and (time != moment or len(waiting) == 16):
            yield moment, waiting
            waiting = []
        moment = time
        waiting.append(ticks)
    if waiting and moment is not None:
        yield moment, waiting


def _parse_time(text: str, zone: ZoneInfo, before: int | None) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
        # When clocks go back, an hour comes twice: it is the second one if time has passed.
        if before is not None and from_datetime(moment) < before - 30 * 60 * 10**9:
            later = moment.replace(fold=1)
            if from_datetime(later) - before < timedelta(hours=2).total_seconds() * 10**9:
                moment = later
    return from_datetime(moment)


FORMAT = FileFormat("Text with times", timed=True, matches=_matches, read=_read)
