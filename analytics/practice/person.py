"""What offers did to one person's outcome: the effect, intervals for one look and for every look.

The estimand is the mean, over the moments compared, of the difference that the offer made there:
the outcome as it was to be after an offer less that after none, everything before the moment as it
was (Bojinov and Shephard 2019, JASA 114:1665). Carry-over from earlier offers is part of what was
before, and biases nothing; the effect is then one with these earlier offers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.practice.confidence_sequence import (
    Interval,
    IntervalSequence,
    ScoreSums,
    anytime_intervals,
    anytime_p_values,
    fixed_intervals,
    score_sums,
)
from analytics.practice.forecasts import covariate_matrix, forecast
from analytics.practice.missingness import MissingAnswers, missing_answers
from analytics.practice.planning import more_moments
from analytics.practice.randomisation import RESAMPLES, RandomisationTest, randomisation_test
from analytics.practice.records import PersonDraws

METHOD = (
    "mean difference that the draw of an offer made, moments weighted by their probability, "
    "after a forecast from before the draw; t interval of the scores for one look; normal mixture "
    "for every look; randomisation test; version 1"
)
# Of ratings from 0 to 10: about how far they lie from their forecast (0.8 to 1.5 in
# benchmarks/practice.py).
RATING_SCALE = 1.5
WARM_UP = 2
MIN_EACH = 5
_FLAT = 1e-12


@dataclass(frozen=True, slots=True)
class OfferEffect:
    """What offers did to one outcome of one person.

    Parameters
    ----------
    n_offered, n_not_offered : int
        Draws with and without an offer.
    n_compared_offered, n_compared_not : int
        Of these, the ones whose outcome is compared: not missing, and not among the first two,
        which only serve to begin the forecast.
    estimate : float or None
        Mean effect of the offer, in units of the outcome; None with a ``missing_reason``.
    fixed : Interval or None
        Ordinary interval, valid at one look that was planned.
    anytime : Interval or None
        Interval valid at every look: at 95%, with 95% probability it holds the true mean effect
        of the moments so far at all looks together. Infinite where it says nothing yet.
    test : RandomisationTest or None
        Of no effect whatever; valid at one planned look.
    anytime_p_value : float or None
        Of no effect; valid at every look.
    residual_sd : float or None
        Standard deviation of the outcome about its forecast.
    missing : MissingAnswers
        Shares of missing outcomes by arm. Where ``missing.differs``, do not show the estimate as
        the offer's effect.
    shift_to_undo : float or None
        Only where ``anytime`` excludes 0 and answers are missing after offers: by how much these
        would have to differ from the ones that were given, against the effect, to undo it.
    effect_to_show, more_offers : float, int or None
        About how many more offers would show a difference of that size, at every look, with a
        probability of 80%; 0 where it would probably have shown already.
    missing_reason : str or None
        Why nothing is estimated.
    """

    n_offered: int
    n_not_offered: int
    n_compared_offered: int
    n_compared_not: int
    estimate: float | None
    fixed: Interval | None
    anytime: Interval | None
    test: RandomisationTest | None
    anytime_p_value: float | None
    residual_sd: float | None
    missing: MissingAnswers
    shift_to_undo: float | None
    effect_to_show: float
    more_offers: int | None
    missing_reason: str | None

    @property
    def is_clear(self) -> bool:
        """Whether the interval valid at every look excludes 0, and no arm lost its answers."""
        clear = self.anytime is not None and self.anytime.excludes_zero
        return clear and not self.missing.differs


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The moments that are compared: rows of the draws, residuals, and running sums."""

    rows: IntArray
    residual: FloatArray
    sums: ScoreSums


