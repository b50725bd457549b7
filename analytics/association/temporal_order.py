"""Which of two came first: both directions judged together, with the past of both held still.

x comes before y where x at the rating before goes with y beyond x at the same moment and y at the
rating before. A hidden mood that moves both, seen through noise, does that in both directions
alike; so one is called only where its slope is also larger than the other's, beyond chance. Both
slopes, in standard deviations, are estimated in one pass, and their difference has the error of
both with what they share (HC3 influences, so that restless days do not count as certain).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray
from analytics.association.detrending import TINY, independent_columns
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

_MAX_LEVER = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """The slope of one series on the other's rating before.

    ``own_p``: of no slope; ``order_p``: of being no larger than the other direction's; ``partial``:
    the pairs net of all else, each (n,).
    """

    slope: float
    error: float
    dof: int
    own_p: float
    order_p: float
    before_residual: FloatArray
    after_residual: FloatArray

    @property
    def p_value(self) -> float:
        """Both must be clear before one is said to come first."""
        return max(self.own_p, self.order_p)


def compare_directions(
    x_before: FloatArray, x: FloatArray, y_before: FloatArray, y: FloatArray, basis: FloatArray
) -> tuple[Direction, Direction]:
    """Estimate x before y, and y before x; all (n,), ``basis`` (n, q) orthonormal, of both."""
    one = _partial_slope(x_before, y, np.column_stack([basis, x, y_before]))
    other = _partial_slope(y_before, x, np.column_stack([basis, y, x_before]))
    dof = one[4]
    ratio = np.array([np.std(x) / np.std(y), np.std(y) / np.std(x)])
    slopes = np.array([one[0], other[0]]) * ratio
    influences = [one[1] * ratio[0], other[1] * ratio[1]]
    found = []
    for k, (slope, influence, before, after, _) in enumerate((one, other)):
        error = float(np.sqrt(np.sum(influence**2)))
        sign = 1.0 if slopes[k] >= 0 else -1.0
        beyond = sign * slopes[k] - abs(slopes[1 - k])
        other_sign = 1.0 if slopes[1 - k] >= 0 else -1.0
        apart = sign * influences[k] - other_sign * influences[1 - k]
        t = beyond / max(float(np.sqrt(np.sum(apart**2))), TINY)
        found.append(
            Direction(
                slope,
                error,
                dof,
                float(2 * special.stdtr(dof, -abs(slope) / max(error, TINY))),
                float(min(1.0, 2 * special.stdtr(dof, -t))),
                before,
                after,
            )
        )
    return found[0], found[1]


def _partial_slope(
    before: FloatArray, after: FloatArray, columns: FloatArray
) -> tuple[float, FloatArray, FloatArray, FloatArray, int]:
    """Slope, HC3 influences, both series net of ``columns``, degrees of freedom."""
    basis = independent_columns(columns)
    u, v = (values - basis @ (basis.T @ values) for values in (before, after))
    size = max(float(u @ u), TINY)
    slope = float(u @ v) / size
    lever = np.minimum(np.sum(basis**2, axis=1) + u**2 / size, _MAX_LEVER)
    influence = u * (v - slope * u) / (1 - lever) / size
    return slope, influence, u, v, len(u) - basis.shape[1] - 1
