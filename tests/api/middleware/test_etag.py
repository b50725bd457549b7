"""ETags and security headers of every response."""

from __future__ import annotations

import asyncio

import httpx
from starlette.types import Message, Receive, Scope, Send

from api.middleware.etag import ETagMiddleware
from tests.support.clinic import Clinic


def test_an_answer_is_named_by_its_content(clinic: Clinic) -> None:
    ada = clinic["ada"]
    ada.post("/v1/ratings", json={"pain": 4, "stress": 2})
    first = ada.get("/v1/ratings")
    headers = {"If-None-Match": f'"other", {first.headers["etag"]}'}
    second = ada.get("/v1/ratings", headers=headers)
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]
    ada.post("/v1/ratings", json={"pain": 5, "stress": 2})
    third = ada.get("/v1/ratings", headers=headers)
    assert third.status_code == 200
    assert third.headers["etag"] != first.headers["etag"]


def test_no_response_is_cached_by_others_or_taken_for_a_page(clinic: Clinic) -> None:
    for answer in (
        clinic["ada"].get("/v1/ratings"),
        clinic["ada"].post("/v1/ratings", json={"pain": 1, "stress": 1}),
        httpx.get(f"{clinic.url}/v1/me"),
        httpx.get(f"{clinic.url}/nowhere"),
        httpx.get(f"{clinic.url}/openapi.json", timeout=60),
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


async def answer_in_pieces(
    pieces: list[bytes], headers: dict[str, str]
) -> tuple[int, list[tuple[bytes, bool]]]:
    """Pass a response of these pieces through the middleware."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        for number, piece in enumerate(pieces, 1):
            more = number < len(pieces)
            await send({"type": "http.response.body", "body": piece, "more_body": more})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("the body of a GET is not read")

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": raw}
    await ETagMiddleware(app)(scope, receive, send)
    start, *bodies = sent
    return start["status"], [
        (message["body"], bool(message.get("more_body", False))) for message in bodies
    ]


def test_a_response_is_held_back_until_it_is_whole_or_too_large() -> None:
    small = asyncio.run(answer_in_pieces([b"[1", b", 2", b"]"], {}))
    assert small == (200, [(b"[1, 2]", False)])
    refused = asyncio.run(answer_in_pieces([b"[1", b"]"], {"if-match": '"x"'}))
    assert refused[0] == 412
    assert b"If-Match" in refused[1][0][0]
    large = [b"1" * 2**20] * 20
    status, pieces = asyncio.run(answer_in_pieces(large, {"if-none-match": "*"}))
    assert status == 200
    assert len(pieces) == 13  # the first eight together, then each as it comes
    assert b"".join(piece for piece, _ in pieces) == b"".join(large)
    assert [more for _, more in pieces] == [True] * 12 + [False]
