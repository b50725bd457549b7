"""Therapy sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.access import Asking, InHouse
from api.problems import described
from api.time_range import instant
from ebbtide.instants import to_datetime
from ebbtide.records import new_id
from store.records import TherapySession

router = APIRouter(tags=["therapy"])


class SessionAsk(BaseModel):
    """When the session was, or will be."""

    model_config = ConfigDict(extra="forbid")

    held: datetime = Field(examples=["2026-11-24T10:00:00+01:00"])


class SessionShown(BaseModel):
    """One session of the programme."""

    number: int = Field(ge=1, examples=[3])
    held: datetime


@router.put("/sessions/{number}", responses=described(401, 422))
def put_session(
    number: Annotated[int, Path(ge=1, le=1000)],
    asked: SessionAsk,
    person: Asking,
    house: InHouse,
) -> SessionShown:
    """Keep the ``number``-th session; the same number again moves it."""
    held = instant(asked.held, "held")
    house.records.add_session(TherapySession(new_id(), person.id, number, held))
    return SessionShown(number=number, held=to_datetime(held, person.zone))


@router.get("/sessions", responses=described(401))
def list_sessions(person: Asking, house: InHouse) -> list[SessionShown]:
    """All sessions, by time."""
    return [
        SessionShown(number=item.number, held=to_datetime(item.held_ns, person.zone))
        for item in house.records.sessions(person.id)
    ]
