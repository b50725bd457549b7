"""How many moments a difference needs to show in one person.

When the interval that is valid at every look excludes 0, in simulated trials.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray
from analytics.practice.confidence_sequence import mixture_rho, variance_factor
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

MAX_MOMENTS = 5_000
_REPLICATES = 1_000
_RATING_SCALE = 1.5


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """Moments one person needs.

    ``moments``: decision points with an outcome, after which the interval valid at every look has
    excluded 0 with probability ``power``; None where more than 5,000 would be needed. ``offers``
    and ``draws``: of all decision points, counting those that will not be answered.
    ``mean_moments``: mean number until it does, over the trials in which it does by ``moments``.
    ``fixed_moments``: what a single look planned for the end would need. ``error``: Monte-Carlo
    standard error of the power at ``moments``.
    """

    moments: int | None
    draws: int | None
    offers: int | None
    mean_moments: float | None
    fixed_moments: int
    power: float
    error: float


def plan_person(
    effect: float,
    residual_sd: float,
    *,
    probability: float = 0.5,
    power: float = 0.8,
    alpha: float = 0.05,
    answered: float = 1.0,
    scale: float = _RATING_SCALE,
    seed: int = 0,
) -> PersonPlan:
    """Find how many moments show an effect in one person, by simulation.

    Parameters
    ----------
    effect : float
        In units of the outcome; not 0.
    residual_sd : float
        Standard deviation of the outcome about its forecast, same units.
    probability : float
        Of an offer.
    power, alpha : float
        Probability to show it; one less the confidence.
    answered : float
        Share of moments with an outcome, above 0.
    scale : float
        As for ``offer_effect``.
    seed : int
        Of 1,000 simulated trials.

    Returns
    -------
    PersonPlan

    Raises
    ------
    ValueError
        Where a number is outside of its range.
    """
    check_shares(probability=probability, power=power, alpha=alpha)
    if not (0 < answered <= 1 and residual_sd > 0 and scale > 0 and effect != 0):
        raise ValueError("effect must not be 0, residual_sd and scale above 0, answered 0 to 1")
    spread = residual_sd / math.sqrt(probability * (1 - probability))
    z = float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
    fixed = math.ceil((z * spread / effect) ** 2) + 2
    guess = _crossing(effect, residual_sd, probability, power, alpha, scale)
    if guess is None:
        return PersonPlan(None, None, None, None, fixed, power, 0.0)
    crossed = _simulate_crossings(
        effect, residual_sd, probability, alpha, scale, min(MAX_MOMENTS, 2 * guess), seed
    )
    moments = int(np.sort(crossed)[math.ceil(power * crossed.size) - 1])
    reached = float(np.mean(crossed <= moments))
    draws = math.ceil(moments / answered)
    return PersonPlan(
        moments=moments,
        draws=draws,
        offers=math.ceil(draws * probability),
        mean_moments=float(crossed[crossed <= moments].mean()),
        fixed_moments=fixed,
        power=reached,
        error=math.sqrt(reached * (1 - reached) / crossed.size),
    )


def more_moments(
    effect: float,
    residual_sd: float,
    probability: float,
    n_so_far: int,
    *,
    answered: float = 1.0,
    power: float = 0.8,
    alpha: float = 0.05,
    scale: float = _RATING_SCALE,
) -> int | None:
    """Return about how many more draws would show an effect, valid at every look.

    By the normal approximation to what ``plan_person`` simulates. 0 where an effect of that size
    would probably have shown already; None where more than 5,000 would be needed.

    Parameters
    ----------
    effect, residual_sd, probability, answered, power, alpha, scale
        As for ``plan_person``.
    n_so_far : int
        Moments compared up to now.
    """
    total = _crossing(effect, residual_sd, probability, power, alpha, scale)
    return None if total is None else max(0, math.ceil((total - n_so_far) / max(answered, 0.01)))


def _crossing(
    effect: float, residual_sd: float, probability: float, power: float, alpha: float, scale: float
) -> int | None:
    """Smallest n at which the drift exceeds the boundary by enough standard errors."""
    n = np.arange(1, MAX_MOMENTS + 1, dtype=np.float64)
    spread = probability * (1 - probability)
    variance = n * residual_sd**2 / spread
    # Judged at no effect, where the residual holds the effect, too.
    judged = (
        n
        * (residual_sd**2 + effect**2 * spread)
        * float(variance_factor(np.array(probability)))
        / spread**2
    )
    rho = mixture_rho(np.zeros(1), scale, alpha)
    bound = np.sqrt((judged + rho) * (np.log((judged + rho) / rho) - 2 * math.log(alpha)))
    enough = n * abs(effect) > bound + float(special.ndtri(power)) * np.sqrt(variance)
    return int(np.argmax(enough)) + 1 if enough.any() else None


def _simulate_crossings(
    effect: float,
    residual_sd: float,
    probability: float,
    alpha: float,
    scale: float,
    moments: int,
    seed: int,
) -> FloatArray:
    """When each simulated trial first excludes 0; ``MAX_MOMENTS`` where it does not."""
    rng = np.random.default_rng(seed)
    spread = probability * (1 - probability)
    factor = float(variance_factor(np.array(probability))) / spread**2
    rho = float(mixture_rho(np.zeros(1), scale, alpha)[0])
    shape = (_REPLICATES, moments)
    centred = (rng.random(shape) < probability) - probability
    residual = residual_sd * rng.standard_normal(shape) + effect * centred
    step = centred / spread
    score = np.cumsum(residual * step, axis=1)
    variance = np.maximum(
        np.cumsum(factor * residual**2, axis=1), np.cumsum((residual * step) ** 2, axis=1)
    )
    grown = variance + rho
    out = score**2 > grown * (np.log(grown / rho) - 2 * math.log(alpha))
    return np.where(out.any(axis=1), out.argmax(axis=1) + 1.0, float(MAX_MOMENTS))


def check_shares(**named: float) -> None:
    """Refuse what does not lie between 0 and 1."""
    for name, value in named.items():
        if not 0 < value < 1:
            raise ValueError(f"{name} is {value:g}: it must lie between 0 and 1")
