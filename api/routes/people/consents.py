"""Consents: every answer is stored with its date, and the newest one counts."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api.http.deps import Patient, PatientAccount, SnapshotsDep, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import parse_timestamp
from api.http.withdrawals import WithdrawalTaskDep
from api.schemas.common import RecordOut
from api.services.consent import KeepingState, is_consented, keeping_state
from api.services.withdrawal import store_answer
from ebbtide.timestamps import to_datetime
from store.models import Consent, Person, Purpose, Withdrawal

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


class WithdrawalOut(RecordOut):
    """Consent to keeping that was taken back or ran out, and what became of the data. The account
    stays.
    """

    withdrawn: datetime = Field(description="When it was taken back, or when its time was over")
    erase_at: datetime = Field(
        description="When the data are erased, unless one agrees again before"
    )
    erased: datetime | None = Field(description="When they were; null: not yet")
    beats: int
    ratings: int
    heart_rates: int = Field(description="Single ones of other systems")
    notes: int
    practices: int
    sessions: int


class ConsentsOut(BaseModel):
    """What holds now, and every answer, oldest first."""

    holds: dict[Purpose, bool]
    keeping: KeepingState = Field(description="What the newest answer on keeping means now")
    withdrawal_hours: float = Field(
        description="How long one may change one's mind after taking back keeping"
    )
    withdrawal: WithdrawalOut | None = Field(
        description="The last time keeping was taken back or ran out, and not agreed to in time"
    )
    answers: list[ConsentOut]


@router.get("/consents", responses=describe_problems(401, 403))
def consents(person: Patient, stores: StoresDep, task: WithdrawalTaskDep) -> ConsentsOut:
    """What the person signed in agreed to."""
    answers = stores.records.consents(person.id)
    now = stores.now()
    withdrawal = stores.records.withdrawal(person.id)
    return ConsentsOut(
        holds={purpose: is_consented(answers, purpose, now) for purpose in Purpose},
        keeping=keeping_state(answers, now),
        withdrawal_hours=task.delay_hours,
        withdrawal=None if withdrawal is None else _to_withdrawal_out(withdrawal, person),
        answers=[_to_out(answer, person) for answer in answers],
    )


@router.post("/consents", status_code=201, responses=describe_problems(401, 403, 422))
def add_consent(
    body: ConsentIn,
    person: PatientAccount,
    stores: StoresDep,
    snapshots: SnapshotsDep,
    task: WithdrawalTaskDep,
) -> ConsentOut:
    """Agree, or take it back. Whoever takes back keeping is seen by nobody else from then on, and
    their data are erased at the time that ``GET /v1/consents`` names.
    """
    now = stores.now()
    until = None if body.until is None else parse_timestamp(body.until, "body.until")
    if until is not None and until <= now:
        raise ProblemError(
            422, "is over already; leave it out, or name a later day.", field="body.until"
        )
    if until is not None and not body.given:
        raise ProblemError(422, "only what is given can end.", field="body.until")
    answer = Consent(person.id, body.purpose, body.given, body.wording, now, until)
    store_answer(stores, answer, task.delay_hours)
    if not body.given:
        snapshots.clear()
        task.wake()
    return _to_out(answer, person)


def _to_withdrawal_out(item: Withdrawal, person: Person) -> WithdrawalOut:
    return WithdrawalOut.from_record(
        item,
        withdrawn=to_datetime(item.withdrawn_ns, person.zone),
        erase_at=to_datetime(item.due_ns, person.zone),
        erased=None if item.done_ns is None else to_datetime(item.done_ns, person.zone),
    )


def _to_out(answer: Consent, person: Person) -> ConsentOut:
    return ConsentOut.from_record(
        answer,
        at=to_datetime(answer.at_ns, person.zone),
        until=None if answer.until_ns is None else to_datetime(answer.until_ns, person.zone),
    )
