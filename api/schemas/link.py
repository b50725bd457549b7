"""The link report: how pain moved with stress, and with the heart."""

from __future__ import annotations

from pydantic import BaseModel, Field

from analytics.association.hrv_before_rating import Span
from analytics.association.wording import Verdict
from analytics.programme.change import Change
from analytics.report import Statement
from api.schemas.common import RecordOut
from ebbtide.beats import Origin


class ResidualPoint(BaseModel):
    """One rating without the course that both share: how far each was from the usual then."""

    x: float
    y: float


class ComparisonOut(RecordOut):
    """How one thing moved with another. Numbers are null where ``missing`` says why."""

    key: str = Field(examples=["same_moment"])
    title: str
    estimate: float | None = Field(description="Points for one unit", examples=[0.34])
    low: float | None = Field(description="95% interval", examples=[0.12])
    high: float | None = Field(examples=[0.56])
    p_value: float | None = Field(examples=[0.003])
    p_adjusted: float | None = Field(
        description="Corrected for several comparisons (Holm); that of the first is not: it is the "
        "question"
    )
    autocorrelation: float | None = Field(description="Of the errors, a typical step apart")
    n: int = Field(examples=[84])
    unit: str = Field(examples=["one point of stress"])
    verdict: Verdict
    sentence: str
    caveats: list[str]
    missing: str | None
    points: list[ResidualPoint] = Field(
        description="Ups and downs that the answer used: less the course, steps and effects of "
        "hour and weekday, and without moments that were set aside"
    )

    @classmethod
    def from_statement(cls, statement: Statement) -> ComparisonOut:
        """One comparison of the report, with its sentence."""
        association, words = statement.found, statement.words
        return cls.from_record(
            association,
            key=statement.key,
            title=statement.title,
            p_adjusted=statement.p_adjusted,
            unit=words.unit,
            verdict=words.verdict,
            sentence=words.sentence,
            caveats=list(words.caveats),
            missing=association.missing_reason,
            points=[
                ResidualPoint(x=float(x), y=float(y))
                for x, y in zip(association.x_residual, association.y_residual, strict=True)
            ],
        )


class BeatsBeforeRatings(BaseModel):
    """How many ratings have usable beats before them, and why the others have none."""

    ratings: int
    usable: int
    why_not: dict[str, int]


class ChangeOut(RecordOut):
    """From the first week to the last. Null where ``missing`` says why."""

    before: float | None
    after: float | None
    change: float | None = Field(examples=[-1.8])
    low: float | None = Field(description="95% interval")
    high: float | None
    percent: float | None
    reliable: bool = Field(description="The interval leaves out no change at all")
    n_before: int
    n_after: int
    missing: str | None

    @classmethod
    def from_change(cls, change: Change) -> ChangeOut:
        """A change that analytics estimated."""
        return cls.from_record(change, missing=change.missing_reason)


class PromptsPattern(RecordOut):
    """What letting prompts go went with; prompts by the heart are not counted here. Numbers are
    null where fewer than 8 prompts of either kind have a value.
    """

    sent: int = Field(description="That can not be answered any more, or were")
    answered: int
    p_rating: float | None = Field(
        description="Of the rating before being no other before prompts that were let go; corrected"
    )
    p_heart: float | None = Field(description="Of the heart rate before the prompt; corrected")
    worse_by: float | None = Field(description="In standard deviations of the person's own")
    faster_by: float | None


class RatingsPattern(BaseModel):
    """Ratings given and not given; and the link if the missing ones had been worse by 2 points."""

    given: int
    days: int
    days_with_ratings: int
    a_day: float
    expected: int
    longest_pause_days: int
    back_dated: int = Field(description="Entered more than two hours after what they are about")
    close_together: int = Field(description="Within ten minutes of the one before")
    zones: list[str] = Field(description="Where the person was; hours of the day are local")
    filled: int
    estimate_if_both_worse: float | None
    estimate_if_pain_worse: float | None
    chosen_by_heart: int = Field(
        description="Ratings that answered a prompt by the heart: left out of the answer"
    )
    after_offers: int = Field(
        description="Ratings half an hour or so after a moment of practice by lot: left out of the "
        "answer, since an offer may lower both"
    )
    prompts: PromptsPattern | None = Field(description="Null where none was sent")


class LinkReport(BaseModel):
    """The answer, in words and in numbers."""

    stress: ComparisonOut = Field(description="The question: pain and stress at the same moment")
    apart: ComparisonOut | None = Field(
        default=None,
        description="The question again, from ratings of pain or stress alone, given at different "
        "moments; null where there are none. Corrected for two comparisons where both have a "
        "number",
    )
    others: list[ComparisonOut] = Field(description="Further comparisons")
    pain_change: ChangeOut
    stress_change: ChangeOut
    ratings: RatingsPattern
    beats_before_ratings: BeatsBeforeRatings
    span: Span
    simulated: bool = Field(description="Some of this was made by a simulation")
    origins: list[Origin]
    method: str
