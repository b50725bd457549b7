"""Time-domain and geometric figures of many windows at once, one window a row.

The definitions are those of ``analytics.hrv.variability``; the tests compare every window with
them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.requirements import MIN_SECONDS
from analytics.hrv.variability import BAEVSKY_BIN_MS, MAD_TO_SD, tinn_ms, triangular_index

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

TIME_DOMAIN = (
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
    "triangular_index",
    "tinn_ms",
)


def time_rows(
    rr: FloatArray,
    normal: BoolArray,
    follows: BoolArray,
    first: IntArray,
    last: IntArray,
    widest: int,
) -> tuple[dict[str, FloatArray], IntArray, FloatArray]:
    """Figures of the intervals [first, last) of each row, with the count and the seconds of its NN
    intervals. ``rr``, ``normal``, ``follows``: shape (n,); ``first``, ``last``: shape (w,), at most
    ``widest`` apart.
    """
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
    found |= _geometric(x, mask, total / 1000)
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


def _geometric(x: FloatArray, mask: BoolArray, seconds: FloatArray) -> dict[str, FloatArray]:
    """Only windows of 20 minutes and more have these; there are never many."""
    index, base = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for row in np.flatnonzero(seconds >= MIN_SECONDS["triangular_index"]):
        nn = x[row][mask[row]]
        index[row], base[row] = triangular_index(nn), tinn_ms(nn)
    return {"triangular_index": index, "tinn_ms": base}
