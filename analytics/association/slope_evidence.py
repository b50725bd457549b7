"""Evidence and slope of every fit that ``slope_average`` averages, from sums of products.

All that a fit needs of the ratings are the products of the whitened columns (trend, x, y, effects
and steps) with each other. They are made for many autocorrelations at once, and each fit is a few
subtractions from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.detrending import ROUNDING_SHARE, TINY
from analytics.association.slope_posterior import typical_spacing
from analytics.association.whitening import Whiteners

# Autocorrelation from one typical step to the next, and the partial one at lag 2.
Errors = tuple[float, float]
Pairs = tuple[IntArray, IntArray]
_IN_CACHE = 16_000  # numbers in one array
_LEAST_APART = 0.02  # of a second step, net of the first
_MOST_NUMBERS = 2_000_000  # in one array: more autocorrelations than fit are done in turn


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Products of the whitened columns net of the trend, at each of m autocorrelations."""

    log_norm: FloatArray  # (m,)
    gram: FloatArray  # (m, 2 + c, 2 + c), of x, y and the calendar's columns
    steps: FloatArray  # (m, k, 2 + c), products of steps with them
    sizes: FloatArray  # (m, k)
    between: FloatArray  # (m, k, k), products of each step with later ones; (m, 0, 0) without pairs

    @classmethod
    def join(cls, parts: list[Moments]) -> Moments:
        """Put several together."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("log_norm", "gram", "steps", "sizes", "between")
            )
        )

    def take(self, rows: list[int] | slice) -> Moments:
        """Choose some of the autocorrelations."""
        return Moments(
            self.log_norm[rows],
            self.gram[rows],
            self.steps[rows],
            self.sizes[rows],
            self.between[rows],
        )


class Problem:
    """What the moments are made from: ratings (n,) net of a trend (n, q), and places of steps."""

    def __init__(
        self, days: FloatArray, x: FloatArray, y: FloatArray, basis: FloatArray, at: IntArray
    ) -> None:
        self.spacing = typical_spacing(days)
        self.x, self.y, self.basis, self.at = x, y, basis, at
        self.n, self.q = basis.shape

    def moments(self, errors: list[Errors], columns: FloatArray, pairs: bool = False) -> Moments:
        """Make the moments at these autocorrelations, with columns (n, c)."""
        width = self.q + 2 + columns.shape[1]
        many = max(1, _MOST_NUMBERS // (self.n * width))
        together = np.column_stack([self.basis, self.x, self.y, columns])
        return Moments.join(
            [
                self._moments(errors[start : start + many], together, pairs)
                for start in range(0, len(errors), many)
            ]
        )

    def _moments(self, errors: list[Errors], together: FloatArray, pairs: bool) -> Moments:
        whiteners = Whiteners.of(self.spacing, errors)
        white = whiteners.columns(together)
        q = self.q
        gram = white.swapaxes(1, 2) @ white
        factor = np.linalg.cholesky(gram[:, :q, :q])
        inverse = np.linalg.inv(factor)
        cross = inverse @ gram[:, :q, q:]
        products = whiteners.step_products(white, self.at)
        coordinates = products[:, :, :q] @ inverse.swapaxes(1, 2)
        sizes = whiteners.step_sizes(self.at) - np.einsum("mkq,mkq->mk", coordinates, coordinates)
        between = np.zeros((len(errors), 0, 0))
        if pairs:
            between = whiteners.products_of_steps(self.at)
            between -= coordinates @ coordinates.swapaxes(1, 2)
        diagonal = np.diagonal(factor, axis1=1, axis2=2)
        return Moments(
            whiteners.log_scale - np.sum(np.log(diagonal), axis=1),
            gram[:, q:, q:] - cross.swapaxes(1, 2) @ cross,
            products[:, :, q:] - coordinates @ cross,
            np.maximum(sizes, 1e-9),
            between,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Of fits, each (m, s, k + pairs): m autocorrelations, s sets of effects, then the steps.

    ``y_log``, ``x_log``: log evidence; ``slope``; ``squares``: of the errors; ``xx``: of x.
    """

    y_log: FloatArray
    x_log: FloatArray
    slope: FloatArray
    squares: FloatArray
    xx: FloatArray

    def with_pairs(self, kept: IntArray, many: int) -> Evidence:
        """Keep some of the two steps, which follow the ``many`` fits with one."""
        chosen = np.append(np.arange(many), many + kept)
        return Evidence(*(getattr(self, name)[..., chosen] for name in self.__slots__))


