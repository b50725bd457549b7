"""HTTP requests with a token: retries, idempotency keys, pages, tables."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

import httpx

from ebbtide.api_address import require_encrypted
from ebbtide.client._errors import UnavailableError, response_error
from ebbtide.client._frames import Frames, read_frame

_TIMEOUT_S = 60.0
_TABLE_TIMEOUT_S = 600.0
_COMPUTING_TIMEOUT_S = 600.0
_MAX_ATTEMPTS = 3
_SIGN_INS = frozenset({"sign-in", "sign-in/passkey", "devices/sign-in"})
_RETRY_STATUS = frozenset({429, 503})


@cache
def _connections(url: str) -> httpx.Client:
    """Return the connection pool that all clients of this process share; it carries no token."""
    return httpx.Client(base_url=url, timeout=_TIMEOUT_S)


class Transport:
    """Send requests to the API at ``url``, under the path ``prefix``.

    A request is repeated up to three times after 429, 503 or a broken connection. Writes carry an
    Idempotency-Key, which stays the same over the repetitions, so that they happen once.
    """

    max_retry_wait_s = 10.0  # a Retry-After above it is not waited for

    def __init__(self, url: str, token: str | None, frames: Frames, prefix: str = "/v1") -> None:
        self.url = require_encrypted(url)
        self.token = token
        self.frames: Frames = frames
        self.forwarded_for: str | None = None  # the addresses of whom this client asks for
        self.language: str | None = None  # of what problems say, as Accept-Language names it
        self._prefix = prefix
        # Of the last table: the `since` of its next increment.
        self.until: str | None = None

    def _send(
        self,
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, object] | None = None,
        *,
        timeout_s: float = _TIMEOUT_S,
        prefix: str | None = None,
        accept: str = "application/json",
    ) -> httpx.Response:
        headers = {"Accept": accept}
        if self.forwarded_for is not None:
            headers["X-Forwarded-For"] = self.forwarded_for
        if self.language is not None:
            headers["Accept-Language"] = self.language
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
            if method != "GET":
                headers["Idempotency-Key"] = str(uuid.uuid4())
        address = f"{self._prefix if prefix is None else prefix}/{path}"
        for attempt in range(_MAX_ATTEMPTS):
            last = attempt == _MAX_ATTEMPTS - 1
            try:
                response = _connections(self.url).request(
                    method,
                    address,
                    json=body,
                    params=_query(params),
                    headers=headers,
                    timeout=timeout_s,
                )
            except httpx.HTTPError as error:
                if last or isinstance(error, httpx.ConnectError):
                    raise UnavailableError(
                        f"The API at {self.url} does not answer ({type(error).__name__})."
                    ) from error
                continue
            wait_s = _retry_after_s(response)
            if response.status_code not in _RETRY_STATUS or last or wait_s > self.max_retry_wait_s:
                break
            time.sleep(wait_s)
        if response.is_success:
            return response
        raise response_error(response, signing_in=path in _SIGN_INS)

    def _request(
        self,
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, object] | None = None,
        **options: Any,
    ) -> Any:
        """Send a request and parse the JSON of its response; None where it has no content.

        What the API is still computing (202) is fetched when it is ready.
        """
        response = self._send(method, path, body, params, **options)
        deadline = time.monotonic() + _COMPUTING_TIMEOUT_S
        while response.status_code == 202 and method == "GET":  # it is being computed
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"The API at {self.url} was still computing after {_COMPUTING_TIMEOUT_S:.0f} s."
                )
            time.sleep(min(_retry_after_s(response), self.max_retry_wait_s))
            response = self._send(method, path, body, params, **options)
        return response.json() if response.content else None

    def _dict(self, method: str, path: str, body: object = None, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._request(method, path, body, **options)
        return found

    def _list(self, method: str, path: str, **options: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._request(method, path, **options)
        return found

    def _pages(self, path: str, key: str, **params: object) -> Iterator[dict[str, Any]]:
        """Iterate over the items ``key`` of all pages, following the cursor ``next``."""
        while True:
            page = self._dict("GET", path, params=params)
            yield from page[key]
            if page["next"] is None:
                return
            params["cursor"] = page["next"]

    @contextmanager
    def _arrow_stream(self, path: str, params: Mapping[str, object]) -> Iterator[Any]:
        """Open a table as a ``pyarrow.RecordBatchReader`` that reads while it arrives.

        An answer that breaks off raises UnavailableError.
        """
        import pyarrow as pa

        with self._streamed(path, params, "application/vnd.apache.arrow.stream") as response:
            self.until = response.headers.get("Ebbtide-Until")
            with pa.ipc.open_stream(
                pa.PythonFile(io.BufferedReader(_Body(response), 1 << 20), mode="r")
            ) as reader:
                yield reader

    @contextmanager
    def _streamed(
        self, path: str, params: Mapping[str, object], accept: str
    ) -> Iterator[httpx.Response]:
        headers = {"Accept": accept, "Authorization": f"Bearer {self.token}"}
        address = f"{self._prefix}/{path}"
        try:
            for attempt in range(_MAX_ATTEMPTS):
                with _connections(self.url).stream(
                    "GET",
                    address,
                    params=_query(params),
                    headers=headers,
                    timeout=_TABLE_TIMEOUT_S,
                ) as response:
                    if response.is_success:
                        yield response
                        return
                    response.read()
                    wait_s = _retry_after_s(response)
                    last = attempt == _MAX_ATTEMPTS - 1 or wait_s > self.max_retry_wait_s
                    if response.status_code not in _RETRY_STATUS or last:
                        raise response_error(response)
                time.sleep(wait_s)
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"The API at {self.url} ended its answer early ({type(error).__name__})."
            ) from error

    def _frame(self, path: str, params: Mapping[str, object]) -> Any:
        """Get a table as Arrow and return it as a frame."""
        response = self._send(
            "GET",
            path,
            params=params,
            accept="application/vnd.apache.arrow.stream",
            timeout_s=_TABLE_TIMEOUT_S,
        )
        self.until = response.headers.get("Ebbtide-Until")
        return read_frame(response.content, self.frames)


class _Body(io.RawIOBase):
    """The body of a response that is read while it arrives."""

    def __init__(self, response: httpx.Response) -> None:
        self._pieces = response.iter_bytes()
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Say that it is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what fits into the buffer."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _query(
    params: Mapping[str, object] | None,
) -> list[tuple[str, str | int | float | bool | None]]:
    """Flatten lists, write datetimes as ISO 8601, leave out None."""
    found: list[tuple[str, str | int | float | bool | None]] = []
    for name, value in (params or {}).items():
        values = value if isinstance(value, (list, tuple)) else [value]
        for one in values:
            if isinstance(one, datetime):
                found.append((name, one.isoformat()))
            elif one is not None:
                found.append((name, str(one)))
    return found


def _retry_after_s(response: httpx.Response) -> float:
    try:
        return float(response.headers.get("retry-after", "1"))
    except ValueError:
        return 1.0
