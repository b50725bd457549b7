"""Therapy sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from api.http.deps import InHouse, Whose
from api.http.problems import described
from api.http.time_range import instant
from ebbtide.beats import new_id
from ebbtide.timestamps import to_datetime
from store.protocols.records import Person, TherapySession

shared = APIRouter(tags=["therapy"])


class SessionAsk(BaseModel):
    """When the session was, or will be."""

    model_config = ConfigDict(extra="forbid")

    held: datetime = Field(examples=["2026-11-24T10:00:00+01:00"])
    version: StrictInt | None = Field(
        default=None,
        ge=0,
        description="The version that you saw, 0 for none; 409 if it has changed since. Whatever "
        "is there is replaced if left out",
    )


class SessionShown(BaseModel):
    """One session of the programme."""

    number: int = Field(ge=1, examples=[3])
    held: datetime
    version: int


@shared.put("/sessions/{number}", responses=described(401, 403, 404, 409, 422))
def put_session(
    number: Annotated[int, Path(ge=1, le=1000)],
    asked: SessionAsk,
    person: Whose,
    house: InHouse,
) -> SessionShown:
    """Keep the ``number``-th session; the same number again moves it."""
    session = TherapySession(
        new_id(), person.id, number, instant(asked.held, "body.held"), changed_ns=house.now()
    )
    return shown(house.records.add_session(session, asked.version), person)


@shared.get("/sessions", responses=described(401, 403, 404))
def list_sessions(person: Whose, house: InHouse) -> list[SessionShown]:
    """All sessions, by time."""
    return [shown(item, person) for item in house.records.sessions(person.id)]


def shown(session: TherapySession, person: Person) -> SessionShown:
    """A session as the API tells it."""
    held = to_datetime(session.held_ns, person.zone)
    return SessionShown(number=session.number, held=held, version=session.version)
