"""``ETag`` on every JSON response, and 304 where the client has it already (RFC 9110)."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.etags import matches_etag
from api.http.held_responses import hold_response
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

        def is_held(start: Message) -> bool:
            headers = Headers(raw=start["headers"])
            is_json = headers.get("content-type", "").startswith("application/json")
            return start["status"] == 200 and is_json and "etag" not in headers

        def finish(start: Message, body: bytes) -> tuple[Message, bytes]:
            if is_refused:
                status, headers = _CONDITION_FAILED.status_code, _CONDITION_FAILED.raw_headers
                return {**start, "status": status, "headers": headers}, bytes(
                    _CONDITION_FAILED.body
                )
            start = _with_etag(start, body, if_none_match)
            return start, b"" if start["status"] == 304 else body

        max_bytes = None if is_refused else _MAX_BYTES
        await self._app(scope, receive, hold_response(send, is_held, finish, max_bytes))


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
