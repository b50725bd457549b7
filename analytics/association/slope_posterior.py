"""How much ``y`` changes with ``x`` net of a common trend: a posterior of the slope.

The model: y = slope x + smooth trend + one step + error, the error autocorrelated in continuous
time (Ornstein-Uhlenbeck; AR(1) where ratings are evenly spaced). Two things in it are not known and
are not guessed, but averaged over: how strong the autocorrelation is, and where the step lies. Each
combination gives a t distribution of the slope by generalised least squares; it weighs as much as
its restricted likelihood for y, times that for x of a step at the same place. So the interval pays
for both doubts; with a single best guess it is too narrow (coverage of 93% and less, measured).

Sources: restricted likelihood: Harville (1974), Biometrika 61:383; averaging over the
autocorrelation: Zellner and Tiao (1964), Journal of the American Statistical Association 59:763.
The prior is flat for the slope, the trend, the height and the place of the step, and for the
autocorrelation from one typical step to the next between -0.3 and 0.94; 1/variance for the errors.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.detrending import ROUNDING_SHARE, TINY, Detrended, sums_from
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

RHOS = np.array([-0.3, -0.15, 0.0, 0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.88, 0.94])
# Of differences: two that share a day pull it opposite ways.
CHANGE_RHOS = np.array([-0.75, -0.6, -0.45, -0.3, -0.15, 0.0, 0.15, 0.3])
_NEGLIGIBLE = 1e-5  # of the weight of the likeliest combination
MIN_DF = 3
_FEW_PARTS = 400
# Where the t distribution is tabulated: an error of 2e-12 at most, a hundredth of the time.
_TABLE_STEP, _TABLE_END = 1 / 128, 12.0
_WORTH_A_TABLE = 4000  # values


@dataclass(frozen=True, slots=True, eq=False)
class SlopePosterior:
    """A mixture of t distributions with ``dof`` degrees of freedom.

    ``weight``, ``slope`` and ``error`` of each, shape (m,). ``rho``: the mean autocorrelation from
    one typical step to the next.
    """

    weight: FloatArray
    slope: FloatArray
    error: FloatArray
    dof: int
    rho: float

    @property
    def mean(self) -> float:
        """The estimate."""
        return float(self.weight @ self.slope)

    @property
    def sd(self) -> float:
        """Its standard deviation."""
        inflate = self.dof / (self.dof - 2) if self.dof > 2 else math.inf
        spread = self.error**2 * inflate + (self.slope - self.mean) ** 2
        return float(np.sqrt(self.weight @ spread))

    def below(self, value: float) -> float:
        """Return the probability of a slope below ``value``."""
        t = (value - self.slope) / self.error
        return float(self.weight @ _student(t, self.dof)[0])

    @property
    def p_value(self) -> float:
        """Two-sided, for no slope at all."""
        under = self.below(0.0)
        return min(1.0, 2 * min(under, 1 - under))

    def quantile(self, share: float) -> float:
        """Return the slope with this probability below it."""
        sd = self.sd if self.dof > 2 else 10 * float(np.max(self.error))
        at = self.mean + float(special.stdtrit(self.dof, share)) * sd
        # First of a part of the mixture: it has thousands of parts.
        every = len(self.weight) // _FEW_PARTS
        if every > 1:
            some = slice(None, None, every)
            weight = self.weight[some] / np.sum(self.weight[some])
            parts = (weight, self.slope[some], self.error[some])
            at = self._solve(share, at, 1e-2 * sd, sd, parts)
        return self._solve(share, at, 1e-7 * sd, sd, (self.weight, self.slope, self.error))

    def _solve(
        self,
        share: float,
        at: float,
        tolerance: float,
        sd: float,
        parts: tuple[FloatArray, FloatArray, FloatArray],
    ) -> float:
        """Take steps between two bounds from ``at``; the last is below ``tolerance``."""
        weight, slope, error = parts
        low, high = -math.inf, math.inf
        for _ in range(60):
            t = (at - slope) / error
            below, density = _student(t, self.dof)
            beyond = float(weight @ below) - share
            low, high = (low, at) if beyond > 0 else (at, high)
            density *= weight / error
            rise = max(float(np.sum(density)), TINY)
            # Halley's step, from how the density bends; Newton's where that would turn it round.
            t *= (self.dof + 1) / ((self.dof + t * t) * error)
            step = -beyond / rise
            step /= max(1 - step * float(density @ t) / (2 * rise), 0.5)
            if abs(step) < tolerance:
                return at + step
            target = at + step
            if not low < target < high or abs(step) > 4 * sd:
                near = math.copysign(4 * sd, step)
                target = (low + high) / 2 if math.isfinite(low + high) else at + near
            at = target
        return at


def _student(t: FloatArray, dof: int) -> tuple[FloatArray, FloatArray]:
    """Distribution function and density of Student's t, from a table where there are many values.

    The density is good to 1e-6 then, which is enough for a step of Newton's method.
    """
    size = np.abs(t)
    if len(t) < _WORTH_A_TABLE:
        upper: FloatArray = special.stdtr(dof, -size)
        density = _density(size, dof)
    else:
        values, slopes = _student_table(dof)
        u = np.minimum(size, _TABLE_END)
        u /= _TABLE_STEP
        place = u.astype(np.int64)
        u -= place
        v = 1 - u
        here, there = values[place], slopes[place]
        place += 1
        after, slope_after = values[place], slopes[place]
        # Cubic Hermite interpolation of the upper tail.
        rise = after - here
        upper = v * (there - rise) - u * (slope_after - rise)
        upper *= u * v
        upper += here
        upper += u * rise
        density = (v * there + u * slope_after) * (-1 / _TABLE_STEP)
        far = size > _TABLE_END
        if np.any(far):
            upper[far] = special.stdtr(dof, -size[far])
            density[far] = _density(size[far], dof)
    np.subtract(1, upper, out=upper, where=t > 0)
    return upper, density


def _density(t: FloatArray, dof: int) -> FloatArray:
    peak = math.exp(math.lgamma((dof + 1) / 2) - math.lgamma(dof / 2)) / math.sqrt(math.pi * dof)
    result: FloatArray = peak * (1 + t**2 / dof) ** (-(dof + 1) / 2)
    return result


@functools.lru_cache(maxsize=16)
def _student_table(dof: int) -> tuple[FloatArray, FloatArray]:
    """Upper tail of Student's t and its slope, times the step, at even places."""
    t = np.arange(0.0, _TABLE_END + 2 * _TABLE_STEP, _TABLE_STEP)
    return special.stdtr(dof, -t), -_density(t, dof) * _TABLE_STEP


