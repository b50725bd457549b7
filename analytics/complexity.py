"""How predictable and how self-similar the NN intervals of one window are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_CHUNK = 2_000_000  # comparisons held at once


def sample_entropy(nn_ms: FloatArray, m: int = 2, tolerance: float = 0.2) -> float:
    """Sample entropy (Richman and Moorman 2000, Am J Physiol 278:H2039).

    -ln(A / B): B pairs of templates of length ``m`` whose largest difference is at most
    ``tolerance`` times SDNN, A those that agree for one more. Of n intervals n - m templates,
    self-matches not counted. NaN when nothing matches, or all intervals are equal.
    """
    n = len(nn_ms)
    reach = tolerance * float(np.std(nn_ms, ddof=1)) if n > m + 1 else 0.0
    if reach <= 0:
        return float("nan")
    count = n - m
    shorter = longer = 0
    rows = max(1, _CHUNK // count)
    for first in range(0, count, rows):
        last = min(first + rows, count)
        match = np.ones((last - first, count), dtype=np.bool_)
        for k in range(m):
            near = np.abs(nn_ms[first + k : last + k, None] - nn_ms[None, k : k + count]) <= reach
            match &= near
        # Each pair once: template i with those after it.
        match &= np.arange(count)[None, :] > np.arange(first, last)[:, None]
        shorter += int(np.count_nonzero(match))
        near = np.abs(nn_ms[first + m : last + m, None] - nn_ms[None, m : m + count]) <= reach
        longer += int(np.count_nonzero(match & near))
    if not shorter or not longer:
        return float("nan")
    return float(-np.log(longer / shorter))


def dfa_alpha(nn_ms: FloatArray, shortest: int, longest: int) -> float:
    """Slope of log F(n) on log n for box sizes from ``shortest`` to ``longest`` beats.

    Detrended fluctuation analysis of first order (Peng, Havlin, Stanley and Goldberger 1995, Chaos
    5:82): the running sum of the deviations from the mean, in boxes that do not overlap, each freed
    of its straight line. Short-term alpha 1: 4 to 16; long-term alpha 2: 16 to 64. NaN when there
    are fewer than two boxes of the longest size, or no fluctuation at all.
    """
    n = len(nn_ms)
    if n < 2 * longest:
        return float("nan")
    profile = np.cumsum(nn_ms - np.mean(nn_ms))
    sizes = np.arange(shortest, longest + 1)
    fluctuation = np.empty(len(sizes))
    for index, size in enumerate(sizes):
        boxes = profile[: n // size * size].reshape(-1, size)
        x = np.arange(size) - (size - 1) / 2
        centred = boxes - boxes.mean(axis=1, keepdims=True)
        slope = centred @ x / (x @ x)
        left = centred - slope[:, None] * x
        fluctuation[index] = np.sqrt(np.mean(left**2))
    if np.any(fluctuation <= 0):
        return float("nan")
    slope, _ = np.polyfit(np.log(sizes), np.log(fluctuation), 1)
    return float(slope)
