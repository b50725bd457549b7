"""Extra prompts by the heart: who wished them, what their heart does now, whether one may come."""

from __future__ import annotations

import math
from dataclasses import replace
from threading import Lock
from typing import NamedTuple

import numpy as np
from cachetools import TTLCache

from analytics.hrv.windows import WINDOW_NS, hrv_windows
from analytics.programme.prompt_by_heart import HeartState, heart_state, usual_heart
from analytics.programme.prompt_plan import (
    HEART_GAP_MIN,
    MAX_HEART_A_DAY,
    PromptReason,
    is_night,
    is_paused,
    local_date,
)
from api.services.daily_windows import DailyHrv, load_daily_hrv
from api.services.inputs import load_beats, load_movement, local_day_and_hour
from api.services.offers.moments import commit_points
from api.services.reminders.turn import plan_of
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, MINUTE, to_datetime
from store import Stores
from store.models import Person, Prompt, PromptState, Turn, TurnResult

USUAL_DAYS = 14
AFTER_PRACTICE_NS = 30 * MINUTE
_READ_NS = WINDOW_NS + 2 * MINUTE  # labelling a beat needs the beats before it
_STALE_NS = 3 * MINUTE  # uploads come in parts
_MAX_PEOPLE, _TTL_S = 500, 3600.0
_GAP_NS = HEART_GAP_MIN * MINUTE


class HeartNow(NamedTuple):
    """Of the last five minutes. ``motion_mg`` is NaN where it is not known."""

    bpm: float
    motion_mg: float


class HeartWatch:
    """Looks at the hearts of those who wish to be asked by it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._usual: TTLCache[str, DailyHrv] = TTLCache(_MAX_PEOPLE, _TTL_S)

    def run(self, stores: Stores) -> int:
        """Plan the prompts that the heart is a reason for now; how many."""
        return sum(self._look(stores, person_id) for person_id in stores.prompts.by_heart())

    def _look(self, stores: Stores, person_id: str) -> bool:
        now = stores.now()
        person = stores.records.person(person_id)
        heart = None if person is None else load_heart_now(stores, person, now)
        if person is None or heart is None:
            return False
        daily = self._load_usual(stores, person, now)
        day, hour = local_day_and_hour(daily.start_ns, person.zone)
        local = to_datetime(now, person.zone)
        usual = usual_heart(
            day, hour, daily.mean_hr_bpm, daily.motion_mg, local.hour + local.minute / 60
        )
        if usual is None:
            return False
        states = {
            after: heart_state(usual, heart.bpm, heart.motion_mg, after_practice=after)
            for after in (False, True)
        }
        if states[True] is None:
            return False
        added = False

        def decide(turn: Turn) -> TurnResult:
            nonlocal added
            state = states[has_practised(turn, now)]
            prompt = None if state is None else make_prompt(turn, state, now)
            added = prompt is not None
            if prompt is None:
                return TurnResult(turn.plan)
            return TurnResult(
                replace(turn.plan, next_ns=now),
                added=(prompt,),
                added_points=tuple(commit_points(turn, (prompt,), now)),
            )

        stores.prompts.take_turn(now, decide, person_id)
        return added

    def _load_usual(self, stores: Stores, person: Person, now_ns: int) -> DailyHrv:
        with self._lock:
            found = self._usual.get(person.id)
        if found is None:
            # Until midnight UTC: today's windows change with every upload.
            today = now_ns // DAY * DAY
            found = load_daily_hrv(stores, person, today - USUAL_DAYS * DAY, today)
            with self._lock:
                self._usual[person.id] = found
        return found


def load_heart_now(stores: Stores, person: Person, now_ns: int) -> HeartNow | None:
    """Compute the heart rate of the last five minutes of beats; None where they are old, or not
    usable.
    """
    beats = load_beats(stores, person, now_ns - _READ_NS - _STALE_NS, now_ns + 1)
    if not len(beats.time_ns) or int(beats.time_ns[-1]) < now_ns - _STALE_NS:
        return None
    start = int(beats.time_ns[-1]) + 1 - WINDOW_NS
    movement = load_movement(stores, person, start, now_ns)
    found = hrv_windows(beats, np.array([start]), WINDOW_NS, movement=movement)
    bpm = float(found.value("mean_hr_bpm")[0])
    return None if math.isnan(bpm) else HeartNow(bpm, float(found.metrics.motion_mg[0]))


def has_practised(turn: Turn, now_ns: int) -> bool:
    """Whether a practice ended within the last half hour, with no follow-up of its own."""
    if plan_of(turn.plan).follow_up_min is not None:
        return False
    return any(0 <= now_ns - end_ns <= AFTER_PRACTICE_NS for _, end_ns in turn.practices)


def make_prompt(turn: Turn, state: HeartState, now_ns: int) -> Prompt | None:
    """Make the prompt, where one may come: within the hours of the day, at most two a day, an hour
    and a half from every other, so that none of the random ones gives way to it.
    """
    plan, zone = plan_of(turn.plan), turn.plan.zone
    today = local_date(now_ns, zone)
    hours = plan.hours[today.weekday()]
    local = to_datetime(now_ns, zone)
    minute = local.hour * 60 + local.minute
    if not (turn.is_allowed and turn.plan.enabled and plan.by_heart) or hours is None:
        return None
    if not hours.start_min <= minute < hours.end_min or is_night(now_ns, zone):
        return None
    # Not before the day is planned: the random prompts come first.
    if is_paused(plan, today) or (turn.plan.planned_through or "") < today.isoformat():
        return None
    so_far = [
        item
        for item in turn.prompts
        if item.reason == str(PromptReason.HEART) and local_date(item.planned_ns, zone) == today
    ]
    if len(so_far) >= MAX_HEART_A_DAY:
        return None
    times = [item.sent_ns for item in turn.prompts if item.sent_ns is not None]
    times += [
        item.due_ns
        for item in turn.prompts
        if item.state in (PromptState.PLANNED, PromptState.SENDING)
    ]
    if any(abs(time - now_ns) < _GAP_NS for time in times):
        return None
    return Prompt(
        id=new_id(),
        person_id=turn.plan.person_id,
        slot=f"{today.isoformat()}/v{turn.plan.version}/heart-{state}-{len(so_far) + 1}",
        reason=str(PromptReason.HEART),
        planned_ns=now_ns,
        zone=zone,
        chance=1.0,
        plan_version=turn.plan.version,
        due_ns=now_ns,
        expires_ns=now_ns + plan.window_min * MINUTE,
        simulated=turn.simulated,
    )
