"""Erase one's own account and data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.http.attempts import require_counted
from api.http.deps import PatientAccount, SnapshotsDep, StoresDep, get_caller
from api.http.password_hashing import HasherDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.auth import MAX_PASSWORD_LENGTH
from api.services import lockout
from api.services.access_tokens import Caller
from api.services.erasure import erase_person
from api.services.older_copies import CopyKind, OlderCopy, find_copies
from ebbtide.settings import Settings
from ebbtide.timestamps import to_datetime
from store import LedgerError, Stores
from store.models import Person, Scope

router = APIRouter(tags=["consent"])


def _get_patient_caller(
    caller: Annotated[Caller, Security(get_caller, scopes=[Scope.ACCOUNT])], _: PatientAccount
) -> Caller:
    return caller


PatientCaller = Annotated[Caller, Depends(_get_patient_caller)]


class EraseIn(BaseModel):
    """One's password, so that nobody does it at an open screen; empty for an account without."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field(max_length=MAX_PASSWORD_LENGTH)


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


@router.post("/me/erase", responses=describe_problems(401, 403, 422, 429, 503))
async def erase_me(
    body: EraseIn,
    caller: PatientCaller,
    stores: StoresDep,
    hasher: HasherDep,
    snapshots: SnapshotsDep,
    request: Request,
) -> ErasedOut:
    """Erase everything of mine, and the account: beats, ratings, notes, practices, sessions. It
    cannot be undone. Backups that were made before are not touched; the answer names them, and a
    restore erases again.
    """
    person = caller.person
    attempt = await run_in_threadpool(lockout.begin_own_password, stores, caller.access_token.id)
    if not person.local_only:
        verifying = hasher.verify(body.password, person.password_hash)
        await require_counted(stores, attempt, verifying)
    elif body.password:
        raise ProblemError(422, "is not your password.", field="body.password")
    state = request.app.state
    return await run_in_threadpool(
        erase_account, stores, state.settings, person, snapshots.folder, state.erase_local
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
