"""The randomisation test: what the draws could have been, under no effect at all.

Under the sharp null hypothesis (no offer changed any outcome; Fisher 1935) every outcome would have
been the same under other draws. The draws are made again by their own rule, biased coin and blocks
and all; the p value is the share of them that tells offered from other moments at least as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray
from analytics.practice.draws import tilted_probability
from analytics.practice.forecasts import covariate_matrix
from analytics.practice.records import PersonDraws

# 2^13 sequences are all looked at; beyond, so many are drawn.
_MAX_EXACT_DRAWS = 13
RESAMPLES = 4999
MAX_RESAMPLES = 100_000
_TIES = 1e-9


@dataclass(frozen=True, slots=True)
class RandomisationTest:
    """A p value of the sharp null hypothesis of no effect, two-sided.

    ``exact``: every possible sequence of draws was looked at; otherwise ``n_sequences`` were drawn
    and the observed one counted with them, which is valid, too. ``error``: Monte-Carlo standard
    error of the p value, 0 where exact.
    """

    p_value: float
    exact: bool
    n_sequences: int
    error: float


def randomisation_test(
    draws: PersonDraws,
    outcome: FloatArray,
    covariates: Mapping[str, FloatArray] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> RandomisationTest:
    """Test whether the offers changed anything, by making the draws again.

    Parameters
    ----------
    draws : PersonDraws
        All draws, also of moments without an outcome, since later draws of a block depend on them.
    outcome : array of float64, shape (n,)
        NaN where missing; those moments are left out of the statistic. Under the null hypothesis
        the offer changed no answering either.
    covariates : mapping of name to array of float64, shape (n,), optional
        Known before the draw; taken out of the outcome by regression. No earlier draws: those would
        be others in other sequences.
    resamples : int
        Sequences drawn where there are more than 13 draws; at most 100,000.
    seed : int
        Of the sequences.

    Returns
    -------
    RandomisationTest

    Raises
    ------
    ValueError
        If a shape does not fit, or nothing can be compared.
    """
    n = len(draws)
    values = np.asarray(outcome, dtype=np.float64)
    if values.shape != (n,):
        raise ValueError(
            f"outcome has shape {values.shape}: it needs one value for each of {n} draws"
        )
    if not 99 <= resamples <= MAX_RESAMPLES:
        raise ValueError(f"resamples is {resamples}: it must be from 99 to {MAX_RESAMPLES}")
    residual = _residuals(values, covariate_matrix(covariates, n))
    if not np.any(np.isfinite(values)):
        raise ValueError("no moment has an outcome: nothing can be compared")
    observed = abs(float(np.sum((draws.offered - draws.probability) * residual)))
    limit = observed - _TIES * (1 + observed)
    _check_rule(draws)
    if n <= _MAX_EXACT_DRAWS:
        sequences = (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1
        statistics, chance = _statistics(draws, residual, sequences, len(sequences))
        share = min(1.0, float(chance[np.abs(statistics) >= limit].sum()))
        return RandomisationTest(share, True, len(sequences), 0.0)
    statistics, _ = _statistics(draws, residual, np.random.default_rng(seed), resamples)
    share = (1 + int(np.sum(np.abs(statistics) >= limit))) / (1 + resamples)
    return RandomisationTest(share, False, resamples, (share * (1 - share) / resamples) ** 0.5)


def _residuals(outcome: FloatArray, covariates: FloatArray) -> FloatArray:
    """Least-squares residuals of what is there; 0 for what is missing, which adds nothing."""
    finite = np.isfinite(outcome)
    filled = np.where(np.isfinite(covariates), covariates, np.nan)
    means = np.zeros(filled.shape[1])
    for column in range(filled.shape[1]):
        known = filled[np.isfinite(filled[:, column]), column]
        means[column] = known.mean() if known.size else 0.0
    centred = np.where(np.isfinite(filled), filled, means) - means
    design = np.column_stack([np.ones(len(outcome)), centred])[finite]
    result = np.zeros(len(outcome))
    # As many columns as rows would leave nothing.
    design = design[:, : max(1, finite.sum() // 3)]
    fitted = design @ np.linalg.lstsq(design, outcome[finite], rcond=None)[0]
    result[finite] = outcome[finite] - fitted
    return result


def _statistics(
    draws: PersonDraws,
    residual: FloatArray,
    source: BoolArray | np.random.Generator,
    many: int,
) -> tuple[FloatArray, FloatArray]:
    """Statistic and probability of each sequence of draws, given or made anew."""
    statistic, chance = np.zeros(many), np.ones(many)
    excess: dict[str, FloatArray] = {}
    for moment in range(len(draws)):
        probability: FloatArray | float = float(draws.probability[moment])
        if draws.base_probability is not None and draws.block is not None:
            base = float(draws.base_probability[moment])
            before = excess.setdefault(draws.block[moment], np.zeros(many))
            odds = base / (1 - base) * 2.0 ** -np.clip(2 * before, -1.0, 1.0)
            probability = odds / (1 + odds)
        if isinstance(source, np.random.Generator):
            offered: BoolArray = source.random(many) < probability
        else:
            offered = source[:, moment]
        if draws.base_probability is not None and draws.block is not None:
            excess[draws.block[moment]] += offered - float(draws.base_probability[moment])
        statistic += (offered - probability) * residual[moment]
        chance *= np.where(offered, probability, 1 - np.asarray(probability))
    return statistic, chance


def _check_rule(draws: PersonDraws) -> None:
    """Refuse probabilities that the rule of the blocks does not give."""
    if draws.base_probability is None or draws.block is None:
        return
    excess: dict[str, float] = {}
    for moment, block in enumerate(draws.block):
        base = float(draws.base_probability[moment])
        wanted = tilted_probability(base, excess.get(block, 0.0))
        if abs(wanted - draws.probability[moment]) > 1e-6:
            raise ValueError(
                f"draw {moment + 1} has probability {draws.probability[moment]:.6f}, but its block "
                f"gives {wanted:.6f}: give all draws of the block, or leave blocks out"
            )
        excess[block] = excess.get(block, 0.0) + float(draws.offered[moment]) - base
