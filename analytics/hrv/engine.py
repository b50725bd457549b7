"""Metrics of many windows over one series, in one pass: a day at once and not window by window.

Windows are half-open, [start, start + length), by the time at which an interval ended. Beats are
labelled with what surrounds them, so that a window's edge changes no label. Windows are computed in
blocks, each with a little of the series to both sides: a label depends on no interval further away
than ``artefacts.REACH``, and a spline on fewer. That bounds the memory, and changes no value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, Int8Array, IntArray
from analytics.hrv import compiled
from analytics.hrv.artefacts import REACH, BeatLabels, label_beats
from analytics.hrv.correction import CorrectedSeries, correct_beats
from analytics.hrv.frequency_domain import (
    FREQUENCY_DOMAIN,
    SpectrumRows,
    compute_spectrum,
    window_spectra,
)
from analytics.hrv.gapped import GAPPED
from analytics.hrv.metric import Domain
from analytics.hrv.nonlinear import NONLINEAR, CorrectedWindows
from analytics.hrv.requirements import (
    METRICS,
    MIN_NORMAL_SHARE,
    MIN_SECONDS,
    REQUIRES_CORRECTED,
    disturbed_reason,
    insufficient_reason,
    undefined_reason,
)
from analytics.hrv.time_domain import TIME_DOMAIN, NNWindows, compiled_metrics

_BLOCK = 30_000  # intervals of one block of windows
_ROWS = 60_000  # intervals side by side: what fits in the cache
_LABELLED_AT_ONCE = 100_000  # intervals
_NO_GAP_S = 1e-6  # what rounding leaves between two times
CONTEXT = 2 * REACH + 64  # intervals to each side of a block


@dataclass(frozen=True, slots=True, eq=False)
class WindowMetrics:
    """Metrics of windows, of shape (w,) throughout.

    ``start_s`` and ``length_s`` of each; ``values`` by name, NaN where
    its data requirements (``Metric.min_seconds``, ``Metric.min_intervals``) are not met or too few
    intervals are normal. How good each window is: ``intervals`` in it, ``nn_seconds`` that normal
    ones fill, their ``normal_share``, ``longest_gap_s`` without a normal one, ``filled_share`` of
    the corrected series, ``holed`` where the spectrum is of beats with gaps, ``contact_share`` of
    intervals with skin contact among those where it is known, and ``motion_mg`` (mean amplitude
    deviation of acceleration); the last two NaN without such data. ``normal`` and ``corrected``
    count the intervals that metrics are computed from.
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

    def missing_reason(self, name: str, row: int) -> str | None:
        """Say why a metric of a window is NaN; None where it is not."""
        if np.isfinite(self.values[name][row]):
            return None
        of = self.corrected if name in REQUIRES_CORRECTED else self.normal
        return (
            disturbed_reason(int(self.intervals[row]), float(self.normal_share[row]))
            or insufficient_reason(name, float(self.nn_seconds[row]), int(of[row]))
            or undefined_reason(name, int(of[row]), bool(self.holed[row]))
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
    contact: Int8Array | None = None,
    motion: tuple[FloatArray, FloatArray] | None = None,
    domains: Collection[Domain] = frozenset(Domain),
    progress: Callable[[int], None] | None = None,
    labelled: LabelledSeries | None = None,
) -> WindowMetrics:
    """Compute the metrics of windows of ``length_s`` that begin at ``start_s``, in any order.

    ``rr_ms``, ``time_s``: shape (n,), intervals and when each ended, increasing. ``run``: a number
    per unbroken run. ``contact``: 1, 0 (none) or -1 (not known). ``motion``: times in s,
    increasing, and movement in mg. ``domains``: which metrics; entropies and DFA are the larger
    part of the work. ``progress`` is called with the number of windows done since the
    last call. ``labelled``: what ``label_series`` makes of the whole series, where that is known.
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
    if count >= compiled.WORTH_WINDOWS:
        compiled.load()
    found = _empty_metrics(starts, length_s, last - first, domains)
    found.motion_mg[:] = _motion(motion, starts, length_s)
    order = np.argsort(starts, kind="stable")
    at = 0
    while at < count:
        # As many windows as begin within a block of intervals of the first.
        end = int(np.searchsorted(first[order], first[order[at]] + _BLOCK, "right"))
        rows = order[at:end]
        low = 0 if labelled is not None else max(0, int(first[rows[0]]) - CONTEXT)
        high = min(len(rr), int(np.max(last[rows])) + CONTEXT)
        part = slice(low, high)
        series = labelled or label_series(
            rr[part],
            times[part],
            None if run is None else run[part],
            None if contact is None else contact[part],
        )
        spectra = window_spectra(series.corrected, starts[rows], length_s)
        _fill(found, rows, series, first[rows] - low, last[rows] - low, spectra)
        if progress is not None:
            progress(len(rows))
        at = end
    return found


def series_metrics(series: LabelledSeries) -> WindowMetrics:
    """Compute the metrics of a whole series as one window.

    Its spectrum is that of all its corrected beats; so it begins with the first of them.
    """
    corrected, count = series.corrected, len(series.rr_ms)
    start, length_s = np.zeros(1), 0.0
    if len(corrected.nn_ms):
        start = corrected.time_s[:1]
        length_s = float(corrected.time_s[-1] - start[0])
    row = np.zeros(1, np.int64)
    found = _empty_metrics(start, length_s, np.array([count]), frozenset(Domain))
    spectra: list[SpectrumRows] = []
    nn_seconds = float(np.sum(series.rr_ms[series.normal])) / 1000
    enough = np.count_nonzero(series.normal) >= MIN_NORMAL_SHARE * count
    if enough and nn_seconds >= MIN_SECONDS["hf_ms2"]:
        whole = compute_spectrum(corrected.time_s, corrected.nn_ms, corrected.follows)
        holed = whole.method == GAPPED
        spectra = [SpectrumRows(row, whole.hz, whole.power_ms2_hz[None, :], holed)]
    _fill(found, row, series, row, found.intervals, spectra, row, np.array([len(corrected.nn_ms)]))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSeries:
    """A series, or a part of it, with what is computed from all of it; shape (n,) where not said.

    ``follows``: whether an interval began where the one before it ended.
    """

    rr_ms: FloatArray
    time_s: FloatArray
    follows: BoolArray
    contact: Int8Array | None
    labels: BeatLabels
    corrected: CorrectedSeries

    @property
    def normal(self) -> BoolArray:
        """Mask of the NN intervals."""
        return self.labels.normal


def label_series(
    rr_ms: FloatArray, time_s: FloatArray, run: IntArray | None, contact: Int8Array | None
) -> LabelledSeries:
    """Label and correct a series. Arguments as for ``window_metrics``."""
    follows = np.ones(len(rr_ms), np.bool_)
    follows[:1] = False
    if run is not None:
        follows[1:] &= np.diff(run) == 0
    found: list[tuple[BeatLabels, CorrectedSeries]] = []
    for part in _parts_by_run(follows):
        of_part = None if run is None else run[part]
        labels = label_beats(rr_ms[part], of_part, None if contact is None else contact[part])
        found.append((labels, correct_beats(rr_ms[part], time_s[part], of_part, labels)))
    if len(found) == 1:
        return LabelledSeries(rr_ms, time_s, follows, contact, *found[0])
    labels = BeatLabels(
        np.concatenate([one.beat for one, _ in found]),
        np.concatenate([one.median_ms for one, _ in found]),
    )
    corrected = CorrectedSeries(
        np.concatenate([one.nn_ms for _, one in found]),
        np.concatenate([one.time_s for _, one in found]),
        np.concatenate([one.filled for _, one in found]),
        np.concatenate([one.follows for _, one in found]),
    )
    return LabelledSeries(rr_ms, time_s, follows, contact, labels, corrected)


def _parts_by_run(follows: BoolArray) -> Iterator[slice]:
    """Split a series between runs, into parts of about ``_LABELLED_AT_ONCE`` intervals.

    Labels and correction never look over a gap, and take some 200 bytes an interval while they
    work: the beats of years would take gigabytes at once.
    """
    begins = np.flatnonzero(~follows)
    at = 0
    while at < len(follows) or at == 0:
        later = begins[np.searchsorted(begins, at + _LABELLED_AT_ONCE) :]
        end = int(later[0]) if len(later) else len(follows)
        yield slice(at, end)
        at = end
        if not len(follows):
            return


def windows_without_beats(
    starts: FloatArray,
    length_s: float,
    motion: tuple[FloatArray, FloatArray] | None,
    domains: Collection[Domain],
) -> WindowMetrics:
    """Build what ``window_metrics`` says of windows without beats."""
    found = _empty_metrics(starts, length_s, np.zeros(len(starts), np.int64), domains)
    found.motion_mg[:] = _motion(motion, starts, length_s)
    return found


def _empty_metrics(
    starts: FloatArray, length_s: float, intervals: IntArray, domains: Collection[Domain]
) -> WindowMetrics:
    count = len(starts)
    return WindowMetrics(
        start_s=starts,
        length_s=length_s,
        intervals=intervals,
        nn_seconds=np.zeros(count),
        normal_share=np.zeros(count),
        longest_gap_s=np.full(count, length_s),
        filled_share=np.zeros(count),
        holed=np.zeros(count, np.bool_),
        contact_share=np.full(count, np.nan),
        motion_mg=np.full(count, np.nan),
        values={
            name: np.full(count, np.nan)
            for name, metric in METRICS.items()
            if metric.domain in domains
        },
        normal=np.zeros(count, np.int64),
        corrected=np.zeros(count, np.int64),
    )


def _fill(
    found: WindowMetrics,
    rows: IntArray,
    series: LabelledSeries,
    first: IntArray,
    last: IntArray,
    spectra: Iterable[SpectrumRows],
    corrected_first: IntArray | None = None,
    corrected_last: IntArray | None = None,
) -> None:
    """Fill ``rows`` of ``found`` from a part of the series.

    [first, last) are places in it, and in the corrected series (where its times are in the window,
    if left out).
    """
    normal, corrected = series.normal, series.corrected
    starts, length_s = found.start_s[rows], found.length_s
    if corrected_first is None or corrected_last is None:
        corrected_first = np.searchsorted(corrected.time_s, starts, "left")
        corrected_last = np.searchsorted(corrected.time_s, starts + length_s, "left")
    values = {name: np.full(len(rows), np.nan) for name in found.values}
    count, seconds = _time_domain(values, series, first, last)
    share = count / np.maximum(last - first, 1)
    holed = np.zeros(len(rows), np.bool_)
    with np.errstate(all="ignore"):
        if FREQUENCY_DOMAIN[0].name in values:
            for group in spectra:
                holed[group.rows] = group.holed
                for spectral in FREQUENCY_DOMAIN:
                    values[spectral.name][group.rows] = spectral.rows(group)
        if NONLINEAR[0].name in values:
            usable = np.flatnonzero(share >= MIN_NORMAL_SHARE)
            windows = CorrectedWindows(
                corrected.nn_ms, corrected.follows, corrected_first[usable], corrected_last[usable]
            )
            for metric in NONLINEAR:
                values[metric.name][usable] = metric.rows(windows)
    filled = np.append(0, np.cumsum(corrected.filled))
    corrected_count = corrected_last - corrected_first
    _mask_insufficient(values, share, count, seconds, corrected_count)
    for name, column in values.items():
        found.values[name][rows] = column
    found.normal[rows] = count
    found.corrected[rows] = corrected_count
    found.nn_seconds[rows] = seconds
    found.normal_share[rows] = share
    found.holed[rows] = holed
    found.filled_share[rows] = (filled[corrected_last] - filled[corrected_first]) / np.maximum(
        corrected_count, 1
    )
    found.longest_gap_s[rows] = _longest_gaps(
        series.rr_ms[normal], series.time_s[normal], starts, length_s
    )
    if series.contact is not None:
        reported = np.append(0, np.cumsum(series.contact >= 0))
        touched = np.append(0, np.cumsum(series.contact > 0))
        with np.errstate(all="ignore"):
            found.contact_share[rows] = (touched[last] - touched[first]) / (
                reported[last] - reported[first]
            )


def _time_domain(
    values: dict[str, FloatArray], series: LabelledSeries, first: IntArray, last: IntArray
) -> tuple[IntArray, FloatArray]:
    """Compute the time-domain metrics among ``values``.

    Returns how many NN intervals each window has, and their seconds.
    """
    count, seconds = np.zeros(len(first), np.int64), np.zeros(len(first))
    if not len(series.rr_ms):
        return count, seconds
    rest = [metric for metric in TIME_DOMAIN if metric.name in values]
    loops = compiled.loops()
    if loops is not None:
        count, seconds, found = compiled_metrics(
            loops, series.rr_ms, series.normal, series.follows, first, last
        )
        for metric in rest:
            if metric.name in found:
                values[metric.name][:] = found[metric.name]
        longest = np.max(seconds, initial=0.0)
        rest = [
            metric for metric in rest if metric.name not in found and longest >= metric.min_seconds
        ]
        if not rest:
            return count, seconds
    widest = int(np.max(last - first, initial=1))
    side_by_side = max(1, _ROWS // max(widest, 2))
    for at in range(0, len(first), side_by_side):
        part = slice(at, at + side_by_side)
        windows = NNWindows(
            series.rr_ms, series.normal, series.follows, first[part], last[part], widest
        )
        count[part], seconds[part] = windows.count, windows.total / 1000
        with np.errstate(all="ignore"):
            for metric in rest:
                values[metric.name][part] = metric.rows(windows)
    return count, seconds


def _longest_gaps(
    nn: FloatArray, times: FloatArray, starts: FloatArray, length_s: float
) -> FloatArray:
    """Find the longest time in each window that no normal interval fills, in s."""
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


def _mask_insufficient(
    values: dict[str, FloatArray],
    share: FloatArray,
    count: IntArray,
    seconds: FloatArray,
    corrected_count: IntArray,
) -> None:
    """Set metrics to NaN where their data requirements are not met."""
    poor = share < MIN_NORMAL_SHARE
    for name, column in values.items():
        metric = METRICS[name]
        intervals = corrected_count if metric.of_corrected else count
        short = (seconds < metric.min_seconds) | (intervals < metric.min_intervals)
        column[poor | short | ~np.isfinite(column)] = np.nan
