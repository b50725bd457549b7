"""Reminders to rate: the plan, prompts, where they are sent, and answers without a password."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from analytics.programme.prompt_plan import (
    Asks,
    Burst,
    DayHours,
    Pause,
    PlanError,
    PromptPlan,
)
from api.http.deps import (
    CallerDep,
    KeepingPatient,
    KeepingPatientInScope,
    KeepingStoresDep,
    Patient,
    PatientInScope,
    StoresDep,
    Therapist,
)
from api.http.problems import ProblemError, describe_problems
from api.http.reminders import ReminderTask, ReminderTaskDep
from api.http.time_range import OptionalTimeRange
from api.schemas.common import Nrs, RecordOut
from api.schemas.csv_files import CsvIn, CsvOut, Form
from api.services.access_tokens import token_hash
from api.services.offers.safety import after_rating
from api.services.prompt_csv import import_prompts_csv, write_prompts_csv
from api.services.reminders import plans
from api.services.reminders.calendar import calendar_of
from api.services.reminders.compliance import Answered, compute_compliance
from api.services.reminders.push import MAX_SUBSCRIPTIONS, is_valid_keys, public_key
from api.services.reminders.turn import plan_of
from ebbtide.beats import new_id
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import FOREVER, floor_to_microsecond, to_datetime, validate_zone
from store import Stores
from store.models import Person, Prompt, PushSubscription, Rating

router = APIRouter(tags=["ratings"])
shared = APIRouter(tags=["ratings"])
of_patient = APIRouter(tags=["ratings"])

Minute = Annotated[int, Field(ge=0, le=1440, strict=True)]
_MAX_PROMPTS = 5000
_OVER = "This link was used already, or its time is over. Ratings can be entered after signing in."


class HoursIn(BaseModel):
    """Hours of a weekday in minutes after midnight, between 07:00 (420) and 22:00 (1320)."""

    model_config = ConfigDict(extra="forbid")

    start_min: Minute
    end_min: Minute


class PauseIn(BaseModel):
    """Days without prompts, both included."""

    model_config = ConfigDict(extra="forbid")

    first: date
    last: date


class BurstIn(BaseModel):
    """More prompts on the days around sessions."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"days": 1}]})

    days: StrictInt = Field(ge=0, le=7, description="Before and after a session")
    a_day: StrictInt = Field(default=4, ge=1, le=8)


class BurstOut(BurstIn):
    """A burst that a therapist proposes; it counts once the patient ``agreed``."""

    agreed: StrictBool = False


class RemindersIn(BaseModel):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"random_a_day": 2, "enabled": True}]}
    )

    enabled: StrictBool | None = Field(default=None, description="Whether to be reminded at all")
    hours: list[HoursIn | None] | None = Field(
        default=None, min_length=7, max_length=7, description="Monday first; null: not that day"
    )
    random_a_day: StrictInt | None = Field(default=None, ge=0, le=8)
    fixed_min: list[Minute] | None = Field(
        default=None, max_length=8, description="Fixed times, in minutes after midnight"
    )
    pauses: list[PauseIn] | None = Field(default=None, max_length=50)
    window_min: StrictInt | None = Field(
        default=None, ge=10, le=60, description="How long a prompt can be answered"
    )
    put_off_min: StrictInt | None = Field(default=None, ge=5, le=55)
    follow_up_min: StrictInt | None = Field(
        default=None, ge=0, le=180, description="One prompt so long after a practice; 0: none"
    )
    by_heart: StrictBool | None = Field(
        default=None,
        description="Whether to be asked, too, when the heart is faster than usual at that hour or "
        "calm after a practice: beside random prompts alone, at most twice a day",
    )
    asks_apart: StrictBool | None = Field(
        default=None,
        description="Whether random prompts come in pairs, of which one asks for pain alone and "
        "the other, one to three hours later, for stress alone, in an order that is drawn",
    )
    burst_agreed: StrictBool | None = Field(
        default=None, description="Whether to agree to what the therapist proposes"
    )
    push: StrictBool | None = None
    mail: StrictBool | None = None
    desktop: StrictBool | None = None
    shows_words: StrictBool | None = Field(
        default=None, description="Whether a notification may say what it is about"
    )


