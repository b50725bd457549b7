"""Limit how large a request body may be, and how long it may take to arrive."""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import problem_response

MAX_BODY_BYTES = 16 * 2**20
BODY_TIMEOUT_S = 60.0


class BodyLimitMiddleware:
    """Refuse with 413 a body that is too large, and with 408 one that is too slow."""

    def __init__(
        self, app: ASGIApp, max_bytes: int = MAX_BODY_BYTES, timeout_s: float = BODY_TIMEOUT_S
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        too_large = f"The body is larger than {self._max_bytes // 2**20} MiB: send it in parts."
        length = Headers(scope=scope).get("content-length", "")
        if length.isdigit() and int(length) > self._max_bytes:
            await problem_response(413, too_large)(scope, receive, send)
            return
        received, is_complete = 0, False
        deadline = time.monotonic() + self._timeout_s

        async def limited_receive() -> Message:
            nonlocal received, is_complete
            if is_complete:  # the next message says that the client has disconnected
                return await receive()
            try:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    408, f"The body did not come within {self._timeout_s:.0f} s."
                ) from None
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                is_complete = not message.get("more_body", False)
                if received > self._max_bytes:
                    raise HTTPException(413, too_large)
            return message

        await self._app(scope, limited_receive, send)
