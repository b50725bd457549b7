"""Consents: every answer is stored with its date, and the newest one counts."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api.http.deps import Patient, PatientAccount, SnapshotsDep, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import parse_timestamp
from api.schemas.common import RecordOut
from api.services.consent import is_consented
from ebbtide.timestamps import to_datetime
from store.models import Consent, Person, Purpose

router = APIRouter(tags=["consent"])


class ConsentIn(BaseModel):
    """One answer. Taking consent back is an answer too, and needs no reason."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose = Field(
        description="keeping: Ebbtide may keep beats and ratings; care: the therapist may see "
        "them; research: analysts may use them under a pseudonym"
    )
    given: StrictBool
    wording: str = Field(
        min_length=1,
        max_length=64,
        description="Which text the person was shown, such as a name and a version",
        examples=["keeping, English, 1"],
    )
    until: datetime | None = Field(
        default=None,
        description="How long it holds; everything is erased after the end of keeping",
        examples=["2031-11-24T00:00:00+01:00"],
    )


class ConsentOut(RecordOut):
    """One answer, as it was given."""

    purpose: Purpose
    given: bool
    wording: str
    at: datetime
    until: datetime | None


class ConsentsOut(BaseModel):
    """What holds now, and every answer, oldest first."""

    holds: dict[Purpose, bool]
    answers: list[ConsentOut]


@router.get("/consents", responses=describe_problems(401, 403))
def consents(person: Patient, stores: StoresDep) -> ConsentsOut:
    """What the person signed in agreed to."""
    answers = stores.records.consents(person.id)
    now = stores.now()
    return ConsentsOut(
        holds={purpose: is_consented(answers, purpose, now) for purpose in Purpose},
        answers=[_to_out(answer, person) for answer in answers],
    )


@router.post("/consents", status_code=201, responses=describe_problems(401, 403, 422))
def add_consent(
    body: ConsentIn, person: PatientAccount, stores: StoresDep, snapshots: SnapshotsDep
) -> ConsentOut:
    """Agree, or take it back."""
    now = stores.now()
    until = None if body.until is None else parse_timestamp(body.until, "body.until")
    if until is not None and until <= now:
        raise ProblemError(
            422, "is over already; leave it out, or name a later day.", field="body.until"
        )
    if until is not None and not body.given:
        raise ProblemError(422, "only what is given can end.", field="body.until")
    answer = Consent(person.id, body.purpose, body.given, body.wording, now, until)
    stores.records.add_consent(answer)
    if not body.given:
        snapshots.clear()
    return _to_out(answer, person)


def _to_out(answer: Consent, person: Person) -> ConsentOut:
    return ConsentOut.from_record(
        answer,
        at=to_datetime(answer.at_ns, person.zone),
        until=None if answer.until_ns is None else to_datetime(answer.until_ns, person.zone),
    )
