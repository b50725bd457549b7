"""What two series share only because both change over the weeks.

Pain and stress both fall during therapy. Any measure of whether they move together must first be
freed of that course, and must not mistake its leftover for a link. The course is modelled as a
natural cubic spline in time (Hastie, Tibshirani and Friedman, Elements of Statistical Learning,
2nd ed., section 5.2.1), one step at the same moment in both (a session that helped), and a daily
rhythm. The step is always included, so that its choice cannot depend on whether a link would be
found.
"""

from __future__ import annotations

import math

import numpy as np

from analytics._types import FloatArray, IntArray

_EDGE = 3  # a step must leave this many ratings on each side


def spline_df(n: int) -> int:
    """How many bends the spline may have for ``n`` ratings: grows as the square root."""
    return max(1, round(0.73 * math.sqrt(n)))


def spline_basis(days: FloatArray, freedom: int) -> FloatArray:
    """Constant, and a natural cubic spline with ``freedom`` columns; shape (n, 1 + freedom).

    Knots are at equal shares of the ratings, so that each bend rests on as many.
    """
    u = _unit(days)
    knots = np.unique(np.quantile(u, np.linspace(0, 1, freedom + 1)))
    columns = [np.ones_like(u), u]

    def basis_term(knot: float) -> FloatArray:
        last = knots[-1]
        cubes = np.clip(u - knot, 0, None) ** 3 - np.clip(u - last, 0, None) ** 3
        result: FloatArray = cubes / (last - knot)
        return result

    if len(knots) > 2:
        reference = basis_term(float(knots[-2]))
        columns += [basis_term(float(knot)) - reference for knot in knots[:-2]]
    return np.column_stack(columns)


def daily_rhythm(hours: FloatArray) -> FloatArray:
    """One wave a day, shape (n, 2), from the local hour of each rating."""
    angle = 2 * np.pi * np.asarray(hours, dtype=np.float64) / 24
    return np.column_stack([np.cos(angle), np.sin(angle)])


def course_basis(days: FloatArray, hours: FloatArray | None = None) -> FloatArray:
    """Columns that span the smooth course; shape (n, columns), orthonormal.

    ``days``: shape (n,), increasing, in days. ``hours``: local hour of day, shape (n,).
    """
    smooth = spline_basis(days, spline_df(len(days)))
    if hours is not None:
        smooth = np.column_stack([smooth, daily_rhythm(hours)])
    return independent_columns(smooth)


def straight_line(days: FloatArray) -> FloatArray:
    """Level and slope; shape (n, 2), orthonormal (n, 1 when all are at one moment)."""
    return independent_columns(np.column_stack([np.ones(len(days)), _unit(days)]))


def step_places(basis: FloatArray) -> IntArray:
    """The rows at which a step may be, each with ratings on both sides, and none that the course
    itself can make; shape (k,).

    All of them: one that is a single rating off leaves that rating as an outlier in both series,
    and an alarm (seen with 120 ratings and every second place).
    """
    n = len(basis)
    at = np.arange(_EDGE, max(_EDGE, n - _EDGE + 1))
    return at[_beyond(basis, at) > 1e-3]


def _beyond(basis: FloatArray, at: IntArray) -> FloatArray:
    """What of each step the course cannot make, squared and summed."""
    n = len(basis)
    result: FloatArray = (n - at) - np.sum(sums_from(basis)[at] ** 2, axis=1)
    return result


def sums_from(columns: FloatArray) -> FloatArray:
    """Sums of each row and all after it: the products with every step."""
    result: FloatArray = np.cumsum(columns[::-1], axis=0)[::-1]
    return result


def steps_at(places: IntArray, n: int) -> FloatArray:
    """The steps themselves, shape (n, k)."""
    return (np.arange(n)[:, None] >= places[None, :]).astype(np.float64)


def likeliest_step(basis: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray | None:
    """The step that, beside the smooth course, explains most of ``x``, and of what ``x`` leaves of
    ``y``; shape (n,). For a slope.

    Of what ``x`` leaves: a step chosen for ``x`` and ``y`` as they are would be one at which both
    happen to be high, and taking it out would draw a true link towards zero.
    """
    return _step(basis, x, y, of_rest=True)


def shared_step(basis: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray | None:
    """The step that explains most of both; shape (n,). For a correlation that must not be fooled:
    it would rather miss a little of a link than take a step for one.
    """
    return _step(basis, x, y, of_rest=False)


def _step(basis: FloatArray, x: FloatArray, y: FloatArray, of_rest: bool) -> FloatArray | None:
    at = step_places(basis)
    if not len(at):
        return None
    size = _beyond(basis, at)
    x_left, y_left = residuals(x, basis), residuals(y, basis)
    both = sums_from(np.column_stack([x_left, y_left]))[at] / np.sqrt(size)[:, None]
    x_step, y_step = both[:, 0], both[:, 1]
    xx = np.maximum(x_left @ x_left - x_step**2, 1e-12)
    rest = y_left @ y_left - y_step**2
    if of_rest:
        rest = rest - (x_left @ y_left - x_step * y_step) ** 2 / xx
    place = at[int(np.argmin(np.log(xx) + np.log(np.maximum(rest, 1e-12))))]
    result: FloatArray = (np.arange(len(basis)) >= place).astype(np.float64)
    return result


def independent_columns(columns: FloatArray) -> FloatArray:
    """An orthonormal basis of what the columns span; columns that add nothing are dropped."""
    scaled = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False)
    result: FloatArray = left[:, singular > 1e-9 * singular[0]]
    return result


def residuals(values: FloatArray, basis: FloatArray) -> FloatArray:
    """What is left of ``values`` after the (orthonormal) course is taken out; shape (n,)."""
    result: FloatArray = values - basis @ (basis.T @ values)
    return result


def _unit(days: FloatArray) -> FloatArray:
    span = float(days[-1] - days[0])
    result: FloatArray = (days - days[0]) / span if span > 0 else np.zeros_like(days)
    return result
