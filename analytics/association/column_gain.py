"""What one further column, such as a block of hours, explains of two series."""

from __future__ import annotations

import numpy as np

from analytics._types import FloatArray
from analytics.association.detrending import TINY

_ROUNDING_SHARE = 1e-9  # of a sum of squares


def column_gain(x: FloatArray, y: FloatArray, by_x: FloatArray, by_y: FloatArray) -> FloatArray:
    """Log likelihood that each column adds, of ``x`` and of what ``x`` leaves of ``y``.

    Of what ``x`` leaves: a column chosen for both as they are would be one at which both happen to
    be high, and removing it would draw a true link towards zero.

    Parameters
    ----------
    x, y : array of float64, shape (n,)
        Net of what is known.
    by_x, by_y : array of float64, any shape
        Products of ``x`` and of ``y`` with each column, net of what is known and of unit length.
    """
    xx, xy, yy = max(float(x @ x), TINY), float(x @ y), float(y @ y)
    rest = max(yy - xy**2 / xx, TINY)
    x_left = np.maximum(xx - by_x**2, _ROUNDING_SHARE * xx)
    y_left = np.maximum(yy - by_y**2 - (xy - by_x * by_y) ** 2 / x_left, _ROUNDING_SHARE * rest)
    result: FloatArray = len(x) / 2 * (np.log(xx / x_left) + np.log(rest / y_left))
    return result
