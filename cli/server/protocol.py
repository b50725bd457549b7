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
        """The parser in C."""

    HTTP_PROTOCOL = ProblemHttpToolsProtocol
