"""Accounts, new passwords and care, for administrators. No health data."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api.http.deps import Administrator, StoresDep
from api.http.mail import MailerDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.auth import PasswordLink
from api.schemas.common import RecordOut
from api.services.account_log import log_act
from api.services.errors import MailError
from api.services.password_links import send_password_link, send_second_factor_link
from ebbtide.timestamps import to_datetime
from store import Stores
from store.models import CareProposal, Person, Role

router = APIRouter(tags=["people"])


class Account(RecordOut):
    """Somebody with an account."""

    id: str
    email: str
    name: str
    role: Role
    created: datetime
    active: bool
    therapists: list[str] = Field(default=[])
    proposed: list[str] = Field(
        default=[], description="Therapists whom the patient has not agreed to yet"
    )


class AccountIn(BaseModel):
    """Whether they may sign in, and as what. A patient stays a patient, since their data do."""

    model_config = ConfigDict(extra="forbid")

    active: StrictBool
    role: Role | None = Field(default=None, description="Another role; left out, it stays")


@router.get("/accounts", responses=describe_problems(401, 403))
def accounts(_: Administrator, stores: StoresDep) -> list[Account]:
    """Everybody with an account, oldest first."""
    return [_to_out(stores, person) for person in stores.records.people()]


@router.put("/accounts/{person_id}", responses=describe_problems(401, 403, 404, 422))
def set_account(
    person_id: uuid.UUID, body: AccountIn, administrator: Administrator, stores: StoresDep
) -> Account:
    """Let somebody sign in, or no more; or give them another role. Then everything of theirs that
    is signed in ends at once, and the invitations and links that they made. Their data stay.
    """
    person = _person(stores, person_id)
    is_own = person.id == administrator.id
    if is_own and not body.active:
        raise ProblemError(422, "You cannot shut yourself out.", field="body.active")
    if body.role is not None and body.role is not person.role:
        if is_own:
            raise ProblemError(422, "You cannot change your own role.", field="body.role")
        if Role.PATIENT in (person.role, body.role):
            raise ProblemError(
                422, "nobody becomes a patient, or ceases to be one.", field="body.role"
            )
        stores.access.set_role(person.id, body.role)
        log_act(stores, administrator, person, f"made them {body.role}")
    if body.active is not stores.access.is_active(person.id):
        stores.access.set_active(person.id, body.active)
        log_act(stores, administrator, person, "let in" if body.active else "shut out")
    return _to_out(stores, _person(stores, person_id))


@router.post(
    "/accounts/{person_id}/password-link",
    status_code=201,
    responses=describe_problems(401, 403, 404, 422, 503),
)
def password_link(
    person_id: uuid.UUID, administrator: Administrator, stores: StoresDep, mailer: MailerDep
) -> PasswordLink:
    """Send somebody a link with which they set a new password (``POST /v1/password-reset``), good
    once, for an hour. Where no mail is set, it is a code to hand over in person, good for 8 hours.
    Earlier ones end. It signs nobody in, and the person's access log says who made it.
    """
    person = _person(stores, person_id)
    try:
        return send_password_link(stores, mailer, person, administrator)
    except MailError as error:
        raise ProblemError(503, str(error), kind="away") from error


@router.post(
    "/accounts/{person_id}/second-factor-link",
    status_code=201,
    responses=describe_problems(401, 403, 404, 422, 503),
)
def second_factor_link(
    person_id: uuid.UUID, administrator: Administrator, stores: StoresDep, mailer: MailerDep
) -> PasswordLink:
    """Send somebody who lost a phone or key a link with which they remove their passkeys and codes
    of an app (``POST /v1/second-factor-reset``), with their password; otherwise as for a new
    password. It signs nobody in, and the person's access log says who made it.
    """
    person = _person(stores, person_id)
    try:
        return send_second_factor_link(stores, mailer, person, administrator)
    except MailError as error:
        raise ProblemError(503, str(error), kind="away") from error


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
def put_care(administrator: Administrator, pair: CarePair, stores: StoresDep) -> None:
    """Propose a therapist to a patient. The care begins when the patient agrees
    (``PUT /v1/therapists/{therapist_id}``); until then the therapist does not see them at all.
    """
    therapist, patient = pair
    if therapist.id in stores.access.therapists_of(patient.id):
        return
    stores.access.propose_care(
        CareProposal(patient.id, therapist.id, administrator.id, stores.now())
    )
    log_act(stores, administrator, patient, "proposed a therapist")


@router.delete(
    "/accounts/{therapist_id}/care/{patient_id}",
    status_code=204,
    responses=describe_problems(401, 403, 404, 422),
)
def end_care(administrator: Administrator, pair: CarePair, stores: StoresDep) -> None:
    """End it, or the proposal of it: the therapist sees nothing any more, at once."""
    therapist, patient = pair
    stores.access.end_care(therapist.id, patient.id)
    log_act(stores, administrator, patient, "ended a therapist's care")


def _person(stores: Stores, person_id: uuid.UUID, role: Role | None = None) -> Person:
    person = stores.records.person(str(person_id))
    if person is None or (role is not None and person.role is not role):
        raise ProblemError(404, f"There is no {role or 'account'} {person_id}.")
    return person


def _to_out(stores: Stores, person: Person) -> Account:
    return Account.from_record(
        person,
        created=to_datetime(person.created_ns),
        active=stores.access.is_active(person.id),
        therapists=stores.access.therapists_of(person.id),
        proposed=[item.therapist_id for item in stores.access.care_proposals(person.id)],
    )
