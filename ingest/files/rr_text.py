"""Read RR intervals from a text file: lists of intervals, tables of any app, beat times.

Which column holds what is decided by ``column_recognition``. A line that cannot be read is reported
with its number; the rest is read, and the place becomes a gap. A file without times is placed from
the beginning in its name, or from the person.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebbtide.beats import Origin
from ebbtide.errors import EbbtideError
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND, ticks_of_interval
from ebbtide.timestamps import SECOND
from ingest.files.beat_times import RatesAloneError
from ingest.files.builder import RecordingBuilder
from ingest.files.encoded_text import FileText
from ingest.files.interval_table import IntervalTable, read_interval_table
from ingest.files.rate_table import read_rate_table
from ingest.files.recording import FileFormat, ReadContext, RecordedFile
from ingest.files.start_time import require_start

_IMPORT_SCALE = 10_000  # ticks a second: tenths of a millisecond
_MAX_MISMATCH_NS = SECOND // 4  # a time later than its interval by more begins after a gap
# Names of apps by the columns that they write.
_APPS = {
    ("duration", "offline"): "Polar Flow",
    ("phone timestamp", "rr-interval [ms]"): "Polar Sensor Logger",
    ("date", "rr", "since start"): "HRV Logger",
}


@dataclass(frozen=True, slots=True)
class RRFile:
    """RR intervals of one file.

    ``runs`` are unbroken runs of intervals in ticks; between two runs something was unreadable,
    or the strap off. ``missing_s``, one entry a run, is how long that was before the run, where
    the file tells (0 where it does not). ``problems`` says what, line by line.
    """

    runs: tuple[Sequence[int], ...]
    problems: tuple[str, ...]
    ticks_per_second: int = STRAP_TICKS_PER_SECOND
    missing_s: tuple[float, ...] = ()

    @property
    def count(self) -> int:
        """Intervals in all runs."""
        return sum(len(run) for run in self.runs)


def read_rr_file(path: Path, ticks_per_second: int = STRAP_TICKS_PER_SECOND) -> RRFile:
    """Read the runs of ``path``, without times.

    Raises EbbtideError when there is no such file, it is not text, it holds no interval, or it can
    be read in two ways.
    """
    found = _to_runs(path, read_interval_table(path, ReadContext()), ticks_per_second)
    return replace(found, runs=tuple(tuple(run) for run in found.runs))


def _to_runs(path: Path, table: IntervalTable, ticks_per_second: int) -> RRFile:
    """Unbroken runs: broken by a bad line, an absent beat, or time that no interval fills."""
    runs: list[array[int]] = []
    missing_s: list[float] = []
    run = array("i")
    missing = 0.0
    problems = list(table.problems)
    for number, ms, absent, gap in _rows(table.lines, table.rr_ms, table.absent, _gaps(table)):
        ticks = None if absent else ticks_of_interval(ms, ticks_per_second)
        if ticks is None and not absent and ms == ms:
            problems.append((number, f"{ms:g} ms is not an interval between two beats"))
        if absent and ms == ms:
            missing += ms / 1000
        if run and (ticks is None or gap):
            runs.append(run)
            run = array("i")
        if ticks is not None:
            if not run:
                missing_s.append(missing if not table.exact else gap / SECOND)
                missing = 0.0
            run.append(ticks)
    if run:
        runs.append(run)
    messages = tuple(f"line {number}: {what}" for number, what in sorted(problems))
    if not runs:
        why = messages[0] if messages else "it ends after its header"
        raise EbbtideError(f"{path} holds no RR interval: {why}.", "Check the file.")
    return RRFile(tuple(runs), messages, ticks_per_second, tuple(missing_s))


def _rows(*columns: NDArray[Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of several arrays as Python's numbers, of which only some exist at a time."""
    for at in range(0, len(columns[0]), 10_000):
        yield from zip(*(column[at : at + 10_000].tolist() for column in columns), strict=True)


