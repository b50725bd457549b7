"""Reminders of a sample patient: prompts that were answered, missed and let go."""

from __future__ import annotations

import hashlib
import json

from analytics.programme.prompt_plan import PromptPlan, PromptReason, plan_to_json
from cli.demo.courses import CourseDay
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, MINUTE, SECOND, to_datetime
from store import Stores
from store.models import Person, Prompt, PromptState, ReminderPlan, Turn, TurnResult

_BEFORE_NS = 6 * MINUTE  # from the prompt to the rating that answers it
_CHANCE = 1 / 180  # of a minute in a block of three hours
_VOLUNTEERED_EVERY = 9  # of the ratings one in so many answers nothing


def add_prompts(
    stores: Stores, person: Person, days: list[CourseDay], zone: str, now_ns: int
) -> dict[int, str]:
    """Store a plan and the prompts of these days; the prompt of each rating, by its time.

    Of moments without a rating every fourth prompt was let go, the others were missed. From
    ``now_ns`` on the plan counts as any other.
    """
    plan = PromptPlan(random_a_day=3, window_min=45)
    seed = hashlib.sha256(person.email.encode()).hexdigest()[:32]
    stores.prompts.change_plan(
        person.id,
        lambda _: ReminderPlan(
            *(person.id, seed, json.dumps(plan_to_json(plan)), zone),
            changed_ns=now_ns,
            next_ns=now_ns,
        ),
    )
    prompts: dict[int, Prompt] = {}
    number = 0
    for day in days:
        if day.is_away:  # holidays: a pause
            continue
        for place, rating in enumerate(day.ratings, 1):
            number += 1
            if rating.is_given and number % _VOLUNTEERED_EVERY == 0:
                continue
            sent = rating.about_ns - _BEFORE_NS
            is_let_go = not rating.is_given and number % 4 == 0
            prompts[rating.about_ns] = Prompt(
                id=new_id(),
                person_id=person.id,
                slot=f"{to_datetime(sent, zone).date()}/v1/random-{place}-of-{len(day.ratings)}",
                reason=str(PromptReason.RANDOM),
                planned_ns=sent - 4 * SECOND,
                zone=zone,
                chance=_CHANCE,
                plan_version=1,
                due_ns=sent - 4 * SECOND,
                expires_ns=sent + plan.window_min * MINUTE,
                state=PromptState.SENT,
                attempts=1,
                ways="push",
                ways_tried="push",
                sent_ns=sent,
                delivered_ns=sent + 2 * SECOND,
                let_go_ns=sent + 3 * MINUTE if is_let_go else None,
                simulated=True,
            )

    def store(turn: Turn) -> TurnResult:
        return TurnResult(turn.plan, added=tuple(prompts.values()))

    stores.prompts.take_turn(now_ns - DAY, store, person.id)
    return {about: prompt.id for about, prompt in prompts.items()}