class BrowserOut(RecordOut):
    """A browser that shows notifications."""

    id: str
    name: str
    created: datetime


class AnsweredOut(RecordOut):
    """Prompts of an hour, of a weekday (Monday is 0) or of all (null)."""

    group: int | None
    sent: int
    answered: int
    share: float | None = Field(description="Null where fewer than 5 were sent")
    median_s: float | None = Field(description="Seconds from sending to the answer")


class ComplianceOut(BaseModel):
    """How many prompts were answered, by the clock where the person was."""

    total: AnsweredOut
    by_hour: list[AnsweredOut]
    by_weekday: list[AnsweredOut]
    not_sent: dict[str, int] = Field(description="Planned and not sent, by reason")


class RemindersOut(BaseModel):
    """The plan, the ways, and how many prompts were answered."""

    enabled: bool
    zone: str
    hours: list[HoursIn | None]
    random_a_day: int
    fixed_min: list[int]
    pauses: list[PauseIn]
    window_min: int
    put_off_min: int
    follow_up_min: int | None
    by_heart: bool
    asks_apart: bool
    burst: BurstOut | None
    push: bool
    mail: bool
    desktop: bool
    shows_words: bool
    has_calendar: bool
    ways: list[str] = Field(description="What this service can send by")
    push_key: str = Field(description="The public key with which a browser subscribes")
    browsers: list[BrowserOut] = Field(description="Empty for others than the person")
    compliance: ComplianceOut


class PromptOut(RecordOut):
    """One time at which a person was to be asked, and what became of it."""

    id: str
    planned: datetime
    reason: str = Field(
        description="fixed, random, burst, follow-up, heart, offer-time (a time of practice by "
        "lot), or after: the rating after a moment of it"
    )
    slot: str
    chance: float
    asks: Asks = Field(description="pain, stress or both")
    state: str
    skip_reason: str | None
    ways: str = Field(description="What it was sent by, in words separated by spaces")
    expires: datetime
    sent: datetime | None
    delivered: datetime | None
    opened: datetime | None
    answered: datetime | None
    let_go: datetime | None
    put_off: datetime | None

    @classmethod
    def from_prompt(cls, prompt: Prompt) -> PromptOut:
        """A stored prompt, with its times in its own zone."""

        def moment(at_ns: int | None) -> datetime | None:
            return None if at_ns is None else to_datetime(at_ns, prompt.zone)

        return cls.from_record(
            prompt,
            planned=moment(prompt.planned_ns),
            expires=moment(prompt.expires_ns),
            sent=moment(prompt.sent_ns),
            delivered=moment(prompt.delivered_ns),
            opened=moment(prompt.opened_ns),
            answered=moment(prompt.answered_ns),
            let_go=moment(prompt.let_go_ns),
            put_off=moment(prompt.put_off_ns),
        )


class WaitingOut(BaseModel):
    """The prompt that can be answered now, and the last one where it was missed within a day."""

    prompt: PromptOut | None
    missed: PromptOut | None


