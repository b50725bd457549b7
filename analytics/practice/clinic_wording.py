"""What offers did over the people of a clinic, in sentences."""

from __future__ import annotations

from analytics.practice.clinic import ClinicEffects
from analytics.practice.excursion_effects import Coefficient


def clinic_sentences(effects: ClinicEffects) -> list[str]:
    """Say what offers did to stress and pain, and what can be said of the two together.

    Parameters
    ----------
    effects : ClinicEffects
        From ``clinic_effects``.

    Returns
    -------
    list of str
        One sentence where there is not enough, otherwise three, without numbers.

    Examples
    --------
    >>> from analytics.practice import ClinicEffects
    >>> clinic_sentences(ClinicEffects(0, 0, 0, 0, missing_reason="0 people"))
    ['Not enough yet to say what offers did: 0 people.']
    """
    stress, pain, indirect = effects.stress, effects.pain, effects.indirect
    if stress is None or pain is None:
        return [f"Not enough yet to say what offers did: {effects.missing_reason}."]
    found = [_offer_words("stress", stress), _offer_words("pain", pain)]
    if indirect is None:
        return [*found, "How much of it goes with the difference in stress cannot be said."]
    return [*found, _split_words(indirect)]


def _offer_words(name: str, effect: Coefficient) -> str:
    if effect.low <= 0 <= effect.high:
        return f"We cannot tell whether offers changed {name}."
    return f"After an offer {name} was {'lower' if effect.estimate < 0 else 'higher'} than without."


def _split_words(indirect: Coefficient) -> str:
    if indirect.low <= 0 <= indirect.high:
        return "We cannot tell whether a difference in pain goes with the difference in stress."
    return (
        "After an offer, some of the difference in pain goes with the difference in stress. That "
        "stress carries it to pain is not proven by this: chance decided the offer, not the stress "
        "that followed."
    )
