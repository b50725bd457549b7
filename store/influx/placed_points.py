"""Which server is asked for the points of a subject, and what becomes of a move meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from numpy.typing import NDArray

from store.errors import StoreError, StoreUnavailableError
from store.influx.catalogue import BeatCatalogue
from store.influx.client import InfluxServer
from store.influx.points import list_subjects
from store.influx.servers import InfluxServers, PlacedServer
from store.influx.transactions import StreamTransaction

T = TypeVar("T")

_HINTS = 20_000  # people of whom this process remembers the server


class PlacedPoints:
    """The servers and the catalogue, of a store of beats."""

    def __init__(self, servers: InfluxServer | InfluxServers, catalogue: BeatCatalogue) -> None:
        if isinstance(servers, InfluxServer):
            servers = InfluxServers.single(servers)
        self.servers = servers
        self.catalogue = self._catalogue = catalogue
        # Where a subject was last: only to refuse at once what would go to a server that is away.
        self._hints: dict[str, str] = {}

    def _ask(self, subject_id: str, ask: Callable[[PlacedServer], T]) -> T:
        """Read from the server of the subject; from the next, where it was moved meanwhile."""
        place = self._catalogue.places.get(subject_id)
        while True:
            answer: T | StoreError
            try:
                answer = ask(self.servers.get(place.server))
            except StoreError as error:
                answer = error
            now = self._catalogue.places.get(subject_id)
            if now.epoch == place.epoch:
                if isinstance(answer, StoreError):
                    raise answer
                return answer
            place = now

    def _rows(self, subject_id: str, query: str) -> list[list[Any]]:
        return self._ask(subject_id, lambda server: server.rows(query))

    def _columns_of(
        self, subject_id: str, query: str, names: Sequence[str]
    ) -> dict[str, NDArray[Any]]:
        kinds = dict.fromkeys(names, "i8")
        return self._ask(subject_id, lambda server: server.columns(query, kinds))

    @contextmanager
    def _appending(
        self, subject_id: str, stream_id: str
    ) -> Iterator[tuple[StreamTransaction, PlacedServer]]:
        hint = self._hints.get(subject_id)
        if hint is not None and hint in self.servers.names:
            # Before a connection to the SQL database is taken, of which there are twenty.
            self.servers.get(hint).require_answering()
        with self._catalogue.appending(subject_id, stream_id) as stream:
            if len(self._hints) > _HINTS:
                self._hints.clear()
            self._hints[subject_id] = stream.server
            yield stream, self.servers.get(stream.server)

    def _points_of(self, is_wanted: Callable[[str, str], bool]) -> list[tuple[str, str]]:
        """The servers that answer, and the subjects of whom they have points."""
        found: list[tuple[str, str]] = []
        missing: StoreUnavailableError | None = None
        for server in self.servers.all():
            try:
                subjects = list_subjects(server, partial(is_wanted, server.name))
                found += [(server.name, subject) for subject in subjects]
            except StoreUnavailableError as error:
                missing = error
                if len(self.servers.names) == 1:
                    raise
        if missing is not None and not self.servers.answering():
            raise missing
        return found
