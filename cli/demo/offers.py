"""Practice by lot of sample patients: draws as they are made, and an effect that is known."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np

from analytics.practice import block_name, commitment, derive_nonce, make_draw
from analytics.programme.prompt_plan import PromptReason
from api.services.offers.moments import AFTER_WINDOW_MIN
from api.services.offers.plans import WORDING, OfferWish
from cli.demo.courses import CourseDay
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, FOREVER, MINUTE, SECOND, to_datetime
from store import Stores
from store.models import (
    DecisionPoint,
    NotAvailable,
    OfferPlan,
    Person,
    Practice,
    PracticeKind,
    Prompt,
    PromptState,
    Rating,
    TurnResult,
)

# What an offer does to stress half an hour later, in points; to pain, so much times the course's
# link of the two.
STRESS_EFFECT = -1.0
_TAKEN, _ANSWERED = 0.8, 0.85  # shares; the second is the same after an offer and after none
_STRESS_SD, _PAIN_SD = 0.9, 0.6
_WISH = OfferWish()


def add_offers(
    stores: Stores,
    person: Person,
    days: list[CourseDay],
    zone: str,
    prompts: Mapping[int, str],
    link: float,
) -> None:
    """Store a trial over these days: a draw at each prompt, and what came after it.

    Parameters
    ----------
    stores : Stores
        Where the person's ratings and prompts are already.
    person : Person
        A sample patient.
    days : list of CourseDay
        Their course.
    zone : str
        Where they are.
    prompts : mapping of int to str
        Id of the prompt by the time of the rating that answers it, or would have.
    link : float
        Points of pain with one of stress.
    """
    seed = hashlib.sha256(f"{person.email} offers".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(seed[:4], "big"))
    agreed = days[0].ratings[0].about_ns - MINUTE
    plan = OfferPlan(
        *(person.id, 1, seed.hex(), ",".join(_WISH.arms), _WISH.base_probability),
        *(_WISH.delay_min, _WISH.first_days, _WISH.start_min, _WISH.end_min, agreed),
        wording=WORDING,
        agreed_ns=agreed,
        first_day=days[0].date.isoformat(),
    )
    stores.offers.change_plans(person.id, lambda _: [plan])
    stored = {item.id: item for item in stores.prompts.prompts(person.id, *FOREVER)}
    blocks: dict[str, list[bool]] = {}
    points: list[DecisionPoint] = []
    added: list[Prompt] = []
    ratings: list[Rating] = []
    asked = [item for day in days for item in day.ratings if item.about_ns in prompts]
    for number, rating in enumerate(asked):
        prompt = stored[prompts[rating.about_ns]]
        point = _draw(plan, prompt, number, zone, blocks)
        if point.offered is not None and rating.is_given:
            after = _after_prompt(point, rating.about_ns, prompt)
            point = _answered(point, rating.about_ns, after.id)
            added.append(after)
            if point.offered and rng.random() < _TAKEN:
                stores.programme.put_practice(_practice(person, rating.about_ns))
            moved, noise = STRESS_EFFECT * bool(point.offered), rng.standard_normal(2)
            if rng.random() < _ANSWERED:
                stress = rating.stress + moved + _STRESS_SD * noise[0]
                pain = rating.pain + link * moved + _PAIN_SD * noise[1]
                ratings.append(
                    _rating_after(person, zone, after, _whole(stress, rng), _whole(pain, rng))
                )
        points.append(point)
    stores.prompts.take_turn(
        agreed, lambda turn: TurnResult(turn.plan, added=tuple(added)), person.id
    )
    stores.offers.put_points(points)
    for item in ratings:
        stores.records.add_rating(item)


def _draw(
    plan: OfferPlan, prompt: Prompt, number: int, zone: str, blocks: dict[str, list[bool]]
) -> DecisionPoint:
    local = to_datetime(prompt.planned_ns, zone)
    minute = local.hour * 60 + local.minute
    first_day = to_datetime(plan.created_ns, zone).date()
    block = f"1/{block_name(first_day, local.date(), minute)}"
    # Of its number, so that a sample has the same draws on whatever day it is made.
    name = hashlib.sha256(f"{plan.seed} {number}".encode()).digest()
    point_id = str(uuid.UUID(bytes=name[:16], version=4))
    nonce = derive_nonce(bytes.fromhex(plan.seed), point_id)
    why_not = None
    if not plan.start_min <= minute < plan.end_min:
        why_not = NotAvailable.HOURS
    elif local.date() < first_day + timedelta(days=plan.first_days):
        why_not = NotAvailable.FIRST_DAYS
    earlier = blocks.setdefault(block, [])
    draw = make_draw(nonce, point_id, block, plan.base_probability, earlier, plan.arm_list)
    is_drawn = why_not is None
    if is_drawn:
        earlier.append(draw.offered)
    return DecisionPoint(
        *(point_id, plan.person_id, plan.number, prompt.id, prompt.planned_ns, zone, block),
        *(plan.base_probability, plan.arms, plan.delay_min),
        commitment=commitment(nonce, point_id, block, plan.base_probability, plan.arm_list),
        committed_ns=prompt.planned_ns - DAY,
        available=is_drawn,
        why_not=None if why_not is None else str(why_not),
        nonce=nonce if is_drawn else None,
        probability=draw.probability if is_drawn else None,
        offered=draw.offered if is_drawn else None,
        arm=draw.arm if is_drawn else None,
        drawn_ns=prompt.planned_ns + SECOND if is_drawn else None,
        simulated=True,
    )


def _answered(point: DecisionPoint, about_ns: int, after_id: str) -> DecisionPoint:
    shown = about_ns + SECOND if point.offered else None
    return replace(point, before_ns=about_ns, after_prompt_id=after_id, shown_ns=shown)


def _after_prompt(point: DecisionPoint, about_ns: int, before: Prompt) -> Prompt:
    planned = about_ns + point.delay_min * MINUTE
    return Prompt(
        id=new_id(),
        person_id=point.person_id,
        slot=f"after-{point.id}",
        reason=str(PromptReason.AFTER),
        planned_ns=planned,
        zone=before.zone,
        chance=1.0,
        plan_version=before.plan_version,
        due_ns=planned,
        expires_ns=planned + AFTER_WINDOW_MIN * MINUTE,
        state=PromptState.SENT,
        attempts=1,
        ways="push",
        ways_tried="push",
        sent_ns=planned + 4 * SECOND,
        simulated=True,
    )


def _practice(person: Person, about_ns: int) -> Practice:
    start = about_ns + MINUTE
    return Practice(*(new_id(), person.id, PracticeKind.BREATHING, start, start + 5 * MINUTE), 6.0)


def _rating_after(person: Person, zone: str, after: Prompt, stress: int, pain: int) -> Rating:
    about = after.planned_ns + 3 * MINUTE
    return Rating(
        *(new_id(), 1, person.id, about, about + MINUTE, zone, pain, stress, None, True),
        prompt_id=after.id,
    )


def _whole(value: float, rng: np.random.Generator) -> int:
    """Round up or down by chance, so that the mean stays what was put in."""
    return int(np.clip(np.floor(value + rng.random()), 0, 10))
