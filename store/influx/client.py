"""An InfluxDB server over HTTP: ``/write`` and ``/query``, which 1.x, 2.x and 3 Core all have.

InfluxData's v1 client carries the requests; retries, compression and the reading of CSV into arrays
are here, since its own repeat at once, at the slowest level of gzip, and through one dict a point.
"""

from __future__ import annotations

import gzip
import io
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import requests
from influxdb import InfluxDBClient
from influxdb.exceptions import InfluxDBClientError, InfluxDBServerError
from numpy.typing import NDArray
from urllib3.exceptions import HTTPError

from ebbtide._lazy import lazy_module
from ebbtide.errors import EbbtideError
from store.errors import DamagedStoreError, StoreUnavailableError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv
else:
    pa = lazy_module("pyarrow")
    csv = lazy_module("pyarrow.csv")

_BATCH = 5000  # points a request: what InfluxData recommends
_CHUNK = 20_000  # rows that the server puts together before it sends them
_TRIES = 5
_FIRST_WAIT_S = 0.2
_CONNECT_S, _ANSWER_S = 3.0, 30.0
_GZIP_FROM_BYTES = 1400  # bytes: what fits into one packet is sent as it is


@dataclass(frozen=True, slots=True)
class InfluxAddress:
    """Where the server is, and who we are there: a token, or user and password.

    ``ca_file``: certificates to trust beside the system's. ``without_erasure``: use a server that
    cannot delete rows.
    """

    url: str
    database: str = "ebbtide"
    user: str | None = None
    password: str | None = None
    token: str | None = None
    ca_file: Path | None = None
    without_erasure: bool = False


class InfluxServer:
    """Requests to one database. Safe with several threads.

    Raises StoreUnavailableError when the server does not answer in time, or its disk is full;
    EbbtideError when it refuses, with its reason.
    """

    def __init__(self, address: InfluxAddress) -> None:
        where = urlsplit(address.url)
        if where.scheme not in ("http", "https") or where.hostname is None:
            raise EbbtideError(
                "EBBTIDE_INFLUXDB_URL is no address of an InfluxDB server.",
                "It looks like https://influxdb.example.org:8086.",
            )
        self._address = address
        headers = {"Accept": "application/x-msgpack", "Accept-Encoding": "identity"}
        if address.token is not None:
            headers["Authorization"] = f"Token {address.token}"
        self._headers = headers
        self._session = requests.Session()
        # Proxy and certificates of the environment are read here: requests would look for them at
        # each request, which was 7% of the profile of an upload's threads.
        verify = True if address.ca_file is None else str(address.ca_file)
        found = self._session.merge_environment_settings(address.url, {}, None, verify, None)
        self._session.proxies.update(found["proxies"])
        self._session.trust_env = False
        self._verify: bool | str = found["verify"]
        self._client = InfluxDBClient(
            where.hostname,
            where.port or (443 if where.scheme == "https" else 8086),
            address.user,
            address.password,
            address.database,
            ssl=where.scheme == "https",
            verify_ssl=self._verify,
            timeout=(_CONNECT_S, _ANSWER_S),
            retries=1,
            pool_size=50,
            path=where.path.rstrip("/"),
            headers=dict(headers),
            session=self._session,
        )
        self.version = self._version()
        if self._major() >= 3 and not address.without_erasure:
            raise EbbtideError(
                f"InfluxDB {self.version or '(no version told)'} cannot delete rows: nobody could "
                "be erased.",
                "Use InfluxDB 1.x or 2.x, or set EBBTIDE_INFLUXDB_WITHOUT_ERASURE=true if the law "
                "where you are, and what your patients agreed to, allow that.",
            )

    @property
    def can_erase(self) -> bool:
        """Whether the server can delete rows."""
        return self._major() < 3

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def check(self) -> None:
        """Raise StoreUnavailableError if the server does not answer now."""
        self._answer("SHOW MEASUREMENTS LIMIT 1", "GET", tries=1)

    def make_database(self) -> None:
        """Make the database where the server lets us; a bucket of 2.x is made by its owner.

        Raises EbbtideError where the database would delete beats after a while.
        """
        database = self._address.database
        if self._major() == 1:
            try:
                self.command(f'CREATE DATABASE "{database}"')
            except EbbtideError:
                if database not in [row[0] for row in self.rows("SHOW DATABASES")]:
                    raise
            for policy in self.rows(f'SHOW RETENTION POLICIES ON "{database}"'):
                if policy[-1] is True and policy[1] not in ("0s", "0"):
                    raise EbbtideError(
                        f"The database {database} deletes what is older than {policy[1]}.",
                        f'ALTER RETENTION POLICY "{policy[0]}" ON "{database}" DURATION INF',
                    )

    def write(self, lines: Iterable[str]) -> None:
        """Write points in line protocol, in order. When it returns, the server has all of them;
        writing them again changes nothing.
        """
        waiting = iter(lines)
        params = {"db": self._address.database, "precision": "ns"}
        while batch := list(islice(waiting, _BATCH)):
            data = "\n".join(batch).encode()
            headers = {**self._headers, "Content-Type": "text/plain; charset=utf-8"}
            if len(data) > _GZIP_FROM_BYTES:
                data = gzip.compress(data, 1)
                headers["Content-Encoding"] = "gzip"
            self._request(
                "write", "POST", params=params, data=data, headers=headers, expected=204
            ).close()

    def command(self, statement: str) -> None:
        """A statement that changes something."""
        self._answer(statement, "POST")

    def rows(self, query: str) -> list[list[Any]]:
        """The rows of a small answer, of all its series."""
        return [row for series in self.series(query) for row in series["values"]]

    def series(self, query: str) -> list[dict[str, Any]]:
        """The series of a small answer, each with its ``columns`` and ``values``."""
        return self._answer(query, "GET")

    def columns(self, query: str, kinds: Mapping[str, str]) -> dict[str, NDArray[Any]]:
        """The columns named in ``kinds`` (numpy's words, "i8" or "f8") of one series; floats are
        NaN where there is no value.

        CSV into arrays is the fastest of the three ways (docs/operating/running.md), but InfluxDB
        does not say there that a query failed midway: the caller must know the row count.
        """
        headers = {**self._headers, "Accept": "application/csv"}
        params = {
            "db": self._address.database,
            "q": query,
            "epoch": "ns",
            "chunked": "true",
            "chunk_size": str(_CHUNK),
        }
        for attempt in range(_TRIES):
            answer = self._request("query", "GET", params=params, headers=headers, stream=True)
            try:
                with answer:
                    return _columns(answer.raw, kinds)
            except (HTTPError, OSError) as error:  # cut while it was read
                if attempt == _TRIES - 1:
                    raise _unavailable(error) from error
                _wait(attempt)
        raise AssertionError("the last try returns or raises")

    def _answer(self, query: str, method: str, tries: int = _TRIES) -> list[dict[str, Any]]:
        params = {"db": self._address.database, "q": query, "epoch": "ns"}
        answer = self._request("query", method, params=params, tries=tries)
        content: Any = getattr(answer, "_msgpack", None) or answer.json()
        for result in content.get("results", []):
            if "error" in result:
                raise _refused(result["error"])
        return [
            series for result in content.get("results", []) for series in result.get("series", [])
        ]

    def _request(
        self,
        path: str,
        method: str,
        *,
        expected: int = 200,
        tries: int = _TRIES,
        **more: Any,
    ) -> requests.Response:
        more.setdefault("headers", dict(self._headers))
        for attempt in range(tries):
            try:
                answer: requests.Response = self._client.request(
                    path, method, expected_response_code=expected, **more
                )
                return answer
            except InfluxDBClientError as error:
                raise _refused(error.content) from error
            except (InfluxDBServerError, requests.RequestException, HTTPError) as error:
                if attempt == tries - 1:
                    raise _unavailable(error) from error
                _wait(attempt)
        raise AssertionError("the last try returns or raises")

    def _version(self) -> str:
        # Not through the client's ping, which takes any answer for 1.x.
        try:
            answer = self._session.get(
                f"{self._address.url.rstrip('/')}/ping",
                headers={k: v for k, v in self._headers.items() if k == "Authorization"},
                verify=self._verify,
                timeout=(_CONNECT_S, _ANSWER_S),
            )
        except (requests.RequestException, HTTPError) as error:
            raise _unavailable(error) from error
        return str(answer.headers.get("X-Influxdb-Version", "")).removeprefix("v")

    def _major(self) -> int:
        first = self.version.split(".")[0]
        # 3 Core names its version in another header, and others none at all.
        return int(first) if first.isdigit() else 3


