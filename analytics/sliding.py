"""Figures of many windows over one series, in one pass: a day at once and not window by window.

Beats are labelled once, over the whole series, so that a window's edge changes no label. Windows
are half-open, [start, start + length), by the time at which an interval ended. All windows of a
chunk are laid side by side as rows, and each figure is worked out for all rows together; a chunk
bounds the memory. The definitions are those of ``analytics.variability`` and
``analytics.spectrum``; the tests compare every window with them.

The spectrum of a window is Welch's, of the spline through the NN intervals of the whole unbroken
stretch, sampled at 4 Hz from its first beat on: a window's edge bends nothing. A window with a hole
gets the Lomb-Scargle periodogram of its own beats.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal
from scipy.interpolate import CubicSpline

from analytics.artefacts import label
from analytics.figures import LEAST_INTERVALS, LEAST_NORMAL_SHARE, LEAST_SECONDS
from analytics.spectrum import (
    BANDS_HZ,
    LONGEST_HOLE,
    RESAMPLED_HZ,
    SEGMENT_S,
    Spectrum,
    lomb_scargle,
)
from analytics.variability import BAEVSKY_BIN_MS, MAD_TO_SD

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_CHUNK = 1_000_000  # intervals, or samples, side by side
_TIME_DOMAIN = (
    "mean_hr_bpm",
    "mean_nn_ms",
    "sdnn_ms",
    "rmssd_ms",
    "sdsd_ms",
    "pnn20_percent",
    "pnn50_percent",
    "cvnn_percent",
    "mad_ms",
    "percentile_range_ms",
    "sd1_ms",
    "sd2_ms",
    "stress_index_baevsky",
)
_FREQUENCY = ("vlf_ms2", "lf_ms2", "hf_ms2", "total_ms2", "lf_hf", "lf_nu", "hf_nu", "hf_peak_hz")


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Shape (w,) throughout. ``start_s`` and ``length_s`` of each; ``values`` by name, NaN where a
    figure is absent: the window is too short for it (``figures.LEAST_SECONDS``), too few of its
    intervals are normal, or, for frequencies, a hole lies in it. ``intervals``, ``nn_seconds`` and
    ``normal_share`` say how good each window is.
    """

    start_s: FloatArray
    length_s: float
    intervals: IntArray
    nn_seconds: FloatArray
    normal_share: FloatArray
    values: dict[str, FloatArray]


