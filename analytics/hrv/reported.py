"""Heart rates that devices report by themselves, for the stress index where there are no beats.

A watch or a strap that sends no times between beats, and most files of activities, have one heart
rate every second or every few minutes. They are smoothed, and come later than the beats: by 40 s at
the wrist in Iqbal et al. (2022), Sensors 22:8135. So they only stand in for beats, count with the
larger error that they have (``analytics.hrv.stress_model``), and nothing but a heart rate is
computed from them: no RMSSD, no SDNN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.heart_rate import (
    WindowRates,
    accept_intervals,
    empty_rates,
    estimate_lag_s,
    reported_rates,
)
from analytics.hrv.stress_course import fill_with_reported
from analytics.hrv.windows import BeatArrays, HrvWindows

METHOD = "a device's own heart rate where there are no beats"
_MIN_BOTH_NS = 1_200_000_000_000  # 20 min of beats and rates, to tell how late the rates are


@dataclass(frozen=True, slots=True, eq=False)
class ReportedRates:
    """Heart rates by time, of shape (n,).

    ``time_ns``: when each came, UTC nanoseconds; ``bpm``; ``source``: a number per device.
    """

    time_ns: IntArray
    bpm: FloatArray
    source: NDArray[np.int32]

    def of_source(self, source: int) -> ReportedRates:
        """Select the rates of one device."""
        where = self.source == source
        return ReportedRates(self.time_ns[where], self.bpm[where], self.source[where])


def reported_windows(
    rates: ReportedRates,
    start_ns: IntArray,
    window_ns: int,
    beats: BeatArrays | None = None,
) -> WindowRates:
    """Compute the heart rate of windows from what devices report.

    Two devices are not mixed: each window is of the one with most rates in it.

    Parameters
    ----------
    rates : ReportedRates
        Of any number of devices.
    start_ns : array of int64, shape (w,)
        Starts of the windows in UTC nanoseconds, in any order.
    window_ns : int
        Their length.
    beats : BeatArrays, optional
        Of the same time. Where 20 minutes of a device's rates lie among beats, its lag is estimated
        and taken out; else it is taken as none.

    Returns
    -------
    WindowRates
        Shape (w,), NaN where no rate came, and without a vagal part.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.hrv.reported import ReportedRates, reported_windows
    >>> second, minute = 1_000_000_000, 60_000_000_000
    >>> rates = ReportedRates(
    ...     second * np.arange(120), np.repeat([70.0, 80.0], 60), np.zeros(120, np.int32)
    ... )
    >>> found = reported_windows(rates, np.array([0, 5 * minute]), 5 * minute)
    >>> found.minute_bpm[0].tolist(), found.window_bpm.tolist()
    ([70.0, 80.0, nan, nan, nan], [75.0, nan])
    """
    starts = np.asarray(start_ns, np.int64)
    result = empty_rates(len(starts), window_ns)
    most = np.zeros(len(starts), np.int64)
    for source in np.unique(rates.source).tolist():
        own = rates.of_source(source)
        lag_s = _lag_s(own, beats)
        times = own.time_ns - round(lag_s * 1e9)
        first = np.searchsorted(times, starts, "left")
        count = np.searchsorted(times, starts + window_ns, "left") - first
        found = reported_rates(own.time_ns, own.bpm, starts, window_ns, lag_s)
        better = (count > most) & np.isfinite(found.window_bpm)
        most = np.where(better, count, most)
        result = WindowRates(
            np.where(better[:, None], found.minute_bpm, result.minute_bpm),
            np.where(better, found.window_bpm, result.window_bpm),
            result.vagal,
        )
    return result


def fill_windows(windows: HrvWindows, rates: ReportedRates, beats: BeatArrays) -> HrvWindows:
    """Give windows that have no heart rate from beats that of a device, and say which have it.

    Parameters
    ----------
    windows : HrvWindows
        Shape (w,), of ``beats``.
    rates : ReportedRates
        Of the same time.
    beats : BeatArrays
        Of the same time.

    Returns
    -------
    HrvWindows
        The same, with ``reported``; nothing but heart rates changes.
    """
    if not len(rates.time_ns):
        return windows
    found = reported_windows(rates, windows.start_ns, windows.window_ns, beats)
    filled, reported = fill_with_reported(windows.rates, found)
    return replace(windows, rates=filled, reported=reported)


def free_windows(
    rates: ReportedRates, taken_ns: IntArray, window_ns: int, first_ns: int, end_ns: int
) -> IntArray:
    """Find where windows of a device's own rates may lie.

    Parameters
    ----------
    rates : ReportedRates
        Of any number of devices.
    taken_ns : array of int64, shape (w,)
        Starts of the windows that are there already, by time; none may overlap with them.
    window_ns : int
        The length of both.
    first_ns, end_ns : int
        Where they may lie.

    Returns
    -------
    array of int64, shape (m,)
        Starts, at multiples of ``window_ns``, of windows with rates in them, by time.
    """
    cells: IntArray = np.unique(rates.time_ns // window_ns) * window_ns
    cells = cells[(cells >= first_ns) & (cells + window_ns <= end_ns)]
    before = np.searchsorted(taken_ns, cells + window_ns, "left") - 1
    overlaps: BoolArray = before >= 0
    overlaps &= np.append(taken_ns, 0)[before] + window_ns > cells
    return cells[~overlaps]


def _lag_s(rates: ReportedRates, beats: BeatArrays | None) -> float:
    """Estimate how late the rates of one device are, where enough of them lie among beats."""
    if beats is None or not len(beats.time_ns) or not len(rates.time_ns):
        return 0.0
    begin = max(int(beats.time_ns[0]), int(rates.time_ns[0]))
    end = min(int(beats.time_ns[-1]), int(rates.time_ns[-1]))
    if end - begin < _MIN_BOTH_NS:
        return 0.0
    order = np.argsort(beats.time_ns, kind="stable")
    times, rr_ms = beats.time_ns[order], beats.rr_ms[order]
    near = (times >= begin) & (times <= end) & accept_intervals(times, rr_ms, beats.contact[order])
    found = estimate_lag_s(times[near], 60_000 / rr_ms[near], rates.time_ns, rates.bpm)
    return 0.0 if found is None else found
