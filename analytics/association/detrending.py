"""Remove the trend that two series share only because both change over the weeks.

Pain and stress both fall during therapy. Any measure of whether they move together must first be
taken net of that trend, and must not mistake what is left of it for a link. The trend is modelled
as a natural cubic spline in time (Hastie, Tibshirani and Friedman, Elements of Statistical
Learning, 2nd ed., section 5.2.1), one step at the same moment in both (a session that helped), and
a daily rhythm. The step is always included, so that its choice cannot depend on whether a link
would be found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from analytics._types import FloatArray, IntArray

_EDGE = 3  # a step must leave this many ratings on each side
# Of a sum of squares: below this share of it a remainder is rounding, in any unit.
ROUNDING_SHARE = 1e-14
TINY = 1e-300  # keeps logarithms and quotients finite where nothing varies
_FLAT_SHARE = 1e-6  # of the standard deviation
_ROUNDING_STEPS = 8  # spacings of float64 at the largest value


@dataclass(frozen=True, slots=True, eq=False)
class Detrended:
    """Two series with their common trend; shape (n,) where not said.

    ``days``: not decreasing. ``basis``: shape (n, q), orthonormal columns of the smooth trend and
    of any covariates. ``x_residual``, ``y_residual``: net of the basis. ``step_places``: shape
    (k,), the rows at which both may have a step besides; or ``step_columns``, shape (n, k), steps
    of any other form.
    """

    days: FloatArray
    x: FloatArray
    y: FloatArray
    basis: FloatArray
    x_residual: FloatArray
    y_residual: FloatArray
    step_places: IntArray
    step_columns: FloatArray

    def with_step(self, step: FloatArray | None) -> Detrended:
        """Add one step, shape (n,), to the trend for good."""
        if step is None:
            return self
        basis = independent_columns(np.column_stack([self.basis, step]))
        return replace(
            self,
            basis=basis,
            x_residual=residuals(self.x, basis),
            y_residual=residuals(self.y, basis),
            step_places=np.empty(0, np.int64),
        )

    def likeliest_step(self) -> FloatArray | None:
        """Find the step for a slope, shape (n,).

        It is the one that, beside the smooth trend, explains most of ``x``, and of what ``x``
        leaves of ``y``.

        Of what ``x`` leaves: a step chosen for ``x`` and ``y`` as they are would be one at which
        both happen to be high, and removing it would draw a true link towards zero.
        """
        return self._step(of_rest=True)

    def shared_step(self) -> FloatArray | None:
        """Find the step that explains most of both; shape (n,).

        For a correlation that must not be biased by it: it misses a little of a link rather than
        take a step for one.
        """
        return self._step(of_rest=False)

    def _step(self, of_rest: bool) -> FloatArray | None:
        at = self.step_places
        if not len(at):
            return None
        size = _beyond(self.basis, at)
        x, y = self.x_residual, self.y_residual
        both = sums_from(np.column_stack([x, y]))[at] / np.sqrt(size)[:, None]
        x_step, y_step = both[:, 0], both[:, 1]
        x_floor, y_floor = (ROUNDING_SHARE * float(v @ v) + TINY for v in (x, y))
        xx = np.maximum(x @ x - x_step**2, x_floor)
        rest = y @ y - y_step**2
        if of_rest:
            rest = rest - (x @ y - x_step * y_step) ** 2 / xx
        place = at[int(np.argmin(np.log(xx) + np.log(np.maximum(rest, y_floor))))]
        return steps_at(np.array([place]), len(x))[:, 0]


def detrend(
    days: FloatArray,
    x: FloatArray,
    y: FloatArray,
    basis: FloatArray,
    *,
    with_steps: bool = True,
    step_columns: FloatArray | None = None,
) -> Detrended:
    """Remove the columns of ``basis`` (n, q), orthonormal, from ``x`` and ``y``, shape (n,).

    ``with_steps``: whether both may have one step at any rating besides; ``step_columns``, shape
    (n, k): the forms that it may have, in place of these.
    """
    places = with_steps and step_columns is None
    # Every basis holds the level, so the median changes nothing but the rounding of values that
    # are large beside their differences.
    x, y = (values - (np.median(values) if len(values) else 0.0) for values in (x, y))
    return Detrended(
        days,
        x,
        y,
        basis,
        residuals(x, basis),
        residuals(y, basis),
        step_places(basis) if places else np.empty(0, np.int64),
        np.empty((len(x), 0)) if step_columns is None else step_columns,
    )


def spline_df(n: int) -> int:
    """Degrees of freedom of the spline for ``n`` ratings: they grow as the square root."""
    return max(1, round(0.73 * math.sqrt(n)))


def spline_basis(days: FloatArray, df: int) -> FloatArray:
    """Constant, and a natural cubic spline with ``df`` columns; shape (n, 1 + df).

    Knots are at equal shares of the ratings, so that each term rests on as many.
    """
    u = _unit(days)
    knots = np.unique(np.quantile(u, np.linspace(0, 1, df + 1)))
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


def trend_basis(days: FloatArray, hours: FloatArray | None = None) -> FloatArray:
    """Columns that span the smooth trend; shape (n, columns), orthonormal.

    ``days``: shape (n,), increasing, in days. ``hours``: local hour of day, shape (n,).
    """
    smooth = spline_basis(days, spline_df(len(days)))
    if hours is not None:
        smooth = np.column_stack([smooth, daily_rhythm(hours)])
    return independent_columns(smooth)


def constant_basis(n: int) -> FloatArray:
    """Level alone; shape (n, 1), orthonormal."""
    return np.full((n, 1), 1 / np.sqrt(n))


def linear_basis(days: FloatArray) -> FloatArray:
    """Level and slope; shape (n, 2), orthonormal (n, 1 when all are at one moment)."""
    return independent_columns(np.column_stack([np.ones(len(days)), _unit(days)]))


def step_places(basis: FloatArray) -> IntArray:
    """Find the rows at which a step may be, shape (k,).

    Each has ratings on both sides, and none is a step that the smooth trend can fit by itself.

    All of them: one that is a single rating off leaves that rating as an outlier in both series,
    and an alarm (seen with 120 ratings and every second place).
    """
    n = len(basis)
    at = np.arange(_EDGE, max(_EDGE, n - _EDGE + 1))
    return at[_beyond(basis, at) > 1e-3]


def _beyond(basis: FloatArray, at: IntArray) -> FloatArray:
    """Sum of squares of each step's residual from the smooth trend."""
    n = len(basis)
    result: FloatArray = (n - at) - np.sum(sums_from(basis)[at] ** 2, axis=1)
    return result


