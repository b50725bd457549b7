"""HTTP below the application: what it never sees is answered with a problem too (RFC 9457)."""

from __future__ import annotations

import asyncio
import json

from uvicorn.protocols.http.h11_impl import H11Protocol

_DETAIL = "This is no HTTP/1.1 request: its first line, a header or its length is malformed."
_BODY = json.dumps(
    {
        "type": "urn:ebbtide:problem:invalid",
        "title": "Bad Request",
        "status": 400,
        "detail": _DETAIL,
        "errors": [],
    },
    separators=(",", ":"),
).encode()
_RESPONSE = (
    b"HTTP/1.1 400 Bad Request\r\n"
    b"content-type: application/problem+json\r\n"
    b"content-length: " + str(len(_BODY)).encode() + b"\r\n"
    b"x-content-type-options: nosniff\r\n"
    b"cache-control: no-store\r\n"
    b"connection: close\r\n\r\n" + _BODY
)

# httptools keeps a head of any length in memory, for any time. h11 allows 64 KiB; browsers send a
# few, at once.
MAX_HEAD_BYTES = 65536
MAX_HEAD_S = 60.0


class _ProblemMixin:
    """Send a problem in place of Uvicorn's plain text."""

    transport: asyncio.Transport

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed, and close. ``msg`` says no more than the status."""
        self.transport.write(_RESPONSE)
        self.transport.close()


class ProblemH11Protocol(_ProblemMixin, H11Protocol):
    """The parser in Python."""


try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError:  # pragma: no cover - where no wheel of httptools is to be had
    HTTP_PROTOCOL: type[asyncio.Protocol] = ProblemH11Protocol
else:

    class ProblemHttpToolsProtocol(_ProblemMixin, HttpToolsProtocol):
        """The parser in C, with bounds on the head of a request."""

        _in_head = True
        _head_bytes = 0
        _head_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Wait for a request, not for ever."""
            super().connection_made(transport)
            self._expect_head()

        def connection_lost(self, exc: Exception | None) -> None:
            """Wait no more."""
            self._expect_no_head()
            super().connection_lost(exc)

        def on_message_begin(self) -> None:
            """A request begins: time and count its head."""
            self._expect_head()
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            """Its head is whole."""
            self._expect_no_head()
            super().on_headers_complete()

        def data_received(self, data: bytes) -> None:
            """Parse, unless more came without an end of the head than any browser sends."""
            was_in_head = self._in_head
            super().data_received(data)
            if was_in_head and self._in_head and not self.transport.is_closing():
                self._head_bytes += len(data)
                if self._head_bytes > MAX_HEAD_BYTES:
                    self.send_400_response("")

        def _expect_head(self) -> None:
            self._expect_no_head()
            self._in_head = True
            loop = asyncio.get_running_loop()
            self._head_timer = loop.call_later(MAX_HEAD_S, self.transport.close)

        def _expect_no_head(self) -> None:
            self._in_head, self._head_bytes = False, 0
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

    HTTP_PROTOCOL = ProblemHttpToolsProtocol
