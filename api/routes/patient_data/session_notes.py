"""A therapist's notes of a session, and the homework that the patient sees."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from api.http.deps import (
    KeepingPatientInScope,
    KeepingStoresDep,
    Patient,
    PatientInScope,
    StoresDep,
    Therapist,
)
from api.http.problems import describe_problems
from api.schemas.common import RecordOut
from ebbtide.timestamps import to_datetime
from store.models import Person, SessionNotes

router = APIRouter(tags=["therapy"])
of_patient = APIRouter(tags=["therapy"])  # mounted below /v1/patients/{patient} alone

Number = Annotated[int, Path(ge=1, le=1000)]


class SessionNotesIn(BaseModel):
    """Notes and homework of a session."""

    model_config = ConfigDict(extra="forbid")

    notes: str = Field(default="", max_length=20_000, description="For the therapist")
    homework: str = Field(default="", max_length=5_000, description="The patient sees it")
    version: StrictInt = Field(default=0, ge=0, description="The version that you saw, 0 for none")


class SessionNotesOut(RecordOut):
    """Stored notes and homework."""

    number: int
    notes: str
    homework: str
    version: int
    changed: datetime


class Homework(RecordOut):
    """What one was asked to do after a session."""

    number: int
    homework: str
    changed: datetime


@of_patient.get("/session-notes", responses=describe_problems(401, 403, 404))
def session_notes(person: PatientInScope, stores: StoresDep) -> list[SessionNotesOut]:
    """Notes of all sessions of a patient in one's care."""
    return [_to_out(item, person) for item in stores.programme.session_notes(person.id)]


@of_patient.put("/sessions/{number}/notes", responses=describe_problems(401, 403, 404, 409, 422))
def put_session_notes(
    number: Number,
    body: SessionNotesIn,
    therapist: Therapist,
    person: KeepingPatientInScope,
    stores: KeepingStoresDep,
) -> SessionNotesOut:
    """Store notes of a session."""
    notes = SessionNotes(
        person.id, number, body.notes, body.homework, therapist.id, 0, stores.now()
    )
    return _to_out(stores.programme.put_session_notes(notes, body.version), person)


@router.get("/homework", responses=describe_problems(401, 403))
def homework(person: Patient, stores: StoresDep) -> list[Homework]:
    """What one was asked to do, the newest last. The therapist's own notes are not in it."""
    return [
        Homework.from_record(item, changed=to_datetime(item.changed_ns, person.zone))
        for item in stores.programme.session_notes(person.id)
        if item.homework.strip()
    ]


def _to_out(item: SessionNotes, person: Person) -> SessionNotesOut:
    return SessionNotesOut.from_record(item, changed=to_datetime(item.changed_ns, person.zone))
