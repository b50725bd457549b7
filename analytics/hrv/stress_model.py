"""The statistical model of the stress index: usual level by hour, day, slow and fast changes.

Within a person, the heart rate y at time t, in units of 4.5 bpm, is x(h)'b + e, with x = 1 and two
daily harmonics of the local hour h, and e the sum of a change of the whole day, one that fades
within 45 minutes, a fast one that lasts five minutes, and measurement noise, all times the person's
own variance s2:

    K(t, u) = day [same day] + slow exp(-|t - u| / 45 min) + fast max(0, 1 - |t - u| / 5 min)

With a normal prior of b given s2 and an inverse gamma prior of s2 everything is in closed form
(Gelman et al. 2013, Bayesian Data Analysis, 3rd ed., ch. 14.8; Rasmussen and Williams 2006,
Gaussian Processes for Machine Learning, ch. 2.7). Days are independent given b and s2.

There is no vagal part: its weight, chosen without the person who is judged, was zero on the
recordings at hand (docs/evidence/stress-index.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from analytics._types import FloatArray, IntArray
from ebbtide._lazy import lazy_module

linalg = lazy_module("scipy.linalg")

HR_SCALE_BPM = 4.5
CELL_S = 300.0
SLOW_S = 2700.0
# The level of a day that is lived, not of the first minutes awake: resting heart rate is 65.5 bpm,
# SD 7.7, in 92,457 adults (Quer et al. 2020, PLOS ONE 15:e0227709). The 6 bpm that daily life adds
# and the wider SD (10 bpm) are assumptions; two days of data outweigh them.
LEVEL_BPM = 72.0
_LEVEL_SD = 10.0 / HR_SCALE_BPM
# Two harmonics describe the daily course (Natarajan et al. 2025, Chronobiology International,
# doi:10.1080/07420528.2024.2446622). Amplitude 4.5 bpm with its peak at 15:30, and how far people
# differ from it (1.8 and 0.9 bpm), are assumptions.
_AMPLITUDE, _PEAK_HOUR = 1.0, 15.5
_HARMONIC_SD = np.array([0.4, 0.4, 0.2, 0.2])
# s2 ~ inverse gamma(5, 4): mean 1, a heart that varies by 4.5 bpm. It keeps the scale of a heart
# that hardly varies above nothing.
SHAPE, RATE = 5.0, 4.0
MIN_S2 = (1.0 / HR_SCALE_BPM) ** 2  # a bpm is what devices report in: no finer scale
MAX_DOF = 60.0


@dataclass(frozen=True, slots=True)
class Variances:
    """Shares of the person's variance: of the day, slow, fast, and of the measurement.

    ``noise`` is of five minutes with beats, ``reported`` that of a rate which the device reports in
    place of beats. Slow, fast, noise and reported: restricted maximum likelihood and differences of
    17 wrist recordings of an hour (docs/evidence/stress-index.md); ``day`` is an assumption.
    """

    day: float = 0.12
    slow: float = 0.58
    fast: float = 0.25
    noise: float = 0.05
    reported: float = 1.8

    @property
    def real(self) -> float:
        """Variance of a moment about the usual of its hour."""
        return self.day + self.slow + self.fast


VARIANCES = Variances()


def design(hour: FloatArray) -> FloatArray:
    """Build x(h), shape (n, 5)."""
    angle = 2 * np.pi * np.asarray(hour) / 24
    return np.column_stack(
        [np.ones(len(angle)), np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)]
    )


def prior_mean() -> FloatArray:
    """Build the population's b: shape (5,)."""
    angle = 2 * np.pi * _PEAK_HOUR / 24
    return np.array([0.0, _AMPLITUDE * np.cos(angle), _AMPLITUDE * np.sin(angle), 0.0, 0.0])


