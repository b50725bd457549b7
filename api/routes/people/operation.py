"""For administrators: whether the service is well, who agreed to what, who looked, what is kept
for how long, backups, and erasing an account with its proof. No health data.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Security
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.http.account_erasure import ErasedOut, erase_account
from api.http.attempts import require_counted
from api.http.deps import Administrator, SnapshotsDep, StoresDep, get_caller
from api.http.password_hashing import HasherDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.auth import MAX_PASSWORD_LENGTH
from api.schemas.common import RecordOut
from api.services import lockout
from api.services.access_tokens import Caller
from api.services.account_log import OPERATOR_ID
from api.services.certificate import find_certificate
from api.services.consent import KeepingState, is_consented_to_care, is_consented_to_research
from api.services.consent import keeping_state as find_keeping_state
from api.services.erasure import expired_people
from api.services.operation import (
    check_stores,
    count_recorders,
    load_backups,
    load_erasures,
    load_jobs,
)
from ebbtide import __version__
from ebbtide.timestamps import to_datetime
from store.models import Role, Scope

router = APIRouter(tags=["operation"], prefix="/operation")
accounts = APIRouter(tags=["people"])


def _moment(at_ns: int | None) -> datetime | None:
    return None if at_ns is None else to_datetime(at_ns)


class StoreOut(RecordOut):
    """Whether a store answers."""

    name: str
    answers: bool
    problem: str = Field(description="The kind of its error, or empty")


class JobOut(BaseModel):
    """A job of each day (``ebbtide daily``)."""

    name: str = Field(examples=["backup"])
    succeeded: datetime | None
    next: datetime | None
    problem: str = Field(description="What is wrong, or empty", examples=["it is not running"])


class RecordersOut(BaseModel):
    """What is signed in to send heartbeats."""

    signed_in: int
    silent: int = Field(description="Not seen for a day: it may hold beats that are not here")
    longest_unseen: datetime | None


class BackupOut(BaseModel):
    """A backup, of which every block was read when it was made."""

    folder: str = Field(description="The name of its folder; where it is, who runs this knows")
    made: datetime
    is_there: bool = Field(description="Its folder can be read from here")
    tried: datetime | None = Field(
        description="When it was last restored into a folder of its own, to try it"
    )
    is_whole: bool | None = Field(description="Whether all could be read there; null: never tried")


class CertificateOut(BaseModel):
    """The certificate under the address where people open the pages."""

    host: str = Field(examples=["ebbtide.example.org"])
    ends: datetime | None = Field(description="null: it could not be read from here")
    problem: str = Field(description="The kind of error where it could not be read, or empty")


class OperationOut(BaseModel):
    """Whether the service is well."""

    version: str
    stores: list[StoreOut]
    jobs: list[JobOut]
    recorders: RecordersOut
    backups: list[BackupOut] = Field(description="The newest twenty")
    mail: bool = Field(description="Whether a server that takes mail is set")
    certificate: CertificateOut | None = Field(
        description="Of EBBTIDE_DASHBOARD_URL; null where that is no https address"
    )
    keep_days: int | None = Field(description="EBBTIDE_KEEP_DAYS, or null: without an end")
    withdrawal_hours: float


@router.get("/state", responses=describe_problems(401, 403))
def operation_state(_: Administrator, stores: StoresDep, request: Request) -> OperationOut:
    """Version, stores, jobs, recorders, backups and settings. It computes nothing of beats."""
    settings = request.app.state.settings
    recorders = count_recorders(stores)
    certificate = find_certificate(settings.dashboard_url)
    return OperationOut(
        version=__version__,
        stores=[StoreOut.from_record(item) for item in check_stores(stores)],
        jobs=[
            JobOut(
                name=item.name,
                succeeded=_moment(item.succeeded_ns),
                next=_moment(item.next_ns),
                problem=item.problem,
            )
            for item in load_jobs(settings, stores)
        ],
        recorders=RecordersOut(
            signed_in=recorders.signed_in,
            silent=recorders.silent,
            longest_unseen=_moment(recorders.oldest_ns),
        ),
        backups=[
            BackupOut(
                folder=item.folder.name,
                made=to_datetime(item.made_ns),
                is_there=item.is_there,
                tried=_moment(item.tried_ns),
                is_whole=item.is_whole,
            )
            for item in load_backups(stores)[:20]
        ],
        mail=settings.smtp_host is not None,
        certificate=None
        if certificate is None
        else CertificateOut(
            host=certificate.host,
            ends=_moment(certificate.ends_ns),
            problem=certificate.problem,
        ),
        keep_days=settings.keep_days,
        withdrawal_hours=settings.withdrawal_hours,
    )


class PersonConsentsOut(BaseModel):
    """What a patient agrees to now, and when they answered last."""

    id: str
    name: str
    keeping: KeepingState
    care: bool
    research: bool
    answered: datetime | None


@router.get("/consents", responses=describe_problems(401, 403))
def operation_consents(_: Administrator, stores: StoresDep) -> list[PersonConsentsOut]:
    """What each patient agrees to. Only they change it."""
    now, rows = stores.now(), []
    for person in stores.records.people():
        if person.role is Role.PATIENT:
            answers = stores.records.consents(person.id)
            rows.append(
                PersonConsentsOut(
                    id=person.id,
                    name=person.name,
                    keeping=find_keeping_state(answers, now),
                    care=is_consented_to_care(answers, now),
                    research=is_consented_to_research(answers, now),
                    answered=_moment(max((item.at_ns for item in answers), default=None)),
                )
            )
    return rows


class LogEntryOut(BaseModel):
    """Somebody used, or changed, something of another, or their account."""

    at: datetime
    who: str
    role: Role
    whose: str
    what: str = Field(examples=["GET /v1/patients/{patient}/ratings"])


class LogPage(BaseModel):
    """Newest first. ``next`` is the ``before`` of the next page, null at the end."""

    entries: list[LogEntryOut]
    next: int | None


@router.get("/access-log", responses=describe_problems(401, 403, 422))
def operation_access_log(
    _: Administrator,
    stores: StoresDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    before: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> LogPage:
    """Who used whose data, and when: routes, no content."""
    found = stores.access.whole_access_log(limit + 1, before)
    names = {person.id: person.name for person in stores.records.people()}
    names[OPERATOR_ID] = "the operator of this server"
    gone = "an account that is no more"
    return LogPage(
        entries=[
            LogEntryOut(
                at=to_datetime(entry.at_ns),
                who=names.get(entry.actor_id, gone),
                role=Role(entry.actor_role),
                whose=names.get(entry.person_id, gone),
                what=entry.what,
            )
            for _number, entry in found[:limit]
        ],
        next=found[limit - 1][0] if len(found) > limit else None,
    )


class ExpiredOut(BaseModel):
    """Somebody whose data may not be kept any longer."""

    id: str
    name: str
    reason: str
    since: datetime


class ErasureOut(BaseModel):
    """An erasure in the ledger, which has no names."""

    id: str
    at: datetime
    with_account: bool = Field(description="False: the data after consent was taken back")
    finished: bool = Field(description="Read again and overwritten; nothing is left to do")


class KeptOut(BaseModel):
    """What is kept for how long, and what was erased."""

    expired: list[ExpiredOut]
    erasures: list[ErasureOut] = Field(description="The newest hundred")


@router.get("/retention", responses=describe_problems(401, 403))
def operation_retention(_: Administrator, stores: StoresDep, request: Request) -> KeptOut:
    """Whose data may not be kept any longer, as ``ebbtide retention`` lists it, and the ledger."""
    return KeptOut(
        expired=[
            ExpiredOut(
                id=item.person.id,
                name=item.person.name,
                reason=item.reason,
                since=to_datetime(item.since_ns),
            )
            for item in expired_people(stores, request.app.state.settings.keep_days)
        ],
        erasures=[
            ErasureOut(
                id=item.id,
                at=to_datetime(item.at_ns),
                with_account=item.with_account,
                finished=item.finished,
            )
            for item in load_erasures(stores)[:100]
        ],
    )


class EraseAccountIn(BaseModel):
    """Both, so that nobody does it by a slip or at an open screen."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=254, description="Of the account that goes, typed once more")
    password: str = Field(max_length=MAX_PASSWORD_LENGTH, description="The administrator's own")


