"""Where a patient is in the programme: the question before it, eight sessions in four weeks, the
next small step, readings, and follow-up after 1, 3, 6 and 12 months.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from api.http.deps import Patient, PatientInScope, StoresDep
from api.http.problems import ProblemError, describe_problems
from ebbtide.timestamps import DAY, from_datetime, to_datetime
from store import Stores
from store.models import Person, Programme

router = APIRouter(tags=["programme"])
shared = APIRouter(tags=["programme"])

SESSIONS, WEEKS = 8, 4
FOLLOW_UP_MONTHS = (1, 3, 6, 12)
READINGS = (
    "pain-is-made-in-the-brain",
    "false-signals",
    "fear-and-pain",
    "the-cycle",
    "how-it-changes",
    "setbacks",
)
_MONTH = timedelta(days=30.4375)


class Step(StrEnum):
    """The next small step."""

    ASK_A_CLINICIAN = "ask a clinician"
    BEGIN = "begin"
    READ = "read"
    TRACK = "somatic tracking"
    BREATHE = "paced breathing"
    NOTE_TRIGGER = "note a trigger"
    NOTE_PLEASANT = "notice something pleasant"
    FOLLOW_UP = "follow-up"
    REST = "nothing"


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
    """A look back after some months."""

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
def put_programme(asked: ProgrammeIn, person: Patient, stores: StoresDep) -> ProgrammeOut:
    """Say that a physical cause has been ruled out; begin; choose how often to rate."""
    kept, now = stores.programme.programme(person.id), stores.now()
    cleared, started = kept.cleared_ns, kept.started_ns
    if asked.physical_cause_ruled_out is not None:
        cleared = (cleared or now) if asked.physical_cause_ruled_out else None
        started = started if cleared else None
    if asked.started is not None:
        if asked.started and cleared is None:
            raise ProblemError(
                422,
                "waits until a clinician has ruled out a physical cause. Ratings and strap may be "
                "used.",
                field="body.started",
            )
        started = (started or now) if asked.started else None
    many = kept.ratings_a_day if asked.ratings_a_day is None else asked.ratings_a_day
    changed = Programme(person.id, cleared, started, many)
    stores.programme.put_programme(changed)
    return _to_out(stores, person, changed)


@router.put(
    "/programme/readings/{reading}",
    status_code=204,
    responses=describe_problems(401, 403, 404, 422),
)
def mark_read(
    reading: Annotated[str, Path(max_length=40)], person: Patient, stores: StoresDep
) -> None:
    """Mark a reading as read."""
    if reading not in READINGS:
        raise ProblemError(
            404, f"There is no reading of this name; there are {', '.join(READINGS)}."
        )
    stores.programme.mark_read(person.id, reading, stores.now())


def _to_out(stores: Stores, person: Person, kept: Programme) -> ProgrammeOut:
    now = stores.now()
    read = stores.programme.readings(person.id)
    unread = [name for name in READINGS if name not in read]
    sessions: list[PlannedSession] = []
    follow_ups: list[FollowUp] = []
    week = None
    if kept.started_ns is not None:
        begun = to_datetime(kept.started_ns, person.zone)
        held = {item.number: item.held_ns for item in stores.records.sessions(person.id)}
        sessions = [
            PlannedSession(
                number=number,
                suggested=begun + timedelta(days=3.5 * (number - 1)),
                held=to_datetime(held[number], person.zone) if number in held else None,
            )
            for number in range(1, SESSIONS + 1)
        ]
        last = max([item.held or item.suggested for item in sessions])
        here = to_datetime(now, person.zone)
        follow_ups = [
            FollowUp(
                months=months,
                due=last + months * _MONTH,
                is_open=timedelta(days=-7) <= here - (last + months * _MONTH) <= timedelta(days=21),
            )
            for months in FOLLOW_UP_MONTHS
        ]
        week = int((now - kept.started_ns) // (7 * DAY)) + 1
    return ProgrammeOut(
        physical_cause_ruled_out=_moment(kept.cleared_ns, person),
        started=_moment(kept.started_ns, person),
        ratings_a_day=kept.ratings_a_day,
        week=week,
        sessions=sessions,
        follow_ups=follow_ups,
        read=[name for name in READINGS if name in read],
        readings=list(READINGS),
        next_step=_next_step(stores, person, kept, unread, follow_ups, now),
        next_reading=unread[0] if unread else None,
    )


def _next_step(
    stores: Stores,
    person: Person,
    kept: Programme,
    unread: list[str],
    follow_ups: list[FollowUp],
    now: int,
) -> Step:
    """One thing, small; and when today has had its practice, nothing."""
    if kept.cleared_ns is None:
        return Step.ASK_A_CLINICIAN
    if kept.started_ns is None:
        return Step.BEGIN
    if any(item.is_open for item in follow_ups):
        return Step.FOLLOW_UP
    here = to_datetime(now, person.zone)
    today = from_datetime(here.replace(hour=0, minute=0, second=0, microsecond=0))
    practised = [p for p in stores.programme.practices(person.id) if p.start_ns >= today]
    noted = [n for n in stores.programme.notes(person.id) if n.entered_ns >= today]
    read_today = any(at >= today for at in stores.programme.readings(person.id).values())
    if practised and (noted or read_today):
        return Step.REST
    day = int((now - kept.started_ns) // DAY)
    if unread and not read_today and day % 2 == 0:
        return Step.READ
    if not practised:
        return Step.BREATHE if day % 3 == 2 else Step.TRACK
    return Step.NOTE_PLEASANT if day % 2 else Step.NOTE_TRIGGER


def _moment(at_ns: int | None, person: Person) -> datetime | None:
    return None if at_ns is None else to_datetime(at_ns, person.zone)
