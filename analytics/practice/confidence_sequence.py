"""Intervals that are valid at every look, for effects of draws with known probability.

Let ``e_t`` be what is left of the outcome after a forecast made before the draw and after the
candidate effect, ``e_t(effect) = y_t - m_t - effect (a_t - p_t)``. Under a constant effect it does
not depend on the draw, and ``s_n = sum of e_t (a_t - p_t) / (p_t (1 - p_t))`` is a martingale whose
steps are a known number times a centred Bernoulli variable. Those are sub-Gaussian with the
variance factor of Kearns and Saul (1998), so that the normal mixture of Robbins (1970; Howard et
al. 2021, Annals of Statistics 49:1055, eq. 14) bounds the whole path, in finite samples and
whatever the outcome's distribution, trend or autocorrelation. Where effects differ from moment to
moment, the sum of squared steps is added as a second variance process and the larger of the two is
taken: that is the design-based confidence sequence of Ham, Bojinov, Lindon and Tingley (2022,
arXiv:2210.08639), for large samples, of the running average of the effects.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

# Moments at which the sequence is to be narrowest. It is valid at all.
TUNED_FOR = 80
# Candidates are searched from a million times the scale down to a thousandth of it.
_GRID = 10.0 ** np.linspace(6, -3, 91)
_BISECTIONS = 40


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``; infinite where a side has no end."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True, eq=False)
class IntervalSequence:
    """Estimates and intervals after each moment.

    Arrays of float64, shape (n,): ``estimate``; ``low`` and ``high`` of the interval valid at every
    look; ``fixed_low`` and ``fixed_high`` of the ordinary one, valid at one look that was planned;
    NaN before there is anything to compare. ``p_value``: valid at every look.
    """

    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    fixed_low: FloatArray
    fixed_high: FloatArray
    p_value: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ScoreSums:
    """Running sums of one comparison, from which every interval follows.

    The score of a candidate ``effect`` is ``s0 - effect * s1``; each of its two variance processes
    is ``v0 - 2 effect v1 + effect^2 v2``. Arrays of float64, shape (n,) of running sums;
    ``v0``, ``v1``, ``v2`` of shape (2, n): sub-Gaussian, and squared steps. ``count``: moments
    summed, shape (n,).
    """

    count: IntArray

    s0: FloatArray
    s1: FloatArray
    v0: FloatArray
    v1: FloatArray
    v2: FloatArray

    def score(self, effect: FloatArray) -> FloatArray:
        """Sum the scores of one candidate for each moment."""
        result: FloatArray = self.s0 - effect * self.s1
        return result

    def variances(self, effect: FloatArray) -> FloatArray:
        """Sum both variance processes; shape (2, n), never below 0 for rounding."""
        result: FloatArray = np.maximum(self.v0 - 2 * effect * self.v1 + effect**2 * self.v2, 0.0)
        return result

    def estimate(self) -> FloatArray:
        """Return the effect whose score is 0; NaN where nothing tells."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.s1 != 0, self.s0 / self.s1, np.nan)

    def last(self) -> ScoreSums:
        """Return the sums after the last moment alone."""
        return ScoreSums(
            self.count[-1:],
            self.s0[-1:],
            self.s1[-1:],
            self.v0[:, -1:],
            self.v1[:, -1:],
            self.v2[:, -1:],
        )


def score_sums(
    residual: FloatArray, regressor: FloatArray, probability: FloatArray, offered: BoolArray
) -> ScoreSums:
    """Sum what is needed for ``residual = effect * regressor + noise``.

    Parameters
    ----------
    residual : array of float64, shape (n,)
        Outcome less its forecast.
    regressor : array of float64, shape (n,)
        ``offered - probability`` for the effect of the offer; practice done less its forecast for
        the effect of doing it.
    probability, offered : arrays, shape (n,)
        Of the draws.
    """
    spread = probability * (1 - probability)
    step = (offered - probability) / spread
    proxy = variance_factor(probability) / spread**2
    weights = np.stack([proxy, step**2])
    return ScoreSums(
        count=np.arange(1, residual.size + 1),
        s0=np.cumsum(residual * step),
        s1=np.cumsum(regressor * step),
        v0=np.cumsum(weights * residual**2, axis=1),
        v1=np.cumsum(weights * residual * regressor, axis=1),
        v2=np.cumsum(weights * regressor**2, axis=1),
    )


def variance_factor(probability: FloatArray) -> FloatArray:
    """Return the sub-Gaussian variance factor of a centred Bernoulli variable.

    ``(1 - 2p) / (2 ln((1 - p) / p))``, and 1/4 at one half (Kearns and Saul 1998, UAI, lemma 1).
    """
    p = np.asarray(probability, dtype=np.float64)
    near = np.abs(p - 0.5) < 1e-4
    safe = np.where(near, 0.25, p)
    exact: FloatArray = (1 - 2 * safe) / (2 * np.log((1 - safe) / safe))
    return np.where(near, 0.25, exact)