def offer_effect(
    draws: PersonDraws,
    outcome: FloatArray,
    covariates: Mapping[str, FloatArray] | None = None,
    *,
    scale: float = RATING_SCALE,
    alpha: float = 0.05,
    effect_to_show: float = 0.5,
    measured_ns: IntArray | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> OfferEffect:
    """Estimate what offers did to one outcome of one person.

    Parameters
    ----------
    draws : PersonDraws
        All draws in order.
    outcome : array of float64, shape (n,)
        At a set delay after each draw, such as stress half an hour later; NaN where missing.
    covariates : mapping of name to array of float64, shape (n,), optional
        Known before the draw: the rating before, hour of day, day of the trial. At most 12; NaN
        where not known. They narrow the intervals and cannot bias them.
    scale : float
        About the standard deviation of the outcome around its forecast, decided before the trial
        (1.5 for ratings from 0 to 10; give one for heart rate or RMSSD). A wrong one makes the
        interval wider, never invalid.
    alpha : float
        One less the confidence.
    effect_to_show : float
        The difference for ``more_offers``.
    measured_ns : array of int64, shape (n,), optional
        When the outcome was measured. An outcome measured after the next draw could be that draw's
        doing, and is refused.
    resamples, seed : int
        Of the randomisation test.

    Returns
    -------
    OfferEffect

    Raises
    ------
    ValueError
        Where shapes do not fit, or an outcome was measured after the next draw.

    Notes
    -----
    Assumed: the recorded probabilities are those drawn with; whether an outcome is missing does not
    depend on the offer (tested in ``missing``); for the interval valid at every look in small
    samples, that the effect is about the same at each moment. Nothing is assumed of trend,
    autocorrelation or distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.practice import PersonDraws, offer_effect
    >>> n = 60
    >>> offered = np.arange(n) % 3 != 1
    >>> draws = PersonDraws(np.arange(n) * 10**13, np.full(n, 0.5), offered)
    >>> stress = 5 + np.sin(np.arange(n)) - 2 * offered
    >>> effect = offer_effect(draws, stress)
    >>> effect.n_offered, effect.is_clear
    (40, True)
    """
    values = check_outcome(draws, outcome, measured_ns)
    _check_settings(scale, alpha)
    missing = missing_answers(draws, values, resamples=resamples, seed=seed)
    compared = compare(draws, values, covariate_matrix(covariates, len(draws)))
    arms = draws.offered[compared.rows]
    counts = (missing.n_offered, missing.n_not_offered, int(arms.sum()), int((~arms).sum()))
    reason = why_not_compared(counts[2], counts[3], compared.residual)
    if reason is not None:
        return OfferEffect(
            *counts,
            estimate=None,
            fixed=None,
            anytime=None,
            test=None,
            anytime_p_value=None,
            residual_sd=None,
            missing=missing,
            shift_to_undo=None,
            effect_to_show=effect_to_show,
            more_offers=None,
            missing_reason=reason,
        )
    last = compared.sums.last()
    fixed = fixed_intervals(last, scale, alpha)
    anytime = anytime_intervals(last, scale, alpha)
    estimate = float(last.estimate()[0])
    spread = compared.residual - estimate * (arms - draws.probability[compared.rows])
    residual_sd = float(np.sqrt(np.mean(spread**2)))
    interval = Interval(float(anytime[0][0]), float(anytime[1][0]))
    return OfferEffect(
        *counts,
        estimate=estimate,
        fixed=Interval(float(fixed[0][0]), float(fixed[1][0])),
        anytime=interval,
        test=randomisation_test(draws, values, covariates, resamples=resamples, seed=seed),
        anytime_p_value=float(anytime_p_values(compared.sums, scale, alpha)[-1]),
        residual_sd=residual_sd,
        missing=missing,
        shift_to_undo=_shift_to_undo(interval, missing),
        effect_to_show=effect_to_show,
        more_offers=_more_offers(draws, compared, effect_to_show, residual_sd, alpha, scale),
        missing_reason=None,
    )


def offer_effect_by_look(
    draws: PersonDraws,
    outcome: FloatArray,
    covariates: Mapping[str, FloatArray] | None = None,
    *,
    scale: float = RATING_SCALE,
    alpha: float = 0.05,
    measured_ns: IntArray | None = None,
) -> IntervalSequence:
    """Return estimate and intervals after each draw, as ``offer_effect`` would have given them.

    Parameters are those of ``offer_effect``. At a draw whose outcome is missing, the values are the
    ones before it.

    Returns
    -------
    IntervalSequence
        Arrays of shape (n,).
    """
    values = check_outcome(draws, outcome, measured_ns)
    _check_settings(scale, alpha)
    compared = compare(draws, values, covariate_matrix(covariates, len(draws)))
    sums = compared.sums
    at = np.searchsorted(compared.rows, np.arange(len(draws)), side="right") - 1

    def spread(series: FloatArray) -> FloatArray:
        if not series.size:
            return np.full(len(draws), np.nan)
        return np.where(at >= 0, series[np.maximum(at, 0)], np.nan)

    low, high = anytime_intervals(sums, scale, alpha)
    fixed_low, fixed_high = fixed_intervals(sums, scale, alpha)
    p_values = anytime_p_values(sums, scale, alpha) if sums.count.size else sums.s0
    return IntervalSequence(
        *map(spread, (sums.estimate(), low, high, fixed_low, fixed_high, p_values))
    )


def compare(draws: PersonDraws, outcome: FloatArray, covariates: FloatArray) -> Compared:
    """Take the forecast out, and sum the scores over the moments that can be compared."""
    rows = np.flatnonzero(np.isfinite(outcome))
    residual = outcome[rows] - forecast(outcome[rows], covariates[rows])
    rows, residual = rows[WARM_UP:], residual[WARM_UP:]
    probability, offered = draws.probability[rows], draws.offered[rows]
    sums = score_sums(residual, offered - probability, probability, offered)
    return Compared(rows, residual, sums)


def why_not_compared(n_offered: int, n_not: int, residual: FloatArray) -> str | None:
    """Say why nothing can be estimated; None where it can."""
    if min(n_offered, n_not) < MIN_EACH:
        return (
            f"{n_offered} moments with an offer and {n_not} without can be compared; {MIN_EACH} of "
            "each are needed"
        )
    if np.ptp(residual) <= _FLAT * (1 + np.abs(residual).max()):
        return "the outcome was the same every time, so how sure a difference is cannot be known"
    return None


def check_outcome(
    draws: PersonDraws, outcome: FloatArray, measured_ns: IntArray | None
) -> FloatArray:
    """Check shape, values and moments of an outcome."""
    values = np.asarray(outcome, dtype=np.float64)
    if values.shape != draws.time_ns.shape:
        raise ValueError(
            f"outcome has shape {values.shape}: it needs one value for each of {len(draws)} draws, "
            "NaN where it is missing"
        )
    if np.isinf(values).any():
        raise ValueError("an outcome is infinite: use NaN where it is missing")
    if measured_ns is None:
        return values
    measured = np.asarray(measured_ns, dtype=np.int64)
    if measured.shape != values.shape:
        raise ValueError("measured_ns needs one value for each draw")
    there: BoolArray = np.isfinite(values)
    early = there & (measured < draws.time_ns)
    late = there[:-1] & (measured[:-1] > draws.time_ns[1:])
    for bad, why in ((early, "before its own draw"), (late, "after the next draw")):
        if bad.any():
            raise ValueError(
                f"the outcome of draw {int(np.flatnonzero(bad)[0]) + 1} was measured {why}: "
                "set it to NaN, or compare an outcome at another delay"
            )
    return values


def _check_settings(scale: float, alpha: float) -> None:
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError("scale must be above 0: about the outcome's spread around its forecast")
    if not 0.001 <= alpha <= 0.5:
        raise ValueError("alpha must be from 0.001 to 0.5")


def _shift_to_undo(interval: Interval, missing: MissingAnswers) -> float | None:
    share = missing.share_after_offer
    if not interval.excludes_zero or not share:
        return None
    nearest = interval.low if interval.low > 0 else interval.high
    # A shift of d in a share s of the answers moves their mean by s d.
    return -nearest / share


def _more_offers(
    draws: PersonDraws,
    compared: Compared,
    effect: float,
    residual_sd: float,
    alpha: float,
    scale: float,
) -> int | None:
    probability = float(np.mean(draws.probability))
    more = more_moments(
        effect,
        residual_sd,
        probability,
        int(compared.sums.count[-1]),
        answered=compared.rows.size / max(1, len(draws) - WARM_UP),
        alpha=alpha,
        scale=scale,
    )
    return None if more is None else round(more * probability)
