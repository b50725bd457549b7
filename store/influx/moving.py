"""Move the points of one subject from one server to another, while they are read and added to.

The catalogue, with sequence numbers, gaps and fingerprints, stays as it is. First everything is
copied, without holding anybody up; then, with all streams of the subject locked, what came
meanwhile; then the place is switched, and what lies on the old server is deleted. Whatever stops it
in between, it can be begun again: points written twice are there once, and until the switch the old
server is the one that is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, text

from ebbtide.beats import new_id
from ebbtide.errors import EbbtideError
from store.encoding.runs import Run
from store.errors import StoreError, UnknownStreamError
from store.influx import line_protocol as lines
from store.influx.catalogue import BeatCatalogue
from store.influx.places import Place, read_place, set_clean, switch
from store.influx.point_copy import Part, copy_movement, copy_runs, copy_windows
from store.influx.points import delete_points, delete_subject, of_stream, of_subject, on_days
from store.influx.servers import InfluxServers
from store.influx.transactions import RUN_COLUMNS, is_erased, lock_subject, run_of
from store.sql.engine import write_transaction
from store.sql.tables.beats import (
    MovementDayRow,
    RemovedStreamRow,
    RunRow,
    StreamRow,
    WindowDayRow,
)

_CHUNK_BEATS = 20_000
_FEW_BEATS = 10_000  # what is left for the last step, while uploads wait
_ROUNDS = 10
_LOCK_S = 20

Progress = Callable[[int], None]


@dataclass(slots=True)
class _Content:
    """What a subject has, by the catalogue; equal entries are copied already."""

    runs: dict[tuple[str, int], Run] = field(default_factory=dict)
    movement: dict[tuple[str, int], int] = field(default_factory=dict)
    windows: dict[int, tuple[str, str]] = field(default_factory=dict)

    def without(self, copied: _Content) -> _Content:
        """What is new or changed since ``copied``."""
        return _Content(
            {key: run for key, run in self.runs.items() if copied.runs.get(key) != run},
            {key: n for key, n in self.movement.items() if copied.movement.get(key) != n},
            {day: key for day, key in self.windows.items() if copied.windows.get(day) != key},
        )

    @property
    def beats(self) -> int:
        return sum(run.beats for run in self.runs.values())


class SubjectMove:
    """A move of one subject to the server ``target``."""

    def __init__(
        self, servers: InfluxServers, catalogue: BeatCatalogue, subject_id: str, target: str
    ) -> None:
        self._servers = servers
        self._catalogue = catalogue
        self._engine = catalogue.engine
        self._subject = subject_id
        self._target = target
        self._mover = new_id()

    def run(self, progress: Progress | None = None) -> None:
        """Move, and delete what is left where it was; goes on where another move stopped.

        ``progress`` is called with how many more beats are copied. Raises StoreError, and then
        the subject is on one server as before, whole; the move can be begun again.
        """
        clean(self._servers, self._catalogue, self._subject)
        was = self._catalogue.places.get(self._subject)
        if was.target not in (None, self._target):
            self._catalogue.places.cancel(self._subject)
            clean(self._servers, self._catalogue, self._subject)
        place = self._catalogue.places.begin(self._subject, self._target, self._mover)
        if place.server == self._target:
            return
        if place.mover != self._mover:
            raise _moved_by_another()
        if was.target == self._target:
            # An earlier move may have copied windows of recordings that were removed since.
            self._delete_windows()
        copied = _Content()
        for number in range(_ROUNDS):
            fresh = self._content().without(copied)
            if number and fresh.beats <= _FEW_BEATS:
                break
            # What an earlier move had copied is compared by the servers, which is faster.
            self._copy(fresh, place.server, progress, compare=was.target == self._target)
            _note(copied, fresh)
        with self._last_step() as db:
            final = _content(db, self._subject)
            self._copy(final.without(copied), place.server, progress, db=db)
            target = self._servers.get(self._target)
            removed = RemovedStreamRow.subject_id == self._subject
            for stream in db.scalars(select(RemovedStreamRow.stream_id).where(removed)):
                for measurement in (lines.BEATS, lines.WITHOUT_RR, lines.MOVEMENT):
                    delete_points(target, measurement, of_stream(self._subject, stream))
            for day in copied.windows.keys() - final.windows.keys():
                where = f"{of_subject(self._subject)} AND {on_days(day, day)}"
                delete_points(target, lines.WINDOWS, where)
            switch(db, self._subject)
        clean(self._servers, self._catalogue, self._subject)

    def _content(self) -> _Content:
        with self._engine.connect() as db:
            return _content(db, self._subject)

    def _copy(
        self,
        fresh: _Content,
        source: str,
        progress: Progress | None,
        *,
        compare: bool = False,
        db: Connection | None = None,
    ) -> None:
        """Copy what is fresh; ``db``: the transaction of the last step, where it is that."""
        servers = (self._servers.get(source), self._servers.get(self._target))
        for stream, runs in _chunks(fresh):
            part = copy_runs(servers, self._subject, stream, runs, compare=compare)
            self._write(part, db)
            if progress is not None:
                progress(sum(run.beats for run in runs))
        for stream, day in fresh.movement:
            self._write(copy_movement(servers, self._subject, stream, day), db)
        for day in fresh.windows:
            self._write(copy_windows(servers, self._subject, day), db)

    def _write(self, part: Part | None, db: Connection | None) -> None:
        """Write a part while nobody can erase the subject or move it elsewhere: points that came
        after an erasure would stay.
        """
        if part is None:
            return
        if db is not None:
            part.write()
            return
        with write_transaction(self._engine) as own:
            lock_subject(own, self._subject)
            self._require_mine(own)
            part.write()

    @contextmanager
    def _last_step(self) -> Iterator[Connection]:
        """A transaction for which everything that is written of the subject waits."""
        with write_transaction(self._engine) as db:
            if db.dialect.name == "postgresql":
                # An upload that hangs must not hold up this one's locks, for which others wait.
                db.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_S}s'"))
            lock_subject(db, self._subject)
            streams = select(StreamRow.id).where(StreamRow.subject_id == self._subject)
            db.execute(streams.order_by(StreamRow.id).with_for_update()).all()
            self._require_mine(db)
            yield db

    def _require_mine(self, db: Connection) -> None:
        place = read_place(db, self._subject)
        if is_erased(db, self._subject):
            raise UnknownStreamError("This person was erased meanwhile.")
        if place.mover != self._mover:
            raise _moved_by_another()

    def _delete_windows(self) -> None:
        with write_transaction(self._engine) as db:
            lock_subject(db, self._subject)
            self._require_mine(db)
            target = self._servers.get(self._target)
            delete_points(target, lines.WINDOWS, of_subject(self._subject))


def _moved_by_another() -> StoreError:
    return StoreError(
        "Another process moves the same person.", "Wait until it is done, or stop it."
    )


def clean(servers: InfluxServers, catalogue: BeatCatalogue, subject_id: str) -> Place:
    """Delete the subject where it lay before a move; its place afterwards."""
    if catalogue.places.get(subject_id).cleaning is None:
        return catalogue.places.get(subject_id)
    with write_transaction(catalogue.engine) as db:
        lock_subject(db, subject_id)
        place = read_place(db, subject_id)
        if place.cleaning is not None and place.cleaning not in (place.server, place.target):
            delete_subject(servers.get(place.cleaning), subject_id)
            set_clean(db, subject_id)
        return read_place(db, subject_id)


def delete_stray(
    servers: InfluxServers, catalogue: BeatCatalogue, server: str, subject_id: str
) -> None:
    """Delete the points of a subject from a server where it does not lie."""
    with write_transaction(catalogue.engine) as db:
        lock_subject(db, subject_id)
        if server in read_place(db, subject_id).servers:
            raise EbbtideError("This person lies there now.", "Give the command again.")
        delete_subject(servers.get(server), subject_id)


def _content(db: Connection, subject_id: str) -> _Content:
    theirs = StreamRow.subject_id == subject_id
    runs = db.execute(
        select(RunRow.stream_id, *RUN_COLUMNS)
        .join(StreamRow, StreamRow.id == RunRow.stream_id)
        .where(theirs)
        .order_by(RunRow.stream_id, RunRow.first_sequence)
    )
    found = _Content({(row.stream_id, row.first_sequence): run_of(row) for row in runs})
    days = db.execute(
        select(MovementDayRow.stream_id, MovementDayRow.day, MovementDayRow.spans)
        .join(StreamRow, StreamRow.id == MovementDayRow.stream_id)
        .where(theirs)
    )
    found.movement = {(row.stream_id, row.day): row.spans for row in days}
    windows = db.execute(
        select(WindowDayRow.day, WindowDayRow.method, WindowDayRow.content).where(
            WindowDayRow.subject_id == subject_id
        )
    )
    found.windows = {row.day: (row.method, row.content) for row in windows}
    return found


def _note(copied: _Content, fresh: _Content) -> None:
    copied.runs.update(fresh.runs)
    copied.movement.update(fresh.movement)
    copied.windows.update(fresh.windows)


def _chunks(content: _Content) -> Iterator[tuple[str, Sequence[Run]]]:
    """Runs of one stream that follow each other, some thousands of beats."""
    stream: str | None = None
    waiting: list[Run] = []
    for (of, _), run in sorted(content.runs.items(), key=lambda item: item[0]):
        is_full = sum(one.last - one.first + 1 for one in waiting) >= _CHUNK_BEATS
        if stream is not None and waiting and (of != stream or is_full):
            yield stream, waiting
            waiting = []
        stream = of
        waiting.append(run)
    if stream is not None and waiting:
        yield stream, waiting
