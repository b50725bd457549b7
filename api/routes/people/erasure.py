"""Erase one's own account and data."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.http.account_erasure import ErasedOut, erase_account
from api.http.attempts import require_counted
from api.http.deps import PatientAccount, SnapshotsDep, StoresDep, get_caller
from api.http.password_hashing import HasherDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.auth import MAX_PASSWORD_LENGTH
from api.services import lockout
from api.services.access_tokens import Caller
from store.models import Scope

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
