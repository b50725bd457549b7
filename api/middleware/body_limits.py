"""What surrounds every request: how large and how slow a body may be, and the headers that keep
browsers and proxies from doing more with an answer than was meant.
"""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import problem_response

MAX_BODY_BYTES = 16 * 2**20
BODY_TIMEOUT_S = 60.0
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NO_STORE = "no-store"


class BodyLimitMiddleware:
    """Limits bodies in size and time, and puts security headers on every answer."""

    def __init__(
        self, app: ASGIApp, most_body: int = MAX_BODY_BYTES, within_s: float = BODY_TIMEOUT_S
    ) -> None:
        self._app = app
        self._most = most_body
        self._within_s = within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", _NO_STORE)
                if scope.get("scheme") == "https":
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        said = Headers(scope=scope).get("content-length", "")
        if said.isdigit() and int(said) > self._most:
            await self._too_large()(scope, receive, guarded_send)
            return
        came, whole = 0, False
        until = time.monotonic() + self._within_s

        async def guarded_receive() -> Message:
            nonlocal came, whole
            if whole:  # then what comes is that the client has gone
                return await receive()
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    408, f"The body did not come within {self._within_s:.0f} s."
                ) from None
            if message["type"] == "http.request":
                came += len(message.get("body", b""))
                whole = not message.get("more_body", False)
                if came > self._most:
                    raise HTTPException(413, self._too_large_words())
            return message

        await self._app(scope, guarded_receive, guarded_send)

    def _too_large(self) -> ASGIApp:
        return problem_response(413, self._too_large_words())

    def _too_large_words(self) -> str:
        return f"The body is larger than {self._most // 2**20} MiB: send it in parts."
