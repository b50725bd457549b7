"""Figures of many windows over one series, in one pass: a day at once and not window by window.

Windows are half-open, [start, start + length), by the time at which an interval ended. Beats are
labelled with what surrounds them, so that a window's edge changes no label. Windows are worked out
in blocks, each with a little of the series to both sides: a label looks no further than
``artefacts.REACH``, and a spline forgets in fewer beats. That bounds the memory, and changes no
figure. The definitions are those of ``analytics.hrv.summary``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.artefacts import REACH, label_beats
from analytics.hrv.correction import CorrectedSeries, correct_beats
from analytics.hrv.frequency_domain import FREQUENCY, spectra
from analytics.hrv.nonlinear import dfa_rows, entropy_rows
from analytics.hrv.requirements import (
    MAX_FOR_ENTROPY,
    MIN_INTERVALS,
    MIN_NORMAL_SHARE,
    MIN_SECONDS,
    REQUIRES_CORRECTED,
    disturbed_reason,
    insufficient_reason,
    undefined_reason,
)
from analytics.hrv.time_domain import TIME_DOMAIN, time_rows

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_BLOCK = 30_000  # intervals of one block of windows
_ROWS = 60_000  # intervals side by side: what fits in the cache
_NO_GAP_S = 1e-6  # what rounding leaves between two times
CONTEXT = 2 * REACH + 64  # intervals to each side of a block


class Domain(StrEnum):
    """Kinds of figures."""

    TIME = "time"
    FREQUENCY = "frequency"
    NONLINEAR = "nonlinear"


_NAMES = {
    Domain.TIME: TIME_DOMAIN,
    Domain.FREQUENCY: FREQUENCY,
    Domain.NONLINEAR: REQUIRES_CORRECTED,
}


@dataclass(frozen=True, slots=True, eq=False)
class WindowMetrics:
    """Shape (w,) throughout. ``start_s`` and ``length_s`` of each; ``values`` by name, NaN where a
    figure is absent: the window is too short for it (``least.MIN_SECONDS``) or too few of its
    intervals are normal. How good each window is: ``intervals`` in it, ``nn_seconds`` that normal
    ones fill, their ``normal_share``, ``longest_gap_s`` without a normal one, ``filled_share`` of
    the corrected series, ``holed`` where the spectrum is from Lomb-Scargle, ``contact_share`` of
    intervals with skin contact among those where it is known, and ``motion_mg`` (mean amplitude
    deviation of acceleration); the last two NaN where nothing is known. ``normal`` and
    ``corrected`` count the intervals that figures are of.
    """

    start_s: FloatArray
    length_s: float
    intervals: IntArray
    nn_seconds: FloatArray
    normal_share: FloatArray
    longest_gap_s: FloatArray
    filled_share: FloatArray
    holed: BoolArray
    contact_share: FloatArray
    motion_mg: FloatArray
    values: dict[str, FloatArray]
    normal: IntArray
    corrected: IntArray

    def why_absent(self, name: str, row: int) -> str | None:
        """Why a figure of a window is NaN; None where it is not."""
        if np.isfinite(self.values[name][row]):
            return None
        of = self.corrected if name in REQUIRES_CORRECTED else self.normal
        return (
            disturbed_reason(int(self.intervals[row]), float(self.normal_share[row]))
            or insufficient_reason(name, float(self.nn_seconds[row]), int(of[row]))
            or undefined_reason(name, int(of[row]))
        )

    @property
    def coverage(self) -> FloatArray:
        """Share of each window that normal intervals fill, at most 1."""
        result: FloatArray = np.minimum(1.0, self.nn_seconds / self.length_s)
        return result


def window_metrics(
    rr_ms: FloatArray,
    time_s: FloatArray,
    start_s: FloatArray,
    length_s: float,
    run: IntArray | None = None,
    *,
    contact: NDArray[np.int8] | None = None,
    motion: tuple[FloatArray, FloatArray] | None = None,
    domains: Collection[Domain] = frozenset(Domain),
    progress: Callable[[int], None] | None = None,
) -> WindowMetrics:
    """Figures of the windows that begin at ``start_s`` (any order) and last ``length_s``.

    ``rr_ms``, ``time_s``: shape (n,), intervals and when each ended, increasing. ``run``: a number
    per unbroken run. ``contact``: 1, 0 (none) or -1 (not known). ``motion``: times in s,
    increasing, and movement in mg. ``domains``: those that are asked for; entropies and DFA are
    the larger part of the work. ``progress`` is called with the number of windows done since the
    last call.
    Raises ValueError for other shapes, times that do not increase, or a length not positive.
    """
    rr, times = np.asarray(rr_ms, np.float64), np.asarray(time_s, np.float64)
    starts = np.asarray(start_s, np.float64)
    if rr.ndim != 1 or rr.shape != times.shape or starts.ndim != 1:
        raise ValueError("rr_ms and time_s must have shape (n,), start_s shape (w,)")
    if np.any(np.diff(times) <= 0):
        raise ValueError("time_s must increase: no two beats are at the same time")
    if not length_s > 0:
        raise ValueError("a window must last longer than 0 s")
    first = np.searchsorted(times, starts, "left")
    last = np.searchsorted(times, starts + length_s, "left")
    count = len(starts)
    found = WindowMetrics(
        start_s=starts,
        length_s=length_s,
        intervals=last - first,
        nn_seconds=np.zeros(count),
        normal_share=np.zeros(count),
        longest_gap_s=np.full(count, length_s),
        filled_share=np.zeros(count),
        holed=np.zeros(count, np.bool_),
        contact_share=np.full(count, np.nan),
        motion_mg=_motion(motion, starts, length_s),
        values={
            name: np.full(count, np.nan)
            for domain, names in _NAMES.items()
            if domain in domains
            for name in names
        },
        normal=np.zeros(count, np.int64),
        corrected=np.zeros(count, np.int64),
    )
    order = np.argsort(starts, kind="stable")
    at = 0
    while at < count:
        # As many windows as begin within a block of intervals of the first.
        end = int(np.searchsorted(first[order], first[order[at]] + _BLOCK, "right"))
        rows = order[at:end]
        low = max(0, int(first[rows[0]]) - CONTEXT)
        high = min(len(rr), int(np.max(last[rows])) + CONTEXT)
        part = slice(low, high)
        _block(
            found,
            rows,
            rr[part],
            times[part],
            None if run is None else run[part],
            None if contact is None else contact[part],
            first[rows] - low,
            last[rows] - low,
            domains,
        )
        if progress is not None:
            progress(len(rows))
        at = end
    return found


def _block(
    found: WindowMetrics,
    rows: IntArray,
    rr: FloatArray,
    times: FloatArray,
    run: IntArray | None,
    contact: NDArray[np.int8] | None,
    first: IntArray,
    last: IntArray,
    domains: Collection[Domain],
) -> None:
    """Fill ``rows`` of ``found`` from a part of the series; [first, last) are places in it."""
    labelled = label_beats(rr, run, contact)
    normal = labelled.normal
    follows = np.ones(len(rr), np.bool_)
    follows[:1] = False
    if run is not None:
        follows[1:] &= np.diff(run) == 0
    values = {name: np.full(len(rows), np.nan) for name in found.values}
    count = np.zeros(len(rows), np.int64)
    seconds = np.zeros(len(rows))
    widest = int(np.max(last - first, initial=1))
    side_by_side = max(1, _ROWS // max(widest, 2))
    for at in range(0, len(rows), side_by_side):
        part = slice(at, at + side_by_side)
        time_values, count[part], seconds[part] = time_rows(
            rr, normal, follows, first[part], last[part], widest
        )
        if Domain.TIME in domains:
            for name, column in time_values.items():
                values[name][part] = column
    starts, length_s = found.start_s[rows], found.length_s
    share = count / np.maximum(last - first, 1)
    corrected = correct_beats(rr, times, run, labelled)
    has_spectrum = holed = np.zeros(len(rows), np.bool_)
    if Domain.FREQUENCY in domains:
        has_spectrum, holed = spectra(corrected, starts, length_s, values)
    corrected_first = np.searchsorted(corrected.time_s, starts, "left")
    corrected_last = np.searchsorted(corrected.time_s, starts + length_s, "left")
    if Domain.NONLINEAR in domains:
        usable = share >= MIN_NORMAL_SHARE
        _nonlinear(values, corrected, corrected_first, corrected_last, usable)
    filled = np.append(0, np.cumsum(corrected.filled))
    many = np.maximum(corrected_last - corrected_first, 1)
    _leave_out(values, share, count, seconds, corrected_last - corrected_first, has_spectrum)
    for name, column in values.items():
        found.values[name][rows] = column
    found.normal[rows] = count
    found.corrected[rows] = corrected_last - corrected_first
    found.nn_seconds[rows] = seconds
    found.normal_share[rows] = share
    found.holed[rows] = holed
    found.filled_share[rows] = (filled[corrected_last] - filled[corrected_first]) / many
    found.longest_gap_s[rows] = _longest_gaps(rr[normal], times[normal], starts, length_s)
    if contact is not None:
        known = np.append(0, np.cumsum(contact >= 0))
        touched = np.append(0, np.cumsum(contact > 0))
        with np.errstate(all="ignore"):
            found.contact_share[rows] = (touched[last] - touched[first]) / (
                known[last] - known[first]
            )


def _nonlinear(
    values: dict[str, FloatArray],
    corrected: CorrectedSeries,
    first: IntArray,
    last: IntArray,
    usable: BoolArray,
) -> None:
    rows = np.flatnonzero(usable)
    nn, follows = corrected.nn_ms, corrected.follows
    found = dfa_rows(nn, follows, first[rows], last[rows]) | entropy_rows(
        nn, follows, first[rows], last[rows], MIN_INTERVALS["sampen"], MAX_FOR_ENTROPY
    )
    for name, column in found.items():
        values[name][rows] = column


def _longest_gaps(
    nn: FloatArray, times: FloatArray, starts: FloatArray, length_s: float
) -> FloatArray:
    """The longest time in each window that no normal interval fills, in s."""
    ends = starts + length_s
    first = np.searchsorted(times, starts, "left")
    last = np.searchsorted(times, ends, "left")
    result = np.full(len(starts), length_s)
    some = np.flatnonzero(last > first)
    if not len(some):
        return result
    a, b = first[some], last[some] - 1
    before = np.maximum(0, times[a] - nn[a] / 1000 - starts[some])
    # Until the next interval that is normal, of which a part may lie in the window.
    follower = np.minimum(b + 1, len(nn) - 1)
    goes_on = (b + 1 < len(nn)) & (times[follower] - nn[follower] / 1000 < ends[some])
    next_begins = np.where(goes_on, times[follower] - nn[follower] / 1000, ends[some])
    result[some] = np.maximum(before, np.maximum(0, next_begins - times[b]))
    gap = np.maximum(0, np.diff(times, prepend=times[0]) - nn / 1000)
    inner = np.flatnonzero(b > a)
    if len(inner):
        pairs = np.column_stack([a[inner] + 1, b[inner] + 1]).ravel()
        longest = np.maximum.reduceat(np.append(gap, 0.0), pairs)[::2]
        result[some[inner]] = np.maximum(result[some[inner]], longest)
    return np.where(result < _NO_GAP_S, 0.0, result)


def _motion(
    motion: tuple[FloatArray, FloatArray] | None, starts: FloatArray, length_s: float
) -> FloatArray:
    """Mean movement in each window; NaN where none is known."""
    if motion is None or not len(motion[0]):
        return np.full(len(starts), np.nan)
    when, how_much = motion
    first = np.searchsorted(when, starts, "left")
    last = np.searchsorted(when, starts + length_s, "left")
    total = np.append(0.0, np.cumsum(how_much))
    with np.errstate(all="ignore"):
        result: FloatArray = (total[last] - total[first]) / (last - first)
    return result


def _leave_out(
    values: dict[str, FloatArray],
    share: FloatArray,
    count: IntArray,
    seconds: FloatArray,
    corrected_count: IntArray,
    has_spectrum: BoolArray,
) -> None:
    """Absent, not wrong."""
    poor = share < MIN_NORMAL_SHARE
    for name, column in values.items():
        short = seconds < MIN_SECONDS.get(name, 0)
        of_corrected = name in REQUIRES_CORRECTED
        few = (corrected_count if of_corrected else count) < MIN_INTERVALS.get(name, 0)
        without = ~has_spectrum if name in FREQUENCY else np.zeros(len(column), np.bool_)
        column[poor | short | few | without | ~np.isfinite(column)] = np.nan
