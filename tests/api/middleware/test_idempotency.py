"""A write that is repeated with its Idempotency-Key."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from api.middleware import idempotency
from ebbtide.timestamps import DAY, SECOND
from store import Stores
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, opened_clinic
from tests.support.clock import Clock


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def test_a_write_with_the_same_key_is_done_once(clinic: Clinic) -> None:
    ada, same = clinic["ada"], key()
    answers = [
        ada.post("/v1/ratings", json={"pain": 4, "stress": 2}, headers=same) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert "idempotency-replayed" not in answers[0].headers
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert len(ada.get("/v1/ratings").json()["ratings"]) == 1
    # Another person's key is another key; another request with it is a mistake.
    other = clinic["eve"].post("/v1/ratings", json={"pain": 4, "stress": 2}, headers=same)
    assert other.json()["id"] != answers[0].json()["id"]
    wrong = ada.post("/v1/ratings", json={"pain": 5, "stress": 2}, headers=same)
    assert_problem(wrong, 422, "another request")
    assert ada.post("/v1/ratings", json={"pain": 5, "stress": 2}, headers=key()).is_success
    assert len(ada.get("/v1/ratings").json()["ratings"]) == 2
    # A refusal is an answer, too.
    again = key()
    for _ in range(2):
        refused = ada.post("/v1/ratings", json={"pain": 50, "stress": 2}, headers=again)
        assert_problem(refused, 422, "pain")
    assert_problem(ada.post("/v1/ratings", headers={"Idempotency-Key": "x" * 256}), 422)


def test_many_at_once_with_one_key_do_it_once(clinic: Clinic) -> None:
    same = key()

    def post(_: int) -> httpx.Response:
        return httpx.post(
            f"{clinic.url}/v1/consents",
            json={"purpose": "care", "given": True, "wording": "care, 1"},
            headers={**same, "Authorization": clinic["ada"].headers["Authorization"]},
            timeout=60,
        )

    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(post, range(16)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    answers = clinic["ada"].get("/v1/consents").json()["answers"]
    assert [answer["purpose"] for answer in answers] == ["keeping", "care"]


def test_a_key_is_forgotten_after_a_day_and_a_stalled_one_after_a_minute(stores: Stores) -> None:
    clock = Clock(stores)
    with opened_clinic(replace(stores, now=clock)) as clinic:
        same = key()
        ask = {"json": {"pain": 1, "stress": 1}, "headers": same}
        clinic["ada"].post("/v1/ratings", **ask)  # type: ignore[arg-type]
        ada = clinic.id("ada")
        stores.access.begin_idempotent(ada, "stalled", "r", clock.now_ns, 0)
        middle = idempotency.IdempotencyMiddleware(lambda *_: None, clinic.stores, None)  # type: ignore[arg-type, return-value]
        assert middle._begin(ada, "stalled", "r", None) is not None
        clock.now_ns += 61 * SECOND
        assert middle._begin(ada, "stalled", "r", None) is None
        clock.now_ns += DAY
        with clinic.client(_token(clinic)) as fresh:
            fresh.post("/v1/ratings", **ask)  # type: ignore[arg-type]
            assert len(fresh.get("/v1/ratings").json()["ratings"]) == 2


def _token(clinic: Clinic) -> str:
    answer = httpx.post(
        f"{clinic.url}/v1/sign-in",
        json={"email": "ada@example.org", "password": "correct horse battery"},
        timeout=60,
    )
    return str(answer.json()["token"])


def test_a_token_is_not_replayed_and_not_stored(clinic: Clinic) -> None:
    same = key()
    ask = {"name": "a", "scopes": ["read"], "days": 1}
    first = clinic["ada"].post("/v1/tokens", json=ask, headers=same)
    assert first.status_code == 201
    again = clinic["ada"].post("/v1/tokens", json=ask, headers=same)
    assert_problem(again, 409, "told only once")
    assert len(clinic["ada"].get("/v1/tokens").json()) == 2


def test_a_repeat_right_after_the_response_is_answered_from_the_record(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the record takes to be written."""
    access = type(clinic.stores.access)
    finish = access.finish_idempotent

    def finish_late(*given: object) -> None:
        time.sleep(0.3)
        finish(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(access, "finish_idempotent", finish_late)
    same = key()
    ask = {"name": "a", "scopes": ["read"], "days": 1}
    assert clinic["ada"].post("/v1/tokens", json=ask, headers=same).status_code == 201
    assert_problem(clinic["ada"].post("/v1/tokens", json=ask, headers=same), 409, "told only once")
