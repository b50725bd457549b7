"""Bodies that are too large, too slow, or never come."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from api.middleware.body_limits import DEFAULT_LIMIT, MIB, BodyLimitMiddleware, find_excess
from store import Stores
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic


def test_a_body_may_be_neither_huge_nor_slow(clinic: Clinic) -> None:
    ada = clinic["ada"]
    huge = b'{"pain": 1, "note": "' + b"x" * 16 * MIB + b'"}'
    refusal = ada.post("/v1/ratings", content=huge, headers={"Content-Type": "application/json"})
    assert_problem(refusal, 413, "16 KiB")

    def pieces() -> Iterator[bytes]:
        for begin in range(0, len(huge), 2**20):
            yield huge[begin : begin + 2**20]

    streamed = ada.post(
        "/v1/ratings", content=pieces(), headers={"Content-Type": "application/json"}
    )
    assert_problem(streamed, 413, "16 KiB")
    assert ada.get("/v1/ratings").json()["ratings"] == []


def test_a_body_that_does_not_come_is_not_waited_for(stores: Stores) -> None:
    async def query() -> int:
        status = 0

        async def app(scope: object, receive: object, send: object) -> None:
            await receive()  # type: ignore[operator]

        async def never() -> dict[str, object]:
            await asyncio.sleep(60)
            return {}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        await BodyLimitMiddleware(app, timeout_s=0.05)(  # type: ignore[arg-type]
            {"type": "http", "headers": [], "method": "POST", "path": "/v1/ratings"},
            never,
            send,  # type: ignore[arg-type]
        )
        return status

    assert asyncio.run(query()) == 408


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[" * 9 + b"]" * 9, "levels deep"),
        (b"[" + b"0," * 501 + b"0]", "fields and items"),
        (b"{" + b",".join(b'"%d":0' % n for n in range(260)) + b"}", "fields and items"),
        (b'{"note": "' + b'\\",[{:' * 400 + b'"}', None),
        (b'{"a": [[[[0, 1], [2]]], {"b": {}}]}', None),
        (b"[" * 8 + b"]" * 8, None),
    ],
)
def test_the_parts_of_a_body_are_counted_before_it_is_parsed(
    body: bytes, words: str | None
) -> None:
    excess = find_excess(body, DEFAULT_LIMIT)
    assert (excess is None) if words is None else (excess is not None and words in excess)


def test_a_client_that_sends_nothing_delays_no_others(clinic: Clinic) -> None:
    host, port = clinic.url.removeprefix("http://").split(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(50)]
    for one in idle:
        one.sendall(b"POST /v1/ratings HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    began = time.monotonic()
    assert clinic["ada"].get("/v1/me").status_code == 200
    assert time.monotonic() - began < 5
    for one in idle:
        one.close()
