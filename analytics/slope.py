"""How much ``y`` changes with ``x`` beyond a course that both share: a posterior of the slope.

The model: y = slope x + smooth course + one step + error, the error autocorrelated in continuous
time (Ornstein-Uhlenbeck; AR(1) where ratings are evenly spaced). Two things in it are not known and
are not guessed, but averaged over: how strong the autocorrelation is, and where the step lies. Each
combination gives a t distribution of the slope by generalised least squares; it weighs as much as
its restricted likelihood for y, times that for x of a step at the same place. So the interval pays
for both doubts; with a single best guess it is too narrow (coverage of 93% and less, measured).

Sources: restricted likelihood: Harville (1974), Biometrika 61:383; averaging over the
autocorrelation: Zellner and Tiao (1964), Journal of the American Statistical Association 59:763.
The prior is flat for the slope, the course, the height and the place of the step, and for the
autocorrelation from one typical step to the next between -0.3 and 0.94; 1/variance for the errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

FloatArray = NDArray[np.float64]

RHOS = np.array([-0.3, -0.15, 0.0, 0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.88, 0.94])
# Of differences: two that share a day pull it opposite ways.
CHANGE_RHOS = np.array([-0.75, -0.6, -0.45, -0.3, -0.15, 0.0, 0.15, 0.3])
_NEGLIGIBLE = 1e-5  # of the weight of the likeliest combination
FEWEST_FREEDOM = 3


@dataclass(frozen=True, slots=True, eq=False)
class SlopePosterior:
    """A mixture of t distributions with ``freedom`` degrees: ``weight``, ``slope`` and ``error`` of
    each, shape (m,). ``rho``: the mean autocorrelation from one typical step to the next.
    """

    weight: FloatArray
    slope: FloatArray
    error: FloatArray
    freedom: int
    rho: float

    @property
    def mean(self) -> float:
        """The estimate."""
        return float(self.weight @ self.slope)

    @property
    def sd(self) -> float:
        """Its standard deviation."""
        inflate = self.freedom / (self.freedom - 2) if self.freedom > 2 else math.inf
        spread = self.error**2 * inflate + (self.slope - self.mean) ** 2
        return float(np.sqrt(self.weight @ spread))

    def below(self, value: float) -> float:
        """The probability of a slope below ``value``."""
        t = (value - self.slope) / self.error
        return float(self.weight @ special.stdtr(self.freedom, t))

    @property
    def p_value(self) -> float:
        """Two-sided, for no slope at all."""
        under = self.below(0.0)
        return min(1.0, 2 * min(under, 1 - under))

    def quantile(self, share: float) -> float:
        """The slope with this probability below it."""
        reach = float(special.stdtrit(self.freedom, 1 - 1e-9))
        low = float(np.min(self.slope - reach * self.error))
        high = float(np.max(self.slope + reach * self.error))
        return float(optimize.brentq(lambda at: self.below(at) - share, low, high, xtol=1e-10))


def slope_posterior(
    days: FloatArray,
    x: FloatArray,
    y: FloatArray,
    basis: FloatArray,
    steps: FloatArray,
    rhos: FloatArray = RHOS,
) -> SlopePosterior:
    """The slope of ``y`` on ``x``.

    ``days``, ``x``, ``y``: shape (n,), ``days`` not decreasing. ``basis``: shape (n, q),
    independent columns of the course (and of anything else to hold still). ``steps``: shape (n, k),
    the steps that may be; k may be 0. ``rhos``: the
    autocorrelations that may be. Raises ValueError when too few ratings are left to judge by.
    """
    n, q = basis.shape
    many = steps.shape[1]
    freedom = n - q - 1 - (1 if many else 0)
    if freedom < FEWEST_FREEDOM:
        raise ValueError(f"{n} ratings are too few for {q} columns of course")
    columns = np.column_stack([basis, steps, x, y])
    y_likely = np.empty((len(rhos), max(many, 1)))
    x_likely, slopes, errors = (
        np.empty_like(y_likely),
        np.empty_like(y_likely),
        np.empty_like(y_likely),
    )
    spacing = _spacing(days)
    for row, rho in enumerate(rhos):
        white, log_scale = whitened(columns, spacing, float(rho))
        orthonormal, triangle = np.linalg.qr(white[:, :q])
        left = white[:, q:] - orthonormal @ (orthonormal.T @ white[:, q:])
        x_left, y_left = left[:, many], left[:, many + 1]
        xx, xy, yy = x_left @ x_left, x_left @ y_left, y_left @ y_left
        log_norm = log_scale - float(np.sum(np.log(np.abs(np.diag(triangle)))))
        if many:
            step = left[:, :many]
            size = np.einsum("ij,ij->j", step, step)
            x_step, y_step = step.T @ x_left, step.T @ y_left
            xx = xx - x_step**2 / size
            xy = xy - x_step * y_step / size
            yy = yy - y_step**2 / size
            log_norm = log_norm - 0.5 * np.log(size)
        xx = np.maximum(xx, 1e-12)
        slope = xy / xx
        squares = np.maximum(yy - xy * slope, 1e-12)
        y_likely[row] = log_norm - 0.5 * np.log(xx) - freedom / 2 * np.log(squares)
        x_likely[row] = log_norm - (freedom + 1) / 2 * np.log(xx)
        slopes[row], errors[row] = slope, np.sqrt(squares / freedom / xx)
    likely = y_likely + special.logsumexp(x_likely, axis=0)
    weight = np.exp(likely - np.max(likely))
    weight /= np.sum(weight)
    kept = weight > _NEGLIGIBLE * np.max(weight)
    rho_mean = float(np.sum(weight, axis=1) @ rhos)
    chosen = weight[kept] / np.sum(weight[kept])
    return SlopePosterior(chosen, slopes[kept], errors[kept], freedom, rho_mean)


def whitened(columns: FloatArray, spacing: FloatArray, rho: float) -> tuple[FloatArray, float]:
    """``columns`` (n, c) transformed so that errors with autocorrelation ``rho`` a typical step
    become white, and half the logarithm of the determinant of that transformation, squared.

    ``spacing``: shape (n - 1,), in typical steps.
    """
    # What swings about from one rating to the next (below 0) is forgotten over a pause.
    alike = rho**spacing if rho >= 0 else np.where(spacing < 1.5, rho, 0.0)
    scale = 1 / np.sqrt(np.maximum(1 - alike**2, 1e-6))
    white = np.empty_like(columns)
    white[0] = columns[0]
    white[1:] = (columns[1:] - alike[:, None] * columns[:-1]) * scale[:, None]
    return white, float(np.sum(np.log(scale)))


def _spacing(days: FloatArray) -> FloatArray:
    """Steps between ratings, in typical (median) ones."""
    gaps = np.diff(days)
    positive = gaps[gaps > 0]
    typical = float(np.median(positive)) if len(positive) else 1.0
    # Two ratings at the same moment would be the same but for their noise.
    return np.maximum(gaps / typical, 0.05)
