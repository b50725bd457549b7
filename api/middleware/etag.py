"""``ETag`` on every answer that is JSON, and 304 where the caller has it already (RFC 9110)."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MAX_BYTES = 8 * 2**20  # answers that are larger go out as they come


class ETagMiddleware:
    """Names what is answered by its content. Answers that name themselves are left alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("if-none-match", "")
        start: Message | None = None
        body = bytearray()

        async def etag_of(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                if (
                    message["status"] == 200
                    and headers.get("content-type", "").startswith("application/json")
                    and "etag" not in headers
                ):
                    start = message
                    return
            elif start is not None and message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if message.get("more_body", False) and len(body) < _MAX_BYTES:
                    return
                first, start = start, None
                if not message.get("more_body", False):
                    first = _with_etag(first, bytes(body), asked)
                    if first["status"] == 304:
                        body.clear()
                await send(first)
                message = {**message, "body": bytes(body)}
            await send(message)

        await self._app(scope, receive, etag_of)


def matches_etag(asked: str, name: str) -> bool:
    """Whether an ``If-None-Match`` has this name. Weak and strong names are compared alike."""
    names = [word.strip().removeprefix("W/") for word in asked.split(",")]
    return "*" in names or name.removeprefix("W/") in names


def _with_etag(start: Message, body: bytes, asked: str) -> Message:
    name = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    message = {**start, "headers": list(start["headers"])}
    headers = MutableHeaders(scope=message)
    headers["ETag"] = name
    headers["Cache-Control"] = "private, no-cache"
    if matches_etag(asked, name):
        message["status"] = 304
        del headers["content-length"]
        del headers["content-type"]
    return message
