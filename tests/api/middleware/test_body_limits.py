"""Bodies that are too large, too slow, or never come."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.middleware import body_limits
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
        (b"[" + b",".join([b"[]"] * 130) + b"]", "objects and arrays"),
        (b"[" + b",".join([b"{}"] * 124) + b"]", None),
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


@pytest.mark.parametrize("kib", [16, 16 * 1024])
def test_a_string_that_is_not_closed_costs_no_more_than_another(kib: int) -> None:
    # In a process of its own: what takes hours holds the interpreter's lock.
    code = (
        "import sys; from api.middleware.body_limits import BodyLimit, find_excess;"
        "size = int(sys.argv[1]) * 1024;"
        "body = b'[' * 9 + b'\"' + b'\\\\\"' * (size // 2 - 5);"
        "print(find_excess(body, BodyLimit(size)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(kib)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "more than 8 levels" in done.stdout


def plain_count(body: bytes) -> tuple[int, int, int]:
    """Elements and containers outside of strings, the deepest bracket, a byte after the other."""
    elements = containers = depth = deepest = 0
    is_string = is_escaped = False
    for code in body:
        character = chr(code)
        if character == '"' and not is_escaped:
            is_string = not is_string
        elif not is_string:
            elements += character in ",:"
            containers += character in "[{"
            depth += (character in "[{") - (character in "]}")
            deepest = max(deepest, depth)
        is_escaped = character == "\\" and not is_escaped
    return elements, containers, deepest


@given(st.text('a"\\[]{},:', max_size=60), st.sampled_from([1, 2, 3, 7, 64]))
@settings(max_examples=300)
def test_structure_is_counted_as_byte_by_byte(text: str, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body_limits, "_CHUNK_BYTES", chunk)
        counted = list(body_limits._count_structure(text.encode()))
    elements, containers, deepest = plain_count(text.encode())
    assert sum(part.elements for part in counted) == elements
    assert sum(part.containers for part in counted) == containers
    assert max([0, *(part.depth for part in counted)]) == deepest
