"""HEAD on every GET route; and tags, ranges and compression that agree (RFC 9110)."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.ranges import HEAD


class _HeadersSentError(OSError):
    """The response to HEAD is complete; what the route goes on sending has no reader."""


class RepresentationMiddleware:
    """Answer HEAD as GET without its content, and keep what was compressed apart from the rest.

    A strong tag or a range names bytes as they are stored: a range and HEAD are never compressed,
    and a compressed response has the weak form of the tag and no ranges.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        inner = scope
        if is_head or "range" in Headers(scope=scope):
            headers = [item for item in scope["headers"] if item[0] != b"accept-encoding"]
            inner = {**scope, "headers": headers}
        if is_head:
            inner = {**inner, "method": "GET", HEAD: True}
        is_sent = False

        async def send_representation(message: Message) -> None:
            nonlocal is_sent
            if message["type"] == "http.response.start":
                _agree(message)
            elif is_head:
                if is_sent:
                    raise _HeadersSentError
                is_sent = True
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        try:
            await self._app(inner, receive, send_representation)
        except (ClientDisconnect, _HeadersSentError):
            if not is_sent:
                raise
        finally:
            if inner is not scope:  # the route that was found, for metrics and the log
                found = {key: inner[key] for key in inner.keys() - scope.keys() - {HEAD}}
                scope.update(found)


def _agree(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    if "content-encoding" in headers:
        tag = headers.get("etag", "")
        if tag.startswith('"'):
            headers["ETag"] = f"W/{tag}"
        if "accept-ranges" in headers:
            headers["Accept-Ranges"] = "none"
    if message["status"] == 304:
        # As the 200 would have had.
        headers.add_vary_header("Accept-Encoding")
