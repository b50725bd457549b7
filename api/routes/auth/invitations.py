"""Invitations: an account begins with a one-time token that the inviter passes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import CurrentUser, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.auth import AccountOut, Password
from api.services.accounts import create_account, validate_email, validate_name
from api.services.one_time_tokens import issue_one_time_token, take_one_time_token
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import DAY, to_datetime, validate_zone
from store.errors import EmailTakenError
from store.models import OneTimePurpose, Person
from store.models.records import Role

router = APIRouter(tags=["people"])
_LIFETIME_NS = 7 * DAY


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
    """Pass the token on; it is shown only now, and valid once."""

    token: str
    expires: datetime


class _InvitedPerson(BaseModel):
    """The body that is stored with the token."""

    email: str
    name: str
    zone: str
    role: Role
    therapist_id: str | None


class AcceptIn(BaseModel):
    """The token, and the password that the new account shall have."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200)
    password: Password


async def get_inviter(person: CurrentUser) -> Person:
    """The caller: an administrator, who invites anybody, or a therapist, who invites patients into
    their own care.
    """
    if person.role not in (Role.ADMINISTRATOR, Role.THERAPIST):
        raise ProblemError(403, "Therapists and administrators invite people.", kind="role")
    return person


@router.post("/invitations", status_code=201, responses=describe_problems(401, 403, 409, 422))
def invite(
    body: InvitationIn, person: Annotated[Person, Depends(get_inviter)], stores: StoresDep
) -> Invitation:
    """Invite somebody, for 7 days."""
    by_therapist = person.role is Role.THERAPIST
    if by_therapist and body.role is not Role.PATIENT:
        raise ProblemError(403, "Therapists invite patients.", kind="role")
    checks: tuple[tuple[str, Callable[[str], str], str], ...] = (
        ("email", validate_email, body.email),
        ("name", validate_name, body.name),
        ("zone", validate_zone, body.zone),
    )
    for field, validate, value in checks:
        try:
            validate(value)
        except EbbtideError as error:
            raise ProblemError(422, str(error), field=f"body.{field}") from error
    if not by_therapist and stores.records.person_by_email(body.email) is not None:
        # Only administrators may learn who has an account.
        raise EmailTakenError(f"{body.email} has an account already.", "Let them sign in.")
    invited = _InvitedPerson(**body.model_dump(), therapist_id=person.id if by_therapist else None)
    token, expires = issue_one_time_token(
        stores, OneTimePurpose.INVITATION, _LIFETIME_NS, body=invited.model_dump_json()
    )
    return Invitation(token=token, expires=to_datetime(expires))


@router.post("/invitations/accept", status_code=201, responses=describe_problems(404, 409, 422))
def accept(body: AcceptIn, stores: StoresDep) -> AccountOut:
    """Make the account that one was invited to."""
    invitation = take_one_time_token(stores, body.token, OneTimePurpose.INVITATION)
    if invitation is None:
        raise ProblemError(404, "This invitation was used already, or its time is over.")
    invited = _InvitedPerson.model_validate_json(invitation.body)
    try:
        person = create_account(
            stores.records,
            email=invited.email,
            password=body.password,
            name=invited.name,
            zone=invited.zone,
            now_ns=stores.now(),
            role=invited.role,
        )
    except EbbtideError as error:
        stores.access.put_one_time_token(invitation)  # it may be tried again with another password
        if isinstance(error, EmailTakenError):
            raise
        raise ProblemError(422, str(error), field="body.password") from error
    if invited.therapist_id is not None:
        stores.access.put_care(invited.therapist_id, person.id, stores.now())
    return AccountOut.from_record(person)
