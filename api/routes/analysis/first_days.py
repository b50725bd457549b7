"""How far a patient's first days are."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from api.http.deps import AnalysedPatient, StoresDep
from api.http.problems import describe_problems
from api.schemas.common import RecordOut
from api.services.first_days import HeartSource, load_first_days

router = APIRouter(tags=["link"])


class FirstDaysOut(RecordOut):
    """What is there, and what a first answer needs."""

    ratings: int = Field(
        description="That a first answer counts: of pain and stress, or with `asked_apart` pairs"
    )
    rated: int = Field(description="All ratings, also of pain or stress alone")
    asked_apart: bool = Field(
        description="Pain and stress are asked for at different moments: a rating of each, half an"
        " hour to four hours apart, is a pair"
    )
    min_ratings: int
    days: int = Field(description="From the first of them to the last")
    min_days: int
    answer_from: datetime | None = Field(
        description="About when there is enough, at the pace so far; null where that cannot be said"
    )
    heart: HeartSource = Field(
        description="Where heartbeats come from, or heart rates without heartbeats (*rates*): a"
        " device that records, or files and other systems"
    )
    has_night: bool = Field(description="Heartbeats of one night, an hour or more")
    heart_days: int = Field(description="Days (UTC) with heartbeats or heart rates")
    min_heart_days: int = Field(description="For the baseline of the stress index")
    has_answer: bool = Field(description="There are ratings enough for a first answer")
    is_over: bool = Field(description="Nothing is waited for any more")


@router.get("/first-days", responses=describe_problems(401, 403, 404, 503))
def first_days(person: AnalysedPatient, stores: StoresDep) -> FirstDaysOut:
    """Say how far the first days are, until there is enough for a first answer."""
    return FirstDaysOut.from_record(load_first_days(stores, person))
