"""Read RR intervals without times from a text file.

One interval a line (or a CSV with a column of them), in milliseconds or seconds; or beat times in
seconds, as ``time_s`` or ``time``. So are the files of Elite HRV and HRV4Training, and those of
Polar Flow, whose second column says that the strap was ``offline``. The unit is inferred from the
size of the intervals. A line that cannot be read is reported with its number; the rest is read, and
the place becomes a gap. An import takes the beginning from the file's name or from the person.
"""

from __future__ import annotations

import csv
import io
import math
import re
import statistics
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ebbtide.errors import EbbtideError
from ebbtide.rr_units import MAX_TICKS, STRAP_TICKS_PER_SECOND, ticks_from_ms
from ebbtide.timestamps import SECOND, from_datetime
from ingest.files.builder import RecordingBuilder
from ingest.files.recording import FileFormat, ReadContext, RecordedFile, first_line

_RR_COLUMNS = (
    "rr_ms",
    "rr",
    "rri",
    "nn_ms",
    "nn",
    "nni",
    "rr_s",
    "rr_interval",
    "rr-interval [ms]",
    "ibi",
    "ibi_ms",
    "duration",
)
_NO_BEAT_COLUMN = "offline"  # Polar Flow: the strap had lost contact
_TIME_COLUMNS = ("time_s", "time", "t", "beat_time_s")
_MAX_BYTES = 200_000_000  # some years of beats
_IMPORT_SCALE = 10_000  # ticks a second: tenths of a millisecond
# 2026-11-24 08-30-00, 2026-11-24T08:30:00, 20261124_083000, 20261124083000
_NAME_TIME = re.compile(r"(20\d\d)-?(\d\d)-?(\d\d)[T_ -]?(\d\d)[-:.]?(\d\d)(?:[-:.]?(\d\d))?(?!\d)")


@dataclass(frozen=True, slots=True)
class RRFile:
    """RR intervals of one file.

    ``runs`` are unbroken runs of intervals in ticks; between two runs something was unreadable,
    or the strap off. ``missing_s``, one entry a run, is how long that was before the run, where
    the file tells (0 where it does not). ``problems`` says what, line by line.
    """

    runs: tuple[tuple[int, ...], ...]
    problems: tuple[str, ...]
    ticks_per_second: int = STRAP_TICKS_PER_SECOND
    missing_s: tuple[float, ...] = ()

    @property
    def count(self) -> int:
        """Intervals in all runs."""
        return sum(len(run) for run in self.runs)


def read_rr_file(path: Path, ticks_per_second: int = STRAP_TICKS_PER_SECOND) -> RRFile:
    """Read the runs of ``path``, without times.

    Raises EbbtideError when there is no such file, it is not text, it holds no interval, or its
    numbers are neither milliseconds nor seconds.
    """
    lines = _read_lines(path)
    rows = [(number, line) for number, line in enumerate(lines, 1) if not _is_comment(line)]
    if not rows:
        raise EbbtideError(f"{path} is empty.", "Give a file with one RR interval a line.")
    column, is_time, rows, offline = _find_columns(path, rows)
    values: list[float | None] = []
    off_ms: dict[int, float] = {}  # line number: an interval without beats
    problems: list[tuple[int, str]] = []
    for number, line in rows:
        value = _parse_cell(line, column)
        if value is not None and offline is not None and _parse_cell(line, offline):
            off_ms[number] = value
            values.append(None)
            continue
        if value is None:
            problems.append((number, f"{_quote(line)} is not a number"))
        values.append(value)
    if all(value is None for value in values):
        raise EbbtideError(
            f"{path} holds no RR interval: {_summarise(problems)[0]}.",
            "Give one RR interval a line, in milliseconds or seconds.",
        )
    numbers = [number for number, _ in rows]
    if is_time:
        numbers, values = _intervals_between(numbers, values, problems)
    return _to_runs(path, numbers, values, problems, ticks_per_second, off_ms)


def _read_lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise EbbtideError(f"{path} is larger than 200 MB.", "Split it.")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EbbtideError(
            f"{path} is not a text file (byte {error.start} is not UTF-8).",
            "Give a text file with one RR interval a line.",
        ) from error
    except OSError as error:
        raise EbbtideError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the name of the file."
        ) from error
    return text.splitlines()


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _find_columns(
    path: Path, rows: list[tuple[int, str]]
) -> tuple[int, bool, list[tuple[int, str]], int | None]:
    """Which column holds the intervals (or times), the rows without the header, and the column
    that says that there was no beat.
    """
    first = _cells(rows[0][1])
    if any(_parse_float(cell) is not None for cell in first) or not _is_header(first):
        return 0, False, rows, None
    names = [cell.strip().lower() for cell in first]
    for wanted, is_time in ((_RR_COLUMNS, False), (_TIME_COLUMNS, True)):
        for name in wanted:
            if name in names:
                off = names.index(_NO_BEAT_COLUMN) if _NO_BEAT_COLUMN in names else None
                return names.index(name), is_time, rows[1:], off
    if len(names) == 1:  # a title above a single column
        return 0, False, rows[1:], None
    raise EbbtideError(
        f"{path} has the columns {', '.join(names)}, none of them known.",
        f"Name the column of intervals {_RR_COLUMNS[0]}, or that of beat times {_TIME_COLUMNS[0]}.",
    )


