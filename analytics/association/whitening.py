"""Whiten errors whose autocorrelation has two parameters, at any spacing of the ratings.

The first, ``rho``, is the autocorrelation from one typical (median) step to the next; over longer
steps it fades as in an Ornstein-Uhlenbeck process. The second, ``partial``, is the partial
autocorrelation at lag 2 (Barndorff-Nielsen and Schou 1973, Journal of Multivariate Analysis 3:408),
where the two steps together are not much longer than two typical ones. Any pair between -1 and 1
gives a valid covariance. The transformation is a banded matrix with three diagonals, so that
columns, and all steps of one level to another, are whitened by sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray

_FARTHEST = 4.0  # typical steps: beyond, the rating before last says nothing by itself


@dataclass(frozen=True, slots=True, eq=False)
class Whitener:
    """Row t of the whitened columns: now * c[t] + one * c[t - 1] + two * c[t - 2]; shape (n,).

    ``log_scale``: half the logarithm of the squared determinant.
    """

    now: FloatArray
    one: FloatArray
    two: FloatArray
    log_scale: float

    @classmethod
    def of(cls, spacing: FloatArray, rho: float, partial: float = 0.0) -> Whitener:
        """Make one for steps of this ``spacing``, shape (n - 1,), in typical steps."""
        n = len(spacing) + 1
        alike = rho**spacing if rho >= 0 else np.where(spacing < 1.5, rho, 0.0)
        scale = 1 / np.sqrt(np.maximum(1 - alike**2, 1e-6))
        now = np.append(1.0, scale)
        one = np.append(0.0, -scale * alike)
        two = np.zeros(n)
        if partial != 0.0 and n > 2:
            second = np.where(spacing[1:] + spacing[:-1] <= _FARTHEST, partial, 0.0)
            norm = 1 / np.sqrt(1 - second**2)
            # The forward error less its part of the backward error of the rating before last.
            two[2:] = -second * scale[:-1] * norm
            one[2:] = (one[2:] + second * scale[:-1] * alike[:-1]) * norm
            now[2:] = now[2:] * norm
        return cls(now, one, two, float(np.sum(np.log(now))))

    def columns(self, values: FloatArray) -> FloatArray:
        """Whiten columns, shape (n, c)."""
        white = values * self.now[:, None]
        white[1:] += values[:-1] * self.one[1:, None]
        if np.any(self.two):
            white[2:] += values[:-2] * self.two[2:, None]
        return white

    def steps(self, at: IntArray) -> FloatArray:
        """Whiten the steps that begin at rows ``at``, shape (k,); the result is (n, k)."""
        n = len(self.now)
        rows = np.arange(n)[:, None] - at[None, :]
        after, second = self.now + self.one + self.two, self.now + self.one
        return np.where(
            rows >= 2,
            after[:, None],
            np.where(rows == 1, second[:, None], np.where(rows == 0, self.now[:, None], 0.0)),
        )

    def step_products(self, white: FloatArray, at: IntArray) -> FloatArray:
        """Products of whitened steps with whitened columns (n, c); shape (k, c).

        ``at`` increases, and at least two rows follow its last.
        """
        if not len(at):
            return np.zeros((0, white.shape[1]))
        after = white * (self.now + self.one + self.two)[:, None]
        # Sums from one place to the next, and then of those: of many ratings the places are few.
        between = np.add.reduceat(after, np.append(at, len(white) - 1), axis=0)
        between[-2] += between[-1]
        tail = np.cumsum(between[-2::-1], axis=0)[::-1] - after[at] - after[at + 1]
        second = white[at + 1] * (self.now + self.one)[at + 1, None]
        result: FloatArray = white[at] * self.now[at, None] + second + tail
        return result

    def step_sizes(self, at: IntArray) -> FloatArray:
        """Compute sums of squares of whitened steps, shape (k,)."""
        n = len(self.now)
        tail = np.zeros(n + 2)
        tail[:n] = np.cumsum(((self.now + self.one + self.two) ** 2)[::-1])[::-1]
        following = np.append((self.now + self.one) ** 2, 0.0)
        result: FloatArray = self.now[at] ** 2 + following[at + 1] + tail[at + 2]
        return result

    def products_of_steps(self, at: IntArray) -> FloatArray:
        """Products of whitened steps with each other, shape (k, k); ``at`` increases."""
        n = len(self.now)
        after, second = self.now + self.one + self.two, self.now + self.one
        tail = np.zeros(n + 2)
        tail[:n] = np.cumsum((after**2)[::-1])[::-1]
        cross = np.append(second * after, 0.0)
        # Where the later step begins the earlier is at its last value, unless it just began.
        product = self.now[at] * after[at] + cross[at + 1] + tail[at + 2]
        result: FloatArray = np.broadcast_to(product, (len(at), len(at))).copy()
        lower = np.tril_indices(len(at), -1)
        result[lower] = result.T[lower]
        near = np.flatnonzero(np.diff(at) == 1)
        result[near, near + 1] += self.now[at[near + 1]] * (second - after)[at[near + 1]]
        result[near + 1, near] = result[near, near + 1]
        np.fill_diagonal(result, self.step_sizes(at))
        return result