def evidence(
    moments: Moments, chosen: list[tuple[int, ...]], n: int, dof: int, pairs: Pairs | None = None
) -> Evidence:
    """Fit sets of effects of equal size, with one step at each place, then two at ``pairs``."""
    fits = moments.sizes.shape[1] + (0 if pairs is None else len(pairs[0]))
    shape = (len(moments.log_norm), len(chosen), fits)
    found = Evidence(*(np.empty(shape) for _ in range(5)))
    # A few autocorrelations at a time, so that what is worked on stays in the processor's cache.
    at_once = max(1, _IN_CACHE // (len(chosen) * fits))
    for start in range(0, shape[0], at_once):
        rows = slice(start, start + at_once)
        _fill(
            moments.take(rows),
            Evidence(*(getattr(found, name)[rows] for name in Evidence.__slots__)),
            chosen,
            n,
            dof,
            pairs,
        )
    return found


def _fill(
    moments: Moments,
    found: Evidence,
    chosen: list[tuple[int, ...]],
    n: int,
    dof: int,
    pairs: Pairs | None,
) -> None:
    """Compute the evidence into the arrays of ``found``."""
    rest, steps, sizes, between = _beyond_effects(moments, chosen, pairs is not None)
    root = 1 / np.sqrt(sizes)
    x_unit, y_unit = steps[..., 0] * root, steps[..., 1] * root
    many = sizes.shape[-1]
    x_all, y_base, xy_base = (
        moments.gram[:, i, j, None, None] for i, j in ((0, 0), (1, 1), (0, 1))
    )
    xx, xy, squares = found.xx, found.slope, found.squares
    np.multiply(x_unit, x_unit, out=xx[..., :many])
    np.multiply(x_unit, y_unit, out=xy[..., :many])
    np.multiply(y_unit, y_unit, out=squares[..., :many])
    prior = np.full(many, -0.5 * np.log(many))
    if pairs is not None and len(pairs[0]):
        between *= root[..., :, None]
        between *= root[..., None, :]
        later = slice(many, None)
        _add_two_steps(
            between, x_unit, y_unit, pairs, (xx[..., later], xy[..., later], squares[..., later])
        )
        # Of all pairs of places, also where the unlikely ones have been left out.
        prior = np.append(prior, np.full(len(pairs[0]), -0.5 * np.log(many * (many - 1) / 2)))
    np.subtract(rest[:, :, 0, 0, None], xx, out=xx)
    np.maximum(xx, ROUNDING_SHARE * x_all + TINY, out=xx)
    np.subtract(rest[:, :, 0, 1, None], xy, out=xy)
    np.subtract(rest[:, :, 1, 1, None], squares, out=squares)
    product = xy / xx
    squares -= xy * product
    found.slope[:] = product
    np.maximum(squares, ROUNDING_SHARE * y_base + TINY, out=squares)
    # Zellner's prior with the weight of one rating: a little of what the columns explain is left.
    kept = 1 / (1 + n)
    x_all = np.maximum(x_all, TINY)
    y_all = np.maximum(y_base - xy_base**2 / x_all, TINY)
    norm = moments.log_norm[:, None, None] + (prior - 0.5 * len(chosen[0]) * np.log(1 + n))
    for log, whole, left, factor in (
        (found.y_log, y_all, squares, dof / 2),
        (found.x_log, x_all, xx, (dof + 1) / 2),
    ):
        np.multiply(left, 1 - kept, out=log)
        log += kept * whole
        np.maximum(log, left, out=log)
        np.log(log, out=log)
        log *= -factor
        log += norm
    found.y_log[:] -= 0.5 * np.log(x_all)


def evidence_of_sets(
    moments: Moments, chosen: list[tuple[int, ...]], n: int, dof: int
) -> tuple[FloatArray, FloatArray]:
    """Log evidence of y and of x, (m, s, k), of any sets of effects with one step."""
    shape = (len(moments.log_norm), len(chosen), moments.sizes.shape[1])
    y_log, x_log = np.empty(shape), np.empty(shape)
    by_width: dict[int, list[int]] = {}
    for place, columns in enumerate(chosen):
        by_width.setdefault(len(columns), []).append(place)
    for places in by_width.values():
        found = evidence(moments, [chosen[place] for place in places], n, dof)
        y_log[:, places], x_log[:, places] = found.y_log, found.x_log
    return y_log, x_log


def _beyond_effects(
    moments: Moments, chosen: list[tuple[int, ...]], with_pairs: bool
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Take the effects out of the products.

    Returns those of x and y (m, s, 2, 2), of steps with both (m, s, k, 2), of steps with themselves
    (m, s, k), and with each other (m, s, k, k).
    """
    rest, steps = moments.gram[:, None, :2, :2], moments.steps[:, None, :, :2]
    sizes = moments.sizes[:, None]
    between = moments.between[:, None] if with_pairs else np.empty((0, 0, 0, 0))
    if not len(chosen[0]):
        return rest, steps, sizes, between.copy()
    picked = 2 + np.array(chosen)
    own = moments.gram[:, picked[:, :, None], picked[:, None, :]]
    ridge = 1e-10 * np.trace(own, axis1=2, axis2=3)[..., None, None] * np.eye(picked.shape[1])
    inverse = np.linalg.inv(np.linalg.cholesky(own + ridge))
    both = inverse @ moments.gram[:, picked, :2]
    within = moments.steps[:, :, picked].swapaxes(1, 2) @ inverse.swapaxes(2, 3)
    if with_pairs:
        between = between - within @ within.swapaxes(2, 3)
    return (
        rest - both.swapaxes(2, 3) @ both,
        steps - within @ both,
        np.maximum(sizes - np.einsum("mskp,mskp->msk", within, within), 1e-6),
        between,
    )


def _add_two_steps(
    between: FloatArray,
    x_unit: FloatArray,
    y_unit: FloatArray,
    pairs: Pairs,
    out: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    """Compute what two steps take of the products of x with x, x with y, and y with y.

    ``between``: cosines of steps (m, s, k, k); ``x_unit``, ``y_unit``: products with steps of unit
    length.
    """
    first, second = pairs
    by_x, by_xy, by_y = out
    place = first * x_unit.shape[-1] + second
    alike = np.take(between.reshape(*between.shape[:2], -1), place, axis=-1)
    x_first, y_first = (np.take(unit, first, axis=-1) for unit in (x_unit, y_unit))
    x_later, y_later = (np.take(unit, second, axis=-1) for unit in (x_unit, y_unit))
    x_later -= alike * x_first
    y_later -= alike * y_first
    np.multiply(alike, alike, out=alike)
    np.subtract(1, alike, out=alike)
    np.maximum(alike, _LEAST_APART, out=alike)
    np.divide(x_later, alike, out=by_xy)
    np.multiply(by_xy, x_later, out=by_x)
    by_xy *= y_later
    np.multiply(y_later, y_later, out=by_y)
    by_y /= alike
    by_xy += x_first * y_first
    x_first *= x_first
    by_x += x_first
    y_first *= y_first
    by_y += y_first
