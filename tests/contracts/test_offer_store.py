"""The contract of a store of offers by lot, on every engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ebbtide.beats import new_id
from ebbtide.timestamps import DAY
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
from tests.support.records import NOW, a_person

SEED = "ab" * 32


def an_offer_plan(person: Person, **changes: object) -> OfferPlan:
    plan = OfferPlan(
        *(person.id, 1, SEED, "paced breathing", 0.5, 30, 3, 540, 1200, NOW),
        wording="1",
        agreed_ns=NOW,
        first_day="2026-03-02",
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