class PromptActionIn(BaseModel):
    """What a person does with a prompt, short of answering it."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["put off", "let go", "opened", "delivered"]


class ZoneIn(BaseModel):
    """Where the person is now."""

    model_config = ConfigDict(extra="forbid")

    zone: str = Field(max_length=64, examples=["Europe/Berlin"])


class DaysIn(BaseModel):
    """How many days without prompts, today included; 0 ends a pause."""

    model_config = ConfigDict(extra="forbid")

    days: StrictInt = Field(ge=0, le=366, examples=[1])


class KeysIn(BaseModel):
    """The keys of a PushSubscription."""

    p256dh: str = Field(
        max_length=120,
        examples=[
            "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM"
        ],
    )
    auth: str = Field(max_length=40, examples=["tBHItJI5svbpez7KI4CCXg"])


class SubscriptionIn(BaseModel):
    """A PushSubscription of a browser, as its ``toJSON()`` gives it."""

    endpoint: str = Field(max_length=2000, examples=["https://fcm.googleapis.com/fcm/send/example"])
    keys: KeysIn
    name: str = Field(default="", max_length=200, description="Which browser it is")


class CalendarOut(BaseModel):
    """The address of the calendar: whoever has it sees when the person is asked."""

    path: str = Field(description="Below the address of the API; shown only now")


class ReceiptIn(BaseModel):
    """The secret that came with a prompt, and what happened to it."""

    model_config = ConfigDict(extra="forbid")

    receipt: str = Field(min_length=20, max_length=100)
    action: Literal["delivered", "opened", "put off", "let go"] = "delivered"


class AnswerIn(BaseModel):
    """One rating, by the secret that came with a prompt."""

    model_config = ConfigDict(extra="forbid")

    receipt: str = Field(min_length=20, max_length=100)
    pain: Nrs | None = Field(default=None, description="Needed where the prompt asks for it")
    stress: Nrs | None = Field(default=None, description="Needed where the prompt asks for it")
    pleasant: Nrs | None = None


class ReceiptOut(BaseModel):
    """Whether the prompt can be answered, until when, and whether it can be put off."""

    is_open: bool
    expires: datetime | None
    can_put_off: bool
    asks: Asks = Field(description="pain, stress or both")


class PromptsCsvIn(CsvIn):
    """A table of prompts and ratings, in the form of an export of m-Path or REDCap."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"form": "redcap", "csv": "rating_timestamp,pain,stress\n2026-11-20 08:00,3,5\n"}
            ]
        },
    )


@shared.get("/reminders", responses=describe_problems(401, 403, 404))
def reminders(
    person: PatientInScope, caller: CallerDep, stores: StoresDep, task: ReminderTaskDep
) -> RemindersOut:
    """When and how a person is reminded to rate, and how many prompts were answered."""
    return _to_out(stores, person, task, is_own=caller.person.id == person.id)


@shared.get("/prompts", responses=describe_problems(401, 403, 404, 422))
def prompts(person: PatientInScope, query: OptionalTimeRange, stores: StoresDep) -> list[PromptOut]:
    """Prompts whose time has come, of a range of time: the newest 5,000 of them, oldest first."""
    # Nobody reads when they will be asked: random moments that are known are none.
    end_ns = min(query.end_ns, stores.now() + 1)
    found = stores.prompts.prompts(person.id, query.start_ns, end_ns)
    return [PromptOut.from_prompt(prompt) for prompt in found[-_MAX_PROMPTS:]]


@shared.get("/prompts/csv", response_class=Response, responses=describe_problems(401, 403))
def prompts_csv(person: PatientInScope, stores: StoresDep, form: Form = "m-path") -> Response:
    """Prompts and ratings as a CSV file in the form of an export of m-Path or REDCap."""
    found = stores.prompts.prompts(person.id, 0, stores.now() + 1)
    text = write_prompts_csv(found, stores.records.ratings(person.id, *FOREVER), form, person.id)
    return Response(text, media_type="text/csv; charset=utf-8")


@router.post("/prompts/csv", responses=describe_problems(401, 403, 422))
def prompts_from_csv(
    body: PromptsCsvIn, person: KeepingPatient, stores: KeepingStoresDep
) -> CsvOut:
    """Store the prompts and ratings of such a file. Idempotent; rows that cannot be taken are
    ``skipped``.
    """
    try:
        report = import_prompts_csv(stores, person, body.csv, body.form)
    except ValueError as error:
        raise ProblemError(422, f"{error}.", field="body.csv") from error
    return CsvOut.from_counts(report.stored, report.new, report.skipped)