def covariance(a_s: FloatArray, b_s: FloatArray, variances: Variances = VARIANCES) -> FloatArray:
    """Compute K between the moments of one day, without noise; shape (a, b)."""
    a, b = np.asarray(a_s, np.float64), np.asarray(b_s, np.float64)
    if not len(a) or not len(b):
        return np.zeros((len(a), len(b)))
    middle = (min(a.min(), b.min()) + max(a.max(), b.max())) / 2
    a, b = a - middle, b - middle
    apart = np.abs(a[:, None] - b[None, :])
    # exp(-|t - u|) as a product: a tenth of the time. It would overflow beyond three weeks.
    up, down = np.exp(np.clip(a / SLOW_S, -300, 300)), np.exp(np.clip(b / SLOW_S, -300, 300))
    result: FloatArray = np.minimum(np.outer(up, 1 / down), np.outer(1 / up, down))
    result *= variances.slow
    apart /= -CELL_S
    apart += 1.0
    np.maximum(apart, 0.0, out=apart)
    apart *= variances.fast
    result += apart
    result += variances.day
    return result


def lower_covariance(time_s: FloatArray, variances: Variances = VARIANCES) -> FloatArray:
    """Compute K among increasing moments of one day, right in its lower triangle and diagonal.

    A Cholesky factor needs no more. Shape (n, n).
    """
    t = np.asarray(time_s, np.float64)
    if not len(t):
        return np.zeros((0, 0))
    up = np.exp(np.clip((t - (t[0] + t[-1]) / 2) / SLOW_S, -300, 300))
    result: FloatArray = np.multiply.outer(variances.slow / up, up)
    result += variances.day
    width = len(t)
    result.flat[:: width + 1] += variances.fast
    for apart in range(1, width):  # few windows are less than five minutes from another
        near = variances.fast * (1 - (t[apart:] - t[:-apart]) / CELL_S)
        if not np.any(near > 0):
            break
        result.flat[apart * width :: width + 1] += np.maximum(near, 0.0)
    return result


def covariance_with_means(
    a_s: FloatArray, target_s: FloatArray, count: IntArray, variances: Variances = VARIANCES
) -> FloatArray:
    """Compute the covariance of moments with means of others, shape (a, p).

    ``target_s``: increasing, of which the first ``count[0]`` make the first mean, and so on. By
    sums along the targets, so that it costs (a + targets) p and not their product.
    """
    a, u = np.asarray(a_s, np.float64), np.asarray(target_s, np.float64)
    middle = (min(a[0], u[0]) + max(a[-1], u[-1])) / 2
    a, u = a - middle, u - middle
    last = np.cumsum(count)
    first = last - count

    def within(place: IntArray) -> IntArray:
        """Those places, but not outside of each mean's own targets; shape (a, p)."""
        inside: IntArray = np.clip(place[:, None], first, last)
        return inside

    at = within(np.searchsorted(u, a, "right"))
    up_a, up_u = (np.exp(np.clip(t / SLOW_S, -300, 300)) for t in (a, u))
    before = np.append(0.0, np.cumsum(up_u))
    after = np.append(np.cumsum(1 / up_u[::-1])[::-1], 0.0)
    result: FloatArray = (before[at] - before[first]) / up_a[:, None]
    result += (after[at] - after[last]) * up_a[:, None]
    result *= variances.slow
    low = within(np.searchsorted(u, a - CELL_S, "right"))
    high = within(np.searchsorted(u, a + CELL_S, "left"))
    total = np.append(0.0, np.cumsum(u))
    # Seconds to those before, and to those after.
    apart = (2 * at - low - high) * a[:, None] + total[low] + total[high] - 2 * total[at]
    result += variances.fast * (high - low - apart / CELL_S)
    result /= count
    result += variances.day
    return result


@lru_cache(maxsize=4096)
def variance_of_mean(count: int, step_s: float, variances: Variances = VARIANCES) -> float:
    """Compute the variance over s2 of the true mean of ``count`` moments, ``step_s`` apart."""
    apart = np.arange(count, dtype=np.float64) * step_s
    weight = 2.0 * (count - np.arange(count, dtype=np.float64))
    weight[0] = count
    return float(covariance(np.zeros(1), apart, variances)[0] @ weight) / count**2


