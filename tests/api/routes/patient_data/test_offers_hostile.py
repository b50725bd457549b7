"""Offers by lot: input that cannot be is refused in words, and two phones at once agree."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import httpx
import pytest

from analytics.programme.prompt_plan import PromptPlan
from api.services.offers import plans
from api.services.offers.plans import WORDING, load_active
from api.services.reminders.plans import change_plan, load_waiting
from api.services.reminders.scheduler import run_due
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store.models import DecisionPoint, SkipReason
from tests.api.routes.patient_data.test_offers import DAILY, NOON, Place, place

__all__ = ["place"]

BAD_WISHES: list[dict[str, Any]] = [
    {"arms": []},
    {"arms": ["paced breathing", "paced breathing"]},
    {"arms": ["paced breathing", "magic"]},
    {"arms": ["paced breathing", "seated rest"]},
    {"arms": ["seated rest"]},
    {"arms": "paced breathing"},
    {"arms": ["paced breathing"] * 100},
    {"base_probability": 0},
    {"base_probability": 1},
    {"base_probability": True},
    {"base_probability": "0.5"},
    {"base_probability": 10**400},
    {"base_probability": None},
    {"delay_min": 29},
    {"delay_min": 30.5},
    {"delay_min": True},
    {"delay_min": 2**70},
    {"first_days": 0},
    {"first_days": 15},
    {"start_min": -1},
    {"start_min": 600, "end_min": 600},
    {"start_min": 600, "end_min": 540},
    {"start_min": 0, "end_min": 1440},
    {"start_min": "540"},
    {"times_min": 600},
    {"times_min": [600.5]},
    {"times_min": [True]},
    {"times_min": ["600"]},
    {"times_min": [None]},
    {"times_min": [600, 600]},
    {"times_min": [600, 700]},
    {"times_min": [2**70]},
    {"times_min": [-1]},
    {"times_min": [420]},
    {"times_min": [1200]},
    {"times_min": [600] * 1_000},
    {"seed": "ab" * 32},
    {"number": 7},
]


@pytest.mark.anyio
async def test_wishes_that_cannot_be_are_refused_and_nothing_is_stored(place: Place) -> None:
    change_plan(place.stores, place.ada, lambda _: DAILY)
    proposal = f"/v1/patients/{place.ada.id}/offers/proposal"
    async with place.client(place.ada) as ada, place.client(place.tom) as tom:
        for wish in BAD_WISHES:
            for answer in (
                await ada.post("/v1/offers", json={"wording": WORDING, **wish}),
                await tom.put(proposal, json=wish),
            ):
                assert answer.status_code == 422, (wish, answer.text)
                assert len(answer.content) < 2_000, wish  # what was sent is not sent back whole
        for body in (b"{", b"[]", b"null", b'{"wording": "offers-1", "base_probability": NaN}'):
            headers = {"Content-Type": "application/json"}
            answer = await ada.post("/v1/offers", content=body, headers=headers)
            assert answer.status_code == 422, (body, answer.text)
        for wording in (None, 1, "", "offers-1\x00", "x" * 41):
            answer = await ada.post("/v1/offers", json={"wording": wording})
            assert answer.status_code in (409, 422), (wording, answer.text)
        for number in (0, -1, 2**31, 2**70, "1", True, 1.5):
            answer = await ada.post("/v1/offers", json={"wording": WORDING, "proposal": number})
            assert answer.status_code == 422, (number, answer.text)
        assert (await tom.put(proposal, json={"base_probability": 0.4})).status_code == 200
        both = {"wording": WORDING, "proposal": 1, "base_probability": 0.7}
        answer = await ada.post("/v1/offers", json=both)
        taken = await ada.post("/v1/offers", json={"wording": WORDING, "times_min": [700]})
        assert (taken.status_code, "asked already" in taken.text) == (422, True), taken.text
        assert (answer.status_code, "as it is" in answer.text) == (422, True), answer.text
    (proposed,) = place.stores.offers.plans(place.ada.id)
    assert (proposed.agreed_ns, proposed.base_probability) == (None, 0.4)


@pytest.mark.anyio
async def test_proposals_without_end_are_refused_and_the_last_one_can_be_agreed_to(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "_MAX_PLANS", 3)
    change_plan(place.stores, place.ada, lambda _: DAILY)
    path = f"/v1/patients/{place.ada.id}/offers/proposal"
    async with place.client(place.ada) as ada, place.client(place.tom) as tom:
        for days in (1, 2, 3):
            assert (await tom.put(path, json={"first_days": days})).status_code == 200
        assert (await tom.put(path, json={"first_days": 3})).status_code == 200  # as it is
        refused = await tom.put(path, json={"first_days": 4})
        assert (refused.status_code, "There were 3 plans" in refused.text) == (422, True)
        refused = await ada.post("/v1/offers", json={"wording": WORDING})
        assert (refused.status_code, "There were 3 plans" in refused.text) == (422, True)
        agreed = await ada.post("/v1/offers", json={"wording": WORDING, "proposal": 3})
        assert agreed.status_code == 200, agreed.text
    assert len(place.stores.offers.plans(place.ada.id)) == 3


@pytest.mark.anyio
async def test_actions_on_what_is_no_offer_of_ones_own_are_refused(place: Place) -> None:
    async with place.client(place.ada) as ada, place.client(place.tom) as tom:
        path = f"/v1/offers/points/{new_id()}"
        assert (await ada.put(path, json={"action": "shown"})).status_code == 404
        assert (await tom.put(path, json={"action": "shown"})).status_code == 403
        for body in ({}, {"action": "taken"}, {"action": ["shown"]}, {"action": "shown", "x": 1}):
            assert (await ada.put(path, json=body)).status_code == 422, body
        for odd in ("1", "..%2f..", "%00", "x" * 3000):
            found = await ada.put(f"/v1/offers/points/{odd}", json={"action": "shown"})
            assert found.status_code in (404, 422), odd


async def _moment_offered(place: Place, ada: httpx.AsyncClient) -> DecisionPoint:
    """Go on until a moment is offered, and its question waits."""
    while place.clock.now_ns < NOON + 6 * DAY:
        due = place.stores.prompts.next_turn_ns() or 0
        place.clock.now_ns = max(place.clock.now_ns + SECOND, due)
        run_due(place.stores, [])
        waiting = load_waiting(place.stores, place.ada).prompt
        if waiting is None:
            continue
        points = place.stores.offers.points(place.ada.id, 0, 2**62)
        for point in points:
            if point.prompt_id == waiting.id and point.offered:
                return point
    raise AssertionError("six days without an offer")


@pytest.mark.anyio
async def test_two_phones_at_once(place: Place) -> None:
    """Of two that agree, answer, see and decline at the same moment, each thing counts once."""
    change_plan(place.stores, place.ada, lambda _: DAILY)
    async with place.client(place.ada) as ada:

        async def both(method: str, path: str, *bodies: object) -> list[httpx.Response]:
            ada.headers.update(place.sign_in(place.ada))  # the clock goes on by days
            requests = [ada.request(method, path, json=body) for body in bodies]
            return list(await asyncio.gather(*requests))

        wish = {"wording": WORDING, "first_days": 1, "base_probability": 0.8}
        agreed = await both("POST", "/v1/offers", wish, wish)
        assert [item.status_code for item in agreed] == [200, 200]
        assert len(place.stores.offers.plans(place.ada.id)) == 1
        point = await _moment_offered(place, ada)
        place.clock.now_ns += MINUTE
        rating = {"pain": 3, "prompt_id": point.prompt_id}
        rated = await both("POST", "/v1/ratings", {**rating, "stress": 4}, {**rating, "stress": 8})
        assert [item.status_code for item in rated] == [201, 201]
        assert sorted(item.json()["prompted"] for item in rated) == [False, True]
        answers = next(item.json()["stress"] for item in rated if item.json()["prompted"])
        run_due(place.stores, [])
        path = f"/v1/offers/points/{point.id}"
        acted = await both("PUT", path, {"action": "shown"}, {"action": "not now"})
        assert [item.status_code for item in acted] == [200, 200]
        stored = next(
            item
            for item in place.stores.offers.points(place.ada.id, 0, 2**62)
            if item.id == point.id
        )
        assert stored.nonce == point.nonce and stored.drawn_ns == point.drawn_ns
        assert stored.shown_ns == stored.declined_ns == place.clock.now_ns
        assert acted[0].json()["stress_before"] == answers
        after = [
            item
            for item in place.stores.prompts.prompts(place.ada.id, 0, 2**62)
            if item.reason == "after"
        ]
        assert len([item for item in after if item.slot == f"after-{point.id}"]) == 1
        stopped = await both("DELETE", "/v1/offers", None, None)
        assert [item.status_code for item in stopped] == [200, 200]
        assert load_active(place.stores, place.ada.id) is None
        log = (await ada.get("/v1/offers/log")).json()
        assert log["problem"] is None


@pytest.mark.anyio
async def test_times_that_are_agreed_to_while_reminders_change_ask_within_no_hour(
    place: Place,
) -> None:
    """Each alone is valid, both are not: whatever comes first, the time gives way."""
    change_plan(place.stores, place.ada, lambda _: PromptPlan(DAILY.hours, 1))
    async with place.client(place.ada) as ada:
        wishes = [
            {"wording": WORDING, "first_days": 1, "times_min": times}
            for times in ([600, 810], [630, 840])
        ]
        answers = await asyncio.gather(
            ada.put("/v1/reminders", json={"random_a_day": 0, "fixed_min": [600, 840, 1020]}),
            *(ada.post("/v1/offers", json=wish) for wish in wishes),
        )
        assert {item.status_code for item in answers} <= {200, 422}
        assert answers[0].status_code == 200
        found = (await ada.get("/v1/offers")).json()
    assert sum(plan.is_active for plan in place.stores.offers.plans(place.ada.id)) <= 1
    assert (found["active"] is not None) == any(item.status_code == 200 for item in answers[1:])
    while place.clock.now_ns < NOON + 4 * DAY:
        due = place.stores.prompts.next_turn_ns() or 0
        place.clock.now_ns = max(place.clock.now_ns + SECOND, due)
        run_due(place.stores, [])
    asked = [
        item
        for item in place.stores.prompts.prompts(place.ada.id, 0, 2**62)
        if item.planned_ns < place.clock.now_ns and item.skip_reason != SkipReason.PLAN_CHANGED
    ]
    times = sorted(item.planned_ns for item in asked)
    assert len(times) >= 9
    assert all(later - earlier >= HOUR for earlier, later in pairwise(times))
