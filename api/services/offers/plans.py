"""Agree to offers by lot, propose them, stop them, and say not now."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from analytics.practice.draws import MAX_PROBABILITY, MIN_PROBABILITY
from analytics.programme.prompt_plan import (
    DAY_BEGINS_MIN,
    MAX_A_DAY,
    MIN_GAP_MIN,
    NIGHT_BEGINS_MIN,
    PlanError,
    PromptPlan,
    local_date,
    validate_plan,
)
from api.services.reminders.turn import plan_of
from ebbtide.timestamps import HOUR
from store import Stores
from store.models import OFFERED_KINDS, OfferEnd, OfferPlan, Person, PracticeKind, ReminderPlan

# The text on the page where a person agrees; another text is another version.
WORDING = "offers-1"
MIN_DELAY_MIN, MAX_DELAY_MIN = 30, 60
MIN_FIRST_DAYS, MAX_FIRST_DAYS = 1, 14
NOT_NOW_NS = 3 * HOUR
# Times of its own, a day, and how far apart: one is over before the next, with its rating after.
MAX_TIMES, MIN_APART_MIN = 4, 150
# Of one person, proposals that were replaced among them: each look reads all of them.
_MAX_PLANS = 500
_LONGEST_ANSWER_MIN = 60  # analytics.programme.prompt_plan: the longest window of a prompt
_HARM = frozenset(map(str, (OfferEnd.HARM_STRESS, OfferEnd.HARM_PAIN)))


class OfferPlanError(ValueError):
    """Offers that cannot be made so; the message says why, and what to change."""


@dataclass(frozen=True, slots=True)
class OfferWish:
    """How offers by lot are to be made. See store.models.OfferPlan."""

    arms: tuple[str, ...] = (str(PracticeKind.BREATHING),)
    base_probability: float = 0.5
    delay_min: int = 30
    first_days: int = 3
    start_min: int = 9 * 60
    end_min: int = 20 * 60
    times_min: tuple[int, ...] = ()


def validate_wish(wish: OfferWish) -> OfferWish:
    """Check that offers can be made so, and compared.

    Raises
    ------
    OfferPlanError
        Naming what cannot be.
    """
    kinds = tuple(map(str, OFFERED_KINDS))
    if not wish.arms or len(set(wish.arms)) != len(wish.arms) or set(wish.arms) - set(kinds):
        raise OfferPlanError(f"Choose one practice or more, each once, of: {', '.join(kinds)}.")
    if not MIN_PROBABILITY <= wish.base_probability <= MAX_PROBABILITY:
        raise OfferPlanError(
            f"The probability of an offer is from {MIN_PROBABILITY} to {MAX_PROBABILITY}: outside "
            "of that one of the two would be too rare to compare."
        )
    if not MIN_DELAY_MIN <= wish.delay_min <= MAX_DELAY_MIN:
        raise OfferPlanError(f"The rating after comes {MIN_DELAY_MIN} to {MAX_DELAY_MIN} minutes.")
    if not MIN_FIRST_DAYS <= wish.first_days <= MAX_FIRST_DAYS:
        raise OfferPlanError(f"Days without offers: from {MIN_FIRST_DAYS} to {MAX_FIRST_DAYS}.")
    last = NIGHT_BEGINS_MIN - _LONGEST_ANSWER_MIN - wish.delay_min
    if not DAY_BEGINS_MIN <= wish.start_min < wish.end_min <= last:
        raise OfferPlanError(
            f"The hours lie between 07:00 and {_clock(last)}, so that the rating "
            "after comes before 22:00."
        )
    times = sorted(wish.times_min)
    if len(times) > MAX_TIMES or any(not wish.start_min <= m < wish.end_min for m in times):
        raise OfferPlanError(
            f"At most {MAX_TIMES} times a day of its own, each from {_clock(wish.start_min)} to "
            f"{_clock(wish.end_min)}, the hours of offers."
        )
    if any(later - earlier < MIN_APART_MIN for earlier, later in pairwise(times)):
        raise OfferPlanError(
            f"Times of its own are at least {MIN_APART_MIN} minutes apart, so that the rating "
            "after one comes before the next."
        )
    return replace(wish, times_min=tuple(times))


def load_active(stores: Stores, person_id: str) -> OfferPlan | None:
    """Load what a person agreed to and has not ended; None without that."""
    return next((plan for plan in stores.offers.plans(person_id) if plan.is_active), None)


def agree(
    stores: Stores, person: Person, wish: OfferWish | None = None, proposal: int | None = None
) -> OfferPlan:
    """Begin offers by lot, as the person wishes or as a therapist's ``proposal`` says.

    Raises
    ------
    OfferPlanError
        Where no physical cause was ruled out yet, reminders are off, the proposal is not there any
        more, offers had ended for safety, or the delay is another than that of earlier moments.
    """
    reminders = stores.prompts.plan(person.id)
    why_not = _find_why_not(stores, person, reminders)
    wished = None if wish is None else validate_wish(wish)
    zone = person.zone if reminders is None else reminders.zone
    prompts = None if reminders is None else plan_of(reminders)
    now, first_day = stores.now(), local_date(stores.now(), zone).isoformat()

    def begin(known: Sequence[OfferPlan]) -> Sequence[OfferPlan]:
        # Here, after consent is looked at: whoever took it back is told that, and nothing else.
        if why_not is not None:
            raise OfferPlanError(why_not)
        active = next((plan for plan in known if plan.is_active), None)
        if wished is not None:
            if active is not None and _wish_of(active) == wished:
                return ()  # the same request again
            if known and any(plan.ended_why in _HARM for plan in known):
                raise OfferPlanError(
                    "Offers had ended because things were worse after them. Talk it over with your "
                    "therapist, who can propose others."
                )
            begun = _make(person.id, known, wished, now)
        else:
            begun = _proposed(known, proposal)
            if begun.is_active:
                return ()
        _require_same_delay(known, begun)
        if prompts is not None:
            _require_room(prompts, begun.times_min)
        begun = replace(begun, wording=WORDING, agreed_ns=now, first_day=first_day)
        ended = [] if active is None else [_ended(active, OfferEnd.REPLACED, now)]
        return [*ended, begun]

    stores.offers.change_plans(person.id, begin)
    stores.prompts.wake(person.id, now)  # today's moments are committed to
    active = load_active(stores, person.id)
    if active is None:  # it was stopped meanwhile
        raise OfferPlanError("Offers were stopped at the same moment. Try again.")
    return active


def propose(stores: Stores, person: Person, therapist_id: str, wish: OfferWish) -> OfferPlan:
    """Have a therapist propose offers by lot; they come once the person agrees. Of several
    proposals the last one counts. Each other one has a number of its own, so that nobody agrees to
    what took the place of what they read. Raises OfferPlanError.
    """
    wished = validate_wish(wish)
    now = stores.now()

    def add(known: Sequence[OfferPlan]) -> Sequence[OfferPlan]:
        last = known[-1] if known and known[-1].agreed_ns is None else None
        if last is not None and last.proposed_by == therapist_id and _wish_of(last) == wished:
            return ()  # the same request again
        proposed = replace(_make(person.id, known, wished, now), proposed_by=therapist_id)
        _require_same_delay(known, proposed)
        return [proposed]

    return stores.offers.change_plans(person.id, add)[-1]


def stop(stores: Stores, person_id: str, why: OfferEnd = OfferEnd.PERSON) -> bool:
    """End offers by lot; whether there were any."""
    now = stores.now()
    was_active = False

    def end(known: Sequence[OfferPlan]) -> Sequence[OfferPlan]:
        nonlocal was_active
        active = [plan for plan in known if plan.is_active]
        was_active = bool(active)
        return [_ended(plan, why, now) for plan in active]

    stores.offers.change_plans(person_id, end)
    return was_active


def not_now(stores: Stores, person_id: str) -> OfferPlan | None:
    """Offer nothing for three hours; None where nothing is offered by lot."""
    until = stores.now() + NOT_NOW_NS

    def quiet(known: Sequence[OfferPlan]) -> Sequence[OfferPlan]:
        return [
            replace(plan, quiet_until_ns=max(plan.quiet_until_ns, until))
            for plan in known
            if plan.is_active
        ]

    return next(
        (plan for plan in stores.offers.change_plans(person_id, quiet) if plan.is_active), None
    )


def _find_why_not(stores: Stores, person: Person, reminders: ReminderPlan | None) -> str | None:
    """Say what has to be there before offers, and is not."""
    if stores.programme.programme(person.id).cleared_ns is None:
        return (
            "A practice can be offered once a clinician has ruled out a physical cause: see Before "
            "you begin."
        )
    if reminders is None or not _asks(reminders):
        return (
            "Turn reminders on first, with one a day at least: a practice is offered by lot when "
            "one of them is answered."
        )
    return None


def _make(person_id: str, known: Sequence[OfferPlan], wish: OfferWish, now_ns: int) -> OfferPlan:
    if len(known) >= _MAX_PLANS:
        raise OfferPlanError(
            f"There were {_MAX_PLANS} plans and proposals already. A proposal that is there can be "
            "agreed to; there are no new ones."
        )
    return OfferPlan(
        person_id=person_id,
        number=len(known) + 1,
        seed=secrets.token_bytes(32).hex(),
        arms=",".join(wish.arms),
        base_probability=wish.base_probability,
        delay_min=wish.delay_min,
        first_days=wish.first_days,
        start_min=wish.start_min,
        end_min=wish.end_min,
        created_ns=now_ns,
        times=",".join(map(str, wish.times_min)),
    )


def _wish_of(plan: OfferPlan) -> OfferWish:
    return OfferWish(
        *(plan.arm_list, plan.base_probability, plan.delay_min, plan.first_days),
        *(plan.start_min, plan.end_min, plan.times_min),
    )


def _proposed(known: Sequence[OfferPlan], number: int | None) -> OfferPlan:
    found = known[-1] if known else None
    if found is None or found.number != number or found.proposed_by is None:
        raise OfferPlanError("This proposal is not there any more. Look at the page again.")
    if found.ended_ns is not None:
        raise OfferPlanError("This proposal was agreed to and has ended.")
    validate_wish(_wish_of(found))  # an earlier version took what cannot be offered
    return found


def _require_same_delay(known: Sequence[OfferPlan], plan: OfferPlan) -> None:
    """Ratings at two delays are two outcomes, which one comparison cannot hold."""
    for earlier in known:
        if earlier.agreed_ns is not None and earlier.delay_min != plan.delay_min:
            raise OfferPlanError(
                f"The rating after came {earlier.delay_min} minutes later so far: it stays so, "
                "since moments are compared with each other."
            )


def _require_room(prompts: PromptPlan, times_min: tuple[int, ...]) -> None:
    """Times of its own have to fit between the reminders, on one weekday at least."""
    for minute in times_min:
        near = next((m for m in prompts.fixed_min if abs(m - minute) < MIN_GAP_MIN), None)
        if near is not None:
            raise OfferPlanError(
                f"At {_clock(near)} you are asked already, less than an hour from "
                f"{_clock(minute)}. That is a moment for an offer, too: leave the other one out."
            )
        if not any(day and day.start_min <= minute < day.end_min for day in prompts.hours):
            raise OfferPlanError(
                f"{_clock(minute)} lies outside of the hours of your reminders on every day. "
                "Choose another time, or longer hours."
            )
    if not times_min:
        return
    random_a_day = prompts.random_a_day
    if prompts.burst is not None and prompts.burst.agreed:
        random_a_day = max(random_a_day, prompts.burst.a_day)
    if random_a_day + len(prompts.fixed_min) + len(times_min) > MAX_A_DAY:
        raise OfferPlanError(
            f"With your reminders that is more than {MAX_A_DAY} questions a day. Choose fewer."
        )
    try:
        validate_plan(replace(prompts, fixed_min=(*prompts.fixed_min, *times_min)))
    except PlanError as error:
        raise OfferPlanError(
            "These times leave too little room for your reminders at random times. Choose fewer "
            "of one or the other."
        ) from error


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _ended(plan: OfferPlan, why: OfferEnd, now_ns: int) -> OfferPlan:
    return replace(plan, ended_ns=now_ns, ended_why=str(why))


def _asks(reminders: ReminderPlan) -> bool:
    plan: PromptPlan = plan_of(reminders)
    return reminders.enabled and plan.random_a_day + len(plan.fixed_min) > 0
