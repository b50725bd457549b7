"""Erase one's own account and data."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Security
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import PatientAccount, StoresDep, get_caller
from api.http.password_hashing import HasherDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.auth import MAX_PASSWORD_LENGTH
from api.services import lockout
from api.services.access_tokens import Caller
from api.services.erasure import erase_person
from store.models import Scope

router = APIRouter(tags=["consent"])


def _get_patient_caller(
    caller: Annotated[Caller, Security(get_caller, scopes=[Scope.ACCOUNT])], _: PatientAccount
) -> Caller:
    return caller


PatientCaller = Annotated[Caller, Depends(_get_patient_caller)]


class EraseIn(BaseModel):
    """One's password, so that nobody does it at an open screen."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field(max_length=MAX_PASSWORD_LENGTH)


class ErasedOut(BaseModel):
    """What was erased."""

    beats: int
    ratings: int
    sessions: int


@router.post("/me/erase", responses=describe_problems(401, 403, 422, 429, 503))
async def erase_me(
    body: EraseIn, caller: PatientCaller, stores: StoresDep, hasher: HasherDep
) -> ErasedOut:
    """Erase everything of mine, and the account: beats, ratings, notes, practices, sessions. It
    cannot be undone. Backups that were made before are not touched.
    """
    person = caller.person
    attempt = await run_in_threadpool(lockout.begin_own_password, stores, caller.access_token.id)
    try:
        is_right = await hasher.verify(body.password, person.password_hash)
    except ProblemError:  # too busy: it was not verified
        await run_in_threadpool(attempt.undo, stores)
        raise
    if not is_right:
        raise ProblemError(422, "is not your password.", field="body.password")
    erased = await run_in_threadpool(erase_person, stores, person.email)
    return ErasedOut(beats=erased.beats, ratings=erased.ratings, sessions=erased.sessions)
