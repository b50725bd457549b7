"""Answers missing after offers and after none: whether the offer itself made them missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray
from analytics.practice.confidence_sequence import (
    Interval,
    anytime_intervals,
    anytime_p_values,
    score_sums,
)
from analytics.practice.forecasts import forecast
from analytics.practice.randomisation import RESAMPLES, randomisation_test
from analytics.practice.records import PersonDraws

_SCALE = 0.4  # standard deviation of a yes-or-no with one in five missing
_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class MissingAnswers:
    """How many answers are missing in each arm, and whether the difference is chance.

    ``difference``: share missing after an offer less share missing after none, with its interval
    valid at every look. ``p_value``: randomisation test, valid at one planned look;
    ``anytime_p_value``: at every look. None where there are no draws in one of the arms.
    """

    n_offered: int
    n_offered_missing: int
    n_not_offered: int
    n_not_offered_missing: int
    difference: float | None
    anytime: Interval | None
    p_value: float | None
    anytime_p_value: float | None

    @property
    def share_after_offer(self) -> float | None:
        """Share missing after an offer, 0 to 1."""
        return self.n_offered_missing / self.n_offered if self.n_offered else None

    @property
    def share_after_none(self) -> float | None:
        """Share missing after none was offered, 0 to 1."""
        return self.n_not_offered_missing / self.n_not_offered if self.n_not_offered else None

    @property
    def differs(self) -> bool:
        """Whether the offer changed how often answers are missing, as far as any look shows.

        Then those who answered after an offer are others than those who answered after none, and
        the effect is no longer protected by the draw.
        """
        return self.anytime_p_value is not None and self.anytime_p_value < _ALPHA


def missing_answers(
    draws: PersonDraws, outcome: FloatArray, *, resamples: int = RESAMPLES, seed: int = 0
) -> MissingAnswers:
    """Compare how often the outcome is missing after offers and after none.

    Whether it is missing is known at every draw, so the comparison is itself a randomised one.

    Parameters
    ----------
    draws : PersonDraws
    outcome : array of float64, shape (n,)
        NaN where missing.
    resamples, seed : int
        Of the randomisation test.
    """
    missing = ~np.isfinite(np.asarray(outcome, dtype=np.float64))
    if missing.shape != draws.offered.shape:
        raise ValueError("outcome needs one value for each draw, NaN where it is missing")
    offered = draws.offered
    n_offered, n_none = int(offered.sum()), int((~offered).sum())
    n_offered_missing = int((missing & offered).sum())
    n_none_missing = int((missing & ~offered).sum())
    counts = (n_offered, n_offered_missing, n_none, n_none_missing)
    if not n_offered or not n_none:
        return MissingAnswers(*counts, None, None, None, None)
    gone = missing.astype(np.float64)
    expected = np.nan_to_num(forecast(gone, np.empty((len(draws), 0))), nan=0.0)
    sums = score_sums(gone - expected, offered - draws.probability, draws.probability, offered)
    low, high = anytime_intervals(sums.last(), _SCALE, _ALPHA)
    return MissingAnswers(
        *counts,
        difference=n_offered_missing / n_offered - n_none_missing / n_none,
        anytime=Interval(max(-1.0, float(low[-1])), min(1.0, float(high[-1]))),
        p_value=randomisation_test(draws, gone, resamples=resamples, seed=seed).p_value,
        anytime_p_value=float(anytime_p_values(sums, _SCALE, _ALPHA)[-1]),
    )
