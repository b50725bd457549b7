"""What practice by lot showed: effects of offers, with their intervals and sentences."""

from __future__ import annotations

from pydantic import BaseModel, Field

from analytics.practice.wording import OfferVerdict


class OfferEffectOut(BaseModel):
    """What offers did to one outcome. Numbers are null where ``missing`` or the verdict says why;
    a bound is null where the interval has no end there yet.
    """

    outcome: str = Field(examples=["stress"], description="stress, pain, mean_hr_bpm or rmssd_ms")
    arm: str | None = Field(description="The practice; null: whichever was offered")
    unit: str
    verdict: OfferVerdict
    sentence: str
    offered: int = Field(description="Moments drawn with an offer")
    not_offered: int
    compared_offered: int = Field(description="Of these, with an outcome that is compared")
    compared_not: int
    estimate: float | None = Field(description="Mean effect of the offer, in units of the outcome")
    low: float | None = Field(description="95%, valid at every look")
    high: float | None
    low_one_look: float | None = Field(description="95%, valid at one look that was planned")
    high_one_look: float | None
    p_value: float | None = Field(description="Randomisation test; valid at one planned look")
    p_value_every_look: float | None
    effect_to_show: float
    more_offers: int | None = Field(
        description="About how many more would show an effect of that size, at every look; 0 where "
        "it would probably have shown; null beyond some thousand moments"
    )
    missing_offered: int = Field(description="Outcomes missing after an offer")
    missing_not_offered: int
    missing_differs: bool = Field(
        description="Whether the offer changed how often answers are missing; nothing is claimed "
        "then"
    )
    shift_to_undo: float | None = Field(
        description="By how much missing answers after offers would have to differ from the given "
        "ones to undo the result"
    )
    missing: str | None


class DoingEffectOut(BaseModel):
    """What doing the practice did, with the draw as the instrument. A bound is null where the
    interval has no end there.
    """

    outcome: str
    share_after_offer: float | None = Field(description="Practised after an offer, 0 to 1")
    share_after_none: float | None
    estimate: float | None
    low: float | None = Field(description="95%, valid at every look")
    high: float | None
    missing: str | None


class HarmOut(BaseModel):
    """The rule that stops: whether stress or pain was higher after offers, with certainty."""

    must_stop: bool
    outcome: str | None


class OfferReport(BaseModel):
    """What practice by lot showed in one person, as of now."""

    moments: int = Field(description="Moments that have come, available or not")
    drawn: int
    offered: int
    taken: int = Field(description="Offers that were taken up within the delay")
    free: int = Field(description="Practices around these moments that were not offered")
    not_available: dict[str, int] = Field(description="Moments without a draw, by reason")
    delay_min: int | None
    effects: list[OfferEffectOut]
    doing: list[DoingEffectOut]
    harm: HarmOut
    notes: list[str]
    method: str
    simulated: bool
