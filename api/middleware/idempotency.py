"""``Idempotency-Key``: a write that is sent again with the same key is done once, and answered with
the first answer (draft-ietf-httpapi-idempotency-key-header).
"""

from __future__ import annotations

import hashlib
import json

from fastapi.concurrency import run_in_threadpool
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.deps import token_hash
from api.http.problems import problem_response
from api.http.routing import matches_route
from ebbtide.timestamps import DAY, MINUTE
from store import Stores
from store.models import IdempotentResponse

HEADER = "Idempotency-Key"
_RETENTION_NS = DAY
_STALLED = MINUTE  # after which a request that gave no answer may be sent again
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_MAX_KEY_LENGTH, _MAX_RESPONSE_BYTES = 255, 2**17


class IdempotencyMiddleware:
    """Answers repeated writes of people who are signed in with what was answered first."""

    def __init__(self, app: ASGIApp, stores: Stores, routes: Starlette) -> None:
        self._app = app
        self._stores = stores
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        key = headers.get(HEADER)
        authorization = headers.get("authorization", "")
        if (
            key is None
            or scope["method"] not in _WRITING
            or not authorization
            or not matches_route(self._routes, scope)
        ):
            await self._app(scope, receive, send)
            return
        if not 1 <= len(key) <= _MAX_KEY_LENGTH:
            refused = problem_response(
                422, f"{HEADER} has 1 to {_MAX_KEY_LENGTH} characters.", kind="key"
            )
            await refused(scope, receive, send)
            return
        token = authorization.partition(" ")[2]
        found = await run_in_threadpool(
            self._stores.access.signed_in, token_hash(token), self._stores.now()
        )
        if found is None:  # which the application says in its own words
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        await self._once(found[0].id, key, body, scope, receive, send)

    async def _once(
        self, person_id: str, key: str, body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        access = self._stores.access
        # What a key is may tell something: only a hash is kept.
        key_hash = hashlib.sha256(key.encode()).hexdigest()
        request_hash = _request_hash(scope, body)
        kept = await run_in_threadpool(self._begin, person_id, key_hash, request_hash)
        if kept is not None:
            await _replay(kept, request_hash, self._stores.now())(scope, receive, send)
            return
        seen = _RecordedResponse(send)
        given = False

        async def replayed() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            await self._app(scope, replayed, seen)
        except BaseException:
            await run_in_threadpool(access.drop_idempotent, person_id, key_hash)
            raise
        if seen.status >= 500 or seen.status in (401, 408, 429):
            await run_in_threadpool(access.drop_idempotent, person_id, key_hash)
        else:
            await run_in_threadpool(
                access.finish_idempotent, person_id, key_hash, seen.status, seen.words()
            )

    def _begin(self, person_id: str, key_hash: str, request_hash: str) -> IdempotentResponse | None:
        now, access = self._stores.now(), self._stores.access
        kept = access.begin_idempotent(person_id, key_hash, request_hash, now, now - _RETENTION_NS)
        if kept is not None and kept.status is None and now - kept.at_ns > _STALLED:
            # The process that had it is gone; every write is idempotent.
            access.drop_idempotent(person_id, key_hash)
            kept = access.begin_idempotent(
                person_id, key_hash, request_hash, now, now - _RETENTION_NS
            )
        return kept


class _RecordedResponse:
    """Passes an answer on, and remembers it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._body = bytearray()
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body" and len(self._body) <= _MAX_RESPONSE_BYTES:
            self._body += message.get("body", b"")
        await self._send(message)

    def words(self) -> str | None:
        """The answer to keep; None where it holds a token, which is told only once."""
        if len(self._body) > _MAX_RESPONSE_BYTES:
            return None
        text = self._body.decode()
        try:
            told = json.loads(text) if text else None
        except ValueError:
            return None
        return None if isinstance(told, dict) and "token" in told else text


def _replay(kept: IdempotentResponse, request_hash: str, now_ns: int) -> Response:
    if kept.request_hash != request_hash:
        return problem_response(
            422, f"This {HEADER} was used for another request: take a new one.", kind="key"
        )
    if kept.status is None:
        return problem_response(
            409,
            "The first request with this key is still under way.",
            headers={"Retry-After": "1"},
            kind="under-way",
        )
    if kept.body is None:
        return problem_response(
            409,
            "This was done already. Its answer held a secret, which is told only once.",
            kind="done",
        )
    kind = "application/json" if kept.status < 400 else "application/problem+json"
    return Response(
        kept.body,
        kept.status,
        {"Idempotency-Replayed": "true"},
        media_type=kind if kept.body else None,
    )


async def _read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def _request_hash(scope: Scope, body: bytes) -> str:
    words = [scope["method"].encode(), scope["path"].encode(), scope["query_string"], body]
    return hashlib.sha256(b"\0".join(words)).hexdigest()
