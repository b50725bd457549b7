"""Whiten errors whose autocorrelation has two parameters, at any spacing of the ratings.

The first, ``rho``, is the autocorrelation from one typical (median) step to the next; over longer
steps it fades as in an Ornstein-Uhlenbeck process. The second, ``partial``, is the partial
autocorrelation at lag 2 (Barndorff-Nielsen and Schou 1973, Journal of Multivariate Analysis 3:408),
where the two steps together are not much longer than two typical ones. Any pair between -1 and 1
gives a valid covariance. The transformation is a banded matrix with three diagonals, so that
columns, and all steps of one level to another, are whitened by sums. Many pairs of parameters are
done at once: with few ratings most of the time would go into calls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray

_FARTHEST = 4.0  # typical steps: beyond, the rating before last says nothing by itself


@dataclass(frozen=True, slots=True, eq=False)
class Whiteners:
    """Of m pairs: row t is now * c[t] + one * c[t - 1] + two * c[t - 2]; each (m, n).

    ``log_scale``: (m,), half the logarithm of the squared determinant.
    """

    now: FloatArray
    one: FloatArray
    two: FloatArray
    log_scale: FloatArray

    @classmethod
    def of(cls, spacing: FloatArray, pairs: list[tuple[float, float]]) -> Whiteners:
        """Make them for steps of this ``spacing``, (n - 1,), and pairs of rho and partial."""
        rho, partial = (np.array(values)[:, None] for values in zip(*pairs, strict=True))
        fading = np.abs(rho) ** spacing
        alike = np.where(rho >= 0, fading, np.where(spacing < 1.5, rho, 0.0))
        scale = 1 / np.sqrt(np.maximum(1 - alike**2, 1e-6))
        first = np.ones((len(pairs), 1))
        now = np.hstack([first, scale])
        one = np.hstack([0 * first, -scale * alike])
        two = np.zeros_like(now)
        if np.any(partial):
            second = np.where(spacing[1:] + spacing[:-1] <= _FARTHEST, partial, 0.0)
            norm = 1 / np.sqrt(1 - second**2)
            # The forward error less its part of the backward error of the rating before last.
            two[:, 2:] = -second * scale[:, :-1] * norm
            one[:, 2:] = (one[:, 2:] + second * scale[:, :-1] * alike[:, :-1]) * norm
            now[:, 2:] = now[:, 2:] * norm
        return cls(now, one, two, np.sum(np.log(now), axis=1))

    def columns(self, values: FloatArray) -> FloatArray:
        """Whiten columns (n, c); the result is (m, n, c)."""
        white: FloatArray = self.now[:, :, None] * values
        white[:, 1:] += self.one[:, 1:, None] * values[:-1]
        if np.any(self.two):
            white[:, 2:] += self.two[:, 2:, None] * values[:-2]
        return white

    def step_products(self, white: FloatArray, at: IntArray) -> FloatArray:
        """Products of whitened steps with whitened columns (m, n, c); shape (m, k, c).

        ``at`` increases, and at least two rows follow its last.
        """
        if not len(at):
            return np.zeros((len(white), 0, white.shape[2]))
        after = white * (self.now + self.one + self.two)[:, :, None]
        # Sums from one place to the next, and then of those: of many ratings the places are few.
        between = np.add.reduceat(after, np.append(at, white.shape[1] - 1), axis=1)
        between[:, -2] += between[:, -1]
        tail = np.cumsum(between[:, -2::-1], axis=1)[:, ::-1] - after[:, at] - after[:, at + 1]
        second = white[:, at + 1] * (self.now + self.one)[:, at + 1, None]
        result: FloatArray = white[:, at] * self.now[:, at, None] + second + tail
        return result

    def step_sizes(self, at: IntArray) -> FloatArray:
        """Compute sums of squares of whitened steps, shape (m, k)."""
        tail = _sums_from((self.now + self.one + self.two) ** 2)
        following = _and_zero((self.now + self.one) ** 2)
        result: FloatArray = self.now[:, at] ** 2 + following[:, at + 1] + tail[:, at + 2]
        return result

    def products_of_steps(self, at: IntArray) -> FloatArray:
        """Products of each whitened step with a later one, (m, k, k), above the diagonal.

        ``at`` increases. On and below the diagonal the result says nothing.
        """
        after, second = self.now + self.one + self.two, self.now + self.one
        cross = _and_zero(second * after)
        # Where the later step begins the earlier is at its last value, unless it just began.
        product = (
            self.now[:, at] * after[:, at] + cross[:, at + 1] + _sums_from(after**2)[:, at + 2]
        )
        result: FloatArray = np.repeat(product[:, None, :], len(at), axis=1)
        near = np.flatnonzero(np.diff(at) == 1)
        later = at[near + 1]
        result[:, near, near + 1] += self.now[:, later] * (second - after)[:, later]
        return result


def _sums_from(values: FloatArray) -> FloatArray:
    """Sum each column and all after it, with two zeros at the end; (m, n + 2)."""
    result = np.zeros((len(values), values.shape[1] + 2))
    result[:, :-2] = np.cumsum(values[:, ::-1], axis=1)[:, ::-1]
    return result


def _and_zero(values: FloatArray) -> FloatArray:
    """Add a zero at the end; (m, n + 1)."""
    result: FloatArray = np.hstack([values, np.zeros((len(values), 1))])
    return result