def _wait(attempt: int) -> None:
    time.sleep(_FIRST_WAIT_S * 2**attempt * random.uniform(0.5, 1.0))


def _columns(raw: Any, kinds: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    if not (first := raw.read(1 << 12)).strip():
        raw.drain_conn()
        return {name: np.empty(0, kind) for name, kind in kinds.items()}
    types = {
        name: pa.float64() if np.dtype(kind).kind == "f" else pa.int64()
        for name, kind in kinds.items()
    }
    try:
        table = csv.read_csv(
            pa.PythonFile(_JoinedChunks(first, raw), mode="r"),
            # In this thread: Arrow's own may still hold Python's buffers when the program ends,
            # which then aborts (apache/arrow issues 34314 and 50482).
            read_options=csv.ReadOptions(block_size=1 << 19, use_threads=False),
            convert_options=csv.ConvertOptions(column_types=types, include_columns=list(kinds)),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise DamagedStoreError(f"InfluxDB's answer cannot be read: {error}.") from error
    return {
        name: table.column(name).to_numpy().astype(kind, copy=False) for name, kind in kinds.items()
    }


class _JoinedChunks(io.RawIOBase):
    """What was read already, and what follows."""

    def __init__(self, first: bytes, rest: Any) -> None:
        self._first = first
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._first:
            data, self._first = self._first, b""
            return data
        data = self._rest.read(None if size < 0 else size)
        return bytes(data)


def _unavailable(error: Exception) -> StoreUnavailableError:
    # Its text may have the address: only its type is named.
    return StoreUnavailableError(
        f"InfluxDB does not answer ({type(error).__name__}).", "Is it running, and is there room?"
    )


def _refused(reason: object) -> EbbtideError:
    return EbbtideError(
        f"InfluxDB says no: {str(reason)[:300]}.",
        "Check EBBTIDE_INFLUXDB_DATABASE, the user and its rights.",
    )
