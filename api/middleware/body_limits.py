"""Limit how large a request may be, how long it may take to arrive, and what its JSON is made of.

Each route has the limit of what it can use. It is applied while the body arrives, and before
anything is parsed: 12 MiB of unknown keys took 34 s and 1.5 GB to be refused by validation.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import problem_response

KIB, MIB = 2**10, 2**20
BODY_TIMEOUT_S = 60.0
# A research table names up to 1,000 people, of 40 characters each.
MAX_QUERY_BYTES = 64 * KIB
_COUNTED_AT_ONCE = 128 * KIB
_CHUNK_BYTES = 256 * KIB
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """The largest body of a route. ``max_elements``: commas and colons outside of strings, so that
    an object of n fields has 2n - 1; ``max_depth``: brackets within brackets; ``max_containers``:
    objects and arrays, of which an empty one takes as much memory and time as six numbers.
    """

    max_bytes: int
    max_elements: int = 500
    max_depth: int = 8
    max_containers: int = 125


# The largest of these are the 2 texts of 500 characters of a rating, 12 bytes each when escaped.
DEFAULT_LIMIT = BodyLimit(16 * KIB)
# The first pattern that matches the path counts.
ROUTE_LIMITS: tuple[tuple[re.Pattern[str], BodyLimit], ...] = (
    # 2,000 notifications of 16 beats, and as many gaps, are 1.6 MB as the ingester sends them.
    (
        re.compile(r"/streams/[^/]+/notifications/?$"),
        BodyLimit(4 * MIB, 200_000, max_containers=20_000),
    ),
    (re.compile(r"/streams/[^/]+/activity/?$"), BodyLimit(512 * KIB, 12_000, max_containers=3000)),
    # 100 nights of 85 to 200 values of 4 figures, as the ingester sends them.
    (
        re.compile(r"/nights/?$"),
        BodyLimit(4 * MIB, 200_000, max_containers=25_000),
    ),
    # 25,000 characters, 12 bytes each when escaped.
    (re.compile(r"/sessions/[^/]+/notes/?$"), BodyLimit(320 * KIB)),
    # A million characters, of which the ends of lines are 2 bytes each when escaped.
    (re.compile(r"/(questionnaires|prompts)/csv/?$"), BodyLimit(2 * MIB)),
    # At most 10,000 entries (api.services.imported_records), as Ebbtide sends them of 72 elements
    # and 18 containers each, or 37 and 16.
    (re.compile(r"/fhir(/|$)"), BodyLimit(16 * MIB, 800_000, 32, 240_000)),
    (re.compile(r"/open-mhealth/heart-rate/?$"), BodyLimit(16 * MIB, 500_000, 32, 240_000)),
)


def limit_of(path: str) -> BodyLimit:
    """Return the limit of bodies sent to a path."""
    for pattern, limit in ROUTE_LIMITS:
        if pattern.search(path):
            return limit
    return DEFAULT_LIMIT


def find_excess(body: bytes, limit: BodyLimit) -> str | None:
    """Say what a JSON body has too much of, without parsing it; None where it is within limits."""
    elements, containers = _count(body, b",:"), _count(body, b"[{")
    if elements <= limit.max_elements and containers <= min(limit.max_depth, limit.max_containers):
        return None  # an upper bound, since those within strings count too
    elements = containers = depth = 0
    for counted in _count_structure(body):
        elements += counted.elements
        containers += counted.containers
        depth = max(depth, counted.depth)
        if elements > limit.max_elements:
            return f"It has more than {limit.max_elements:,} fields and items: send it in parts."
        if containers > limit.max_containers:
            return (
                f"It has more than {limit.max_containers:,} objects and arrays: send it in parts."
            )
        if depth > limit.max_depth:
            return f"It is nested more than {limit.max_depth} levels deep."
    return None


@dataclass(frozen=True, slots=True)
class _Counted:
    elements: int
    containers: int
    depth: int  # the deepest bracket in this part


def _count_structure(body: bytes) -> Iterator[_Counted]:
    """Count what is outside of strings, a part of the body after the other.

    In array operations, since its time must not depend on what is in the body: a regular expression
    for strings takes a time that grows with the square of the length where one is not closed, and
    holds the interpreter's lock meanwhile.
    """
    codes = np.frombuffer(body, np.uint8)
    backslashes = quotes = depth = 0  # before the part: in a row, and not escaped
    for start in range(0, len(codes), _CHUNK_BYTES):
        part = codes[start : start + _CHUNK_BYTES]
        at = np.arange(len(part), dtype=np.int32)
        is_backslash = part == ord("\\")
        other = np.maximum.accumulate(np.where(is_backslash, np.int32(-1), at))
        row = np.where(other < 0, at + np.int32(1 + backslashes), at - other)  # up to each byte
        before = np.concatenate([[backslashes], row[:-1]])
        is_quote = (part == ord('"')) & (before % 2 == 0)
        backslashes = int(row[-1])
        # Modulo 256, which leaves the parity.
        count = np.cumsum(is_quote, dtype=np.uint8) + np.uint8(quotes)
        quotes = int(count[-1]) % 2
        outside = count % 2 == 0
        is_element = (part == ord(",")) | (part == ord(":"))
        opened = ((part == ord("[")) | (part == ord("{"))) & outside
        closed = ((part == ord("]")) | (part == ord("}"))) & outside
        depths = depth + np.cumsum(opened.astype(np.int8) - closed.astype(np.int8), dtype=np.int32)
        yield _Counted(
            int(np.count_nonzero(is_element & outside)),
            int(np.count_nonzero(opened)),
            int(np.max(depths)),
        )
        depth = int(depths[-1])


class BodyLimitMiddleware:
    """Refuse with 413 a body that is too large, with 408 one that is too slow, with 422 one of too
    many or too deeply nested parts, and with 414 a query that is too long.

    Bodies above ``DEFAULT_LIMIT`` are read only with a token for which ``is_valid_token`` holds.
    """

    def __init__(
        self,
        app: ASGIApp,
        is_valid_token: Callable[[str], bool] | None = None,
        timeout_s: float = BODY_TIMEOUT_S,
    ) -> None:
        self._app = app
        self._is_valid_token = is_valid_token
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if len(scope.get("query_string", b"")) > MAX_QUERY_BYTES:
            refusal = problem_response(
                414, f"The query is longer than {MAX_QUERY_BYTES // KIB} KiB.", kind="too-large"
            )
            await refusal(scope, receive, send)
            return
        if scope["method"] in _READING:
            await self._app(scope, receive, send)
            return
        messages: list[Message] = []
        refusal_or_none = await self._read(scope, receive, messages)
        if refusal_or_none is not None:
            await refusal_or_none(scope, receive, send)
            return
        waiting = iter(messages)

        async def replay() -> Message:
            message = next(waiting, None)
            return await receive() if message is None else message

        await self._app(scope, replay, send)

    async def _read(
        self, scope: Scope, receive: Receive, messages: list[Message]
    ) -> ASGIApp | None:
        """Read the body into ``messages``. Returns the refusal, if there is one."""
        headers = Headers(scope=scope)
        limit = limit_of(scope["path"])
        text_length = headers.get("content-length", "")
        length = int(text_length) if text_length.isdigit() and len(text_length) < 20 else 0
        deadline = time.monotonic() + self._timeout_s
        received, arrived, is_checked = length, 0, limit == DEFAULT_LIMIT
        while True:
            if received > limit.max_bytes:
                return problem_response(413, _too_large(limit))
            if not is_checked and received > DEFAULT_LIMIT.max_bytes:
                is_checked = True
                if not await self._may_send_much(headers):
                    return problem_response(
                        401,
                        "Sign in first (POST /v1/sign-in).",
                        headers={"WWW-Authenticate": "Bearer"},
                    )
            if messages and not messages[-1].get("more_body", False):
                break
            try:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                return problem_response(
                    408, f"The body did not come within {self._timeout_s:.0f} s."
                )
            messages.append(message)
            if message["type"] != "http.request":  # the client went away
                return None
            arrived += len(message.get("body", b""))
            received = max(length, arrived)
        body = b"".join(m.get("body", b"") for m in messages)
        if len(body) <= _COUNTED_AT_ONCE:
            excess = find_excess(body, limit)
        else:  # megabytes take a while, and others wait for this thread
            excess = await run_in_threadpool(find_excess, body, limit)
        return None if excess is None else problem_response(422, f"body: {excess}")

    async def _may_send_much(self, headers: Headers) -> bool:
        if self._is_valid_token is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return False
        return await run_in_threadpool(self._is_valid_token, token)


def _too_large(limit: BodyLimit) -> str:
    size = limit.max_bytes
    text = f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB"
    return f"The body is larger than {text}: send it in parts."


def _count(body: bytes, characters: bytes) -> int:
    return sum(body.count(bytes([character])) for character in characters)