def windows(
    rr_ms: FloatArray,
    time_s: FloatArray,
    start_s: FloatArray,
    length_s: float,
    run: IntArray | None = None,
) -> Windows:
    """Figures of the windows that begin at ``start_s`` (any order) and last ``length_s``.

    ``rr_ms``, ``time_s``: shape (n,), intervals and when each ended, increasing. ``run``: a number
    per unbroken run. Raises ValueError for other shapes, times that do not increase, or a length
    that is not positive.
    """
    rr, times = np.asarray(rr_ms, np.float64), np.asarray(time_s, np.float64)
    starts = np.asarray(start_s, np.float64)
    if rr.ndim != 1 or rr.shape != times.shape or starts.ndim != 1:
        raise ValueError("rr_ms and time_s must have shape (n,), start_s shape (w,)")
    if np.any(np.diff(times) <= 0):
        raise ValueError("time_s must increase")
    if not length_s > 0:
        raise ValueError("a window must last longer than 0 s")
    normal = label(rr, run).normal
    follows = np.ones(len(rr), np.bool_)
    follows[:1] = False
    if run is not None:
        follows[1:] &= np.diff(run) == 0
    first = np.searchsorted(times, starts, "left")
    last = np.searchsorted(times, starts + length_s, "left")
    values = {name: np.full(len(starts), np.nan) for name in (*_TIME_DOMAIN, *_FREQUENCY)}
    widest = int(np.max(last - first, initial=1))
    count = np.zeros(len(starts), np.int64)
    seconds = np.zeros(len(starts))
    rows = max(1, _CHUNK // max(widest, 2))
    for at in range(0, len(starts), rows):
        part = slice(at, at + rows)
        found, count[part], seconds[part] = _time_rows(
            rr, normal, follows, first[part], last[part], widest
        )
        for name, column in found.items():
            values[name][part] = column
    hole_free = _spectra(rr[normal], times[normal], starts, length_s, values)
    share = count / np.maximum(last - first, 1)
    _leave_out(values, share, count, seconds, hole_free)
    return Windows(starts, length_s, last - first, seconds, share, values)


def _time_rows(
    rr: FloatArray,
    normal: BoolArray,
    follows: BoolArray,
    first: IntArray,
    last: IntArray,
    widest: int,
) -> tuple[dict[str, FloatArray], IntArray, FloatArray]:
    """Time-domain figures of each row, with its count and seconds of NN intervals."""
    at = first[:, None] + np.arange(widest)
    inside = at < last[:, None]
    at = np.minimum(at, max(len(rr) - 1, 0))
    if not len(rr):
        empty = np.zeros(len(first))
        return {}, empty.astype(np.int64), empty
    x = rr[at]
    mask = inside & normal[at]
    count = mask.sum(axis=1)
    with np.errstate(all="ignore"):
        total = np.sum(x, axis=1, where=mask)
        mean = total / count
        sdnn = np.sqrt(np.sum((x - mean[:, None]) ** 2, axis=1, where=mask) / (count - 1))
        pair = mask[:, 1:] & mask[:, :-1] & follows[at[:, 1:]]
        pairs = pair.sum(axis=1)
        step, both = x[:, 1:] - x[:, :-1], x[:, 1:] + x[:, :-1]
        sdsd = _row_sd(step, pair, pairs)
        size = np.abs(step)
        squares = np.sum(step**2, axis=1, where=pair)
        ordered = np.sort(np.where(mask, x, np.inf), axis=1)
        middle = _row_percentile(ordered, count, 0.5)
        away = np.sort(np.where(mask, np.abs(x - middle[:, None]), np.inf), axis=1)
        longest = ordered[np.arange(len(count)), np.maximum(count - 1, 0)]
        found = {
            "mean_hr_bpm": 60_000 / mean,
            "mean_nn_ms": mean,
            "sdnn_ms": sdnn,
            "rmssd_ms": np.sqrt(squares / pairs),
            "sdsd_ms": sdsd,
            "pnn20_percent": 100 * np.sum((size > 20) & pair, axis=1) / pairs,
            "pnn50_percent": 100 * np.sum((size > 50) & pair, axis=1) / pairs,
            "cvnn_percent": 100 * sdnn / mean,
            "mad_ms": MAD_TO_SD * _row_percentile(away, count, 0.5),
            "percentile_range_ms": _row_percentile(ordered, count, 0.8)
            - _row_percentile(ordered, count, 0.2),
            "sd1_ms": sdsd / np.sqrt(2),
            "sd2_ms": _row_sd(both, pair, pairs) / np.sqrt(2),
            "stress_index_baevsky": _baevsky(x, mask, count, longest - ordered[:, 0]),
        }
    return found, count, total / 1000


def _row_sd(values: FloatArray, mask: BoolArray, count: IntArray) -> FloatArray:
    mean = np.sum(values, axis=1, where=mask) / count
    squares = np.sum((values - mean[:, None]) ** 2, axis=1, where=mask)
    result: FloatArray = np.sqrt(squares / (count - 1))
    return result


def _row_percentile(ordered: FloatArray, count: IntArray, share: float) -> FloatArray:
    """Linear interpolation among the first ``count`` of each sorted row."""
    place = share * np.maximum(count - 1, 0)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    row = np.arange(len(count))
    below, above = ordered[row, low], ordered[row, high]
    result: FloatArray = below + (place - low) * (above - below)
    return np.where(count > 0, result, np.nan)


def _baevsky(x: FloatArray, mask: BoolArray, count: IntArray, span_ms: FloatArray) -> FloatArray:
    bins = np.where(mask, np.floor(x / BAEVSKY_BIN_MS), 0).astype(np.int64)
    width = int(np.max(bins, initial=0)) + 1
    flat = (np.arange(len(x))[:, None] * width + bins)[mask]
    histogram = np.bincount(flat, minlength=len(x) * width).reshape(len(x), width)
    mode = np.argmax(histogram, axis=1)
    height = histogram[np.arange(len(x)), mode]
    mode_s = (mode + 0.5) * BAEVSKY_BIN_MS / 1000
    result: FloatArray = 100 * height / count / (2 * mode_s * span_ms / 1000)
    return np.where(span_ms > 0, result, np.nan)


def _spectra(
    nn: FloatArray,
    times: FloatArray,
    starts: FloatArray,
    length_s: float,
    values: dict[str, FloatArray],
) -> BoolArray:
    """Band powers into ``values``; which windows have them."""
    done = np.zeros(len(starts), np.bool_)
    if len(nn) < 4:
        return done
    steps = np.diff(times)
    holes = np.flatnonzero(steps * 1000 / np.median(nn) > LONGEST_HOLE)
    edges = [0, *(holes + 1).tolist(), len(nn)]
    samples = int(length_s * RESAMPLED_HZ)
    segment_least = min(samples, 30 * int(RESAMPLED_HZ))
    order = np.argsort(starts, kind="stable")
    in_order = starts[order]
    at_an_edge = LONGEST_HOLE * float(np.median(nn)) / 1000  # may lie outside the stretch
    for a, b in itertools.pairwise(edges):
        stretch = times[a:b]
        near = slice(
            *np.searchsorted(
                in_order,
                [stretch[0] - at_an_edge, stretch[-1] + at_an_edge - length_s],
                side="left",
            )
        )
        rows = order[near]
        if b - a < 4 or not len(rows):
            continue
        even = np.arange(stretch[0], stretch[-1], 1 / RESAMPLED_HZ)
        series = CubicSpline(stretch, nn[a:b])(even)
        begin = np.ceil((starts[rows] - stretch[0]) * RESAMPLED_HZ - 1e-9).astype(np.int64)
        begin_in = np.maximum(begin, 0)
        length = np.minimum(begin + samples, len(even)) - begin_in
        for size in np.unique(length[length >= segment_least]):
            chosen = length == size
            _welch_rows(series, begin_in[chosen], int(size), rows[chosen], values)
            done[rows[chosen]] = True
    first = np.searchsorted(times, starts, "left")
    last = np.searchsorted(times, starts + length_s, "left")
    for row in np.flatnonzero(~done & (last - first >= 60)):
        at = slice(int(first[row]), int(last[row]))
        if np.sum(nn[at]) / 1000 >= LEAST_SECONDS["hf_ms2"]:
            _put(values, np.array([row]), *_as_rows(lomb_scargle(times[at], nn[at])))
            done[row] = True
    return done


def _welch_rows(
    series: FloatArray, begin: IntArray, size: int, rows: IntArray, values: dict[str, FloatArray]
) -> None:
    segment = min(size, int(SEGMENT_S * RESAMPLED_HZ))
    offsets = np.arange(0, size - segment + 1, segment - segment // 2)
    taper = signal.get_window("hann", segment)
    x = np.arange(segment) - (segment - 1) / 2
    scale = 1 / (RESAMPLED_HZ * np.sum(taper**2))
    hz = np.arange(segment // 2 + 1) * RESAMPLED_HZ / segment
    view = np.lib.stride_tricks.sliding_window_view(series, segment)
    many = max(1, _CHUNK // (segment * len(offsets)))
    for at in range(0, len(rows), many):
        part = rows[at : at + many]
        parts = view[begin[at : at + many, None] + offsets]
        centred = parts - parts.mean(axis=2, keepdims=True)
        slope = centred @ x / (x @ x)
        tapered = (centred - slope[:, :, None] * x) * taper
        power = np.mean(np.abs(fft.rfft(tapered, axis=2)) ** 2, axis=1) * scale
        power[:, 1 : None if segment % 2 else -1] *= 2
        _put(values, part, hz, power)


def _as_rows(found: Spectrum) -> tuple[FloatArray, FloatArray]:
    return found.hz, found.power_ms2_hz[None, :]


def _put(values: dict[str, FloatArray], rows: IntArray, hz: FloatArray, power: FloatArray) -> None:
    """Band figures of the spectra in the rows of ``power`` into these windows."""
    width = hz[1] - hz[0]
    bands = {
        name: np.sum(power[:, (hz >= low) & (hz < high)], axis=1) * width
        for name, (low, high) in BANDS_HZ.items()
    }
    both = bands["lf"] + bands["hf"]
    high_band = np.flatnonzero((hz >= BANDS_HZ["hf"][0]) & (hz < BANDS_HZ["hf"][1]))
    flat = both <= 1e-12  # what rounding leaves of a constant heart
    with np.errstate(all="ignore"):
        relative = {
            "lf_hf": bands["lf"] / bands["hf"],
            "lf_nu": 100 * bands["lf"] / both,
            "hf_nu": 100 * bands["hf"] / both,
            "hf_peak_hz": hz[high_band[np.argmax(power[:, high_band], axis=1)]],
        }
    for name in ("vlf", "lf", "hf"):
        values[f"{name}_ms2"][rows] = bands[name]
    values["total_ms2"][rows] = both + bands["vlf"]
    for name, column in relative.items():
        values[name][rows] = np.where(flat, np.nan, column)


def _leave_out(
    values: dict[str, FloatArray],
    share: FloatArray,
    count: IntArray,
    seconds: FloatArray,
    hole_free: BoolArray,
) -> None:
    """Absent, not wrong."""
    poor = share < LEAST_NORMAL_SHARE
    for name, column in values.items():
        short = seconds < LEAST_SECONDS.get(name, 0)
        few = count < LEAST_INTERVALS.get(name, 0)
        holed = ~hole_free if name in _FREQUENCY else np.zeros(len(column), np.bool_)
        column[poor | short | few | holed | ~np.isfinite(column)] = np.nan
