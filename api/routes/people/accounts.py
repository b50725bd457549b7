"""Accounts, new passwords and care, for administrators. No health data."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api.http.deps import Administrator, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.common import RecordOut
from api.services.one_time_tokens import issue_one_time_token
from ebbtide.timestamps import DAY, to_datetime
from store import Stores
from store.models import AuditLine, OneTimePurpose, Person, Role

router = APIRouter(tags=["people"])
_RESET_LIFETIME_NS = DAY


class Account(RecordOut):
    """Somebody with an account."""

    id: str
    email: str
    name: str
    role: Role
    created: datetime
    active: bool
    therapists: list[str] = Field(default=[])


class AccountIn(BaseModel):
    """Whether they may sign in."""

    model_config = ConfigDict(extra="forbid")

    active: StrictBool


class PasswordLink(BaseModel):
    """Pass the token on; it is shown only now, and valid once, for a day."""

    token: str
    expires: datetime


@router.get("/accounts", responses=describe_problems(401, 403))
def accounts(_: Administrator, stores: StoresDep) -> list[Account]:
    """Everybody with an account, oldest first."""
    return [_to_out(stores, person) for person in stores.records.people()]


@router.put("/accounts/{person_id}", responses=describe_problems(401, 403, 404, 422))
def set_account(
    person_id: uuid.UUID, body: AccountIn, administrator: Administrator, stores: StoresDep
) -> Account:
    """Let somebody sign in, or no more: then everything of theirs that is signed in ends at once.
    Their data stay.
    """
    person = _person(stores, person_id)
    if person.id == administrator.id and not body.active:
        raise ProblemError(422, "You cannot shut yourself out.", field="body.active")
    stores.access.set_active(person.id, body.active)
    _audit(stores, "let in" if body.active else "shut out", person)
    return _to_out(stores, person)


@router.post(
    "/accounts/{person_id}/password-link",
    status_code=201,
    responses=describe_problems(401, 403, 404, 422),
)
def password_link(person_id: uuid.UUID, _: Administrator, stores: StoresDep) -> PasswordLink:
    """A one-time token with which they can set a new password (``POST /v1/password-reset``)."""
    person = _person(stores, person_id)
    token, expires = issue_one_time_token(
        stores, OneTimePurpose.PASSWORD, _RESET_LIFETIME_NS, person_id=person.id
    )
    _audit(stores, "password link made", person)
    return PasswordLink(token=token, expires=to_datetime(expires))


def _get_care_pair(
    _: Administrator, therapist_id: uuid.UUID, patient_id: uuid.UUID, stores: StoresDep
) -> tuple[Person, Person]:
    return _person(stores, therapist_id, Role.THERAPIST), _person(stores, patient_id, Role.PATIENT)


CarePair = Annotated[tuple[Person, Person], Depends(_get_care_pair)]


@router.put(
    "/accounts/{therapist_id}/care/{patient_id}",
    status_code=204,
    responses=describe_problems(401, 403, 404, 422),
)
def put_care(_: Administrator, pair: CarePair, stores: StoresDep) -> None:
    """Put a patient into a therapist's care. The therapist sees nothing before the patient agrees
    (consent to care).
    """
    therapist, patient = pair
    stores.access.put_care(therapist.id, patient.id, stores.now())
    _audit(stores, "put into care", patient)


@router.delete(
    "/accounts/{therapist_id}/care/{patient_id}",
    status_code=204,
    responses=describe_problems(401, 403, 404, 422),
)
def end_care(_: Administrator, pair: CarePair, stores: StoresDep) -> None:
    """End it: the therapist sees nothing any more, at once."""
    therapist, patient = pair
    stores.access.end_care(therapist.id, patient.id)
    _audit(stores, "taken out of care", patient)


def _person(stores: Stores, person_id: uuid.UUID, role: Role | None = None) -> Person:
    person = stores.records.person(str(person_id))
    if person is None or (role is not None and person.role is not role):
        raise ProblemError(404, f"There is no {role or 'account'} {person_id}.")
    return person


def _audit(stores: Stores, action: str, person: Person) -> None:
    stores.records.add_audit(AuditLine(stores.now(), action, person.subject_id))


def _to_out(stores: Stores, person: Person) -> Account:
    return Account.from_record(
        person,
        created=to_datetime(person.created_ns),
        active=stores.access.is_active(person.id),
        therapists=stores.access.therapists_of(person.id),
    )
