"""The plan of the programme: eight sessions in four weeks, the next small step, and follow-up after
1, 3, 6 and 12 months.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ebbtide.timestamps import DAY, from_datetime, to_datetime
from store import Stores
from store.models import Person, PracticeKind, Programme


class Step(StrEnum):
    """The next small step."""

    ASK_A_CLINICIAN = "ask a clinician"
    BEGIN = "begin"
    READ = "read"
    TRACK = "somatic tracking"
    BREATHE = "paced breathing"
    NOTE_TRIGGER = "note a trigger"
    NOTE_PLEASANT = "notice something pleasant"
    FOLLOW_UP = "follow-up"
    REST = "nothing"


SESSIONS = 8
_SESSION_EVERY_DAYS = 3.5
FOLLOW_UP_MONTHS = (1, 3, 6, 12)
MONTH_DAYS = 30.4375  # 365.25 / 12
# A follow-up may be answered from a week before it is due until three weeks after.
_FOLLOW_UP_FROM, _FOLLOW_UP_UNTIL = timedelta(days=-7), timedelta(days=21)
READINGS = (
    "pain-is-made-in-the-brain",
    "false-signals",
    "fear-and-pain",
    "the-cycle",
    "how-it-changes",
    "setbacks",
)


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """A session of the programme; ``held`` where it has a date."""

    number: int
    suggested: datetime
    held: datetime | None


@dataclass(frozen=True, slots=True)
class FollowUpPlan:
    """Questions some months after the last session."""

    months: int
    due: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a patient is. ``week``: from 1; None before the programme begins."""

    week: int | None
    sessions: list[SessionPlan]
    follow_ups: list[FollowUpPlan]
    read: list[str]
    next_step: Step
    next_reading: str | None


def programme_plan(stores: Stores, person: Person, programme: Programme) -> Plan:
    """Work out the plan of a patient, in their zone, as of now."""
    now = stores.now()
    sessions: list[SessionPlan] = []
    follow_ups: list[FollowUpPlan] = []
    week = None
    if programme.started_ns is not None:
        sessions = plan_sessions(stores, person, programme.started_ns)
        last = max(item.held or item.suggested for item in sessions)
        follow_ups = _plan_follow_ups(last, to_datetime(now, person.zone))
        week = int((now - programme.started_ns) // (7 * DAY)) + 1
    readings = stores.programme.readings(person.id)
    unread = [name for name in READINGS if name not in readings]
    return Plan(
        week=week,
        sessions=sessions,
        follow_ups=follow_ups,
        read=[name for name in READINGS if name in readings],
        next_step=_next_step(stores, person, programme, unread, follow_ups, now),
        next_reading=unread[0] if unread else None,
    )


def plan_sessions(stores: Stores, person: Person, started_ns: int) -> list[SessionPlan]:
    """Lay out the sessions of a programme that began then; those that have a date, with it."""
    started = to_datetime(started_ns, person.zone)
    held = {item.number: item.held_ns for item in stores.records.sessions(person.id)}
    return [
        SessionPlan(
            number=number,
            suggested=started + timedelta(days=_SESSION_EVERY_DAYS * (number - 1)),
            held=to_datetime(held[number], person.zone) if number in held else None,
        )
        for number in range(1, SESSIONS + 1)
    ]


def _plan_follow_ups(last_session: datetime, now: datetime) -> list[FollowUpPlan]:
    plans = []
    for months in FOLLOW_UP_MONTHS:
        due = last_session + months * timedelta(days=MONTH_DAYS)
        is_open = _FOLLOW_UP_FROM <= now - due <= _FOLLOW_UP_UNTIL
        plans.append(FollowUpPlan(months=months, due=due, is_open=is_open))
    return plans


def _next_step(
    stores: Stores,
    person: Person,
    programme: Programme,
    unread: list[str],
    follow_ups: list[FollowUpPlan],
    now_ns: int,
) -> Step:
    """One small step; nothing more on a day that had a practice and a note or a reading."""
    if programme.cleared_ns is None:
        return Step.ASK_A_CLINICIAN
    if programme.started_ns is None:
        return Step.BEGIN
    if any(item.is_open for item in follow_ups):
        return Step.FOLLOW_UP
    local = to_datetime(now_ns, person.zone)
    today = from_datetime(local.replace(hour=0, minute=0, second=0, microsecond=0))
    has_practised = any(
        item.start_ns >= today and item.kind is not PracticeKind.REST
        for item in stores.programme.practices(person.id)
    )
    has_noted = any(n.entered_ns >= today for n in stores.programme.notes(person.id))
    has_read = any(at >= today for at in stores.programme.readings(person.id).values())
    if has_practised and (has_noted or has_read):
        return Step.REST
    day = int((now_ns - programme.started_ns) // DAY)
    if unread and not has_read and day % 2 == 0:
        return Step.READ
    if not has_practised:
        return Step.BREATHE if day % 3 == 2 else Step.TRACK
    return Step.NOTE_PLEASANT if day % 2 else Step.NOTE_TRIGGER
