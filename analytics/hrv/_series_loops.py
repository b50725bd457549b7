"""Loops along a series, for Numba: see ``analytics.hrv.compiled``. Each names what it equals."""

from __future__ import annotations

import numpy as np
from numba import njit

from analytics._types import FloatArray

_jit = njit(cache=True, nogil=True)


@_jit
def spline_slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    """Slopes of the spline through beats, as ``spline._slopes``: one row after another."""
    n = len(x)
    width, rise = np.empty(n - 1), np.empty(n - 1)
    for i in range(n - 1):
        width[i] = x[i + 1] - x[i]
        rise[i] = (y[i + 1] - y[i]) / width[i]
    start, end = x[2] - x[0], x[n - 1] - x[n - 3]
    first = ((width[0] + 2 * start) * width[1] * rise[0] + width[0] ** 2 * rise[1]) / start
    last = width[n - 2] ** 2 * rise[n - 3]
    last = (last + (2 * end + width[n - 2]) * width[n - 3] * rise[n - 2]) / end
    slope, above = np.empty(n), np.empty(n)
    for i in range(1, n - 1):
        own = 2 * (width[i] + width[i - 1])
        right = 3 * (width[i] * rise[i - 1] + width[i - 1] * rise[i])
        if i == 1:
            own, right = own - start, right - first
        if i == n - 2:
            own, right = own - end, right - last
        if i > 1:
            own -= width[i] * above[i - 1]
            right -= width[i] * slope[i - 1]
        above[i] = width[i - 1] / own
        slope[i] = right / own
    for i in range(n - 3, 0, -1):
        slope[i] -= above[i] * slope[i + 1]
    slope[0] = (first - start * slope[1]) / width[1]
    slope[n - 1] = (last - end * slope[n - 2]) / width[n - 3]
    return slope


@_jit
def sample_spline(x: FloatArray, y: FloatArray, slope: FloatArray, at: FloatArray) -> FloatArray:
    """Sample the spline, as ``spline.BeatSpline``: quickest at times that ascend."""
    result = np.empty(len(at))
    last = len(x) - 2
    place = -1
    third = second = 0.0
    for k in range(len(at)):
        now = place
        if now < 0 or at[k] < x[now]:
            now = max(0, min(last, np.searchsorted(x, at[k], "right") - 1))
        while now < last and at[k] >= x[now + 1]:
            now += 1
        if now != place:
            place = now
            width = x[place + 1] - x[place]
            rise = (y[place + 1] - y[place]) / width
            bend = (slope[place] + slope[place + 1] - 2 * rise) / width
            third, second = bend / width, (rise - slope[place]) / width - bend
        since = at[k] - x[place]
        result[k] = ((third * since + second) * since + slope[place]) * since + y[place]
    return result