@dataclass(frozen=True, slots=True, eq=False)
class DayWindows:
    """Windows of one day by time, all of shape (n,).

    ``rate``: (bpm - 72) / 4.5; ``noise``: its measurement variance as a share of s2.
    """

    time_s: FloatArray
    hour: FloatArray
    rate: FloatArray
    noise: FloatArray

    def factor(self, k: FloatArray) -> FloatArray:
        """Compute L, with L L' the covariance ``k`` of the windows and their noise.

        Of ``k`` only the lower triangle is read.
        """
        both = k.copy()
        both.flat[:: len(both) + 1] += self.noise
        lower: FloatArray = np.linalg.cholesky(both).astype(np.float64, copy=False)
        return lower


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What a person's usual is known to be; sums over days, so their order does not matter."""

    precision: FloatArray = field(
        default_factory=lambda: np.diag(1 / np.append(_LEVEL_SD, _HARMONIC_SD) ** 2)
    )
    cross: FloatArray = field(default_factory=lambda: np.zeros(5))
    square: float = 0.0
    windows: int = 0

    def add(self, day: DayWindows, variances: Variances = VARIANCES) -> Baseline:
        """Return the baseline with one more day."""
        lower = day.factor(lower_covariance(day.time_s, variances))
        white = _divide(lower, np.column_stack([design(day.hour), day.rate]))
        x, y = white[:, :5], white[:, 5]
        return Baseline(
            self.precision + x.T @ x,
            self.cross + x.T @ y,
            self.square + float(y @ y),
            self.windows + len(day.time_s),
        )

    def fit(self) -> Usual:
        """Estimate b and s2."""
        first = Baseline()
        b0 = prior_mean()
        right = first.precision @ b0 + self.cross
        factor = linalg.cho_factor(self.precision)
        b = linalg.cho_solve(factor, right)
        square = self.square + float(b0 @ first.precision @ b0 - b @ right)
        s2 = (RATE + max(square, 0.0) / 2) / (SHAPE + self.windows / 2)
        s2 = max(s2, MIN_S2)
        dof = min(2 * SHAPE + self.windows, MAX_DOF)
        return Usual(b, linalg.cho_solve(factor, np.eye(5)), s2, dof)


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """A fitted baseline: ``b``, its covariance over s2, ``s2``, degrees of freedom."""

    b: FloatArray
    covariance: FloatArray
    s2: float
    dof: float


@dataclass(frozen=True, slots=True, eq=False)
class Deviation:
    """How far the means of periods are from usual, in units of z; p periods.

    ``mean``: shape (p,); ``own``: variance over s2 that the periods' own windows leave; ``pull``:
    shape (p, 5), how b moves them; ``spread``: variance over s2 of a true mean of such a period.
    """

    mean: FloatArray
    own: FloatArray
    pull: FloatArray
    spread: FloatArray


def deviate(
    usual: Usual,
    day: DayWindows,
    target_s: FloatArray,
    count: IntArray,
    step_s: FloatArray,
    variances: Variances = VARIANCES,
) -> Deviation:
    """Estimate the mean deviation of periods of a day from its windows.

    ``target_s``: moments, shape (sum of ``count``,), of which the first ``count[0]`` make the first
    period, and so on, ``step_s`` apart; moments without a window count by what the windows say of
    them.
    """
    x = design(day.hour)
    each = len(target_s) == len(count)
    if each and np.array_equal(day.time_s, target_s):
        k = among = covariance(day.time_s, day.time_s, variances)
    else:
        among = lower_covariance(day.time_s, variances)
        if each:
            k = covariance(day.time_s, target_s, variances)
        elif np.all(np.diff(target_s) > 0):
            k = covariance_with_means(day.time_s, target_s, count, variances)
        else:
            k = covariance(day.time_s, target_s, variances)
            k = np.add.reduceat(k, np.cumsum(count) - count, axis=1) / count
    lower = day.factor(among)
    white = _divide(lower, np.column_stack([x, day.rate - x @ usual.b]))
    k = _divide(lower, k)
    if each:
        spread = np.full(len(count), variances.real)
    else:
        spread = np.array(
            [
                variance_of_mean(many, step, variances)
                for many, step in zip(count.tolist(), step_s.tolist(), strict=True)
            ]
        )
    own = np.maximum(spread - np.einsum("np,np->p", k, k), 0.0)
    both = k.T @ white
    return Deviation(both[:, 5], own, both[:, :5], spread)


def _divide(lower: FloatArray, columns: FloatArray) -> FloatArray:
    """Solve L z = columns."""
    result: FloatArray = linalg.solve_triangular(lower, columns, lower=True, check_finite=False)
    return result
