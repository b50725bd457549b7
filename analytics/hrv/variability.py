"""Time-domain, geometric and Poincaré figures of the NN intervals of one window.

Sources: Task Force of the European Society of Cardiology and NASPE (1996), Circulation 93:1043
(SDNN, RMSSD, SDSD, pNNx, triangular index, TINN); Brennan, Palaniswami and Kamen (2001), IEEE TBME
48:1342 (SD1, SD2); Baevsky and Chernikova (2017), Cardiometry 10:66 (stress index).

``nn_ms``: NN intervals in ms, shape (n,). ``differences_ms``: differences of *neighbouring* NN
intervals, shape (m,): none is taken over a gap or over an interval that was left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

BIN_MS = 1000 / 128  # of the triangular index and of TINN, Task Force 1996
BAEVSKY_BIN_MS = 50.0
MAD_TO_SD = 1.4826  # makes the MAD of a normal distribution its standard deviation


def neighbour_differences(
    rr_ms: FloatArray, normal: NDArray[np.bool_], follows: NDArray[np.bool_]
) -> FloatArray:
    """NN(i) - NN(i - 1) where both are normal and the one began where the other ended."""
    pairs = normal[1:] & normal[:-1] & follows[1:]
    result: FloatArray = (rr_ms[1:] - rr_ms[:-1])[pairs]
    return result


def sdsd_ms(differences_ms: FloatArray) -> float:
    """Standard deviation of the differences, n - 1. NaN for fewer than 2."""
    return float(np.std(differences_ms, ddof=1)) if len(differences_ms) > 1 else float("nan")


def pnn_percent(differences_ms: FloatArray, above_ms: float) -> float:
    """Share of the *differences* that are larger than ``above_ms``, in percent. NaN for none.

    Of the differences, as the Task Force defines NN50; NeuroKit2 divides by the intervals.
    """
    if not len(differences_ms):
        return float("nan")
    return float(100 * np.mean(np.abs(differences_ms) > above_ms))


def mad_ms(nn_ms: FloatArray) -> float:
    """Median absolute deviation from the median, times 1.4826. NaN for none."""
    if not len(nn_ms):
        return float("nan")
    return float(MAD_TO_SD * np.median(np.abs(nn_ms - np.median(nn_ms))))


def percentile_range_ms(nn_ms: FloatArray, low: float = 20, high: float = 80) -> float:
    """Distance of two percentiles (linear interpolation). NaN for none."""
    if not len(nn_ms):
        return float("nan")
    below, above = np.percentile(nn_ms, [low, high])
    return float(above - below)


def triangular_index(nn_ms: FloatArray) -> float:
    """Number of intervals over the height of their histogram with bins of 1/128 s."""
    return float(len(nn_ms) / np.max(_histogram(nn_ms))) if len(nn_ms) else float("nan")


def tinn_ms(nn_ms: FloatArray) -> float:
    """Base of the triangle that fits the histogram best (least squares), in ms.

    The triangle has its top over the fullest bin; its corners are bin edges left and right of it,
    and it is zero outside. NaN when the histogram has one bin only.
    """
    if not len(nn_ms):
        return float("nan")
    counts = np.concatenate([[0.0], _histogram(nn_ms).astype(np.float64), [0.0]])
    top = int(np.argmax(counts))
    if np.count_nonzero(counts) < 2:
        return float("nan")
    at = np.arange(len(counts))
    left = counts[top] * np.clip((at[None, :] - at[:top, None]) / (top - at[:top, None]), 0, None)
    right_at = at[top + 1 :]
    right = counts[top] * np.clip(
        (right_at[:, None] - at[None, :]) / (right_at[:, None] - top), 0, None
    )
    # Each side is fitted by itself: together they are the fit of the whole.
    left_error = np.sum((left[:, : top + 1] - counts[: top + 1]) ** 2, axis=1)
    right_error = np.sum((right[:, top:] - counts[top:]) ** 2, axis=1)
    return float((right_at[np.argmin(right_error)] - at[np.argmin(left_error)]) * BIN_MS)


def _histogram(nn_ms: FloatArray) -> NDArray[np.int64]:
    """Counts in bins of 1/128 s, the first beginning at the shortest interval."""
    index = np.floor((nn_ms - np.min(nn_ms)) / BIN_MS + 1e-9).astype(np.int64)
    return np.bincount(index)


def stress_index_baevsky(nn_ms: FloatArray) -> float:
    """AMo / (2 Mo MxDMn): the share of the fullest bin of 50 ms in percent, over twice the mode in
    s times the range in s. NaN for none, or when all are equal.
    """
    if not len(nn_ms) or np.ptp(nn_ms) == 0:
        return float("nan")
    index = np.floor(nn_ms / BAEVSKY_BIN_MS).astype(np.int64)
    counts = np.bincount(index)
    mode = int(np.argmax(counts))
    mode_s = (mode + 0.5) * BAEVSKY_BIN_MS / 1000
    return float(100 * counts[mode] / len(nn_ms) / (2 * mode_s * np.ptp(nn_ms) / 1000))


def poincare_ms(
    rr_ms: FloatArray, normal: NDArray[np.bool_], follows: NDArray[np.bool_]
) -> tuple[float, float]:
    """SD1 and SD2: standard deviations (n - 1) of pairs of neighbours across and along the line of
    identity. NaN for fewer than 2 pairs.
    """
    pairs = normal[1:] & normal[:-1] & follows[1:]
    first, second = rr_ms[:-1][pairs], rr_ms[1:][pairs]
    if len(first) < 2:
        return float("nan"), float("nan")
    return (
        float(np.std(second - first, ddof=1) / np.sqrt(2)),
        float(np.std(second + first, ddof=1) / np.sqrt(2)),
    )
