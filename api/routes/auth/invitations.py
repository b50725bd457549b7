"""Invitations: an account begins with a one-time token that the inviter passes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.http.deps import CurrentUser, StoresDep
from api.http.password_hashing import HasherDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.auth import AccountOut, Password
from api.services import passwords
from api.services.account_log import log_act
from api.services.accounts import store_account, validate_email, validate_name
from api.services.one_time_tokens import (
    find_one_time_token,
    has_issuer,
    issue_one_time_token,
    take_one_time_token,
)
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import DAY, to_datetime, validate_zone
from store import Stores
from store.errors import EmailTakenError
from store.models import CareProposal, OneTimePurpose, Person
from store.models.records import Role

router = APIRouter(tags=["people"])
_LIFETIME_NS = 7 * DAY
_GONE = "This invitation was used already, or its time is over."


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
    body: InvitationIn,
    person: Annotated[Person, Depends(get_inviter)],
    stores: StoresDep,
    background: BackgroundTasks,
) -> Invitation:
    """Invite somebody, for 7 days. A patient who has an account already is asked whether the
    therapist may have them in their care; the answer does not tell which it was.
    """
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
        stores,
        OneTimePurpose.INVITATION,
        _LIFETIME_NS,
        issuer_id=person.id,
        body=invited.model_dump_json(),
    )
    if by_therapist:
        # After the answer: the time it takes does not tell whether there is an account.
        background.add_task(_propose_care, stores, person, body.email)
    return Invitation(token=token, expires=to_datetime(expires))


def _propose_care(stores: Stores, therapist: Person, email: str) -> None:
    """Ask a patient who has an account already. The therapist does not learn whether there is."""
    patient = stores.records.person_by_email(email)
    if patient is None or patient.role is not Role.PATIENT:
        return
    if therapist.id not in stores.access.therapists_of(patient.id):
        stores.access.propose_care(
            CareProposal(patient.id, therapist.id, therapist.id, stores.now())
        )
        log_act(stores, therapist, patient, "asked to have them in their care")


@router.post(
    "/invitations/accept", status_code=201, responses=describe_problems(404, 409, 422, 503)
)
async def accept(body: AcceptIn, stores: StoresDep, hasher: HasherDep) -> AccountOut:
    """Make the account that one was invited to. An invitation ends when whoever made it is shut out
    or loses their role.
    """
    # The token first: without one, nobody has a password estimated or hashed.
    invited = await run_in_threadpool(_find_invited, stores, body.token)
    if invited is None:
        raise ProblemError(404, _GONE)
    try:
        passwords.validate_length(body.password)
        await hasher.run(passwords.validate_password, body.password, (invited.email, invited.name))
    except EbbtideError as error:
        raise ProblemError(422, str(error), field="body.password") from error
    password_hash = await hasher.hash(body.password)
    return await run_in_threadpool(_create, stores, body.token, password_hash)


def _find_invited(stores: Stores, token: str) -> _InvitedPerson | None:
    invitation = find_one_time_token(stores, token, OneTimePurpose.INVITATION)
    if invitation is None:
        return None
    invited = _InvitedPerson.model_validate_json(invitation.body)
    is_by_therapist = invited.therapist_id is not None
    roles = frozenset({Role.THERAPIST if is_by_therapist else Role.ADMINISTRATOR})
    return invited if has_issuer(stores, invitation.issuer_id, roles) else None


def _create(stores: Stores, token: str, password_hash: str) -> AccountOut:
    invited = _find_invited(stores, token)
    taken = take_one_time_token(stores, token, OneTimePurpose.INVITATION)
    if invited is None or taken is None:
        raise ProblemError(404, _GONE)
    try:
        person = store_account(
            stores.records,
            email=invited.email,
            password_hash=password_hash,
            name=invited.name,
            zone=invited.zone,
            now_ns=stores.now(),
            role=invited.role,
        )
    except EmailTakenError:
        stores.access.put_one_time_token(taken)  # the other account may be erased
        raise
    if invited.therapist_id is not None:
        # Whom a therapist invites agrees by accepting; the consent to care comes after it.
        stores.access.put_care(invited.therapist_id, person.id, stores.now())
    return AccountOut.from_record(person)
