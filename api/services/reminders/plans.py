"""What a person does with their reminders: wish, pause, put off, let go, answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from analytics.programme.prompt_plan import (
    Burst,
    Pause,
    PromptPlan,
    local_date,
    plan_to_json,
    validate_plan,
)
from api.services.access_tokens import token_hash
from api.services.reminders.turn import plan_of
from ebbtide.timestamps import HOUR, MINUTE
from store import Stores
from store.models import Person, Prompt, PromptState, ReminderPlan


def default_plan(stores: Stores, person: Person) -> PromptPlan:
    """The plan of who never made one: as many prompts a day as the programme's page had asked."""
    a_day = min(max(stores.programme.programme(person.id).ratings_a_day, 0), 6)
    return PromptPlan(random_a_day=a_day)


def change_plan(
    stores: Stores,
    person: Person,
    change: Callable[[PromptPlan], PromptPlan],
    **ways: Any,
) -> ReminderPlan:
    """Change a plan, and how it is sent (``enabled``, ``push``, ``mail``, ``desktop``,
    ``shows_words``). It counts from now on. Raises PlanError.
    """
    first = default_plan(stores, person)
    now = stores.now()

    def changed(stored: ReminderPlan | None) -> ReminderPlan:
        if stored is None:
            before = None
            stored = ReminderPlan(person.id, secrets.token_hex(16), "", person.zone, version=0)
        else:
            before = plan_of(stored)
        wished = validate_plan(change(first if before is None else before))
        body = json.dumps(plan_to_json(wished))
        stored = replace(stored, by_heart=wished.by_heart)
        if (
            before is not None
            and wished == before
            and ways.get("enabled", stored.enabled) == stored.enabled
        ):
            return replace(stored, **ways)
        return _from_now_on(replace(stored, body=body, **ways), now)

    plan = stores.prompts.change_plan(person.id, changed)
    programme = stores.programme.programme(person.id)
    a_day = plan_of(plan).random_a_day + len(plan_of(plan).fixed_min)
    if programme.ratings_a_day != a_day and plan.enabled:
        stores.programme.put_programme(replace(programme, ratings_a_day=a_day))
    return plan


def change_zone(stores: Stores, person: Person, zone: str) -> ReminderPlan | None:
    """Have prompts come by the clock of another zone; None where there is no plan."""
    if stores.prompts.plan(person.id) is None:
        return None
    now = stores.now()

    def changed(stored: ReminderPlan | None) -> ReminderPlan:
        assert stored is not None
        if stored.zone == zone:
            return stored
        return _from_now_on(replace(stored, zone=zone), now)

    return stores.prompts.change_plan(person.id, changed)


def pause(stores: Stores, person: Person, days: int) -> ReminderPlan:
    """No prompts today and on the ``days`` - 1 days after; 0 ends every pause."""
    now = stores.now()
    stored = stores.prompts.plan(person.id)
    today = local_date(now, person.zone if stored is None else stored.zone)

    def paused(plan: PromptPlan) -> PromptPlan:
        coming = tuple(item for item in plan.pauses if item.first > today)
        if days == 0:
            return replace(plan, pauses=coming)
        added = Pause(today, today + timedelta(days=days - 1))
        return replace(plan, pauses=(*coming, added))

    return change_plan(stores, person, paused)


def propose_burst(stores: Stores, person: Person, burst: Burst | None) -> ReminderPlan:
    """Have a therapist propose more prompts around sessions; it counts once the person agrees."""
    proposed = None if burst is None else replace(burst, agreed=False)
    return change_plan(stores, person, lambda plan: replace(plan, burst=proposed))


def put_off(stores: Stores, person_id: str, prompt_id: str) -> Prompt | None:
    """Have a prompt come again a little later, once, within its window; it stays as it is where
    that cannot be. None where there is no such prompt.
    """
    plan = stores.prompts.plan(person_id)
    now = stores.now()
    minutes = 15 if plan is None else plan_of(plan).put_off_min

    def later(prompt: Prompt) -> Prompt | None:
        again = now + minutes * MINUTE
        is_first = prompt.put_off_ns is None and prompt.state is PromptState.SENT
        if not prompt.is_open(now) or not is_first or again >= prompt.expires_ns:
            return None
        return replace(
            prompt,
            state=PromptState.PLANNED,
            put_off_ns=now,
            due_ns=again,
            opened_ns=prompt.opened_ns or now,
            attempts=0,
            ways_tried="",
        )

    return stores.prompts.change_prompt(person_id, prompt_id, later)


def let_go(stores: Stores, person_id: str, prompt_id: str) -> Prompt | None:
    """Note that the person does not answer this time; None where there is no such prompt."""
    now = stores.now()

    def gone(prompt: Prompt) -> Prompt | None:
        if not prompt.is_open(now):
            return None
        return replace(prompt, let_go_ns=now, state=PromptState.SENT)

    return stores.prompts.change_prompt(person_id, prompt_id, gone)


def note_receipt(stores: Stores, receipt: str, *, opened: bool) -> Prompt | None:
    """Note that a prompt was delivered or opened, as who holds its secret says."""
    found = stores.prompts.prompt_of_receipt(token_hash(receipt))
    return None if found is None else note_seen(stores, found.person_id, found.id, opened=opened)


def note_seen(stores: Stores, person_id: str, prompt_id: str, *, opened: bool) -> Prompt | None:
    """Note that a prompt was delivered or opened; the first time counts."""
    now = stores.now()

    def seen(prompt: Prompt) -> Prompt | None:
        if prompt.state is PromptState.PLANNED:
            return None
        if opened:
            return None if prompt.opened_ns is not None else replace(prompt, opened_ns=now)
        return None if prompt.delivered_ns is not None else replace(prompt, delivered_ns=now)

    return stores.prompts.change_prompt(person_id, prompt_id, seen)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The prompt that can be answered now, and how many of the last day were let go."""

    prompt: Prompt | None
    missed: Prompt | None


def load_waiting(stores: Stores, person: Person) -> Waiting:
    """The prompt that can be answered now, and the last one if it was missed within a day."""
    now = stores.now()
    sent = [
        prompt
        for prompt in stores.prompts.prompts(person.id, now - 24 * HOUR, now + 1)
        if prompt.sent_ns is not None and prompt.sent_ns <= now
    ]
    is_open = [prompt for prompt in sent if prompt.is_open(now)]
    if is_open:
        return Waiting(is_open[-1], None)
    last = sent[-1] if sent else None
    was_missed = last is not None and last.answered_ns is None and last.let_go_ns is None
    return Waiting(None, last if was_missed else None)


def new_calendar_secret(stores: Stores, person: Person) -> str:
    """Make the secret in the address of a person's calendar; the one before ends."""
    secret = secrets.token_urlsafe(32)
    change_plan(stores, person, lambda plan: plan, calendar_hash=token_hash(secret))
    return secret


def end_calendar(stores: Stores, person: Person) -> None:
    """End the calendar's address."""
    if stores.prompts.plan(person.id) is None:
        return
    change_plan(stores, person, lambda plan: plan, calendar_hash=None)


def _from_now_on(plan: ReminderPlan, now_ns: int) -> ReminderPlan:
    return replace(
        plan,
        version=plan.version + 1,
        changed_ns=now_ns,
        planned_through=None,
        next_ns=now_ns,
    )
