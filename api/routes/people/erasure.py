"""Erase one's own account and data."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import PatientAccount, SnapshotsDep, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.auth import MAX_PASSWORD_LENGTH
from api.services import lockout, passwords
from api.services.erasure import erase_person

router = APIRouter(tags=["consent"])


class EraseIn(BaseModel):
    """One's password, so that nobody does it at an open screen."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field(max_length=MAX_PASSWORD_LENGTH)


class ErasedOut(BaseModel):
    """What was erased."""

    beats: int
    ratings: int
    sessions: int


@router.post("/me/erase", responses=describe_problems(401, 403, 422))
def erase_me(
    body: EraseIn, person: PatientAccount, stores: StoresDep, snapshots: SnapshotsDep
) -> ErasedOut:
    """Erase everything of mine, and the account: beats, ratings, notes, practices, sessions. It
    cannot be undone. Backups that were made before are not touched.
    """
    lockout.require_unlocked(stores, person.email)
    if not passwords.verify_password(body.password, person.password_hash):
        lockout.record_failure(stores, person.email)
        raise ProblemError(422, "is not your password.", field="body.password")
    erased = erase_person(stores, person.email, snapshots.folder)
    return ErasedOut(beats=erased.beats, ratings=erased.ratings, sessions=erased.sessions)
