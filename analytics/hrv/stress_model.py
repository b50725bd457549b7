"""The statistical model of the stress index: usual level by hour, day, slow and fast changes.

Within a person, arousal y at time t is x(h)'b + e, with x = 1 and two daily harmonics of the local
hour h, and e the sum of a change of the whole day, one that fades within 45 minutes, a fast one
that lasts five minutes, and measurement noise, all times the person's own variance s2:

    K(t, u) = day [same day] + slow exp(-|t - u| / 45 min) + fast max(0, 1 - |t - u| / 5 min)

With a normal prior of b given s2 and an inverse gamma prior of s2 everything is in closed form
(Gelman et al. 2013, Bayesian Data Analysis, 3rd ed., ch. 14.8; Rasmussen and Williams 2006,
Gaussian Processes for Machine Learning, ch. 2.7). Days are independent given b and s2.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from analytics._types import FloatArray, IntArray

HR_SCALE_BPM = 4.5
VAGAL_SCALE = 0.27
VAGAL_WEIGHT = 0.3
CELL_S = 300.0
_SLOW_S = 2700.0
# The level of a day that is lived, not of the first minutes awake: resting heart rate is 65.5 bpm,
# SD 7.7, in 92,457 adults (Quer et al. 2020, PLOS ONE 15:e0227709). The 6 bpm that daily life adds
# and the wider SD (10 bpm) are assumptions; two days of data outweigh them.
LEVEL_BPM = 72.0
_LEVEL_SD = 10.0 / HR_SCALE_BPM
# Two harmonics describe the daily course (Natarajan et al. 2025, Chronobiology International,
# doi:10.1080/07420528.2024.2446622). Amplitude 4.5 bpm with its peak at 15:30 is an assumption.
_AMPLITUDE, _PEAK_HOUR = 1.0, 15.5
_HARMONIC_SD = np.array([0.4, 0.4, 0.2, 0.2])
# s2 ~ inverse gamma(5, 4): mean 1, a heart that varies by 4.5 bpm.
_SHAPE, _RATE = 5.0, 4.0
MAX_DOF = 60.0


@dataclass(frozen=True, slots=True)
class Variances:
    """Shares of the person's variance: of the day, slow, fast, and of the measurement."""

    day: float = 0.12
    slow: float = 0.45
    fast: float = 0.40
    noise: float = 0.03

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
    apart = np.abs(np.asarray(a_s)[:, None] - np.asarray(b_s)[None, :])
    result: FloatArray = (
        variances.day
        + variances.slow * np.exp(-apart / _SLOW_S)
        + variances.fast * np.maximum(0.0, 1.0 - apart / CELL_S)
    )
    return result


@dataclass(frozen=True, slots=True, eq=False)
class DayWindows:
    """Windows of one day by time, all of shape (n,).

    ``rate``: (bpm - 72) / 4.5; ``vagal``: ln ms, NaN where unknown; ``noise``: share of s2.
    """

    time_s: FloatArray
    hour: FloatArray
    rate: FloatArray
    vagal: FloatArray
    noise: FloatArray

    @property
    def columns(self) -> FloatArray:
        """Y, shape (n, 2): y is Y @ [1, usual vagal]."""
        scale = VAGAL_WEIGHT / VAGAL_SCALE
        known = np.isfinite(self.vagal)
        return np.column_stack(
            [self.rate - scale * np.where(known, self.vagal, 0.0), scale * known]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What a person's usual is known to be; sums over days, so their order does not matter.

    ``usual_vagal``: the value from which the vagal part is counted.
    """

    precision: FloatArray = field(
        default_factory=lambda: np.diag(1 / np.append(_LEVEL_SD, _HARMONIC_SD) ** 2)
    )
    cross: FloatArray = field(default_factory=lambda: np.zeros((5, 2)))
    square: FloatArray = field(default_factory=lambda: np.zeros((2, 2)))
    windows: int = 0
    usual_vagal: float = 0.0

    def add(self, day: DayWindows, variances: Variances = VARIANCES) -> Baseline:
        """Return the baseline with one more day."""
        x, y = design(day.hour), day.columns
        factor = cho_factor(covariance(day.time_s, day.time_s, variances) + np.diag(day.noise))
        solved = cho_solve(factor, np.column_stack([x, y]))
        return Baseline(
            self.precision + x.T @ solved[:, :5],
            self.cross + x.T @ solved[:, 5:],
            self.square + y.T @ solved[:, 5:],
            self.windows + len(day.time_s),
            self.usual_vagal,
        )

    def with_vagal(self, usual_vagal: float) -> Baseline:
        """Return the same days with the vagal part counted from another value."""
        return Baseline(self.precision, self.cross, self.square, self.windows, usual_vagal)

    def fit(self) -> Usual:
        """Estimate b and s2."""
        first = Baseline()
        b0 = prior_mean()
        weight = np.array([1.0, self.usual_vagal])
        right = first.precision @ b0 + self.cross @ weight
        factor = cho_factor(self.precision)
        b = cho_solve(factor, right)
        square = float(weight @ self.square @ weight + b0 @ first.precision @ b0 - b @ right)
        s2 = (_RATE + max(square, 0.0) / 2) / (_SHAPE + self.windows / 2)
        dof = min(2 * _SHAPE + self.windows, MAX_DOF)
        return Usual(b, cho_solve(factor, np.eye(5)), s2, dof, self.usual_vagal)


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """A fitted baseline: ``b``, its covariance over s2, ``s2``, degrees of freedom."""

    b: FloatArray
    covariance: FloatArray
    s2: float
    dof: float
    usual_vagal: float


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
    period: IntArray,
    periods: int,
    variances: Variances = VARIANCES,
) -> Deviation:
    """Estimate the mean deviation of periods of a day from its windows.

    ``target_s``: moments, of which those with the same number in ``period`` (0 to ``periods`` - 1)
    make one period; moments without a window count by what the windows say of them.
    """
    factor = cho_factor(covariance(day.time_s, day.time_s, variances) + np.diag(day.noise))
    count = np.bincount(period, minlength=periods)
    place = np.zeros((len(target_s), periods))
    place[np.arange(len(target_s)), period] = 1 / count[period]
    k = covariance(day.time_s, target_s, variances) @ place
    x = design(day.hour)
    left = day.columns @ np.array([1.0, usual.usual_vagal]) - x @ usual.b
    solved = cho_solve(factor, k)
    spread = np.empty(periods)
    for number in range(periods):
        moments = target_s[period == number]
        spread[number] = covariance(moments, moments, variances).mean()
    own = np.maximum(spread - np.sum(k * solved, axis=0), 0.0)
    return Deviation(solved.T @ left, own, solved.T @ x, spread)
