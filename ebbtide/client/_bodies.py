"""Bodies of responses: read while they arrive, and checked for their end.

A connection that closes where no length was announced looks like the end of a body (RFC 9112, 8).
So the end of the format itself is looked for: Arrow and Parquet have a mark, CSV a line feed.
"""

from __future__ import annotations

import io
from typing import Any

import httpx

from ebbtide.client._errors import ApiError, UnavailableError

ARROW = "application/vnd.apache.arrow.stream"
_ARROW_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"  # a message of no length (Arrow IPC format)
_ENDS = {ARROW: _ARROW_END, "application/vnd.apache.parquet": b"PAR1", "text/csv": b"\n"}


class ArrowBody(io.RawIOBase):
    """The body of a table that is read while it arrives.

    The first bytes are there when it is made, so that a connection which breaks before them can be
    tried again. Reading raises UnavailableError where the table breaks off.
    """

    def __init__(self, response: httpx.Response) -> None:
        require_kind(response, ARROW)
        self._response = response
        self._pieces = response.iter_bytes()
        self._left = memoryview(next(self._pieces, b""))
        self._end = bytes(self._left[-len(_ARROW_END) :])

    def readable(self) -> bool:
        """Say that it is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what fits into the buffer."""
        while not self._left:
            if not self._receive():
                return 0
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def _receive(self) -> bool:
        """Wait for the next piece; False at the end. Raises UnavailableError where it is early."""
        try:
            piece = next(self._pieces, None)
        except httpx.HTTPError as error:
            raise ended_early(self._response, type(error).__name__) from error
        if piece is None:
            if self._end != _ARROW_END:
                raise ended_early(self._response, "the table has no end")
            return False
        self._left = memoryview(piece)
        self._end = (self._end + piece)[-len(_ARROW_END) :]
        return True

    def close(self) -> None:
        """Give the connection back."""
        self._response.close()
        super().close()


def require_whole(response: httpx.Response) -> bytes:
    """Return the content of a table's file.

    Parameters
    ----------
    response : httpx.Response
        A response that was read.

    Returns
    -------
    bytes
        The content.

    Raises
    ------
    UnavailableError
        If it breaks off, or is CSV that closes the connection in place of saying how long it is: a
        line that is missing could not be told from a table without it.
    """
    kind = _kind(response)
    is_framed = bool({"content-length", "transfer-encoding"} & set(response.headers))
    if not response.content.endswith(_ENDS.get(kind, b"")):
        raise ended_early(response, "the file has no end")
    if kind == "text/csv" and not is_framed:
        raise ended_early(response, "it does not say how long it is")
    return bytes(response.content)


def require_kind(response: httpx.Response, kind: str) -> None:
    """Refuse what is of another kind, such as the page of a proxy.

    Parameters
    ----------
    response : httpx.Response
        A response, read or not.
    kind : str
        The media type that was asked for.

    Raises
    ------
    ApiError
        If it is of another.
    """
    if _kind(response) != kind:
        raise not_the_api(response)


def not_the_api(response: httpx.Response) -> ApiError:
    """Build the error of a success that the API cannot have sent.

    Parameters
    ----------
    response : httpx.Response
        The response.

    Returns
    -------
    ApiError
        It names the address and the kind of what came.
    """
    came = _kind(response) or "no kind"
    words = f"{_address(response)} answered with {came}: no answer of Ebbtide's API."
    return ApiError(words, response.status_code)


def ended_early(response: httpx.Response, why: str) -> UnavailableError:
    """Build the error of an answer that broke off.

    Parameters
    ----------
    response : httpx.Response
        The response.
    why : str
        How that was seen.

    Returns
    -------
    UnavailableError
        It names the address.
    """
    return UnavailableError(f"The API at {_address(response)} ended its answer early ({why}).")


def _kind(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _address(response: httpx.Response) -> str:
    url = response.request.url
    return f"{url.scheme}://{url.netloc.decode()}"
