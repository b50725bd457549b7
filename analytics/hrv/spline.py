"""A cubic spline through beats, not-a-knot at its ends, in NumPy.

The same as ``scipy.interpolate.CubicSpline``, whose import takes longer than all else that
``ebbtide hrv`` does with a small file. Its slopes solve a system of three diagonals. Each beat's
own share of its row is at least half, so that the rows can be halved again and again without loss
(cyclic reduction: Hockney 1965, Journal of the ACM 12:95).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics._types import FloatArray
from analytics.hrv import compiled

WORTH_SCIPY = 2000  # beats, half an hour: above, SciPy's sampling in C pays for its import


def fit_spline(x: FloatArray, y: FloatArray) -> Any:
    """Fit the spline through ``y`` at ``x`` (increasing), both of shape (n,), n at least 4.

    It has its knots as ``x``, and is called with times: compiled, in NumPy or by SciPy.
    """
    if compiled.series_loops() is None and len(x) > WORTH_SCIPY:
        from scipy.interpolate import CubicSpline

        return CubicSpline(x, y)
    return BeatSpline(x, y)


class BeatSpline:
    """The spline through ``y`` at ``x`` (increasing), both of shape (n,), n at least 4."""

    def __init__(self, x: FloatArray, y: FloatArray) -> None:
        if len(x) < 4 or x.shape != y.shape:
            raise ValueError("a spline needs 4 beats or more")
        self.x, self._y = np.ascontiguousarray(x), np.ascontiguousarray(y)
        loops = compiled.series_loops()
        self._slope = (
            _slopes(self.x, self._y) if loops is None else loops.spline_slopes(self.x, self._y)
        )

    def __call__(self, at: FloatArray) -> FloatArray:
        """Sample it at some times, of shape (m,); beyond its ends by the last cubic."""
        loops = compiled.series_loops()
        if loops is not None:
            result: FloatArray = loops.sample_spline(self.x, self._y, self._slope, at)
            return result
        x, y, slope = self.x, self._y, self._slope
        width = np.diff(x)
        rise = np.diff(y) / width
        bend = (slope[:-1] + slope[1:] - 2 * rise) / width
        parts = np.column_stack([bend / width, (rise - slope[:-1]) / width - bend, slope[:-1]])
        place = np.clip(np.searchsorted(x, at, "right") - 1, 0, len(width) - 1)
        third, second, first = parts[place].T
        since = at - x[place]
        sampled: FloatArray = ((third * since + second) * since + first) * since + y[place]
        return sampled


def _slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    """Slope of the spline at each beat."""
    width = np.diff(x)
    rise = np.diff(y) / width
    below, above = width[1:].copy(), width[:-1].copy()
    own = 2 * (below + above)
    right = 3 * (below * rise[:-1] + above * rise[1:])
    # The first and the last cubic go on: what that says of the outermost slopes is put in.
    start, end = x[2] - x[0], x[-1] - x[-3]
    first = ((width[0] + 2 * start) * width[1] * rise[0] + width[0] ** 2 * rise[1]) / start
    last = (width[-1] ** 2 * rise[-2] + (2 * end + width[-1]) * width[-2] * rise[-1]) / end
    own[0] -= start
    own[-1] -= end
    right[0] -= first
    right[-1] -= last
    below[0] = above[-1] = 0.0
    inner = _solve(below, own, above, right)
    result: FloatArray = np.concatenate(
        [
            [(first - start * inner[0]) / width[1]],
            inner,
            [(last - end * inner[-1]) / width[-2]],
        ]
    )
    return result


def _solve(below: FloatArray, own: FloatArray, above: FloatArray, right: FloatArray) -> FloatArray:
    """Solve rows below[i] u[i-1] + own[i] u[i] + above[i] u[i+1] = right[i]."""
    if len(own) == 1:
        return right / own
    # Rows at odd places, with the rows to both sides put in; the last may have none to its right.
    many = len(own) // 2
    a, b, c, d = (_padded(column, 2 * many + 1) for column in (below, own, above, right))
    if len(own) == 2 * many:
        b[-1] = 1.0
    by_left, by_right = a[1::2] / b[:-1:2], c[1::2] / b[2::2]
    odd = _solve(
        -by_left * a[:-1:2],
        b[1::2] - by_left * c[:-1:2] - by_right * a[2::2],
        -by_right * c[2::2],
        d[1::2] - by_left * d[:-1:2] - by_right * d[2::2],
    )
    result = np.empty(2 * many + 1)
    result[1::2] = odd
    around: Any = np.concatenate([[0.0], odd, [0.0]])
    result[::2] = (d[::2] - a[::2] * around[:-1] - c[::2] * around[1:]) / b[::2]
    return result[: len(own)]


def _padded(column: FloatArray, size: int) -> FloatArray:
    return column if len(column) == size else np.append(column, 0.0)
