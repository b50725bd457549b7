"""HC3 standard errors of the fits that ``slope_average`` averages.

MacKinnon and White (1985), Journal of Econometrics 29:305: squared residuals, each divided by what
the fit leaves of its variance, in place of one variance for all.
"""

from __future__ import annotations

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.detrending import TINY
from analytics.association.slope_evidence import Errors, Pairs, Problem
from analytics.association.whitening import Whiteners

_LEAST_LEFT = 0.05  # of a rating's variance, where the fit goes through it
_AT_ONCE = 300  # ratings up to which all autocorrelations are done at once


class RobustErrors:
    """Of one person's fits: ``errors`` (autocorrelations), steps at ``problem.at`` or ``pairs``."""

    def __init__(
        self, problem: Problem, columns: FloatArray, errors: list[Errors], pairs: Pairs
    ) -> None:
        self._problem, self._columns, self._errors, self._pairs = problem, columns, errors, pairs

    def nuisance(self, chosen: tuple[int, ...], fit: int) -> FloatArray:
        """Columns of effects and steps of one fit, (n, c)."""
        first, second = (int(part[0]) for part in self._places(np.array([fit])))
        at = self._problem.at[[first] if first == second else [first, second]]
        return np.column_stack([self._columns[:, list(chosen)], self._steps(at)])

    def of(
        self, chosen: tuple[int, ...], row: IntArray, fit: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Compute errors of fits with the same effects, (f,), and influences in the first, (n,).

        ``row``: which autocorrelation, ``fit``: which step or steps, each (f,).
        """
        result, influence = np.empty(len(row)), np.empty(0)
        used = np.unique(row)
        groups = [used] if self._problem.n <= _AT_ONCE else list(used[:, None])
        for some in groups:
            here = np.flatnonzero(np.isin(row, some))
            found, one = self._of_some(chosen, some, np.searchsorted(some, row[here]), fit[here])
            result[here] = found
            if here[0] == 0:
                influence = one
        return result, influence

    def _places(self, fit: IntArray) -> tuple[IntArray, IntArray]:
        """First and second step of fits, as places; the same twice where there is one step."""
        k = len(self._problem.at)
        if not len(self._pairs[0]):
            return fit, fit
        pair = np.maximum(fit - k, 0)
        return tuple(np.where(fit < k, fit, part[pair]) for part in self._pairs)  # type: ignore[return-value]

    def _steps(self, at: IntArray) -> FloatArray:
        return (np.arange(self._problem.n)[:, None] >= at[None, :]).astype(np.float64)

    def _of_some(
        self, chosen: tuple[int, ...], used: IntArray, row: IntArray, fit: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        problem = self._problem
        first, second = self._places(fit)
        needed, place = np.unique(np.concatenate([first, second]), return_inverse=True)
        fixed = problem.q + len(chosen)
        white = Whiteners.of(problem.spacing, [self._errors[int(k)] for k in used]).columns(
            np.column_stack(
                [
                    problem.basis,
                    self._columns[:, list(chosen)],
                    problem.x,
                    problem.y,
                    self._steps(problem.at[needed]),
                ]
            )
        )
        trend = white[:, :, :fixed]
        inverse = np.linalg.inv(np.linalg.cholesky(trend.swapaxes(1, 2) @ trend))
        orthonormal = trend @ inverse.swapaxes(1, 2)
        rest = white[:, :, fixed:]
        rest = (rest - orthonormal @ (orthonormal.swapaxes(1, 2) @ rest)).swapaxes(1, 2)
        levers = np.einsum("mnq,mnq->mn", orthonormal, orthonormal)
        x, y, steps = rest[:, 0], rest[:, 1], rest[:, 2:]
        steps = steps / np.maximum(np.linalg.norm(steps, axis=2), 1e-9)[:, :, None]
        one, two = steps[row, place[: len(fit)]], steps[row, place[len(fit) :]]
        two = two - one * _dot(one, two)
        norm = np.linalg.norm(two, axis=1)
        double = first != second
        two *= np.where(double, 1 / np.maximum(norm, 1e-6), 0.0)[:, None]
        x_left, y_left = x[row], y[row]
        x_left = x_left - one * _dot(one, x_left) - two * _dot(two, x_left)
        y_left = y_left - one * _dot(one, y_left) - two * _dot(two, y_left)
        xx = np.maximum(_dot(x_left, x_left), TINY)
        slope = _dot(x_left, y_left) / xx
        lever = levers[row] + one**2 + two**2 + x_left**2 / xx
        error = (y_left - slope * x_left) / np.maximum(1 - lever, _LEAST_LEFT)
        influence = x_left * error / xx
        return np.sqrt(_dot(influence, influence)[:, 0]), influence[0]


def _dot(one: FloatArray, two: FloatArray) -> FloatArray:
    """Inner products of rows, (f, 1)."""
    result: FloatArray = np.einsum("fn,fn->f", one, two)[:, None]
    return result
