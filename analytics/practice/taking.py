"""What doing a practice did, with the draw of the offer as the instrument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.practice.confidence_sequence import (
    Interval,
    anytime_intervals,
    fixed_intervals,
    score_sums,
)
from analytics.practice.forecasts import covariate_matrix, forecast
from analytics.practice.person import (
    RATING_SCALE,
    WARM_UP,
    check_outcome,
    why_not_compared,
)
from analytics.practice.records import PersonDraws


@dataclass(frozen=True, slots=True)
class TakingEffect:
    """What doing the practice did, at the moments at which the offer decided whether it was done.

    ``taken_after_offer``, ``taken_after_none``: shares of the compared moments, 0 to 1. ``fixed``
    and ``anytime``: Anderson and Rubin's intervals, valid however weak the instrument is; infinite
    where the offer changed too little what was done. None with a ``missing_reason``.
    """

    n_compared_offered: int
    n_compared_not: int
    taken_after_offer: float | None
    taken_after_none: float | None
    estimate: float | None
    fixed: Interval | None
    anytime: Interval | None
    missing_reason: str | None


def taking_effect(
    draws: PersonDraws,
    outcome: FloatArray,
    taken: BoolArray,
    covariates: Mapping[str, FloatArray] | None = None,
    *,
    scale: float = RATING_SCALE,
    alpha: float = 0.05,
    measured_ns: IntArray | None = None,
) -> TakingEffect:
    """Estimate what doing the practice did to an outcome of one person.

    For each candidate effect, the outcome less effect times taken must not depend on the draw
    (Anderson and Rubin 1949, Annals of Mathematical Statistics 20:46; Imbens and Rosenbaum 2005,
    JRSS A 168:109, for the randomisation argument).

    Parameters
    ----------
    draws, outcome, covariates, scale, alpha, measured_ns
        As for ``offer_effect``.
    taken : array of bool, shape (n,)
        Whether a practice was done between draw and outcome, offered or free.

    Returns
    -------
    TakingEffect

    Notes
    -----
    Assumed beyond what ``offer_effect`` assumes: the offer changes the outcome only through the
    practice (a kind message alone does nothing), and an offer never keeps somebody from practising.
    It is the effect at moments at which the person practises if and only if it is offered.

    Raises
    ------
    ValueError
        Where shapes do not fit.
    """
    values = check_outcome(draws, outcome, measured_ns)
    done = np.asarray(taken)
    if done.shape != values.shape or not np.all(np.isin(done, (0, 1))):
        raise ValueError("taken needs 0 or 1 for each draw")
    known = covariate_matrix(covariates, len(draws))
    rows = np.flatnonzero(np.isfinite(values))
    practised = done[rows].astype(np.float64)
    residual = (values[rows] - forecast(values[rows], known[rows]))[WARM_UP:]
    regressor = (practised - forecast(practised, known[rows]))[WARM_UP:]
    rows, practised = rows[WARM_UP:], practised[WARM_UP:]
    offered = draws.offered[rows]
    counts = int(offered.sum()), int((~offered).sum())
    reason = why_not_compared(*counts, residual)
    if reason is not None:
        return TakingEffect(*counts, None, None, None, None, None, reason)
    shares = float(practised[offered].mean()), float(practised[~offered].mean())
    last = score_sums(residual, regressor, draws.probability[rows], offered).last()
    fixed, anytime = fixed_intervals(last, scale, alpha), anytime_intervals(last, scale, alpha)
    bounded = np.isfinite(fixed[0][0]) and np.isfinite(fixed[1][0])
    reason = None if bounded else "the offer changed too little what was done to tell"
    return TakingEffect(
        *counts,
        *shares,
        float(last.estimate()[0]) if bounded else None,
        Interval(float(fixed[0][0]), float(fixed[1][0])),
        Interval(float(anytime[0][0]), float(anytime[1][0])),
        reason,
    )
