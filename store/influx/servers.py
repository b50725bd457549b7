"""Several InfluxDB servers, of which one may be away while the others go on.

A server that does not answer is asked again by one request every few seconds; all others are
refused at once meanwhile, and so is what would be more than some requests at a time. So the threads
of this process, and its connections to the SQL database, are not used up by waiting for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from numpy.typing import NDArray

from ebbtide.errors import EbbtideError
from store.errors import StoreUnavailableError
from store.influx.client import InfluxAddress, InfluxServer
from store.influx.places import MAIN

_LOG = logging.getLogger("ebbtide.store")
_RETRY_S = 3.0  # how long a server that does not answer is left alone
_SLOW_S = 5.0  # a write that takes longer is to a server that hangs
_AT_ONCE = 8  # of 20 connections to the SQL database, which a write holds
_QUEUE_S = 0.5
_CHECK_S = 3.0  # what a load balancer waits for
_NAMES = "ebbtide_server"  # a measurement with one point: which of several servers this is

T = TypeVar("T")


class PlacedServer:
    """One of the servers; opened when it is first needed. Safe with several threads.

    Raises StoreUnavailableError, at once where it did not answer just now.
    """

    def __init__(
        self, name: str, open_server: Callable[[], InfluxServer], *, is_only: bool = False
    ) -> None:
        self.name = name
        self._open = open_server
        self._server: InfluxServer | None = None
        self._opening = threading.Lock()
        self._gate = None if is_only else _Gate(name)

    def require_answering(self) -> None:
        """Raise StoreUnavailableError where the server is known to be away."""
        if self._gate is not None:
            self._gate.require_open()

    @property
    def can_erase(self) -> bool:
        """Whether the server can delete rows; where that is not known yet, it is asked later."""
        return True if self._server is None else self._server.can_erase

    def check(self) -> None:
        """Raise StoreUnavailableError if the server does not answer now."""
        self._pass(lambda server: server.check())

    def write(self, lines: Iterable[str]) -> None:
        """Write points; see InfluxServer."""
        self._pass(lambda server: server.write(lines), is_write=True)

    def command(self, statement: str) -> None:
        """A statement that changes something."""
        self._pass(lambda server: server.command(statement))

    def rows(self, query: str) -> list[list[Any]]:
        """The rows of a small answer; see InfluxServer."""
        return self._pass(lambda server: server.rows(query))

    def series(self, query: str) -> list[dict[str, Any]]:
        """The series of a small answer, with the names of their columns."""
        return self._pass(lambda server: server.series(query))

    def columns(self, query: str, kinds: Mapping[str, str]) -> dict[str, NDArray[Any]]:
        """The columns of one series; see InfluxServer."""
        return self._pass(lambda server: server.columns(query, kinds))

    def close(self) -> None:
        """Close the connections."""
        if self._server is not None:
            self._server.close()

    def _pass(self, ask: Callable[[InfluxServer], T], *, is_write: bool = False) -> T:
        if self._gate is None:
            return ask(self.open())
        with self._gate.passing(is_write):
            return ask(self.open())

    def open(self) -> InfluxServer:
        """The connection. Raises EbbtideError where the server is not one to be used."""
        if self._server is None:
            with self._opening:
                if self._server is None:
                    self._server = self._open()
        return self._server


class InfluxServers:
    """The servers by their names."""

    def __init__(self, servers: Mapping[str, PlacedServer]) -> None:
        self._servers = dict(servers)

    @classmethod
    def of(cls, addresses: Mapping[str, InfluxAddress]) -> InfluxServers:
        """The servers at these addresses. One alone is opened now, and raises EbbtideError where it
        does not answer; of several, each when it is first needed.
        """
        is_only = len(addresses) == 1
        servers = {
            name: PlacedServer(name, _opener(address, None if is_only else name), is_only=is_only)
            for name, address in addresses.items()
        }
        if is_only:
            for server in servers.values():
                server.open()
        return cls(servers)

    @classmethod
    def single(cls, server: InfluxServer) -> InfluxServers:
        """One server, which has everybody."""
        return cls({MAIN: PlacedServer(MAIN, lambda: server, is_only=True)})

    @property
    def names(self) -> list[str]:
        """Their names, as the settings list them."""
        return list(self._servers)

    def get(self, name: str) -> PlacedServer:
        """The server of this name. Raises StoreUnavailableError for one that is not set here."""
        found = self._servers.get(name)
        if found is None:
            raise StoreUnavailableError(
                f"There are beats on the InfluxDB server {name}, which is not in the settings.",
                "Name it in EBBTIDE_INFLUXDB_URL, and start every process with the same list.",
            )
        return found

    def answering(self) -> list[str]:
        """Those that are not known to be away."""
        return [name for name in self.names if _is_open(self._servers[name])]

    def all(self) -> list[PlacedServer]:
        """Every server."""
        return list(self._servers.values())

    def states(self) -> dict[str, str | None]:
        """What each says now: None where it answers, and otherwise why not. All at once, and for
        some seconds at most.
        """
        found: dict[str, str | None] = {
            name: f"The InfluxDB server {name} does not answer." for name in self.names
        }

        def ask(server: PlacedServer) -> None:
            try:
                server.check()
                found[server.name] = None
            except Exception as error:  # whatever a driver may raise
                found[server.name] = (
                    error.what if isinstance(error, EbbtideError) else type(error).__name__
                )

        threads = [
            threading.Thread(target=ask, args=(server,), daemon=True) for server in self.all()
        ]
        for thread in threads:
            thread.start()
        until = time.monotonic() + _CHECK_S
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return dict(found)

    def close(self) -> None:
        """Close the connections."""
        for server in self._servers.values():
            server.close()


def _is_open(server: PlacedServer) -> bool:
    try:
        server.require_answering()
    except StoreUnavailableError:
        return False
    return True


def _opener(address: InfluxAddress, name: str | None) -> Callable[[], InfluxServer]:
    def open_server() -> InfluxServer:
        server = InfluxServer(address)
        server.make_database()
        if name is not None:
            _require_name(server, name)
        return server

    return open_server


def _require_name(server: InfluxServer, name: str) -> None:
    """Raise where the server has been another of the servers: two addresses were exchanged, and
    beats would be written where nobody looks for them. One without a name gets this one.
    """
    found = [row[1] for row in server.rows(f'SELECT "name" FROM {_NAMES}')]
    if not found:
        server.write([f'{_NAMES} name="{name}" 0'])
    elif found != [name]:
        server.close()
        raise StoreUnavailableError(
            f"The InfluxDB server at the address of {name} is the one named {found[0]}.",
            "Give each server the name that it had before in EBBTIDE_INFLUXDB_URL.",
        )


class _Gate:
    """Who may ask the server now."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._next_try: float | None = None  # where it did not answer
        self._busy = 0
        self._writes: dict[int, float] = {}
        self._number = 0

    @contextmanager
    def passing(self, is_write: bool) -> Iterator[None]:
        number = self._enter(is_write)
        try:
            yield
        except StoreUnavailableError:
            self._leave(number, answered=False)
            raise
        except BaseException:
            self._leave(number)
            raise
        self._leave(number, answered=True)

    def require_open(self) -> None:
        """Raise where a request would be refused."""
        with self._changed:
            now = time.monotonic()
            if self._next_try is not None and now < self._next_try:
                raise self._away()
            if any(now - began > _SLOW_S for began in self._writes.values()):
                raise self._away()

    def _enter(self, is_write: bool) -> int:
        self.require_open()
        with self._changed:
            if self._next_try is not None:
                now = time.monotonic()
                if now < self._next_try:
                    raise self._away()
                self._next_try = now + _RETRY_S  # this one asks; others wait for what it finds
            elif not self._changed.wait_for(lambda: self._busy < _AT_ONCE, _QUEUE_S):
                raise self._away()
            self._busy += 1
            self._number += 1
            if is_write:
                self._writes[self._number] = time.monotonic()
            return self._number

    def _leave(self, number: int, answered: bool | None = None) -> None:
        with self._changed:
            self._busy -= 1
            self._writes.pop(number, None)
            if answered is False:
                if self._next_try is None:
                    _LOG.warning("the InfluxDB server %s does not answer", self._name)
                self._next_try = time.monotonic() + _RETRY_S
            elif answered and self._next_try is not None:
                _LOG.warning("the InfluxDB server %s answers again", self._name)
                self._next_try = None
            self._changed.notify()

    def _away(self) -> StoreUnavailableError:
        return StoreUnavailableError(
            f"The InfluxDB server {self._name} does not answer.",
            "Is it running, and is there room?",
        )
