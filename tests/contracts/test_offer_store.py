"""The contract of a store of offers by lot, on every engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, MINUTE
from store import OfferStore, PromptStore, RecordStore
from store.errors import ConsentMissingError
from store.models import (
    Consent,
    DecisionPoint,
    OfferPlan,
    Person,
    Prompt,
    Purpose,
    ReminderPlan,
    Turn,
    TurnResult,
)
from tests.support.records import NOW, a_person, a_rating

SEED = "ab" * 32


def an_offer_plan(person: Person, **changes: object) -> OfferPlan:
    plan = OfferPlan(
        *(person.id, 1, SEED, "paced breathing", 0.5, 30, 3, 540, 1200, NOW),
        wording="1",
        agreed_ns=NOW,
        first_day="2026-03-02",
        times="720,960",
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def a_point(person: Person, **changes: object) -> DecisionPoint:
    point = DecisionPoint(
        *(new_id(), person.id, 1, new_id(), NOW, "UTC", "1/0 morning", 0.5, "paced breathing", 30),
        commitment="c" * 64,
        committed_ns=NOW,
    )
    return replace(point, **changes)  # type: ignore[arg-type]


def test_plans_and_points_are_stored_with_their_turn_and_a_draw_stays(
    record_store: RecordStore, prompt_store: PromptStore, offer_store: OfferStore
) -> None:
    ada = a_person(record_store)
    prompt_store.change_plan(ada.id, lambda _: ReminderPlan(ada.id, "s", "{}", "UTC", next_ns=NOW))
    plan = an_offer_plan(ada)
    proposed = replace(plan, number=2, agreed_ns=None, proposed_by="t", wording="")
    assert offer_store.change_plans(ada.id, lambda _: [plan]) == [plan]
    assert offer_store.change_plans(ada.id, lambda known: [proposed]) == [plan, proposed]
    point, old = a_point(ada), a_point(ada, planned_ns=NOW - 9 * DAY, available=False)
    offer_store.put_points([old])
    prompt = Prompt(point.prompt_id, ada.id, "d/1", "random", NOW, "UTC", 0.1, 1, NOW, NOW + 1)

    def commit(turn: Turn) -> TurnResult:
        # A proposal changes nothing, and what is long over is not read.
        assert (turn.offers, turn.points) == (plan, ())
        twice = replace(point, id=new_id())
        return TurnResult(turn.plan, added=(prompt,), added_points=(point, twice))

    prompt_store.take_turn(NOW, commit, ada.id)
    drawn = replace(
        point, available=True, nonce="1" * 64, probability=0.5, offered=True, drawn_ns=NOW
    )
    other = replace(drawn, nonce="2" * 64, offered=False)

    def draw(turn: Turn) -> TurnResult:
        assert turn.points == (point,)
        return TurnResult(turn.plan, changed_points=(drawn,))

    prompt_store.take_turn(NOW, draw, ada.id)
    prompt_store.take_turn(NOW, lambda turn: TurnResult(turn.plan, changed_points=(other,)), ada.id)
    assert offer_store.points(ada.id, 0, NOW + 1) == [old, drawn]
    shown = offer_store.change_point(ada.id, point.id, lambda item: replace(item, shown_ns=5))
    assert shown == offer_store.points(ada.id, NOW, NOW + 1)[0]
    assert shown is not None and (shown.offered, shown.shown_ns) == (True, 5)
    eve = a_person(record_store, "eve@example.org")
    assert offer_store.change_point(eve.id, point.id, lambda item: item) is None
    record_store.erase(ada.id)
    assert offer_store.plans(ada.id) == offer_store.points(ada.id, 0, NOW + 1) == []


def test_nothing_is_stored_without_consent_and_stopping_needs_none(
    record_store: RecordStore, offer_store: OfferStore
) -> None:
    ada = a_person(record_store)
    guarded = offer_store.requiring_consent(lambda: NOW)
    with pytest.raises(ConsentMissingError):
        guarded.change_plans(ada.id, lambda _: [an_offer_plan(ada)])
    record_store.add_consent(Consent(ada.id, Purpose.KEEPING, True, "1", NOW))
    guarded.change_plans(ada.id, lambda _: [an_offer_plan(ada)])
    record_store.add_consent(Consent(ada.id, Purpose.KEEPING, False, "1", NOW + 1))
    (ended,) = offer_store.change_plans(ada.id, lambda known: [replace(known[0], ended_ns=NOW)])
    assert not ended.is_active


def test_those_who_change_the_same_person_at_once_wait_for_no_other_in_a_circle(
    record_store: RecordStore, prompt_store: PromptStore, offer_store: OfferStore
) -> None:
    """Reminders, offers, turns, answers and consents in one order of locks: on PostgreSQL a circle
    ends one of them with an error.
    """
    ada = a_person(record_store)
    record_store.add_consent(Consent(ada.id, Purpose.KEEPING, True, "1", NOW))
    reminders = ReminderPlan(ada.id, "s", "{}", "UTC", next_ns=NOW)
    prompt_store.change_plan(ada.id, lambda _: reminders)
    prompts, offers = (
        store.requiring_consent(lambda: NOW) for store in (prompt_store, offer_store)
    )
    ratings = record_store.requiring_consent(lambda: NOW)
    prompt = Prompt(new_id(), ada.id, "d", "random", NOW, "UTC", 0.1, 1, NOW, NOW + DAY)
    point = a_point(ada, prompt_id=prompt.id)
    offer_store.change_plans(ada.id, lambda _: [an_offer_plan(ada)])
    prompt_store.take_turn(NOW, lambda turn: TurnResult(turn.plan, (prompt,)), ada.id)
    offer_store.put_points([point])

    def turn(taken: Turn) -> TurnResult:
        return TurnResult(
            taken.plan, changed=taken.prompts, changed_points=(replace(point, shown_ns=NOW),)
        )

    todo: list[Callable[[], object]] = [
        lambda: prompts.change_plan(ada.id, lambda plan: plan or reminders),
        lambda: prompt_store.take_turn(NOW, turn, ada.id),
        lambda: prompt_store.change_prompt(ada.id, prompt.id, lambda item: item),
        lambda: offers.change_plans(ada.id, lambda known: known),
        lambda: offers.change_point(ada.id, point.id, lambda item: item),
        lambda: ratings.add_rating(a_rating(ada, prompt_id=prompt.id)),
        lambda: record_store.add_consent(Consent(ada.id, Purpose.KEEPING, True, "1", NOW)),
    ]
    errors: list[Exception] = []

    def repeat(work: Callable[[], object]) -> None:
        try:
            for _ in range(25):
                work()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in todo]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_of_two_who_decide_at_once_one_draws(
    record_store: RecordStore, prompt_store: PromptStore, offer_store: OfferStore
) -> None:
    """The second one sees the first one's draw, however they meet."""
    ada = a_person(record_store)
    prompt_store.change_plan(ada.id, lambda _: ReminderPlan(ada.id, "s", "{}", "UTC", next_ns=NOW))
    offer_store.change_plans(ada.id, lambda _: [an_offer_plan(ada)])
    points = [a_point(ada, planned_ns=NOW + number * MINUTE) for number in range(20)]
    offer_store.put_points(points)
    drawn: list[str] = []
    start = threading.Barrier(3)

    def work(worker: int) -> None:
        def decide(turn: Turn) -> TurnResult:
            open_points = [item for item in turn.points if item.drawn_ns is None]
            if not open_points:
                return TurnResult(turn.plan)
            point = open_points[0]
            drawn.append(point.id)
            nonce = sha256(f"{worker} {point.id}".encode()).hexdigest()
            done = replace(point, available=True, nonce=nonce, offered=True, drawn_ns=NOW + worker)
            return TurnResult(turn.plan, changed_points=(done,))

        start.wait()
        for _ in points:
            prompt_store.take_turn(NOW, decide, ada.id)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(drawn) == sorted(point.id for point in points)
    stored = offer_store.points(ada.id, 0, NOW + DAY)
    assert all(point.drawn_ns is not None and point.nonce is not None for point in stored)
