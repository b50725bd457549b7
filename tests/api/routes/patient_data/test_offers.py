"""Practice by lot over HTTP: from agreeing to the log, and what nobody may see too early."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from analytics.practice import Draw, verify_draws
from analytics.programme.prompt_plan import DayHours, PromptPlan
from api.app import create_app
from api.services.access_tokens import issue_token
from api.services.reminders.plans import change_plan, load_waiting
from api.services.reminders.scheduler import run_due
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, to_datetime
from store import Stores
from store.models import Consent, Person, Programme, Purpose, Role
from tests.support.accounts import add_account
from tests.support.clock import Clock

NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()) * SECOND
DAILY = PromptPlan((DayHours(480, 1260),) * 7, 0, (540, 720, 900, 1080))


@dataclass
class Place:
    """Ada, a patient in the care of Tom; the API within this process, without its tasks."""

    stores: Stores
    clock: Clock
    ada: Person
    tom: Person

    def sign_in(self, person: Person) -> dict[str, str]:
        """Headers of a new sign-in."""
        return {"Authorization": f"Bearer {issue_token(self.stores, person)[0]}"}

    @asynccontextmanager
    async def client(self, person: Person) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(self.stores)),
            base_url="http://127.0.0.1",
            headers=self.sign_in(person),
        ) as client:
            yield client


@pytest.fixture
def place(stores: Stores) -> Place:
    clock = Clock(stores)
    clock.now_ns = NOON
    stores = replace(stores, now=clock)
    ada = add_account(stores, "ada@example.org")
    stores.programme.put_programme(Programme(ada.id, NOON, NOON))
    tom = add_account(stores, "tom@example.org", role=Role.THERAPIST)
    stores.access.put_care(tom.id, ada.id, NOON)
    stores.records.add_consent(Consent(ada.id, Purpose.CARE, True, "1", NOON))
    return Place(stores, clock, ada, tom)


@pytest.mark.anyio
async def test_from_agreeing_to_the_log(place: Place) -> None:
    async with place.client(place.ada) as ada:
        refused = await ada.post("/v1/offers", json={"wording": "offers-1"})
        assert (refused.status_code, "reminders on first" in refused.text) == (422, True)
        change_plan(place.stores, place.ada, lambda _: DAILY)
        old = await ada.post("/v1/offers", json={"wording": "offers-0"})
        assert old.status_code == 409
        found = await ada.post("/v1/offers", json={"wording": "offers-1", "first_days": 1})
        assert found.status_code == 200, found.text
        assert found.json()["active"]["arms"] == ["paced breathing"]
        assert "seed" not in found.text
        (plan,) = place.stores.offers.plans(place.ada.id)
        while place.clock.now_ns < NOON + 4 * DAY:
            due = place.stores.prompts.next_turn_ns() or 0
            place.clock.now_ns = max(place.clock.now_ns + SECOND, due)
            run_due(place.stores, [])
            prompt = load_waiting(place.stores, place.ada).prompt
            if prompt is None:
                continue
            point = next(
                (
                    item
                    for item in place.stores.offers.points(place.ada.id, 0, 2**62)
                    if item.prompt_id == prompt.id
                ),
                None,
            )
            ada.headers.update(place.sign_in(place.ada))  # the last one was half a day ago
            before = (await ada.get("/v1/offers/log")).json()
            if point is not None and point.nonce is not None:  # drawn, and nobody's to see
                assert point.nonce not in str(before)
                assert before["moments"][-1]["offered"] is None
            assert (await ada.get("/v1/offers/now")).json() == {"offer": None}
            place.clock.now_ns += 2 * MINUTE
            rated = {"pain": 3, "stress": 5, "prompt_id": prompt.id}
            assert (await ada.post("/v1/ratings", json=rated)).json()["prompted"]
            run_due(place.stores, [])
            await _take(place, ada, point is not None and bool(point.offered))
        log = (await ada.get("/v1/offers/log")).json()
        results = (await ada.get("/v1/offers/results")).json()
        assert plan.seed not in str(log) + str(results)
        stopped = await ada.delete("/v1/offers")
        assert stopped.json()["active"] is None
        assert stopped.json()["earlier"][0]["ended_why"] == "the person stopped them"
    assert log["problem"] is None and log["coming"]
    drawn = [row for row in log["moments"] if row["offered"] is not None]
    verify_draws([_draw(row) for row in drawn])
    assert {row["offered"] for row in drawn} == {True, False}
    assert all(row["taken"] is row["offered"] for row in drawn if row["offered"])
    assert all(row["stress_after"] == 5 for row in drawn[:-1])
    # Of the last moment the rating after can still come.
    assert (results["drawn"], results["taken"]) == (len(drawn) - 1, results["offered"])
    assert results["effects"][0]["verdict"] == "not enough yet"


async def _take(place: Place, ada: httpx.AsyncClient, offered: bool) -> None:
    """Where breathing is offered, it is done, and then not offered any more."""
    offer = (await ada.get("/v1/offers/now")).json()["offer"]
    assert (offer is not None) == offered
    if offer is None:
        return
    path = f"/v1/offers/points/{offer['decision_point']}"
    assert (await ada.put(path, json={"action": "shown"})).json()["offered"] is True
    begin = place.clock.now_ns + SECOND
    place.clock.now_ns += 5 * MINUTE
    practice = {
        "kind": offer["arm"],
        "start": to_datetime(begin).isoformat(),
        "end": to_datetime(place.clock.now_ns).isoformat(),
    }
    done = await ada.put(f"/v1/practices/{new_id()}", json=practice)
    assert done.status_code == 200, done.text
    assert (await ada.get("/v1/offers/now")).json() == {"offer": None}


@pytest.mark.anyio
async def test_a_therapist_proposes_and_only_the_person_begins(place: Place) -> None:
    change_plan(place.stores, place.ada, lambda _: DAILY)
    path = f"/v1/patients/{place.ada.id}/offers"
    wish = {"arms": ["paced breathing", "somatic tracking"], "base_probability": 0.6}
    async with place.client(place.tom) as tom, place.client(place.ada) as ada:
        proposed = await tom.put(f"{path}/proposal", json=wish)
        assert proposed.status_code == 200, proposed.text
        assert (proposed.json()["active"], proposed.json()["proposal"]["number"]) == (None, 1)
        assert (await tom.post("/v1/offers", json={"wording": "offers-1"})).status_code == 403
        bad = await tom.put(f"{path}/proposal", json={**wish, "end_min": 1320})
        assert (bad.status_code, "before 22:00" in bad.text) == (422, True)
        agreed = await ada.post("/v1/offers", json={"wording": "offers-1", "proposal": 1})
        assert agreed.json()["active"]["by_therapist"] is True
        quiet = await ada.post("/v1/offers/not-now")
        until = datetime.fromisoformat(quiet.json()["active"]["quiet_until"])
        assert until.timestamp() * SECOND == NOON + 3 * HOUR
        assert (await tom.get(f"{path}/log")).json()["moments"] == []
        assert (await tom.get(f"{path}/results")).json()["effects"] == []
        missing = await ada.put(f"/v1/offers/points/{new_id()}", json={"action": "not now"})
        assert missing.status_code == 404


def _draw(row: dict[str, Any]) -> Draw:
    names = ("decision_point", "block", "base_probability")
    rest = ("commitment", "nonce", "probability", "offered", "arm")
    return Draw(*(row[name] for name in names), tuple(row["arms"]), *(row[name] for name in rest))