def sums_from(columns: FloatArray) -> FloatArray:
    """Sum each row and all after it: the products with every step."""
    result: FloatArray = np.cumsum(columns[::-1], axis=0)[::-1]
    return result


def steps_at(places: IntArray, n: int) -> FloatArray:
    """Build the steps themselves, shape (n, k)."""
    return (np.arange(n)[:, None] >= places[None, :]).astype(np.float64)


def independent_columns(columns: FloatArray) -> FloatArray:
    """Return an orthonormal basis of the columns' span; columns that add nothing are dropped."""
    scaled = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False)
    result: FloatArray = left[:, singular > 1e-9 * singular[0]]
    return result


def residuals(values: FloatArray, basis: FloatArray) -> FloatArray:
    """Residuals of ``values`` from the columns of ``basis`` (orthonormal); shape (n,)."""
    result: FloatArray = values - basis @ (basis.T @ values)
    return result


def is_flat(rest: FloatArray, whole: FloatArray) -> bool:
    """Whether ``rest``, a residual of ``whole``, is no more than rounding, in any unit."""
    if not len(rest):
        return True
    rounding = _ROUNDING_STEPS * np.finfo(np.float64).eps * float(np.max(np.abs(whole)))
    return bool(np.std(rest) <= max(_FLAT_SHARE * float(np.std(whole)), rounding))


def _unit(days: FloatArray) -> FloatArray:
    span = float(days[-1] - days[0])
    result: FloatArray = (days - days[0]) / span if span > 0 else np.zeros_like(days)
    return result
