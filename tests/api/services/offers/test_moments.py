"""Each moment is drawn once, before its prompt is sent, or says why it was not."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace

import pytest

from analytics.practice import Draw, verify_draws
from analytics.programme.prompt_plan import DayHours, PromptPlan, local_date
from api.services.offers.moments import AFTER_WINDOW_MIN, commit_points
from api.services.offers.plans import (
    OfferPlanError,
    OfferWish,
    agree,
    load_active,
    not_now,
    propose,
    stop,
)
from api.services.prompted import is_by_heart, split_ratings
from api.services.reminders.plans import change_plan, load_waiting
from api.services.reminders.scheduler import run_due
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store import Stores
from store.models import (
    DecisionPoint,
    NotAvailable,
    OfferEnd,
    Programme,
    Prompt,
    PromptState,
    Rating,
    TherapySession,
    TurnResult,
)
from tests.api.services.reminders.test_scheduler import MONDAY, Place
from tests.support.accounts import add_account
from tests.support.clock import Clock

DAILY = PromptPlan((DayHours(480, 1260),) * 7, 0, (540, 660, 780, 900, 1020, 1230))
ARMS = ("paced breathing", "somatic tracking")


@pytest.fixture
def place(stores: Stores) -> Place:
    ada = add_account(stores, "ada@example.org", zone="UTC")
    stores.programme.put_programme(Programme(ada.id, MONDAY, MONDAY))
    clock = Clock(stores)
    clock.now_ns = MONDAY
    return Place(replace(stores, now=clock), clock, ada)


def points_of(place: Place) -> list[DecisionPoint]:
    return place.stores.offers.points(place.ada.id, 0, 2**62)


def answer(place: Place, prompt: Prompt) -> None:
    now = place.clock.now_ns
    rating = Rating(
        *(new_id(), 1, place.ada.id, now, now, "UTC", 3, 4, None, False), prompt_id=prompt.id
    )
    assert place.stores.records.add_rating(rating).prompt_id == prompt.id


def test_each_moment_is_drawn_once_though_workers_are_killed(place: Place) -> None:
    change_plan(place.stores, place.ada, lambda _: DAILY)
    agree(place.stores, place.ada, OfferWish(ARMS, first_days=1))
    place.stores.records.add_session(
        TherapySession(new_id(), place.ada.id, 1, MONDAY + 2 * DAY + 9 * HOUR)
    )
    turns = 0
    while place.clock.now_ns < MONDAY + 4 * DAY:
        due = place.stores.prompts.next_turn_ns() or 0
        place.clock.now_ns = max(place.clock.now_ns + SECOND, due)
        turns += 1
        place.way.stops = int(turns % 3 == 0)
        with suppress(KeyboardInterrupt):  # a worker that is killed after it sent
            run_due(place.stores, [place.way])
        waiting = load_waiting(place.stores, place.ada).prompt
        # Whether an answer comes depends on nothing that was drawn.
        if waiting is not None and waiting.planned_ns // HOUR % 5:
            place.clock.now_ns += 2 * MINUTE
            answer(place, waiting)  # and nobody wakes the worker
    points, prompts = points_of(place), {item.id: item for item in place.prompts()}
    asked = [item for item in prompts.values() if item.reason == "fixed"]
    assert Counter(point.prompt_id for point in points) == Counter(item.id for item in asked)
    drawn = sorted((p for p in points if p.available), key=lambda p: p.drawn_ns or 0)
    verify_draws([_draw(point) for point in drawn])
    assert len(drawn) > 6 and {point.offered for point in drawn} == {True, False}
    for point in drawn:
        prompt = prompts[point.prompt_id]
        assert point.committed_ns < (point.drawn_ns or 0) <= (prompt.sent_ns or 0)
        if prompt.answered_ns is None:
            assert point.after_prompt_id is None
            continue
        after = prompts[point.after_prompt_id or ""]  # in both arms, at the same delay
        assert after.planned_ns == prompt.answered_ns + 30 * MINUTE
        assert after.expires_ns == after.planned_ns + AFTER_WINDOW_MIN * MINUTE
        assert after.state is PromptState.SENT
        assert all(  # nothing is drawn until then
            not (point.drawn_ns or 0) < (item.drawn_ns or 0) < after.expires_ns for item in drawn
        )
    reasons = Counter(point.why_not for point in points if point.available is False)
    first = [p for p in points if local_date(p.planned_ns, "UTC") == local_date(MONDAY, "UTC")]
    assert reasons[NotAvailable.FIRST_DAYS] == len(first) - 1  # the last one of the day is late
    assert reasons[NotAvailable.SESSION] == 1
    assert reasons[NotAvailable.HOURS] >= 3


def test_a_moment_that_the_heart_chose_is_drawn_and_its_ratings_are_marked(place: Place) -> None:
    change_plan(place.stores, place.ada, lambda _: DAILY)
    agree(place.stores, place.ada, OfferWish(first_days=1))
    # More than an hour after the last prompt, which was let be.
    place.run(MONDAY + 3 * DAY + 10 * HOUR + 10 * MINUTE, 10 * MINUTE)
    now = place.clock.now_ns
    fast = Prompt(
        *(new_id(), place.ada.id, "day/heart-high-1", "heart", now, "UTC", 1.0, 1, now),
        now + 45 * MINUTE,
    )
    place.stores.prompts.take_turn(
        now,
        lambda turn: TurnResult(
            replace(turn.plan, next_ns=now),
            added=(fast,),
            added_points=tuple(commit_points(turn, (fast,), now)),
        ),
        place.ada.id,
    )
    place.run(now + 2 * MINUTE)
    (point,) = [item for item in points_of(place) if item.prompt_id == fast.id]
    assert point.available and point.committed_ns < (point.drawn_ns or 0)
    answer(place, fast)
    place.stores.prompts.wake(place.ada.id, place.clock.now_ns)
    place.run(place.clock.now_ns + MINUTE)
    (after,) = [item for item in place.prompts() if item.slot == f"after-{point.id}"]
    assert after.reason == "after-heart" and is_by_heart(after) and is_by_heart(fast)


def test_ratings_after_a_moment_are_no_part_of_the_link(place: Place) -> None:
    change_plan(place.stores, place.ada, lambda _: DAILY)
    agree(place.stores, place.ada, OfferWish(first_days=1))
    while place.clock.now_ns < MONDAY + 3 * DAY:
        due = place.stores.prompts.next_turn_ns() or 0
        place.clock.now_ns = max(place.clock.now_ns + SECOND, due)
        run_due(place.stores, [])
        waiting = load_waiting(place.stores, place.ada).prompt
        if waiting is not None:
            place.clock.now_ns += MINUTE
            answer(place, waiting)
            place.stores.prompts.wake(place.ada.id, place.clock.now_ns)
    prompts = {item.id: item for item in place.prompts()}
    ratings = place.stores.records.ratings(place.ada.id, 0, place.clock.now_ns)
    after = [item for item in ratings if prompts[item.prompt_id or ""].reason == "after"]
    split = split_ratings(place.stores, place.ada, ratings)
    assert len(after) == split.after_offers >= 6
    assert (split.left_out, len(split.ratings)) == (0, len(ratings) - len(after))
    assert {item.reason for item in split.prompts} == {"fixed"}


def test_not_now_and_stopping_end_what_was_committed_to(place: Place) -> None:
    change_plan(place.stores, place.ada, lambda _: DAILY)
    begun = agree(place.stores, place.ada, OfferWish(first_days=1))
    assert agree(place.stores, place.ada, OfferWish(first_days=1)) == begun
    place.run(MONDAY + DAY + 8 * HOUR, HOUR)
    not_now(place.stores, place.ada.id)  # until 11:00
    place.run(MONDAY + DAY + 10 * HOUR, 10 * MINUTE)
    place.run(MONDAY + DAY + 11 * HOUR, MINUTE)
    assert stop(place.stores, place.ada.id) and not stop(place.stores, place.ada.id)
    place.run(MONDAY + DAY + 14 * HOUR, 10 * MINUTE)
    today = [item for item in points_of(place) if item.planned_ns > MONDAY + DAY]
    said = [item.why_not for item in today]
    assert said[0] == str(NotAvailable.NOT_NOW)
    assert {str(item.why_not) for item in today[2:]} == {str(NotAvailable.ENDED)}
    (ended,) = place.stores.offers.plans(place.ada.id)
    assert (ended.ended_why, ended.ended_ns) == (str(OfferEnd.PERSON), MONDAY + DAY + 11 * HOUR)


def test_what_cannot_be_is_refused_in_words_and_a_proposal_waits_for_the_person(
    place: Place,
) -> None:
    place.stores.programme.put_programme(Programme(place.ada.id))
    with pytest.raises(OfferPlanError, match="ruled out"):
        agree(place.stores, place.ada, OfferWish())
    place.stores.programme.put_programme(Programme(place.ada.id, MONDAY, MONDAY))
    with pytest.raises(OfferPlanError, match="reminders on first"):
        agree(place.stores, place.ada, OfferWish())
    change_plan(place.stores, place.ada, lambda _: DAILY)
    for wish, words in (
        (OfferWish(("magic",)), "Choose one practice"),
        (OfferWish(base_probability=0.1), "from 0.2 to 0.8"),
        (OfferWish(delay_min=20), "30 to 60"),
        (OfferWish(first_days=0), "from 1 to 14"),
        (OfferWish(end_min=1260), "between 07:00 and 20:30"),
    ):
        with pytest.raises(OfferPlanError, match=words):
            agree(place.stores, place.ada, wish)
    proposed = propose(place.stores, place.ada, "t", OfferWish(ARMS, 0.6))
    proposed = propose(place.stores, place.ada, "t", OfferWish(ARMS, 0.7))
    assert propose(place.stores, place.ada, "t", OfferWish(ARMS, 0.7)) == proposed
    assert (proposed.number, load_active(place.stores, place.ada.id)) == (2, None)
    for number in (1, 3):  # what was read before another was proposed, and what never was
        with pytest.raises(OfferPlanError, match="not there any more"):
            agree(place.stores, place.ada, proposal=number)
    agreed = agree(place.stores, place.ada, proposal=2)
    assert (agreed.base_probability, agreed.arm_list, agreed.wording) == (0.7, ARMS, "offers-1")
    with pytest.raises(OfferPlanError, match="it stays so"):
        agree(place.stores, place.ada, OfferWish(delay_min=45))
    stop(place.stores, place.ada.id, OfferEnd.HARM_PAIN)
    with pytest.raises(OfferPlanError, match="worse after them"):
        agree(place.stores, place.ada, OfferWish())
    propose(place.stores, place.ada, "t", OfferWish())
    assert agree(place.stores, place.ada, proposal=3).number == 3


def _draw(point: DecisionPoint) -> Draw:
    assert point.nonce is not None and point.probability is not None and point.offered is not None
    return Draw(
        *(point.id, point.block, point.base_probability, tuple(point.arms.split(","))),
        *(point.commitment, point.nonce, point.probability, point.offered, point.arm),
    )