def _get_administrator_caller(
    caller: Annotated[Caller, Security(get_caller, scopes=[Scope.ACCOUNT])], _: Administrator
) -> Caller:
    return caller


@accounts.post(
    "/accounts/{person_id}/erase", responses=describe_problems(401, 403, 404, 422, 429, 503)
)
async def erase_person_account(
    person_id: uuid.UUID,
    body: EraseAccountIn,
    caller: Annotated[Caller, Depends(_get_administrator_caller)],
    stores: StoresDep,
    hasher: HasherDep,
    snapshots: SnapshotsDep,
    request: Request,
) -> ErasedOut:
    """Erase somebody's account with everything of theirs: beats, ratings, notes, sessions. It
    cannot be undone. The stores are read again afterwards; the answer is the proof, and names what
    may be left. An administrator's own account is erased by another one, or with ``ebbtide erase``
    on the server.
    """
    person = await run_in_threadpool(stores.records.person, str(person_id))
    if person is None:
        raise ProblemError(404, f"There is no account {person_id}.")
    if person.id == caller.person.id:
        raise ProblemError(422, "You cannot erase your own account here.", field="path.person_id")
    if body.email.strip().casefold() != person.email.casefold():
        raise ProblemError(422, "is not the address of this account.", field="body.email")
    attempt = await run_in_threadpool(lockout.begin_own_password, stores, caller.access_token.id)
    verifying = hasher.verify(body.password, caller.person.password_hash)
    await require_counted(stores, attempt, verifying)
    state = request.app.state
    return await run_in_threadpool(
        erase_account, stores, state.settings, person, snapshots.folder, state.erase_local
    )
