"""Therapy sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from api.http.deps import KeepingPatientInScope, KeepingStoresDep, PatientInScope, StoresDep
from api.http.problems import describe_problems
from api.http.time_range import parse_timestamp
from api.schemas.common import RecordOut
from ebbtide.beats import new_id
from ebbtide.timestamps import to_datetime
from store.models import Person, TherapySession

shared = APIRouter(tags=["therapy"])


class SessionIn(BaseModel):
    """When the session was, or will be."""

    model_config = ConfigDict(extra="forbid")

    held: datetime = Field(examples=["2026-11-24T10:00:00+01:00"])
    version: StrictInt | None = Field(
        default=None,
        ge=0,
        description="The version that you saw, 0 for none; 409 if it has changed since. Whatever "
        "is there is replaced if left out",
    )


class SessionOut(RecordOut):
    """One session of the programme."""

    number: int = Field(ge=1, examples=[3])
    held: datetime
    version: int


@shared.put("/sessions/{number}", responses=describe_problems(401, 403, 404, 409, 422))
def put_session(
    number: Annotated[int, Path(ge=1, le=1000)],
    body: SessionIn,
    person: KeepingPatientInScope,
    stores: KeepingStoresDep,
) -> SessionOut:
    """Store the ``number``-th session; the same number again moves it."""
    session = TherapySession(
        new_id(),
        person.id,
        number,
        parse_timestamp(body.held, "body.held"),
        changed_ns=stores.now(),
    )
    return _to_out(stores.records.add_session(session, body.version), person)


@shared.get("/sessions", responses=describe_problems(401, 403, 404))
def list_sessions(person: PatientInScope, stores: StoresDep) -> list[SessionOut]:
    """All sessions, by time."""
    return [_to_out(item, person) for item in stores.records.sessions(person.id)]


def _to_out(session: TherapySession, person: Person) -> SessionOut:
    return SessionOut.from_record(session, held=to_datetime(session.held_ns, person.zone))