@router.put("/reminders", responses=describe_problems(401, 403, 422))
def put_reminders(
    body: RemindersIn, person: KeepingPatient, stores: KeepingStoresDep, task: ReminderTaskDep
) -> RemindersOut:
    """Choose when and how to be reminded. It counts from now on."""
    names = ("enabled", "push", "mail", "desktop", "shows_words")
    ways: dict[str, Any] = {
        name: getattr(body, name) for name in names if getattr(body, name) is not None
    }
    if ways.get("mail") and not task.has_way("mail"):
        raise ProblemError(422, "This service can send no mail.", field="body.mail")
    try:
        plans.change_plan(stores, person, lambda plan: _changed(plan, body), **ways)
    except PlanError as error:
        raise ProblemError(422, str(error), field="body") from error
    task.wake()
    return _to_out(stores, person, task)


@router.put("/reminders/zone", status_code=204, responses=describe_problems(401, 403, 404, 422))
def put_zone(body: ZoneIn, person: KeepingPatient, stores: KeepingStoresDep) -> None:
    """Have prompts come by the clock of where the person is now."""
    try:
        zone = validate_zone(body.zone)
    except EbbtideError as error:
        raise ProblemError(422, str(error), field="body.zone") from error
    if plans.change_zone(stores, person, zone) is None:
        raise ProblemError(404, "There are no reminders yet.")


@router.post("/reminders/pause", responses=describe_problems(401, 403, 422))
def pause(
    body: DaysIn, person: KeepingPatient, stores: KeepingStoresDep, task: ReminderTaskDep
) -> RemindersOut:
    """No prompts today (1), or for some days; or end a pause (0)."""
    try:
        plans.pause(stores, person, body.days)
    except PlanError as error:
        raise ProblemError(422, str(error), field="body.days") from error
    return _to_out(stores, person, task)


@of_patient.put("/reminders/burst", responses=describe_problems(401, 403, 404, 422))
def propose_burst(
    body: BurstIn,
    therapist: Therapist,
    person: KeepingPatientInScope,
    stores: KeepingStoresDep,
    task: ReminderTaskDep,
) -> RemindersOut:
    """Propose more prompts around sessions. They come once the patient has agreed."""
    del therapist
    try:
        plans.propose_burst(stores, person, Burst(body.days, body.a_day))
    except PlanError as error:
        raise ProblemError(422, str(error), field="body") from error
    return _to_out(stores, person, task, is_own=False)


@router.get("/prompts/waiting", responses=describe_problems(401, 403))
def waiting(person: Patient, stores: StoresDep) -> WaitingOut:
    """The prompt that can be answered now, or the one that was missed last."""
    found = plans.load_waiting(stores, person)
    return WaitingOut(
        prompt=None if found.prompt is None else PromptOut.from_prompt(found.prompt),
        missed=None if found.missed is None else PromptOut.from_prompt(found.missed),
    )


@router.put("/prompts/{prompt_id:uuid}", responses=describe_problems(401, 403, 404, 422))
def act_on_prompt(
    prompt_id: uuid.UUID, body: PromptActionIn, person: Patient, stores: StoresDep
) -> PromptOut:
    """Put a prompt off once, within its window; let it go; or say that it arrived. One that it can
    not be done to any more stays as it is.
    """
    found = _act(stores, person.id, str(prompt_id), body.action)
    if found is None:
        raise ProblemError(404, f"There is no prompt {prompt_id}.")
    return PromptOut.from_prompt(found)