def _gaps(table: IntervalTable) -> NDArray[np.int64]:
    """Nanoseconds before each interval that no interval of the file fills."""
    gaps = table.breaks.astype(np.int64)  # a session begins: a gap, however short
    if table.time_ns is None or not table.exact:
        return gaps
    usable = np.flatnonzero(
        (table.time_ns >= 0) & np.isfinite(table.rr_ms) & ~table.absent & (table.rr_ms > 0)
    )
    if len(usable) < 2:
        return gaps
    steps = np.diff(table.time_ns[usable]) - table.rr_ms[usable[1:]] * 1e6
    gaps[usable[1:]] += np.where(steps > _MAX_MISMATCH_NS, np.round(steps), 0).astype(np.int64)
    return gaps


def read_text_recording(
    path: Path, context: ReadContext, text: FileText | None = None
) -> RecordedFile:
    """Read ``path``, or the ``text`` of it; place its beats by its own times where it has them."""
    try:
        table = read_interval_table(path, context, text)
    except RatesAloneError:
        rates = read_rate_table(path, context, text)
        if rates is None:
            raise
        return rates
    title = _APPS.get(tuple(name.lower() for name in table.names))
    if title is None:
        title = "Pulse intervals" if table.is_pulse else "RR intervals"
    label = f"{title}, PPI" if table.is_pulse else title
    origin = Origin.PULSE if table.is_pulse else Origin.FILE
    builder = RecordingBuilder(f"{path.name} ({label})", _IMPORT_SCALE, origin)
    start = _start_of(path, table, context)
    if table.time_ns is not None and not table.exact:
        problems = _place_arrivals(path, table, builder, 0 if table.dated else start)
    else:
        read = _to_runs(path, table, _IMPORT_SCALE)
        problems = read.problems
        end = start
        for run, missing in zip(read.runs, read.missing_s, strict=True):
            end = builder.add_run(run, end + int(missing * SECOND))
    return RecordedFile(title, (builder.build(),), problems, table.read_as, tuple(table.notes))


def _start_of(path: Path, table: IntervalTable, context: ReadContext) -> int:
    """When the first interval began."""
    if table.dated and table.time_ns is not None:
        good = np.flatnonzero((table.time_ns >= 0) & np.isfinite(table.rr_ms) & ~table.absent)
        if len(good):
            return int(table.time_ns[good[0]]) - round(float(table.rr_ms[good[0]]) * 1e6)
    return require_start(path, context)


def _place_arrivals(
    path: Path, table: IntervalTable, builder: RecordingBuilder, start_ns: int
) -> tuple[str, ...]:
    """Place intervals as a strap's are: rows that share a time came in one notification."""
    assert table.time_ns is not None
    problems = list(table.problems)
    waiting: list[int] = []
    moment: int | None = None
    origin = 0 if table.dated else start_ns - int(table.time_ns[table.time_ns >= 0][0])
    for number, ms, absent, time_ns in _rows(table.lines, table.rr_ms, table.absent, table.time_ns):
        if absent or ms != ms or time_ns < 0:
            continue
        ticks = ticks_of_interval(ms, _IMPORT_SCALE)
        time = time_ns + origin
        if ticks is None:
            problems.append((number, f"{ms:g} is not an interval between beats"))
            continue
        if moment is not None and time < moment:
            problems.append((number, "its time is before the line above"))
            continue
        if moment is not None and (time != moment or len(waiting) == 16):
            builder.add_arrival(waiting, moment)
            waiting = []
        moment = time
        waiting.append(ticks)
    if waiting and moment is not None:
        builder.add_arrival(waiting, moment)
    messages = tuple(f"line {number}: {what}" for number, what in sorted(problems))
    if builder.is_empty:
        raise EbbtideError(
            f"{path} holds no RR interval: {messages[0] if messages else 'no line has a time'}.",
            "Check the file.",
        )
    return messages


def _matches(_: bytes) -> bool:
    return True


FORMAT = FileFormat("RR text", timed=False, matches=_matches, read=read_text_recording)
