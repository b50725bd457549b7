"""``ETag`` on every JSON response, and 304 where the client has it already (RFC 9110)."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import problem_response

_CONDITION_FAILED = problem_response(
    412, "Tags of this resource are weak, and If-Match never meets them."
)
_MAX_BYTES = 8 * 2**20  # larger responses are sent as they come


class ETagMiddleware:
    """Add an ``ETag`` made of the content to responses that have none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        request = Headers(scope=scope)
        if_none_match = request.get("if-none-match", "")
        # Its tags are weak, and If-Match compares strongly: only `*` can be met (RFC 9110, 13.1.1).
        is_refused = request.get("if-match", "*").strip() != "*"
        start: Message | None = None
        body = bytearray()
        is_answered = False

        async def send_with_etag(message: Message) -> None:
            nonlocal start, is_answered
            if is_answered:
                return
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                if (
                    message["status"] == 200
                    and headers.get("content-type", "").startswith("application/json")
                    and "etag" not in headers
                ):
                    if is_refused:
                        is_answered = True
                        await _CONDITION_FAILED(scope, receive, send)
                        return
                    start = message
                    return
            elif start is not None and message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if message.get("more_body", False) and len(body) < _MAX_BYTES:
                    return
                first, start = start, None
                if not message.get("more_body", False):
                    first = _with_etag(first, bytes(body), if_none_match)
                    if first["status"] == 304:
                        body.clear()
                await send(first)
                message = {**message, "body": bytes(body)}
            await send(message)

        await self._app(scope, receive, send_with_etag)


def matches_etag(if_none_match: str, etag: str) -> bool:
    """Whether an ``If-None-Match`` lists this tag, by weak comparison (RFC 9110, 8.8.3.2)."""
    tags = [word.strip().removeprefix("W/") for word in if_none_match.split(",")]
    return "*" in tags or etag.removeprefix("W/") in tags


def _with_etag(start: Message, body: bytes, if_none_match: str) -> Message:
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    message = {**start, "headers": list(start["headers"])}
    headers = MutableHeaders(scope=message)
    headers["ETag"] = etag
    headers["Cache-Control"] = "private, no-cache"
    if matches_etag(if_none_match, etag):
        message["status"] = 304
        del headers["content-length"]
        del headers["content-type"]
    return message
