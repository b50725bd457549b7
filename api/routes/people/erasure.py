"""Erasing oneself."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import InHouse, PatientAccount
from api.http.problems import ProblemError, described
from api.services import lockout, passwords
from api.services.erasure import erase_person

router = APIRouter(tags=["consent"])


class EraseAsk(BaseModel):
    """One's password, so that nobody does it at an open screen."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field(max_length=passwords.LONGEST)


class ErasedShown(BaseModel):
    """What was erased."""

    beats: int
    ratings: int
    sessions: int


@router.post("/me/erase", responses=described(401, 403, 422))
def erase_me(asked: EraseAsk, person: PatientAccount, house: InHouse) -> ErasedShown:
    """Erase everything of mine, and the account: beats, ratings, notes, practices, sessions. It
    cannot be undone. Backups that were made before are not touched.
    """
    lockout.require_unlocked(house, person.email)
    if not passwords.matches(asked.password, person.password_hash):
        lockout.failed(house, person.email)
        raise ProblemError(422, "is not your password.", field="body.password")
    erased = erase_person(house, person.email)
    return ErasedShown(beats=erased.beats, ratings=erased.ratings, sessions=erased.sessions)
