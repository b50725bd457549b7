"""What holds for every answer: idempotency keys, ETags, limits of bodies, headers, problems."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from api.middleware import idempotency
from api.middleware.body_limits import MAX_BODY_BYTES, BodyLimitMiddleware
from ebbtide.timestamps import DAY, SECOND
from store.stores import Stores
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, opened_clinic
from tests.support.clock import Clock


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        yield opened


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
    assert len(clinic["ada"].get("/v1/consents").json()["answers"]) == 1


def test_a_key_is_forgotten_after_a_day_and_a_stalled_one_after_a_minute(stores: Stores) -> None:
    clock = Clock(stores)
    with opened_clinic(replace(stores, now=clock)) as clinic:
        same = key()
        ask = {"json": {"pain": 1, "stress": 1}, "headers": same}
        clinic["ada"].post("/v1/ratings", **ask)  # type: ignore[arg-type]
        ada = clinic.id("ada")
        stores.access.begin_idempotent(ada, "stalled", "r", clock.now_ns, 0)
        middle = idempotency.IdempotencyMiddleware(lambda *_: None, clinic.stores, None)  # type: ignore[arg-type, return-value]
        assert middle._begin(ada, "stalled", "r") is not None
        clock.now_ns += 61 * SECOND
        assert middle._begin(ada, "stalled", "r") is None
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


def test_an_answer_is_named_by_its_content(clinic: Clinic) -> None:
    ada = clinic["ada"]
    ada.post("/v1/ratings", json={"pain": 4, "stress": 2})
    first = ada.get("/v1/ratings")
    asked = {"If-None-Match": f'"other", {first.headers["etag"]}'}
    second = ada.get("/v1/ratings", headers=asked)
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]
    ada.post("/v1/ratings", json={"pain": 5, "stress": 2})
    third = ada.get("/v1/ratings", headers=asked)
    assert third.status_code == 200
    assert third.headers["etag"] != first.headers["etag"]


def test_no_response_is_cached_by_others_or_taken_for_a_page(clinic: Clinic) -> None:
    for answer in (
        clinic["ada"].get("/v1/ratings"),
        clinic["ada"].post("/v1/ratings", json={"pain": 1, "stress": 1}),
        httpx.get(f"{clinic.url}/v1/me"),
        httpx.get(f"{clinic.url}/nowhere"),
        httpx.get(f"{clinic.url}/openapi.json"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] in ("no-store", "private, no-cache")
        assert "server" not in answer.headers


def test_no_other_site_may_read_answers(clinic: Clinic) -> None:
    for method in ("GET", "OPTIONS"):
        answer = httpx.request(
            method,
            f"{clinic.url}/v1/me",
            headers={
                "Origin": "https://evil.example",
                "Access-Control-Request-Method": "GET",
                "Access-Control-Request-Headers": "authorization",
            },
        )
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert httpx.get(f"{clinic.url}/docs").status_code == 404


def test_a_body_may_be_neither_huge_nor_slow(clinic: Clinic) -> None:
    ada = clinic["ada"]
    huge = b'{"pain": 1, "note": "' + b"x" * MAX_BODY_BYTES + b'"}'
    told = ada.post("/v1/ratings", content=huge, headers={"Content-Type": "application/json"})
    assert_problem(told, 413, "16 MiB")

    def pieces() -> Iterator[bytes]:
        for begin in range(0, len(huge), 2**20):
            yield huge[begin : begin + 2**20]

    streamed = ada.post(
        "/v1/ratings", content=pieces(), headers={"Content-Type": "application/json"}
    )
    assert_problem(streamed, 413, "16 MiB")
    assert ada.get("/v1/ratings").json()["ratings"] == []


def test_a_body_that_does_not_come_is_not_waited_for(stores: Stores) -> None:
    async def asked() -> int:
        status = 0

        async def app(scope: object, receive: object, send: object) -> None:
            await receive()  # type: ignore[operator]

        async def never() -> dict[str, object]:
            await asyncio.sleep(60)
            return {}

        async def send(_: object) -> None:
            pass

        try:
            await BodyLimitMiddleware(app, timeout_s=0.05)(  # type: ignore[arg-type]
                {"type": "http", "headers": [], "method": "POST"},
                never,
                send,  # type: ignore[arg-type]
            )
        except Exception as error:
            status = getattr(error, "status_code", 0)
        return status

    assert asyncio.run(asked()) == 408


def test_a_client_that_sends_nothing_does_not_keep_others_waiting(clinic: Clinic) -> None:
    host, port = clinic.url.removeprefix("http://").split(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(50)]
    for one in idle:
        one.sendall(b"POST /v1/ratings HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    began = time.monotonic()
    assert clinic["ada"].get("/v1/me").status_code == 200
    assert time.monotonic() - began < 5
    for one in idle:
        one.close()


def test_problems_have_stable_types_and_name_the_field(clinic: Clinic) -> None:
    ada = clinic["ada"]
    for answer, kind, field in (
        (httpx.get(f"{clinic.url}/v1/me"), "sign-in", None),
        (ada.get("/v1/nowhere"), "not-found", None),
        (ada.patch("/v1/ratings"), "method", None),
        (ada.post("/v1/ratings", json={"pain": 11, "stress": 1}), "invalid", "body.pain"),
        (ada.get("/v1/ratings", params={"start": "2026-01-01T00:00:00"}), "invalid", "query.start"),
        (ada.get("/v1/accounts"), "role", None),
    ):
        problem = answer.json()
        assert problem["type"] == f"urn:ebbtide:problem:{kind}"
        assert [e["field"] for e in problem["errors"]] == ([] if field is None else [field])


def test_a_rating_is_corrected_withdrawn_and_brought_back_with_its_history(clinic: Clinic) -> None:
    ada = clinic["ada"]
    rating = ada.post("/v1/ratings", json={"pain": 4, "stress": 2}).json()
    path = f"/v1/ratings/{rating['id']}"
    assert ada.put(path, json={"pain": 5, "stress": 2, "version": 1}).json()["version"] == 2
    assert_problem(ada.put(path, json={"pain": 6, "stress": 2, "version": 1}), 409)
    assert_problem(ada.delete(path, params={"version": 1}), 409)
    gone = ada.delete(path, params={"version": 2})
    assert (gone.json()["version"], gone.json()["withdrawn"]) == (3, True)
    assert ada.get("/v1/ratings").json()["ratings"] == []
    assert ada.get("/v1/link").json()["ratings"]["given"] == 0
    assert ada.put(path, json={"pain": 5, "stress": 2, "version": 3}).json()["withdrawn"] is False
    assert len(ada.get("/v1/ratings").json()["ratings"]) == 1
    history = ada.get(f"{path}/history").json()
    assert [(r["version"], r["pain"], r["withdrawn"]) for r in history] == [
        (1, 4, False),
        (2, 5, False),
        (3, 5, True),
        (4, 5, False),
    ]
    assert_problem(clinic["eve"].get(f"{path}/history"), 404)
    assert_problem(clinic["eve"].delete(path, params={"version": 4}), 404)


def test_the_log_holds_no_secret(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    secret = "a secret that nobody may see"
    with caplog.at_level("DEBUG"):
        httpx.post(
            f"{clinic.url}/v1/sign-in", json={"email": "ada@example.org", "password": secret}
        )
        clinic["ada"].get("/v1/ratings", params={"cursor": secret})
        clinic["ada"].post("/v1/ratings", json={"pain": secret}, headers={"X-Note": secret})
        deadline = threading.Event()
        deadline.wait(0.1)
    token = clinic["ada"].headers["Authorization"].removeprefix("Bearer ")
    ours = [r for r in caplog.records if r.name.startswith(("ebbtide", "uvicorn"))]
    words = " ".join(json.dumps([r.getMessage(), str(r.__dict__)]) for r in ours)
    assert "/v1/ratings" in words
    for word in (secret, token, "ada@example.org"):
        assert word not in words