def slope_posterior(series: Detrended, rhos: FloatArray = RHOS) -> SlopePosterior:
    """Estimate the slope of ``y`` on ``x`` net of their common trend.

    ``rhos``: the autocorrelations that may be. Raises ValueError when too few ratings are left.
    """
    basis, at, steps = series.basis, series.step_places, series.step_columns
    n, q = basis.shape
    many = steps.shape[1] + len(at)
    dof = n - q - 1 - (1 if many else 0)
    if dof < MIN_DF:
        raise ValueError(f"{n} ratings are too few for {q} columns of course")
    columns = np.column_stack([basis, series.x, series.y, steps])
    y_likely = np.empty((len(rhos), max(many, 1)))
    x_likely, slopes, errors = (
        np.empty_like(y_likely),
        np.empty_like(y_likely),
        np.empty_like(y_likely),
    )
    spacing = typical_spacing(series.days)
    for row, rho in enumerate(rhos):
        white, log_scale = whiten(columns, spacing, float(rho))
        orthonormal, triangle = np.linalg.qr(white[:, :q])
        left = white[:, q:] - orthonormal @ (orthonormal.T @ white[:, q:])
        x_left, y_left, step = left[:, 0], left[:, 1], left[:, 2:]
        xx, xy, yy = x_left @ x_left, x_left @ y_left, y_left @ y_left
        x_floor, y_floor = ROUNDING_SHARE * xx + TINY, ROUNDING_SHARE * yy + TINY
        log_norm: float | FloatArray = log_scale - float(np.sum(np.log(np.abs(np.diag(triangle)))))
        if many:
            if len(at):
                size, products = _with_steps(at, spacing, float(rho), orthonormal, left)
            else:
                size = np.einsum("ij,ij->j", step, step)
                products = step.T @ left[:, :2]
            x_step, y_step = products[:, 0], products[:, 1]
            xx = xx - x_step**2 / size
            xy = xy - x_step * y_step / size
            yy = yy - y_step**2 / size
            log_norm = log_norm - 0.5 * np.log(size)
        xx = np.maximum(xx, x_floor)
        slope = xy / xx
        squares = np.maximum(yy - xy * slope, y_floor)
        y_likely[row] = log_norm - 0.5 * np.log(xx) - dof / 2 * np.log(squares)
        x_likely[row] = log_norm - (dof + 1) / 2 * np.log(xx)
        slopes[row], errors[row] = slope, np.sqrt(squares / dof / xx)
    likely = y_likely + special.logsumexp(x_likely, axis=0)
    weight = np.exp(likely - np.max(likely))
    weight /= np.sum(weight)
    relevant = weight > _NEGLIGIBLE * np.max(weight)
    rho_mean = float(np.sum(weight, axis=1) @ rhos)
    chosen = weight[relevant] / np.sum(weight[relevant])
    return SlopePosterior(chosen, slopes[relevant], errors[relevant], dof, rho_mean)


