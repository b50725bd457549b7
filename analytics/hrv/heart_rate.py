"""Heart rate and short-term variability of windows with gaps, for the stress index.

Optical sensors lose beats all the time: in the field recordings of Iqbal et al. (2022), Sensors
22:8135, accepted beats cover 6 to 81% of a recording, and a run of twelve beats without a break is
rare. What is unknown there is not disturbed. So an interval is compared with the median of the 30 s
to both sides, across gaps, and a heart rate needs five accepted intervals, however far apart
(docs/evidence/stress-index.md has what that brings).
RMSSD and the like keep the stricter rules of ``analytics.hrv.artefacts``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, Int8Array, IntArray

METHOD = "RR of 300 to 1800 ms within 20% of the median of 60 s; heart rate from 5 beats"
MIN_RR_MS, MAX_RR_MS = 300.0, 1800.0
MAX_AWAY = 0.20  # of the local median
MIN_BEATS = 5
MIN_PAIRS = 10
VAGAL_OFFSET_MS = 4.0  # the resolution of most devices: keeps the logarithm finite
_MINUTE_NS = 60_000_000_000
_REACH_NS = 30_000_000_000
_STEP_NS = 5_000_000_000  # the local median is computed every 5 s
# An interval is judged twice by the medians around it: further beats do not matter to it.
ACCEPT_REACH_NS = 2 * (_REACH_NS + _STEP_NS)
_ROWS = 4096  # ranges side by side: bounds the memory


@dataclass(frozen=True, slots=True, eq=False)
class WindowRates:
    """Heart rate of windows, from as few as five beats.

    ``minute_bpm``: shape (w, minutes), of each minute of a window; ``window_bpm``: shape (w,), of
    the whole window; ``vagal``: shape (w,), ln(4 ms + median of the absolute successive
    differences). NaN where there are too few accepted beats.
    """

    minute_bpm: FloatArray
    window_bpm: FloatArray
    vagal: FloatArray

    @property
    def known_share(self) -> FloatArray:
        """Share of the minutes that have a heart rate, shape (w,)."""
        result: FloatArray = np.mean(np.isfinite(self.minute_bpm), axis=1)
        return result

    def at(self, rows: IntArray | BoolArray) -> WindowRates:
        """Those of a mask or of places."""
        return WindowRates(self.minute_bpm[rows], self.window_bpm[rows], self.vagal[rows])


def accept_intervals(time_ns: IntArray, rr_ms: FloatArray, contact: Int8Array) -> BoolArray:
    """Find the intervals that a heart rate may be computed from.

    Parameters
    ----------
    time_ns : array of int64, shape (n,)
        When each interval ended, UTC nanoseconds, not decreasing.
    rr_ms : array of float64, shape (n,)
        Intervals in ms.
    contact : array of int8, shape (n,)
        0 where the sensor reported that it touched no skin.

    Returns
    -------
    array of bool, shape (n,)
        Whether each lies between 300 and 1,800 ms and within 20% of the median of the accepted
        intervals of the 30 s to both sides, found in two passes.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.hrv.heart_rate import accept_intervals
    >>> rr_ms = np.array([800.0, 810.0, 1600.0, 790.0, 805.0, 250.0])
    >>> time_ns = np.cumsum(rr_ms * 1e6).astype(np.int64)
    >>> accept_intervals(time_ns, rr_ms, np.full(6, -1, np.int8)).tolist()
    [True, True, False, True, True, False]
    """
    accepted: BoolArray = np.isfinite(rr_ms) & (rr_ms >= MIN_RR_MS) & (rr_ms <= MAX_RR_MS)
    accepted &= contact != 0
    possible = accepted
    for _ in range(2):
        local = _local_medians(time_ns, time_ns[accepted], rr_ms[accepted])
        accepted = possible & (np.abs(rr_ms - local) <= MAX_AWAY * local)
    return accepted


def window_rates(
    time_ns: IntArray,
    rr_ms: FloatArray,
    follows: BoolArray,
    contact: Int8Array,
    start_ns: IntArray,
    window_ns: int,
    accepted: BoolArray | None = None,
) -> WindowRates:
    """Compute the heart rate and the vagal measure of windows, across gaps.

    Parameters
    ----------
    time_ns, rr_ms, follows, contact : arrays of shape (n,)
        The beats of one source by time, as in ``analytics.BeatArrays``.
    start_ns : array of int64, shape (w,)
        Starts of the windows in UTC nanoseconds, in any order.
    window_ns : int
        Their length; a minute at least.
    accepted : array of bool, shape (n,), optional
        What ``accept_intervals`` says of them, where that is known.

    Returns
    -------
    WindowRates
        NaN where a minute or a window has fewer than five accepted intervals, and for ``vagal``
        fewer than ten pairs of neighbours.

    Notes
    -----
    The median interval is less sensitive to a missed or an extra beat than the mean. The absolute
    successive difference is the vagal part of heart rate variability, as in RMSSD (Task Force 1996,
    Circulation 93:1043); its median, too, is less sensitive to a single fault.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.hrv.heart_rate import window_rates
    >>> rr_ms = np.full(75, 800.0)
    >>> time_ns = np.cumsum(rr_ms * 1e6).astype(np.int64)
    >>> all_of = np.ones(75, bool), np.full(75, -1, np.int8)
    >>> found = window_rates(time_ns, rr_ms, *all_of, np.array([0]), 300_000_000_000)
    >>> found.window_bpm.tolist(), found.minute_bpm[0, :2].tolist()
    ([75.0], [75.0, nan])
    """
    starts = np.asarray(start_ns, np.int64)
    minutes = max(1, window_ns // _MINUTE_NS)
    if accepted is None:
        accepted = accept_intervals(time_ns, rr_ms, contact)
    times, intervals = time_ns[accepted], rr_ms[accepted]
    from_ns = starts[:, None] + _MINUTE_NS * np.arange(minutes)
    to_ns = np.minimum(from_ns + _MINUTE_NS, starts[:, None] + window_ns)
    minute = _medians_between(times, intervals, from_ns.ravel(), to_ns.ravel(), MIN_BEATS)
    window = _medians_between(times, intervals, starts, starts + window_ns, MIN_BEATS)
    pair = accepted[1:] & accepted[:-1] & follows[1:]
    step = np.abs(rr_ms[1:][pair] - rr_ms[:-1][pair])
    vagal = _medians_between(time_ns[1:][pair], step, starts, starts + window_ns, MIN_PAIRS)
    return WindowRates(
        60_000.0 / minute.reshape(len(starts), minutes),
        60_000.0 / window,
        np.log(VAGAL_OFFSET_MS + vagal),
    )


def empty_rates(windows: int, window_ns: int) -> WindowRates:
    """Build the rates of windows without any beats."""
    minutes = max(1, window_ns // _MINUTE_NS)
    return WindowRates(
        np.full((windows, minutes), np.nan), np.full(windows, np.nan), np.full(windows, np.nan)
    )


def reported_rates(
    time_ns: IntArray, rate_bpm: FloatArray, start_ns: IntArray, window_ns: int, lag_s: float = 0.0
) -> WindowRates:
    """Compute the same from the heart rate that a device reports, where it gives no intervals.

    Parameters
    ----------
    time_ns, rate_bpm : arrays of shape (n,)
        When each rate was reported, UTC nanoseconds by time, and the rate.
    start_ns : array of int64, shape (w,)
        Starts of the windows.
    window_ns : int
        Their length.
    lag_s : float
        How long the device's rate trails its beats; ``estimate_lag_s`` finds it.

    Returns
    -------
    WindowRates
        Without a vagal part.
    """
    possible = (rate_bpm >= 60_000 / MAX_RR_MS) & (rate_bpm <= 60_000 / MIN_RR_MS)
    times = time_ns[possible] - round(lag_s * 1e9)
    rates = rate_bpm[possible]
    starts = np.asarray(start_ns, np.int64)
    minutes = max(1, window_ns // _MINUTE_NS)
    from_ns = starts[:, None] + _MINUTE_NS * np.arange(minutes)
    to_ns = np.minimum(from_ns + _MINUTE_NS, starts[:, None] + window_ns)
    minute = _medians_between(times, rates, from_ns.ravel(), to_ns.ravel(), 1)
    window = _medians_between(times, rates, starts, starts + window_ns, 1)
    return WindowRates(minute.reshape(len(starts), minutes), window, np.full(len(starts), np.nan))


def estimate_lag_s(
    beat_ns: IntArray, beat_bpm: FloatArray, rate_ns: IntArray, rate_bpm: FloatArray
) -> float | None:
    """Estimate by how much a device's own rate trails its beats.

    It is the shift of 0 to 120 s, in steps of 5, at which the two correlate most.

    Parameters
    ----------
    beat_ns, beat_bpm : arrays of shape (n,)
        Heart rate from accepted intervals, by time.
    rate_ns, rate_bpm : arrays of shape (m,)
        Rate as reported by the device, by time.

    Returns
    -------
    float or None
        Seconds; None with fewer than 100 intervals or a rate that does not vary.
    """
    if len(beat_ns) < 100 or len(rate_ns) < 20:
        return None
    origin = int(beat_ns[0])
    best, at = -1.0, None
    beat_s, rate_s = (beat_ns - origin) / 1e9, (rate_ns - origin) / 1e9
    for lag in np.arange(0.0, 121.0, 5.0):
        there = np.interp(beat_s + lag, rate_s, rate_bpm, left=np.nan, right=np.nan)
        both = np.isfinite(there)
        if np.count_nonzero(both) < 100 or not np.std(there[both]) or not np.std(beat_bpm[both]):
            continue
        match = float(np.corrcoef(beat_bpm[both], there[both])[0, 1])
        if match > best:
            best, at = match, float(lag)
    return at


def _local_medians(at_ns: IntArray, times: IntArray, values: FloatArray) -> FloatArray:
    """Compute the median of 30 s to both sides of each moment, on a grid of 5 s; NaN if none."""
    cells, which = np.unique(at_ns // _STEP_NS, return_inverse=True)
    middle = cells * _STEP_NS + _STEP_NS // 2
    found = _medians_between(times, values, middle - _REACH_NS, middle + _REACH_NS, 1)
    result: FloatArray = found[which]
    return result


def _medians_between(
    times: IntArray, values: FloatArray, from_ns: IntArray, to_ns: IntArray, at_least: int
) -> FloatArray:
    """Compute the median of each [from, to); NaN where there are fewer than ``at_least``."""
    first = np.searchsorted(times, from_ns, "left")
    count = np.searchsorted(times, to_ns, "left") - first
    result = np.full(len(first), np.nan)
    rows = np.flatnonzero(count >= at_least)
    for begin in range(0, len(rows), _ROWS):
        some = rows[begin : begin + _ROWS]
        place = first[some, None] + np.arange(int(count[some].max()))
        inside = place < (first + count)[some, None]
        table = np.where(inside, values[np.minimum(place, len(values) - 1)], np.inf)
        table.sort(axis=1)
        line, many = np.arange(len(some)), count[some]
        result[some] = (table[line, (many - 1) // 2] + table[line, many // 2]) / 2
    return result