@router.put("/push/subscription", responses=describe_problems(401, 403, 422))
def put_subscription(
    body: SubscriptionIn,
    person: KeepingPatient,
    caller: CallerDep,
    stores: KeepingStoresDep,
    task: ReminderTaskDep,
) -> BrowserOut:
    """Have a browser show notifications, until it is signed out; a person has at most ten."""
    if not task.push_services.allows(body.endpoint):
        raise ProblemError(
            422,
            "is at no push service that this service posts to (EBBTIDE_PUSH_SERVICES).",
            field="body.endpoint",
        )
    if not is_valid_keys(body.keys.p256dh, body.keys.auth):
        raise ProblemError(422, "are no keys of a browser.", field="body.keys")
    subscription = PushSubscription(
        *(new_id(), person.id, body.endpoint, body.keys.p256dh, body.keys.auth, stores.now()),
        token_id=caller.access_token.id,
        name=body.name.strip() or caller.access_token.name,
    )
    stores.prompts.put_subscription(subscription, MAX_SUBSCRIPTIONS)
    return _browser(subscription)


@router.delete(
    "/push/subscriptions/{subscription_id:uuid}",
    status_code=204,
    responses=describe_problems(401, 403, 404, 422),
)
def delete_subscription(subscription_id: uuid.UUID, person: Patient, stores: StoresDep) -> None:
    """Have a browser show no more notifications."""
    if not stores.prompts.delete_subscription(person.id, str(subscription_id)):
        raise ProblemError(404, "There is no such browser of yours.")


@router.post("/reminders/calendar", status_code=201, responses=describe_problems(401, 403))
def add_calendar(person: KeepingPatient, stores: KeepingStoresDep) -> CalendarOut:
    """Make an address of a calendar with alarms; the one before ends."""
    secret = plans.new_calendar_secret(stores, person)
    return CalendarOut(path=f"/v1/calendars/{secret}.ics")


@router.delete("/reminders/calendar", status_code=204, responses=describe_problems(401, 403))
def delete_calendar(person: Patient, stores: StoresDep) -> None:
    """End the address of the calendar."""
    plans.end_calendar(stores, person)


@router.get(
    "/calendars/{secret}.ics",
    response_class=Response,
    responses={
        200: {"content": {"text/calendar": {"schema": {"type": "string"}}}},
        **describe_problems(404),
    },
)
def calendar(
    secret: Annotated[str, Path(min_length=20, max_length=100)],
    stores: StoresDep,
) -> Response:
    """The moments of the next 60 days, with alarms, for whoever has the secret address."""
    plan = stores.prompts.plan_of_calendar(token_hash(secret))
    if plan is None:
        raise ProblemError(404, "There is no calendar at this address any more.")
    return Response(calendar_of(stores, plan), media_type="text/calendar")


@router.post("/prompt-receipts", responses=describe_problems(404, 422))
def note_receipt(body: ReceiptIn, stores: StoresDep) -> ReceiptOut:
    """Say that a prompt was delivered or opened, put it off or let it go, by the secret that came
    with it.
    """
    found = stores.prompts.prompt_of_receipt(token_hash(body.receipt))
    if found is None:
        raise ProblemError(404, _OVER)
    changed = _act(stores, found.person_id, found.id, body.action) or found
    is_open = changed.is_open(stores.now())
    return ReceiptOut(
        is_open=is_open,
        expires=to_datetime(changed.expires_ns, changed.zone) if is_open else None,
        can_put_off=is_open and changed.put_off_ns is None,
        asks=Asks(changed.asks),
    )


@router.post("/prompt-answers", status_code=204, responses=describe_problems(403, 404, 409, 422))
def answer(body: AnswerIn, stores: KeepingStoresDep) -> None:
    """Rate once, by the secret that came with a prompt, without signing in. It shows nothing of the
    person's, and is good until the prompt expires.
    """
    found = stores.prompts.prompt_of_receipt(token_hash(body.receipt))
    now = floor_to_microsecond(stores.now())
    if found is None or not found.is_open(now):
        raise ProblemError(404 if found is None else 409, _OVER)
    for name in ("pain", "stress"):
        if getattr(body, name) is None and found.asks in (name, Asks.BOTH):
            raise ProblemError(422, "is asked for by this prompt.", field=f"body.{name}")
    rating = Rating(
        *(new_id(), 1, found.person_id, now, now, found.zone, body.pain, body.stress),
        *(body.pleasant, found.simulated),
        prompt_id=found.id,
    )
    # Of two that are sent at once, one finds the prompt unanswered.
    if stores.records.add_answer(rating) is None:
        raise ProblemError(409, _OVER)
    person = stores.records.person(found.person_id)
    if person is not None:
        after_rating(stores, person, rating)