def mixture_rho(effect: FloatArray, scale: float, alpha: float) -> FloatArray:
    """Return the mixture's parameter of each candidate, narrowest after ``TUNED_FOR`` moments.

    Howard et al. (2021), eq. 19: the variance there, over ``-W(-alpha^2 / e) - 1``. ``scale`` is
    the residual's standard deviation as expected before the trial; a wrong one costs width, and
    never validity. It grows with the candidate as the variance does, so that no absurdly large
    effect is kept for its variance alone; each candidate's is fixed before the trial, too.
    """
    branch = float(special.lambertw(-(alpha**2) / math.e, k=-1).real)
    result: FloatArray = (4 * scale**2 + effect**2) * TUNED_FOR / (-branch - 1)
    return result


def is_rejected(sums: ScoreSums, effect: FloatArray, scale: float, alpha: float) -> BoolArray:
    """Whether ``effect`` is rejected at each moment, valid at every look (two-sided)."""
    rho = mixture_rho(effect, scale, alpha)
    grown = sums.variances(effect).max(axis=0) + rho
    bound = grown * (np.log(grown / rho) - 2 * math.log(alpha))
    result: BoolArray = sums.score(effect) ** 2 > bound
    return result


def is_rejected_below(sums: ScoreSums, effect: FloatArray, scale: float, alpha: float) -> BoolArray:
    """Whether the effect is shown to be above ``effect``, valid at every look (one-sided).

    The one-sided normal mixture, Howard et al. (2021), eq. 15.
    """
    rho = mixture_rho(effect, scale, 2 * alpha)
    grown = sums.variances(effect).max(axis=0) + rho
    score = sums.score(effect)
    evidence = (
        0.5 * np.log(4 * rho / grown)
        + score**2 / (2 * grown)
        + special.log_ndtr(score / np.sqrt(grown))
    )
    result: BoolArray = (score > 0) & (evidence > -math.log(alpha))
    return result


def is_rejected_once(sums: ScoreSums, effect: FloatArray, alpha: float) -> BoolArray:
    """Whether the t test of the scores rejects ``effect``, valid at one planned look.

    ``t^2 = (n - 1) r / (n - r)`` with r the squared sum of scores over their sum of squares.
    """
    n = sums.count
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = special.stdtrit(np.maximum(n - 1, 1), 1 - alpha / 2) ** 2
        limit = n * squared / (n - 1 + squared)
        result: BoolArray = (n > 2) & (sums.score(effect) ** 2 > limit * sums.variances(effect)[1])
    return result


def anytime_p_values(sums: ScoreSums, scale: float, alpha: float) -> FloatArray:
    """Return after each moment the p value of no effect, valid at every look.

    One over the largest evidence so far: it never rises again.
    """
    none = np.zeros_like(sums.s0)
    rho = mixture_rho(none, scale, alpha)
    grown = sums.variances(none).max(axis=0) + rho
    evidence = 0.5 * np.log(rho / grown) + sums.s0**2 / (2 * grown)
    p_values: FloatArray = np.minimum(1.0, np.exp(-np.maximum.accumulate(evidence)))
    return p_values


def anytime_intervals(sums: ScoreSums, scale: float, alpha: float) -> tuple[FloatArray, FloatArray]:
    """Return after each moment the interval of effects that are not rejected at every look."""
    return _invert(sums, scale, lambda effect: is_rejected(sums, effect, scale, alpha))


def fixed_intervals(sums: ScoreSums, scale: float, alpha: float) -> tuple[FloatArray, FloatArray]:
    """Return after each moment the ordinary interval, valid at one planned look."""
    return _invert(sums, scale, lambda effect: is_rejected_once(sums, effect, alpha))


def anytime_lower(sums: ScoreSums, scale: float, alpha: float) -> FloatArray:
    """Return after each moment a lower bound of the effect, valid at every look."""
    low, _ = _invert(
        sums,
        scale,
        lambda effect: is_rejected_below(sums, effect, scale, alpha),
        sides=(-1.0,),
    )
    return low


def _invert(
    sums: ScoreSums,
    scale: float,
    rejected: Callable[[FloatArray], BoolArray],
    sides: tuple[float, ...] = (-1.0, 1.0),
) -> tuple[FloatArray, FloatArray]:
    """Find the outermost effects that are not rejected; infinite where far away none is.

    Searched from far away inwards, so that what is reported holds all that is not rejected. Where
    the far end of one side is not rejected, that of the other has no use: both are infinite.
    """
    centre = np.nan_to_num(sums.estimate())
    open_end = np.zeros(centre.shape, np.bool_)
    for side in sides:
        open_end |= ~rejected(centre + side * scale * _GRID[0])
    ends = []
    for side in (-1.0, 1.0):
        if side not in sides:
            ends.append(np.full(centre.shape, -side * np.inf))
            continue
        inner = np.zeros_like(centre)
        outer = np.full_like(centre, scale * _GRID[-1])
        found = np.zeros(centre.shape, np.bool_)
        for above, step in pairwise(_GRID.tolist()):
            kept = ~found & ~rejected(centre + side * scale * step)
            inner[kept], outer[kept] = scale * step, scale * above
            found |= kept
            if found.all():
                break
        for _ in range(_BISECTIONS):
            middle = (inner + outer) / 2
            out = rejected(centre + side * middle)
            outer, inner = np.where(out, middle, outer), np.where(out, inner, middle)
        ends.append(np.where(open_end, side * np.inf, centre + side * outer))
    return ends[0], ends[1]
