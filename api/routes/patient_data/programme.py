"""Where a patient is in the programme, and what they decide about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from api.http.deps import KeepingPatient, KeepingStoresDep, PatientInScope, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.services.programme_plan import READINGS, Step, programme_plan
from ebbtide.timestamps import to_datetime
from store import Stores
from store.models import Person, Programme

router = APIRouter(tags=["programme"])
shared = APIRouter(tags=["programme"])


class ProgrammeIn(BaseModel):
    """What a patient decides. Fields that are left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    physical_cause_ruled_out: StrictBool | None = Field(
        default=None, description="A clinician has ruled out a physical cause of the pain"
    )
    started: StrictBool | None = Field(default=None, description="Begin, or stop, the programme")
    ratings_a_day: StrictInt | None = Field(
        default=None, ge=0, le=4, description="How often one wishes to be asked"
    )


class PlannedSession(BaseModel):
    """One of the eight; ``held`` where it has a date."""

    number: int
    suggested: datetime
    held: datetime | None


class FollowUp(BaseModel):
    """Questions some months after the last session."""

    months: int
    due: datetime
    is_open: bool


class ProgrammeOut(BaseModel):
    """Where a patient is. The plan bends: dates are suggestions."""

    physical_cause_ruled_out: datetime | None
    started: datetime | None
    ratings_a_day: int
    week: int | None = Field(description="Of the programme, from 1; null before it begins")
    sessions: list[PlannedSession]
    follow_ups: list[FollowUp]
    read: list[str] = Field(description="Names of the readings that were read")
    readings: list[str]
    next_step: Step
    next_reading: str | None


@shared.get("/programme", responses=describe_problems(401, 403, 404))
def programme(person: PatientInScope, stores: StoresDep) -> ProgrammeOut:
    """Where a patient is."""
    return _to_out(stores, person, stores.programme.programme(person.id))


@router.put("/programme", responses=describe_problems(401, 403, 422))
def put_programme(
    body: ProgrammeIn, person: KeepingPatient, stores: KeepingStoresDep
) -> ProgrammeOut:
    """Say that a physical cause has been ruled out; begin; choose how often to rate."""
    current, now = stores.programme.programme(person.id), stores.now()
    cleared, started = current.cleared_ns, current.started_ns
    if body.physical_cause_ruled_out is not None:
        cleared = (cleared or now) if body.physical_cause_ruled_out else None
        started = started if cleared else None
    if body.started is not None:
        if body.started and cleared is None:
            raise ProblemError(
                422,
                "waits until a clinician has ruled out a physical cause. Ratings and strap may be "
                "used.",
                field="body.started",
            )
        started = (started or now) if body.started else None
    a_day = current.ratings_a_day if body.ratings_a_day is None else body.ratings_a_day
    changed = Programme(person.id, cleared, started, a_day)
    stores.programme.put_programme(changed)
    return _to_out(stores, person, changed)


@router.put(
    "/programme/readings/{reading}",
    status_code=204,
    responses=describe_problems(401, 403, 404, 422),
)
def mark_read(
    reading: Annotated[str, Path(max_length=40)], person: KeepingPatient, stores: KeepingStoresDep
) -> None:
    """Mark a reading as read."""
    if reading not in READINGS:
        raise ProblemError(
            404, f"There is no reading of this name; there are {', '.join(READINGS)}."
        )
    stores.programme.mark_read(person.id, reading, stores.now())


def _to_out(stores: Stores, person: Person, programme: Programme) -> ProgrammeOut:
    plan = programme_plan(stores, person, programme)
    return ProgrammeOut(
        physical_cause_ruled_out=_moment(programme.cleared_ns, person),
        started=_moment(programme.started_ns, person),
        ratings_a_day=programme.ratings_a_day,
        week=plan.week,
        sessions=[
            PlannedSession.model_validate(item, from_attributes=True) for item in plan.sessions
        ],
        follow_ups=[
            FollowUp.model_validate(item, from_attributes=True) for item in plan.follow_ups
        ],
        read=plan.read,
        readings=list(READINGS),
        next_step=plan.next_step,
        next_reading=plan.next_reading,
    )


def _moment(at_ns: int | None, person: Person) -> datetime | None:
    return None if at_ns is None else to_datetime(at_ns, person.zone)
