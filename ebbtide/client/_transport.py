"""HTTP requests with a token: retries, idempotency keys, pages, tables."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import httpx

from ebbtide.api_address import require_encrypted
from ebbtide.client._bodies import ARROW, ArrowBody, not_the_api, require_kind, require_whole
from ebbtide.client._errors import UnavailableError, response_error
from ebbtide.client._frames import Frames, read_frame

_TIMEOUT_S = 60.0
_TABLE_TIMEOUT_S = 600.0
_COMPUTING_TIMEOUT_S = 600.0
_MAX_ATTEMPTS = 3
_SIGN_INS = frozenset({"sign-in", "sign-in/passkey", "devices/sign-in"})
_RETRY_STATUS = frozenset({429, 503})

Received = TypeVar("Received")


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
        **options: Any,
    ) -> httpx.Response:
        """Send a request and read all of its response."""

        def read(response: httpx.Response) -> httpx.Response:
            response.read()
            return response

        return self._exchange(read, method, path, body, params, **options)

    def _exchange(
        self,
        receive: Callable[[httpx.Response], Received],
        method: str,
        path: str,
        body: object = None,
        params: Mapping[str, object] | None = None,
        *,
        timeout_s: float = _TIMEOUT_S,
        prefix: str | None = None,
        accept: str = "application/json",
    ) -> Received:
        """Send a request, again where that helps, and return what ``receive`` makes of a success.

        A connection that breaks before ``receive`` returns is tried again. Of a success that is
        not read to its end, what ``receive`` made has to close the response.
        """
        connections = _connections(self.url)
        headers = self._headers(method, accept)
        address = f"{self._prefix if prefix is None else prefix}/{path}"
        for attempt in range(_MAX_ATTEMPTS):
            last = attempt == _MAX_ATTEMPTS - 1
            request = connections.build_request(
                method,
                address,
                json=body,
                params=_query(params),
                headers=headers,
                timeout=timeout_s,
            )
            try:
                response = connections.send(request, stream=True)
                if response.is_success:
                    return _close_if_refused(response, receive)
                response.read()
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
        raise response_error(response, signing_in=path in _SIGN_INS)

    def _headers(self, method: str, accept: str) -> dict[str, str]:
        """Make the headers of a request, which are the same over its repetitions."""
        headers = {"Accept": accept}
        if self.forwarded_for is not None:
            headers["X-Forwarded-For"] = self.forwarded_for
        if self.language is not None:
            headers["Accept-Language"] = self.language
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
            if method != "GET":
                headers["Idempotency-Key"] = str(uuid.uuid4())
        return headers

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
        try:
            return response.json() if response.content else None
        except ValueError as error:
            raise not_the_api(response) from error

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

        def begin(response: httpx.Response) -> ArrowBody:
            self.until = response.headers.get("Ebbtide-Until")
            return ArrowBody(response)

        body = self._exchange(
            begin, "GET", path, params=params, accept=ARROW, timeout_s=_TABLE_TIMEOUT_S
        )
        with closing(body):
            source = pa.PythonFile(io.BufferedReader(body, 1 << 20), mode="r")
            with pa.ipc.open_stream(source) as reader:
                yield reader

    def _frame(self, path: str, params: Mapping[str, object]) -> Any:
        """Get a table as Arrow and return it as a frame."""
        response = self._send("GET", path, params=params, accept=ARROW, timeout_s=_TABLE_TIMEOUT_S)
        require_kind(response, ARROW)
        self.until = response.headers.get("Ebbtide-Until")
        return read_frame(require_whole(response), self.frames)


def _close_if_refused(
    response: httpx.Response, receive: Callable[[httpx.Response], Received]
) -> Received:
    try:
        return receive(response)
    except BaseException:
        response.close()
        raise


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