def _with_steps(
    at: IntArray, spacing: FloatArray, rho: float, orthonormal: FloatArray, left: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Compute sizes and products of every whitened step net of the smooth trend.

    Sizes have shape (k,), products with the columns of ``left`` shape (k, columns). A whitened step
    is nothing before its place, one value there, and another in each row after; so all of them are
    sums from the end.
    """
    alike, scale = _autocorrelation_prior(spacing, rho)
    after = np.append(0.0, scale * (1 - alike))[:, None]
    there = np.append(1.0, scale)[at, None]

    def products(columns: FloatArray) -> FloatArray:
        rest = np.vstack([sums_from(columns * after)[1:], np.zeros((1, columns.shape[1]))])
        result: FloatArray = rest[at] + columns[at] * there
        return result

    own = np.append(sums_from(after**2)[1:, 0], 0.0)[at] + there[:, 0] ** 2
    size = own - np.sum(products(orthonormal) ** 2, axis=1)
    return np.maximum(size, 1e-9), products(left)


def _autocorrelation_prior(spacing: FloatArray, rho: float) -> tuple[FloatArray, FloatArray]:
    """Autocorrelation over each step, and what makes the new part of each error standard."""
    # What swings about from one rating to the next (below 0) is forgotten over a pause.
    alike = rho**spacing if rho >= 0 else np.where(spacing < 1.5, rho, 0.0)
    return alike, 1 / np.sqrt(np.maximum(1 - alike**2, 1e-6))


def whiten(columns: FloatArray, spacing: FloatArray, rho: float) -> tuple[FloatArray, float]:
    """Whiten ``columns`` (n, c): errors with autocorrelation ``rho`` a typical step apart.

    Also returns half the logarithm of the determinant of that transformation, squared.

    ``spacing``: shape (n - 1,), in typical steps.
    """
    alike, scale = _autocorrelation_prior(spacing, rho)
    white = np.empty_like(columns)
    white[0] = columns[0]
    white[1:] = (columns[1:] - alike[:, None] * columns[:-1]) * scale[:, None]
    return white, float(np.sum(np.log(scale)))


def typical_spacing(days: FloatArray) -> FloatArray:
    """Measure the steps between ratings in typical (median) ones; shape (n - 1,)."""
    gaps = np.diff(days)
    positive = gaps[gaps > 0]
    typical = float(np.median(positive)) if len(positive) else 1.0
    # Two ratings at the same moment would be the same but for their noise.
    return np.maximum(gaps / typical, 0.05)
