"""Bodies that are too large, too slow, or never come."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

from api.middleware.body_limits import MAX_BODY_BYTES, BodyLimitMiddleware
from store import Stores
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic


def test_a_body_may_be_neither_huge_nor_slow(clinic: Clinic) -> None:
    ada = clinic["ada"]
    huge = b'{"pain": 1, "note": "' + b"x" * MAX_BODY_BYTES + b'"}'
    refusal = ada.post("/v1/ratings", content=huge, headers={"Content-Type": "application/json"})
    assert_problem(refusal, 413, "16 MiB")

    def pieces() -> Iterator[bytes]:
        for begin in range(0, len(huge), 2**20):
            yield huge[begin : begin + 2**20]

    streamed = ada.post(
        "/v1/ratings", content=pieces(), headers={"Content-Type": "application/json"}
    )
    assert_problem(streamed, 413, "16 MiB")
    assert ada.get("/v1/ratings").json()["ratings"] == []


def test_a_body_that_does_not_come_is_not_waited_for(stores: Stores) -> None:
    async def query() -> int:
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

    assert asyncio.run(query()) == 408


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
