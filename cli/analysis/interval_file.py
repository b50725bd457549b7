"""Read a file of RR intervals into arrays."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import EARLIEST, SECOND
from ingest.files.registry import open_recording

if TYPE_CHECKING:
    from ingest.files.recording import FileRecording


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """All of shape (n,): ``rr_ms``; ``time_s``, when each ended, from the beginning of the file;
    ``run``, a number per unbroken run. ``problems``: what could not be read.
    ``read_as``: what was decided about the file; ``notes``: what a person must know about it.
    """

    rr_ms: NDArray[np.float64]
    time_s: NDArray[np.float64]
    run: NDArray[np.int64]
    problems: tuple[str, ...]
    read_as: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_intervals(
    path: Path,
    *,
    zone: str | None = None,
    column: str | None = None,
    unit: str | None = None,
    decimal: str | None = None,
) -> Intervals:
    """Read any format of ``ebbtide import``. Raises EbbtideError where there is no interval.

    A recording without times begins at an arbitrary moment: only times since its start are used.
    """
    read = open_recording(
        path, zone=zone, start_ns=EARLIEST, column=column, unit=unit, decimal=decimal
    )
    if not read.recordings:
        raise EbbtideError(f"{path} holds no RR interval.", "Check the file.")
    problems = list(read.problems)
    rr: list[NDArray[np.float64]] = []
    times: list[NDArray[np.int64]] = []
    runs: list[NDArray[np.int64]] = []
    number = 0
    for recording in sorted(read.recordings, key=lambda item: item.start_ns):
        one_rr, one_times, one_run = recording_arrays(recording)
        if times and one_times[0] <= times[-1][-1]:
            problems.append(
                f"{recording.source}: {len(one_rr)} beats overlap with another recording in this "
                "file and are left out"
            )
            continue
        rr.append(one_rr)
        times.append(one_times)
        runs.append(one_run + number)
        number = int(runs[-1][-1]) + 1
    at = np.concatenate(times)
    rr_ms = np.concatenate(rr)
    begin = int(at[0]) - round(rr_ms[0] * 1e6)
    found = _increasing(rr_ms, (at - begin) / SECOND, np.concatenate(runs), tuple(problems))
    read_as: dict[str, Any] = {"format": read.format}
    if read.read_as is not None:
        read_as.update(asdict(read.read_as))
    return replace(found, read_as=read_as, notes=read.notes)


def recording_arrays(
    recording: FileRecording,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Make the intervals in ms, the times of their ends and a number per unbroken run."""
    starts = np.zeros(recording.beats, np.int64)
    for gap in recording.gaps:
        starts[recording.ends[gap.sequence - 2] if gap.sequence > 1 else 0] = 1
    return (
        np.asarray(recording.rr_ticks, dtype=np.float64) * 1000 / recording.ticks_per_second,
        np.asarray(recording.times_ns, dtype=np.int64),
        np.cumsum(starts),
    )


def _increasing(
    rr_ms: NDArray[np.float64],
    time_s: NDArray[np.float64],
    run: NDArray[np.int64],
    problems: tuple[str, ...],
) -> Intervals:
    """Leave out beats that are not later than all before: intervals are above 0."""
    latest = np.maximum.accumulate(time_s)
    increasing = np.ones(len(time_s), dtype=np.bool_)
    increasing[1:] = time_s[1:] > latest[:-1]
    dropped = int(np.count_nonzero(~increasing))
    if dropped:
        problems = (*problems, f"{dropped} beats at the time of another are left out")
    return Intervals(rr_ms[increasing], time_s[increasing], run[increasing], problems)