def _act(stores: Stores, person_id: str, prompt_id: str, action: str) -> Prompt | None:
    if action == "put off":
        return plans.put_off(stores, person_id, prompt_id)
    if action == "let go":
        return plans.let_go(stores, person_id, prompt_id)
    return plans.note_seen(stores, person_id, prompt_id, opened=action == "opened")


def _changed(plan: PromptPlan, body: RemindersIn) -> PromptPlan:
    values: dict[str, Any] = {name: getattr(plan, name) for name in PromptPlan.__slots__}
    for name in ("random_a_day", "window_min", "put_off_min", "by_heart", "asks_apart"):
        if getattr(body, name) is not None:
            values[name] = getattr(body, name)
    if body.hours is not None:
        values["hours"] = tuple(
            None if item is None else DayHours(item.start_min, item.end_min) for item in body.hours
        )
    if body.fixed_min is not None:
        values["fixed_min"] = tuple(body.fixed_min)
    if body.pauses is not None:
        values["pauses"] = tuple(Pause(item.first, item.last) for item in body.pauses)
    if body.follow_up_min is not None:
        values["follow_up_min"] = body.follow_up_min or None
    if body.burst_agreed is not None and plan.burst is not None:
        values["burst"] = Burst(plan.burst.days, plan.burst.a_day, body.burst_agreed)
    return PromptPlan(**values)


def _to_out(
    stores: Stores, person: Person, task: ReminderTask, *, is_own: bool = True
) -> RemindersOut:
    stored = stores.prompts.plan(person.id)
    plan = plans.default_plan(stores, person) if stored is None else plan_of(stored)
    found = compute_compliance(stores.prompts.prompts(person.id, 0, 2**62), stores.now())
    burst = plan.burst
    return RemindersOut(
        enabled=stored is not None and stored.enabled,
        zone=person.zone if stored is None else stored.zone,
        hours=[
            None if item is None else HoursIn(start_min=item.start_min, end_min=item.end_min)
            for item in plan.hours
        ],
        random_a_day=plan.random_a_day,
        fixed_min=list(plan.fixed_min),
        pauses=[PauseIn(first=item.first, last=item.last) for item in plan.pauses],
        window_min=plan.window_min,
        put_off_min=plan.put_off_min,
        follow_up_min=plan.follow_up_min,
        by_heart=plan.by_heart,
        asks_apart=plan.asks_apart,
        burst=None
        if burst is None
        else BurstOut(days=burst.days, a_day=burst.a_day, agreed=burst.agreed),
        push=stored is None or stored.push,
        mail=stored is not None and stored.mail,
        desktop=stored is None or stored.desktop,
        shows_words=stored is not None and stored.shows_words,
        has_calendar=stored is not None and stored.calendar_hash is not None,
        ways=[way.name for way in task.ways],
        push_key=public_key(stores),
        browsers=[_browser(item) for item in stores.prompts.subscriptions(person.id) if is_own],
        compliance=ComplianceOut(
            total=_answered(found.total),
            by_hour=[_answered(item) for item in found.by_hour],
            by_weekday=[_answered(item) for item in found.by_weekday],
            not_sent=found.not_sent,
        ),
    )


def _answered(found: Answered) -> AnsweredOut:
    return AnsweredOut.from_record(found)


def _browser(subscription: PushSubscription) -> BrowserOut:
    return BrowserOut.from_record(subscription, created=to_datetime(subscription.created_ns))
