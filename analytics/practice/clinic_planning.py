"""How many people a clinic needs for an effect to show.

The formula of Liao, Klasnja, Tewari and Murphy (2016), Statistics in Medicine 35:1944, and the
power of ``wcls`` in simulated trials.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray
from analytics.practice.excursion_effects import wcls
from analytics.practice.planning import check_shares
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

MAX_PEOPLE = 1_000
MAX_POINTS = 5_000


@dataclass(frozen=True, slots=True)
class ClinicPlan:
    """People a clinic needs: by the formula, and the simulated power of that many."""

    people: int
    formula_power: float
    simulated_power: float
    error: float


def liao_power(
    people: int,
    effect: FloatArray,
    availability: FloatArray,
    probability: FloatArray | float,
    *,
    basis: FloatArray | None = None,
    n_controls: int | None = None,
    alpha: float = 0.05,
) -> float:
    """Return the power of the test of any effect, by the formula of Liao et al. (2016).

    Parameters
    ----------
    people : int
        From 2 to 1,000.
    effect : array of float64, shape (t,)
        Standardised effect at each decision point: over the residual's standard deviation.
    availability : array of float64, shape (t,)
        Expected, 0 to 1.
    probability : array of float64, shape (t,), or float
        Of an offer.
    basis : array of float64, shape (t, p), optional
        How the effect may vary over decision points in the test; by default a constant.
    n_controls : int, optional
        Coefficients of the controls; by default as many as the basis has.
    alpha : float
        Level of the test.
    """
    test = _LiaoTest.make(effect, availability, probability, basis, n_controls, alpha)
    if not 2 <= people <= MAX_PEOPLE:
        raise ValueError(f"people must be from 2 to {MAX_PEOPLE}")
    return test.power(people)


def liao_sample_size(
    effect: FloatArray,
    availability: FloatArray,
    probability: FloatArray | float,
    *,
    basis: FloatArray | None = None,
    n_controls: int | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """Return the smallest number of people, 10 or more, with the power asked for.

    Parameters are those of ``liao_power``.

    Raises
    ------
    ValueError
        If 1,000 people are not enough.
    """
    check_shares(power=power)
    test = _LiaoTest.make(effect, availability, probability, basis, n_controls, alpha)
    low, high = 10, MAX_PEOPLE
    if test.power(high) < power:
        raise ValueError(f"more than {MAX_PEOPLE} people would be needed for so small an effect")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if test.power(middle) >= power else (middle + 1, high)
    return low


@dataclass(frozen=True, slots=True)
class _LiaoTest:
    noncentrality: float
    p: int
    q: int
    alpha: float

    @classmethod
    def make(
        cls,
        effect: FloatArray,
        availability: FloatArray,
        probability: FloatArray | float,
        basis: FloatArray | None,
        n_controls: int | None,
        alpha: float,
    ) -> _LiaoTest:
        size = np.asarray(effect, dtype=np.float64)
        if size.ndim != 1 or not 1 <= size.size <= MAX_POINTS:
            raise ValueError(
                f"effect needs one value for each of 1 to {MAX_POINTS} decision points"
            )
        there = np.broadcast_to(np.asarray(availability, dtype=np.float64), size.shape)
        chance = np.broadcast_to(np.asarray(probability, dtype=np.float64), size.shape)
        z = np.ones((size.size, 1)) if basis is None else np.asarray(basis, dtype=np.float64)
        if z.shape[:1] != size.shape or z.ndim != 2:
            raise ValueError("basis needs one row for each decision point")
        if np.any((there < 0) | (there > 1)) or np.any((chance <= 0) | (chance >= 1)):
            raise ValueError("availability must be from 0 to 1, probability between 0 and 1")
        check_shares(alpha=alpha)
        gram = (z * there[:, None]).T @ z
        try:
            projected = np.linalg.solve(gram, (z * there[:, None]).T @ size)
        except np.linalg.LinAlgError as error:
            raise ValueError("the columns of basis follow from one another") from error
        information = (z * (there * chance * (1 - chance))[:, None]).T @ z
        controls = z.shape[1] if n_controls is None else n_controls
        return cls(float(projected @ information @ projected), z.shape[1], controls, alpha)

    def power(self, people: int) -> float:
        df = people - self.p - self.q
        if df < 1:
            return 0.0
        critical = special.fdtri(self.p, df, 1 - self.alpha)
        return float(1 - special.ncfdtr(self.p, df, people * self.noncentrality, critical))


def plan_clinic(
    effect: float,
    days: int,
    a_day: int,
    *,
    probability: float = 0.5,
    availability: float = 1.0,
    power: float = 0.8,
    alpha: float = 0.05,
    replicates: int = 400,
    seed: int = 0,
) -> ClinicPlan:
    """Find how many people show a constant effect: by formula, checked by simulation.

    Parameters
    ----------
    effect : float
        Standardised: in residual standard deviations.
    days, a_day : int
        Days of the trial, and decision points a day.
    probability, availability, power, alpha : float
        Of an offer; share of decision points at which one can be offered; of the test.
    replicates, seed : int
        Of the simulation, at most 2,000.
    """
    points = days * a_day
    if not 1 <= points <= MAX_POINTS:
        raise ValueError(f"days times decision points a day must be from 1 to {MAX_POINTS}")
    there = np.full(points, availability)
    people = liao_sample_size(np.full(points, effect), there, probability, alpha=alpha, power=power)
    simulated, error = simulate_clinic_power(
        people,
        np.full(points, effect),
        there,
        probability,
        alpha=alpha,
        replicates=replicates,
        seed=seed,
    )
    formula = liao_power(people, np.full(points, effect), there, probability, alpha=alpha)
    return ClinicPlan(people, formula, simulated, error)


def simulate_clinic_power(
    people: int,
    effect: FloatArray,
    availability: FloatArray,
    probability: FloatArray | float,
    *,
    basis: FloatArray | None = None,
    autocorrelation: float = 0.5,
    alpha: float = 0.05,
    replicates: int = 400,
    seed: int = 0,
) -> tuple[float, float]:
    """Simulate trials and return the power of the joint test of ``wcls``, with its error.

    Outcomes have standard deviation 1 about a person's mean and autocorrelation from moment to
    moment. Parameters are those of ``liao_power``.

    Raises
    ------
    ValueError
        Where the simulation would take more than 100 million rows.
    """
    size = np.asarray(effect, dtype=np.float64)
    points = size.size
    if not 10 <= replicates <= 2_000 or people * points * replicates > 100_000_000:
        raise ValueError("so large a simulation would take too long: ask for fewer replicates")
    if not 0 <= autocorrelation < 1:
        raise ValueError("autocorrelation must be from 0 to below 1")
    z = np.ones((points, 1)) if basis is None else np.asarray(basis, dtype=np.float64)
    moderators = {
        f"basis {column}": np.tile(z[:, column], people) for column in range(1, z.shape[1])
    }
    there = np.broadcast_to(np.asarray(availability, dtype=np.float64), size.shape)
    chance = np.broadcast_to(np.asarray(probability, dtype=np.float64), size.shape)
    rng = np.random.default_rng(seed)
    who, found = np.repeat(np.arange(people), points), 0
    for _ in range(replicates):
        noise = rng.standard_normal((people, points))
        for point in range(1, points):
            noise[:, point] *= math.sqrt(1 - autocorrelation**2)
            noise[:, point] += autocorrelation * noise[:, point - 1]
        free = rng.random((people, points)) < there
        offered = (rng.random((people, points)) < chance) & free
        outcome = noise + offered * size
        fit = wcls(
            who,
            outcome.ravel(),
            offered.ravel(),
            np.tile(chance, people),
            moderators=moderators,
            available=free.ravel(),
        )
        found += fit.p_value < alpha
    share = found / replicates
    return share, math.sqrt(share * (1 - share) / replicates)
