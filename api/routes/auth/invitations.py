"""Invitations: an account begins with a one-time token that somebody passes on."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import CurrentUser, StoresDep, token_hash
from api.http.problems import ProblemError, describe_problems
from api.routes.auth import sign_in
from api.services.accounts import create_account, validate_email, validate_name
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import DAY, to_datetime, validate_zone
from store import Stores
from store.errors import EmailTakenError
from store.models import OneTimePurpose, OneTimeToken, Person, Role

router = APIRouter(tags=["people"])
LIFETIME = 7 * DAY


class InvitationIn(BaseModel):
    """Who is invited, as what."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "email": "ada@example.org",
                    "name": "Ada",
                    "zone": "Europe/Berlin",
                    "role": "patient",
                }
            ]
        },
    )

    email: str = Field(max_length=254)
    name: str = Field(min_length=1, max_length=200)
    zone: str = Field(max_length=64)
    role: Role = Role.PATIENT


class Invitation(BaseModel):
    """Pass the token on; it is told only now, and good once."""

    token: str
    expires: datetime


class _InvitedPerson(BaseModel):
    """What is kept with the token."""

    email: str
    name: str
    zone: str
    role: Role
    therapist_id: str | None


class AcceptIn(BaseModel):
    """The token, and the password that the new account shall have."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200)
    password: str = sign_in.Password


async def inviting(person: CurrentUser) -> Person:
    """An administrator invites anybody; a therapist invites patients, into their own care."""
    if person.role not in (Role.ADMINISTRATOR, Role.THERAPIST):
        raise ProblemError(403, "Therapists and administrators invite people.", kind="role")
    return person


@router.post("/invitations", status_code=201, responses=describe_problems(401, 403, 409, 422))
def invite(
    asked: InvitationIn, person: Annotated[Person, Depends(inviting)], stores: StoresDep
) -> Invitation:
    """Invite somebody, for 7 days."""
    by_therapist = person.role is Role.THERAPIST
    if by_therapist and asked.role is not Role.PATIENT:
        raise ProblemError(403, "Therapists invite patients.", kind="role")
    checks: tuple[tuple[str, Callable[[str], str], str], ...] = (
        ("email", validate_email, asked.email),
        ("name", validate_name, asked.name),
        ("zone", validate_zone, asked.zone),
    )
    for field, check, said in checks:
        try:
            check(said)
        except EbbtideError as error:
            raise ProblemError(422, str(error), field=f"body.{field}") from error
    if not by_therapist and stores.records.person_by_email(asked.email) is not None:
        # A therapist is not told: who has an account here is nobody's business.
        raise EmailTakenError(f"{asked.email} has an account already.", "Let them sign in.")
    body = _InvitedPerson(**asked.model_dump(), therapist_id=person.id if by_therapist else None)
    token, expires = issue_one_time_token(
        stores, OneTimePurpose.INVITATION, LIFETIME, body=body.model_dump_json()
    )
    return Invitation(token=token, expires=to_datetime(expires))


@router.post("/invitations/accept", status_code=201, responses=describe_problems(404, 409, 422))
def accept(asked: AcceptIn, stores: StoresDep) -> sign_in.AccountOut:
    """Make the account that one was invited to."""
    hashed = token_hash(asked.token)
    found = stores.access.take_one_time_token(hashed, OneTimePurpose.INVITATION, stores.now())
    if found is None:
        raise ProblemError(404, "This invitation was used already, or its time is over.")
    invited = _InvitedPerson.model_validate_json(found.body)
    try:
        person = create_account(
            stores.records,
            email=invited.email,
            password=asked.password,
            name=invited.name,
            zone=invited.zone,
            now_ns=stores.now(),
            role=invited.role,
        )
    except EbbtideError as error:
        stores.access.put_one_time_token(found)  # it may be tried again with another password
        if isinstance(error, EmailTakenError):
            raise
        raise ProblemError(422, str(error), field="body.password") from error
    if invited.therapist_id is not None:
        stores.access.put_care(invited.therapist_id, person.id, stores.now())
    return sign_in.to_account_out(person)


def issue_one_time_token(
    stores: Stores,
    purpose: OneTimePurpose,
    lasts_ns: int,
    *,
    person_id: str | None = None,
    body: str = "{}",
) -> tuple[str, int]:
    """A one-time token, of which a hash is kept; and when it expires."""
    token = secrets.token_urlsafe(32)
    now = stores.now()
    kept = OneTimeToken(token_hash(token), purpose, person_id, body, now, now + lasts_ns)
    stores.access.put_one_time_token(kept)
    return token, kept.expires_ns
