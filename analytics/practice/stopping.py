"""When offers stop for safety: stress or pain is worse after them, with certainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray
from analytics.practice.confidence_sequence import anytime_lower
from analytics.practice.forecasts import covariate_matrix
from analytics.practice.person import RATING_SCALE, check_outcome, compare
from analytics.practice.records import PersonDraws

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class HarmCheck:
    """Whether offers must stop.

    Parameters
    ----------
    must_stop : bool
        Whether some outcome was shown to be worse after offers, now or at an earlier look.
    outcome : str or None
        The first that was.
    draw : int or None
        After which draw, from 0.
    lower : dict of str to float
        For each outcome, the lower bound of the effect at the last look; minus infinity where
        nothing can be said.
    """

    must_stop: bool
    outcome: str | None
    draw: int | None
    lower: dict[str, float]


def check_harm(
    draws: PersonDraws,
    outcomes: Mapping[str, FloatArray],
    covariates: Mapping[str, FloatArray] | None = None,
    *,
    scale: float = RATING_SCALE,
    alpha: float = ALPHA,
) -> HarmCheck:
    """Check after every draw whether an outcome is worse after offers, with certainty.

    Parameters
    ----------
    draws : PersonDraws
    outcomes : mapping of name to array of float64, shape (n,)
        Where more is worse: stress, pain. NaN where missing.
    covariates : mapping of name to array of float64, shape (n,), optional
        Known before the draw.
    scale : float
        As for ``offer_effect``.
    alpha : float
        With so much probability at most, offers that do no harm are ever stopped, whatever the
        number of looks; divided among the outcomes (Bonferroni).

    Returns
    -------
    HarmCheck

    Raises
    ------
    ValueError
        Where shapes do not fit, or there is no outcome.
    """
    if not outcomes:
        raise ValueError("name one outcome at least, such as stress")
    if not 0 < alpha < 0.5:
        raise ValueError("alpha must lie between 0 and 0.5")
    known = covariate_matrix(covariates, len(draws))
    lower: dict[str, float] = {}
    first: tuple[int, str] | None = None
    for name, values in outcomes.items():
        compared = compare(draws, check_outcome(draws, values, None), known)
        if not compared.rows.size:
            lower[name] = float("-inf")
            continue
        bounds = anytime_lower(compared.sums, scale, alpha / len(outcomes))
        lower[name] = float(bounds[-1])
        crossed = np.flatnonzero(bounds > 0)
        if crossed.size:
            at = int(compared.rows[crossed[0]])
            first = (at, name) if first is None else min(first, (at, name))
    return HarmCheck(
        first is not None, first[1] if first else None, first[0] if first else None, lower
    )
