"""What two series share only because both change over the weeks.

Pain and stress both fall during therapy. Any measure of whether they move together must first be
freed of that course, and must not mistake its leftover for a link. The course is modelled as a
natural cubic spline in time (Hastie, Tibshirani and Friedman, Elements of Statistical Learning,
2nd ed., section 5.2.1), one step at the same moment in both (a session that helped), and a daily
rhythm. The step is where it fits both series best; it is always included, so that its choice
cannot depend on whether a link would be found.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_EDGE = 3  # a step must leave this many ratings on each side
FloatArray = NDArray[np.float64]


def spline_freedom(n: int) -> int:
    """How many bends the spline may have for ``n`` ratings: grows as the square root."""
    return max(1, round(0.73 * math.sqrt(n)))


def spline_basis(days: FloatArray, freedom: int) -> FloatArray:
    """Constant, and a natural cubic spline with ``freedom`` columns; shape (n, 1 + freedom).

    Knots are at equal shares of the ratings, so that each bend rests on as many.
    """
    u = _unit(days)
    knots = np.unique(np.quantile(u, np.linspace(0, 1, freedom + 1)))
    columns = [np.ones_like(u), u]

    def bend(knot: float) -> FloatArray:
        last = knots[-1]
        cubes = np.clip(u - knot, 0, None) ** 3 - np.clip(u - last, 0, None) ** 3
        result: FloatArray = cubes / (last - knot)
        return result

    if len(knots) > 2:
        reference = bend(float(knots[-2]))
        columns += [bend(float(knot)) - reference for knot in knots[:-2]]
    return np.column_stack(columns)


def daily_rhythm(hours: FloatArray) -> FloatArray:
    """One wave a day, shape (n, 2), from the local hour of each rating."""
    angle = 2 * np.pi * np.asarray(hours, dtype=np.float64) / 24
    return np.column_stack([np.cos(angle), np.sin(angle)])


def course_basis(
    days: FloatArray, x: FloatArray, y: FloatArray, hours: FloatArray | None = None
) -> FloatArray:
    """Columns that span the shared course of ``x`` and ``y``; shape (n, columns), orthonormal.

    ``days``: shape (n,), increasing, in days. ``hours``: local hour of day, shape (n,).
    """
    smooth = spline_basis(days, spline_freedom(len(days)))
    if hours is not None:
        smooth = np.column_stack([smooth, daily_rhythm(hours)])
    basis = independent_columns(smooth)
    step = _common_step(basis, x, y)
    return basis if step is None else independent_columns(np.column_stack([basis, step]))


def independent_columns(columns: FloatArray) -> FloatArray:
    """An orthonormal basis of what the columns span; columns that add nothing are dropped."""
    scaled = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False)
    result: FloatArray = left[:, singular > 1e-9 * singular[0]]
    return result


def freed(values: FloatArray, basis: FloatArray) -> FloatArray:
    """What is left of ``values`` after the (orthonormal) course is taken out; shape (n,)."""
    result: FloatArray = values - basis @ (basis.T @ values)
    return result


def _common_step(basis: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray | None:
    """The step that, beside the smooth course, explains most of both series together."""
    n = len(x)
    at = np.arange(_EDGE, n - _EDGE + 1)
    if not len(at):
        return None
    steps = (np.arange(n)[:, None] >= at[None, :]).astype(np.float64)
    beyond = steps - basis @ (basis.T @ steps)
    norms = np.linalg.norm(beyond, axis=0)
    usable = norms > 1e-6
    if not usable.any():
        return None
    beyond = beyond[:, usable] / norms[usable]
    gain = np.zeros(beyond.shape[1])
    for series in (freed(x, basis), freed(y, basis)):
        total = float(series @ series)
        if total > 0:
            share = np.clip((beyond.T @ series) ** 2 / total, 0, 1 - 1e-12)
            gain -= np.log1p(-share)  # twice the gain in log-likelihood, over n
    chosen: FloatArray = steps[:, usable][:, int(np.argmax(gain))]
    return chosen


def _unit(days: FloatArray) -> FloatArray:
    span = float(days[-1] - days[0])
    result: FloatArray = (days - days[0]) / span if span > 0 else np.zeros_like(days)
    return result
