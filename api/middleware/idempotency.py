"""``Idempotency-Key``: a write that is repeated with the same key is done once, and gets the first
response again (draft-ietf-httpapi-idempotency-key-header).
"""

from __future__ import annotations

import hashlib
import json
import re

from fastapi.concurrency import run_in_threadpool
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.fhir import MEDIA_TYPE as FHIR_MEDIA_TYPE
from api.http.fhir import is_fhir_path
from api.http.problems import problem_response
from api.http.routing import matches_route
from api.services.access_tokens import token_hash
from ebbtide.timestamps import DAY, MINUTE
from store import Stores
from store.models import IdempotentResponse

HEADER = "Idempotency-Key"
_RETENTION_NS = DAY
_STALLED_NS = MINUTE  # after which a request without a response may be repeated
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Fields of answers that are told once: such an answer is not stored.
_SECRET_FIELDS = frozenset({"token", "recovery_codes", "code"})
_MAX_KEY_LENGTH, _MAX_RESPONSE_BYTES = 255, 2**17
# The patient of a therapist, or the account that an administrator changes.
_ABOUT = re.compile("/v1/(?:patients|accounts)/([0-9a-fA-F-]{36})(?:/|$)")


class IdempotencyMiddleware:
    """Respond to repeated writes of people who are signed in as to the first one."""

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
        holder = await run_in_threadpool(
            self._stores.access.find_token, token_hash(token), self._stores.now()
        )
        if holder is None:  # the application refuses it
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        await self._handle_once(holder[0].id, key, body, scope, receive, send)

    async def _handle_once(
        self, person_id: str, key: str, body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        access = self._stores.access
        # A key may carry personal data: only its hash is stored.
        key_hash = hashlib.sha256(key.encode()).hexdigest()
        request_hash = _request_hash(scope, body)
        about = _ABOUT.match(scope["path"])
        about_id = None if about is None else about[1].lower()
        first = await run_in_threadpool(self._begin, person_id, key_hash, request_hash, about_id)
        if first is not None:
            await _replay(first, request_hash, scope["path"])(scope, receive, send)
            return
        response = _RecordedResponse(send)
        is_body_sent = False

        async def replay_body() -> Message:
            nonlocal is_body_sent
            if is_body_sent:
                return await receive()
            is_body_sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            await self._app(scope, replay_body, response)
        except BaseException:
            await run_in_threadpool(access.drop_idempotent, person_id, key_hash)
            raise
        if response.status >= 500 or response.status in (401, 408, 429):
            await run_in_threadpool(access.drop_idempotent, person_id, key_hash)
        else:
            await run_in_threadpool(
                access.finish_idempotent,
                person_id,
                key_hash,
                response.status,
                response.storable_body(),
            )
        await response.send_last()

    def _begin(
        self, person_id: str, key_hash: str, request_hash: str, about_id: str | None
    ) -> IdempotentResponse | None:
        now, access = self._stores.now(), self._stores.access
        first = access.begin_idempotent(
            person_id, key_hash, request_hash, now, now - _RETENTION_NS, about_id
        )
        if first is not None and first.status is None and now - first.at_ns > _STALLED_NS:
            # The process that had it has stopped. Every write is idempotent, so it may be repeated.
            access.drop_idempotent(person_id, key_hash)
            first = access.begin_idempotent(
                person_id, key_hash, request_hash, now, now - _RETENTION_NS, about_id
            )
        return first


class _RecordedResponse:
    """Send a response on, all but its last message, and record it.

    The last message waits until the record is stored: a client that repeats the request as soon as
    it has the response would else be answered that the first is still under way.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._last: Message | None = None
        self._body = bytearray()
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body" and len(self._body) <= _MAX_RESPONSE_BYTES:
            self._body += message.get("body", b"")
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._last = message
        else:
            await self._send(message)

    async def send_last(self) -> None:
        """Send the message that ends the response."""
        if self._last is not None:
            await self._send(self._last)

    def storable_body(self) -> str | None:
        """The body to store; None where it is too large, no JSON, or holds a token."""
        if len(self._body) > _MAX_RESPONSE_BYTES:
            return None
        text = self._body.decode()
        try:
            content = json.loads(text) if text else None
        except ValueError:
            return None
        is_secret = isinstance(content, dict) and not _SECRET_FIELDS.isdisjoint(content)
        return None if is_secret else text


def _replay(first: IdempotentResponse, request_hash: str, path: str) -> Response:
    if first.request_hash != request_hash:
        return problem_response(
            422, f"This {HEADER} was used for another request: take a new one.", kind="key"
        )
    if first.status is None:
        return problem_response(
            409,
            "The first request with this key is still under way.",
            headers={"Retry-After": "1"},
            kind="under-way",
        )
    if first.body is None:
        return problem_response(
            409,
            "This was done already. Its answer held a secret, which is told only once.",
            kind="done",
        )
    kind = "application/json" if first.status < 400 else "application/problem+json"
    if is_fhir_path(path) and _is_resource(first.body):
        kind = FHIR_MEDIA_TYPE
    return Response(
        first.body,
        first.status,
        {"Idempotency-Replayed": "true"},
        media_type=kind if first.body else None,
    )


def _is_resource(body: str) -> bool:
    content = json.loads(body) if body else None
    return isinstance(content, dict) and "resourceType" in content


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
    parts = [scope["method"].encode(), scope["path"].encode(), scope["query_string"], body]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
