"""Hold the intervals of a table against its time: beats, a fixed rate, or another unit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND
from ingest.files.beat_times import ColumnChoice
from ingest.files.choices import ChoiceError, column_choices
from ingest.files.column_names import RATE
from ingest.files.fixed_rate import fills_time, find_beats
from ingest.files.text_table import TextTable

_MANY = 20
_STEP_SPARE_S = 0.03  # times are written to 1/100 s or better
_VARIES_S = 0.004  # standard deviation of intervals that are no metronome's


def is_exact(rr_ms: NDArray[np.float64], time_ns: NDArray[np.int64]) -> bool:
    good = (time_ns[1:] >= 0) & (time_ns[:-1] >= 0) & np.isfinite(rr_ms[1:])
    if good.sum() < 3:
        return False
    steps, rr_s = (np.diff(time_ns) / SECOND)[good], rr_ms[1:][good] / 1000
    # Rows a second apart say nothing of intervals near a second.
    is_even = float(np.mean(np.abs(steps - np.median(steps)) < 1e-3)) > 0.95
    if is_even and float(np.std(rr_s)) > _VARIES_S:
        return False
    return bool((np.abs(steps - rr_s) < _STEP_SPARE_S).mean() > 0.8)


def find_fixed_rate_beats(
    path: Path,
    table: TextTable,
    chosen: ColumnChoice,
    rr_ms: NDArray[np.float64],
    time_ns: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Rows in which a new beat shows, and the times of the beats, where rows come at a fixed rate.

    A beat shows in the first row after it. Equal intervals in a row are as many beats as the time
    between the changes holds. None where rows are beats.
    """
    rows = np.flatnonzero((time_ns >= 0) & np.isfinite(rr_ms) & (rr_ms > 0))
    if len(rows) < _MANY or is_exact(rr_ms, time_ns):
        return None
    at = (time_ns[rows] - time_ns[rows[0]]) / SECOND
    rr = rr_ms[rows] / 1000
    steps = np.diff(at)
    every = float(np.median(steps))
    regular = float(np.mean(np.abs(steps - every) < 0.15 * every + 1e-9)) if every > 0 else 0.0
    even = float(np.mean(np.abs(steps - every) < 0.02 * every + 1e-9))
    span = float(at[-1]) + every
    total = float(rr.sum())
    if even >= 0.95:
        _refuse_from_rates(path, table, chosen, rows, rr_ms)
    if regular < 0.9 or abs(total / span - 1) < 0.02:
        return None
    repeats = float(np.mean(np.diff(rr) == 0))
    if total < span and repeats < 0.05:
        return None  # nothing repeats: beats with pauses, which placement finds
    changes = np.concatenate([[0], np.flatnonzero(np.diff(rr) != 0) + 1])
    beats = find_beats(at[changes], rr[changes], float(at[-1]), every)
    # A row shows one beat: where there are more beats than rows, some were never written.
    if len(beats) > len(rows) or not fills_time(beats, rr[changes]):
        name = table.name_of(chosen.rr or 0)
        raise EbbtideError(
            f"The rows of {path} come every {every:g} s and {name} repeats the latest interval: "
            f"they add up to {total:.0f} s in {span:.0f} s, and beats between rows are missing.",
            "Export the RR intervals one a beat.",
        )
    beat_rows = np.array([rows[changes[change]] for change, _ in beats], dtype=np.int64)
    when = [time for _, time in beats]
    start = int(time_ns[rows[0]])
    return beat_rows, np.array([start + round(moment * SECOND) for moment in when], dtype=np.int64)


def _refuse_from_rates(
    path: Path,
    table: TextTable,
    chosen: ColumnChoice,
    rows: NDArray[np.int64],
    rr_ms: NDArray[np.float64],
) -> None:
    """Refuse rows of a fixed rate that are 60,000 over the heart rate beside them, each."""
    for column, name in enumerate(table.names):
        if column == chosen.rr or not RATE.search(name.lower()):
            continue
        rates = table.numbers(column)
        if len(rates) != len(rr_ms):
            continue
        for rr in (rr_ms[rows], rr_ms[rows] * 1.024):  # ms may be taken for ticks of 1/1024 s
            product = rates[rows] * rr
            if not np.isfinite(product).all() or np.ptp(rates[rows]) <= 1:
                continue
            # To the rounding of either: an interval that was measured is off by 0.7% of its rate.
            off = np.abs(product - 60_000) / np.minimum(rates[rows], rr)
            if bool((off <= 0.51).mean() > 0.98):
                raise EbbtideError(
                    f"{table.name_of(chosen.rr or 0)} of {path} is 60,000 divided by "
                    f"{table.name_of(column)}, at a fixed rate: computed from heart rates, not "
                    "intervals between beats.",
                    "Export the RR intervals one a beat, as the device measured them.",
                )


def check_fill(
    path: Path,
    table: TextTable,
    chosen: ColumnChoice,
    rr_ms: NDArray[np.float64],
    time_ns: NDArray[np.int64],
) -> None:
    """Refuse intervals that add up to more than the time in which they were recorded."""
    good = (time_ns >= 0) & np.isfinite(rr_ms)
    if good.sum() < _MANY:
        return
    span = float(time_ns[good][-1] - time_ns[good][0]) / SECOND
    total = float(rr_ms[good][1:].sum()) / 1000
    if total > 1.1 * span + 3:
        column = chosen.clock if chosen.clock is not None else chosen.time or 0
        raise ChoiceError(
            f"{table.name_of(chosen.rr or 0)} of {path} adds up to {total:.0f} s, but "
            f"{table.name_of(column)} goes on by only {span:.0f} s: the rows are not beats, or the "
            f"unit is not {chosen.unit}.",
            "Give the unit (--unit) or the column of intervals (--column), or export RR intervals.",
            {"unit": (), "column": column_choices(table.names)},
        )


def check_steps(
    path: Path,
    table: TextTable,
    chosen: ColumnChoice,
    rr_ms: NDArray[np.float64],
    time_ns: NDArray[np.int64],
) -> None:
    """Refuse intervals that are off the steps of their times by the 2.4% of the other unit."""
    good = (time_ns[1:] >= 0) & (time_ns[:-1] >= 0) & np.isfinite(rr_ms[1:])
    steps = np.diff(time_ns)[good] / 1e6
    if len(steps) < _MANY or (steps <= 0).any():
        return
    low, factor, high = np.percentile(rr_ms[1:][good] / steps, [10, 50, 90])
    other, wanted = ("1/1024", 1.024) if chosen.unit == "ms" else ("ms", 1 / 1.024)
    if abs(factor / wanted - 1) < 0.006 and high - low < 0.008 and chosen.unit in ("ms", "1/1024"):
        column = chosen.clock if chosen.clock is not None else chosen.time or 0
        raise ChoiceError(
            f"{table.name_of(chosen.rr or 0)} of {path} in {chosen.unit} is {factor:.3f} times the "
            f"steps of {table.name_of(column)}, which {other} would be.",
            f"Say the unit: --unit {other}, or --unit {chosen.unit} if it is that.",
            {"unit": (other, chosen.unit)},
        )
