"""Erase an account for a request: the answer is the proof, and names what may be left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, Field

from api.http.problems import ProblemError
from api.services.erasure import erase_person
from api.services.older_copies import CopyKind, OlderCopy, find_copies
from ebbtide.settings import Settings
from ebbtide.timestamps import to_datetime
from store import LedgerError, Stores
from store.models import Person


class CopyOut(BaseModel):
    """A copy that may still hold something. Where it is, who runs the service knows."""

    kind: str = Field(examples=["backup"])
    at: datetime | None = Field(
        description="When it was made; of an outbox, when its machine was last seen"
    )
    machine: str | None = Field(
        default=None, description="Of an outbox: it deletes its part when it asks next"
    )


class ErasedOut(BaseModel):
    """What was erased, and what may be left."""

    beats: int
    ratings: int
    sessions: int
    copies: list[CopyOut] = Field(
        default_factory=list, description="Older copies that may still hold something"
    )
    remaining: list[str] = Field(
        default_factory=list,
        description="What is left to the servers of the service, or is repeated by it",
    )


def erase_account(
    stores: Stores,
    settings: Settings,
    person: Person,
    snapshots: Path,
    erase_local: Callable[[str], None] | None,
) -> ErasedOut:
    """Erase an account with all that is of it; what was erased, and what may be left."""
    try:
        copies = find_copies(stores, settings, person)
        erased = erase_person(stores, person.email, snapshots)
    except LedgerError as error:
        raise ProblemError(
            503, "It could not be noted in the ledger. Nothing was erased: tell who runs this."
        ) from error
    if erase_local is not None:
        erase_local(person.id)
    return ErasedOut(
        beats=erased.beats,
        ratings=erased.ratings,
        sessions=erased.sessions,
        copies=[_to_out(copy) for copy in copies],
        remaining=list(erased.remaining),
    )


def _to_out(copy: OlderCopy) -> CopyOut:
    return CopyOut(
        kind=copy.kind,
        at=None if copy.at_ns is None else to_datetime(copy.at_ns),
        machine=copy.place if copy.kind is CopyKind.OUTBOX else None,
    )