def _is_header(cells: list[str]) -> bool:
    return all(re.fullmatch(r"[A-Za-z_][\w .()\[\]/-]*", cell.strip()) for cell in cells)


def _cells(line: str) -> list[str]:
    separator = ";" if ";" in line else "\t" if "\t" in line else ","
    return next(csv.reader(io.StringIO(line), delimiter=separator), [])


def _parse_cell(line: str, column: int) -> float | None:
    cells = _cells(line)
    return _parse_float(cells[column]) if column < len(cells) else None


def _parse_float(cell: str) -> float | None:
    try:
        value = float(cell.strip())
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _intervals_between(
    numbers: list[int], times: list[float | None], problems: list[tuple[int, str]]
) -> tuple[list[int], list[float | None]]:
    """Intervals in seconds between beat times. An interval over a bad line is unknown."""
    intervals: list[float | None] = []
    for before, after, number in zip(times, times[1:], numbers[1:], strict=False):
        if before is None or after is None:
            intervals.append(None)
        elif after <= before:
            problems.append((number, f"time {after} is not after {before}"))
            intervals.append(None)
        else:
            intervals.append(after - before)
    return numbers[1:], intervals


def _to_runs(
    path: Path,
    numbers: list[int],
    values: list[float | None],
    problems: list[tuple[int, str]],
    ticks_per_second: int,
    off_ms: dict[int, float],
) -> RRFile:
    numeric = [value for value in values if value is not None]
    if not numeric:
        raise EbbtideError(f"{path} holds no RR interval.", "Give at least two beats.")
    middle = statistics.median(numeric)
    if 200 <= middle <= 3000:
        to_ms = 1.0
    elif 0.2 <= middle <= 3.0:
        to_ms = 1000.0
    else:
        raise EbbtideError(
            f"The numbers of {path} (median {middle:g}) are RR intervals neither in milliseconds "
            "(200 to 3000) nor in seconds (0.2 to 3).",
            "Give RR intervals, or beat times in a column named time_s.",
        )
    runs: list[tuple[int, ...]] = []
    missing_s: list[float] = []
    run: list[int] = []
    missing = 0.0
    for number, value in zip(numbers, values, strict=True):
        missing += off_ms.get(number, 0.0) * to_ms / 1000
        ticks = 0 if value is None else ticks_from_ms(value * to_ms, ticks_per_second)
        if value is not None and not 0 < ticks <= MAX_TICKS:
            problems.append((number, f"{value:g} is not an interval between two beats"))
            value = None
        if value is not None:
            if not run:
                missing_s.append(missing)
                missing = 0.0
            run.append(ticks)
        elif run:
            runs.append(tuple(run))
            run = []
    if run:
        runs.append(tuple(run))
    if not runs:
        raise EbbtideError(
            f"{path} holds no RR interval: {_summarise(problems)[0]}.", "Check the file."
        )
    return RRFile(tuple(runs), _summarise(problems), ticks_per_second, tuple(missing_s))


def _summarise(problems: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(f"line {number}: {what}" for number, what in sorted(problems))


def _quote(line: str) -> str:
    text = line.strip()
    return repr(text if len(text) <= 40 else text[:37] + "...")


def time_in_name(name: str, zone: str) -> int | None:
    """Find the date and time in a file's name, local in ``zone``, as UTC ns."""
    found = _NAME_TIME.search(name)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(group or 0) for group in found.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=ZoneInfo(zone))
    except ValueError:
        return None
    return from_datetime(moment)


def _matches(_: bytes) -> bool:
    return True


def _read(path: Path, context: ReadContext) -> RecordedFile:
    """Read the runs and place them one after another from the beginning."""
    read = read_rr_file(path, _IMPORT_SCALE)
    start = context.start_ns
    if start is None:
        start = time_in_name(path.name, context.zone)
    if start is None:
        raise EbbtideError(
            f"{path} does not say when it was recorded, and neither does its name.",
            "Give the beginning: --start 2026-11-24T08:30:00",
        )
    with path.open("rb") as file:
        header = first_line(file.read(200)).strip().lower().replace(" ", "")
    title = "Polar Flow" if header == "duration,offline" else "RR intervals"
    builder = RecordingBuilder(f"{path.name} ({title})", _IMPORT_SCALE)
    end = start
    for run, missing in zip(read.runs, read.missing_s, strict=True):
        end = builder.add_run(run, end + int(missing * SECOND))
    return RecordedFile(title, (builder.build(),), read.problems)


FORMAT = FileFormat("RR text", timed=False, matches=_matches, read=_read)
