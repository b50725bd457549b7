"""Responses about nights and days, which a service makes and a route sends."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.schemas.common import RecordOut

CAUTION = (
    "Heart rate variability asleep differs from device to device and with much else (alcohol, "
    "fever, a late meal). What came before something is not what brought it."
)


class AgreementOut(RecordOut):
    """How far two sources agree on the same nights (Bland and Altman)."""

    first: str
    second: str
    metric: str
    n: int
    is_ratio: bool = Field(description="Whether all figures are ratios, first by second")
    bias: float | None
    bias_low: float | None
    bias_high: float | None
    low: float | None = Field(description="Limit below which 2.5 of 100 nights lie")
    high: float | None
    low_outer: float | None
    high_outer: float | None
    missing_reason: str | None


class NightLinkOut(RecordOut):
    """The answer to one question about nights and days."""

    question: str
    n: int
    estimate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    p_adjusted: float | None = Field(description="Holm, over the three questions")
    unit_ratio: float | None = Field(
        description="RMSSD of a night that is calmer by one usual distance, by that of another"
    )
    is_clear: bool
    set_aside: int = Field(description="Single nights far from those around them, not used")
    missing_reason: str | None
    sentence: str


class NightLinksOut(BaseModel):
    """Nights and days, and agreement of devices."""

    metric: str
    nights: int
    devices: list[str]
    levels: int = Field(description="Groups of devices between which there is no common level")
    links: list[NightLinkOut]
    agreement: list[AgreementOut]
    caution: str
    method: str
