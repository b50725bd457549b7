"""What offers did to one person, in a sentence. Causal where the draw allows it, and only there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from analytics.practice.confidence_sequence import Interval
from analytics.practice.person import OfferEffect


class OfferVerdict(StrEnum):
    """What can be said."""

    LOWER = "lower"
    HIGHER = "higher"
    UNCLEAR = "cannot tell yet"
    NOT_SEEN = "no difference seen"
    MISSING = "answers are missing by offer"
    NOT_ENOUGH = "not enough yet"


@dataclass(frozen=True, slots=True)
class OutcomeWords:
    """How an outcome is named in a sentence: ``your stress``, ``stress``, and its unit."""

    yours: str
    name: str
    unit: str = ""

    def number(self, value: float) -> str:
        """Write a number of this outcome, with its unit."""
        digits = f"{value:.1f}"
        return f"{digits} {self.unit}" if self.unit else digits


@dataclass(frozen=True, slots=True)
class OfferText:
    """A verdict and its sentence."""

    verdict: OfferVerdict
    sentence: str


EVERY_LOOK = (
    "The range in brackets is valid however often one looks. Each of these answers is wrong in at "
    "most one person of twenty. The draw decides what was offered, so what differs is due to the "
    "offer, and to nothing else that was going on. It holds for one person, and for these moments."
)
NOT_BLIND = (
    "Whoever rates knows what was offered. What hope or habit adds to a rating is part of what the "
    "offer did."
)


def offer_sentence(
    effect: OfferEffect, outcome: OutcomeWords, offered: str, later: str
) -> OfferText:
    """Say what offers did to one outcome.

    Parameters
    ----------
    effect : OfferEffect
        From ``offer_effect``.
    outcome : OutcomeWords
        The outcome's names.
    offered : str
        What was offered: ``breathing``, ``a practice``.
    later : str
        The delay: ``half an hour later``.

    Returns
    -------
    OfferText
        A number only where the interval valid at every look excludes 0 and no arm lost its answers.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.practice import PersonDraws, offer_effect
    >>> n = 60
    >>> offered = np.arange(n) % 3 != 1
    >>> draws = PersonDraws(np.arange(n) * 10**13, np.full(n, 0.5), offered)
    >>> found = offer_effect(draws, 5 + np.sin(np.arange(n)) - 2 * offered)
    >>> offer_sentence(found, OutcomeWords("your stress", "stress"), "breathing", "later").verdict
    <OfferVerdict.LOWER: 'lower'>
    """
    start = f"For {outcome.name}: "
    if effect.missing_reason is not None or effect.estimate is None or effect.anytime is None:
        reason = effect.missing_reason or "nothing can be compared"
        return OfferText(OfferVerdict.NOT_ENOUGH, f"{start}not enough yet: {reason}.")
    if effect.missing.differs:
        return OfferText(OfferVerdict.MISSING, start + _missing_words(effect))
    if not effect.is_clear:
        return _unclear(effect, outcome, start)
    low, high = _size(effect.anytime)
    is_lower = effect.estimate < 0
    direction = "lower" if is_lower else "higher"
    bounds = f"{outcome.number(low)} to {outcome.number(high)}"
    if not math.isfinite(high):
        bounds = f"by {outcome.number(low)} at least"
    return OfferText(
        OfferVerdict.LOWER if is_lower else OfferVerdict.HIGHER,
        f"On the moments when Ebbtide offered {offered}, {outcome.yours} {later} was "
        f"{outcome.number(abs(effect.estimate))} {direction} ({bounds}) than when it did not.",
    )


def _unclear(effect: OfferEffect, outcome: OutcomeWords, start: str) -> OfferText:
    wanted = outcome.number(effect.effect_to_show)
    if effect.more_offers is None:
        words = f"cannot tell, and a difference of {wanted} would take thousands of offers to show."
        return OfferText(OfferVerdict.UNCLEAR, start + words)
    if effect.more_offers == 0:
        words = (
            f"no difference was seen so far, and one of {wanted} would probably have shown by now. "
            "A smaller one can still be there."
        )
        return OfferText(OfferVerdict.NOT_SEEN, start + words)
    offers = "offer" if effect.more_offers == 1 else "offers"
    words = (
        f"cannot tell yet; about {effect.more_offers} more {offers} would show a difference of "
        f"{wanted}."
    )
    return OfferText(OfferVerdict.UNCLEAR, start + words)


def _missing_words(effect: OfferEffect) -> str:
    missing = effect.missing
    return (
        "cannot tell, since ratings are missing more often on one side: "
        f"{missing.n_offered_missing} of {missing.n_offered} after an offer, "
        f"{missing.n_not_offered_missing} of {missing.n_not_offered} without one. Those that are "
        "there can then not be compared."
    )


def _size(interval: Interval) -> tuple[float, float]:
    """Bounds of the size of an effect whose interval lies on one side of 0."""
    bounds = sorted((abs(interval.low), abs(interval.high)))
    return bounds[0], bounds[1]
