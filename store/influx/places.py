"""On which server the points of each subject lie, in the SQL database.

A write reads the place in the transaction that has locked its stream, and a move changes it only
while it has all streams of the subject locked: so whoever writes to a server that a subject has
left can neither note nor acknowledge it. A read compares the epoch before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, delete, func, select, update

from store.errors import UnknownStreamError
from store.influx.transactions import is_erased, lock_subject
from store.sql.engine import dialect_insert, reading, write_transaction
from store.sql.rows import columns_of, from_row, from_values
from store.sql.tables.beats import BeatPlaceRow, DrainedServerRow, RunRow, StreamRow

MAIN = "main"  # whoever has no row is there: all people, where there is one server


@dataclass(frozen=True, slots=True)
class Place:
    """Where the points of a subject lie; see BeatPlaceRow."""

    server: str = MAIN
    epoch: int = 0
    target: str | None = None
    mover: str | None = None
    cleaning: str | None = None

    @property
    def servers(self) -> list[str]:
        """All servers that may have points of the subject."""
        named = (self.server, self.target, self.cleaning)
        return list(dict.fromkeys(name for name in named if name is not None))


@dataclass(frozen=True, slots=True)
class Resident:
    """A subject, where it lies, and how many beats it has."""

    subject_id: str
    place: Place
    beats: int


class PlaceCatalogue:
    """The places; ``engine`` is at the newest revision."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, subject_id: str) -> Place | None:
        """The noted place of the subject; None where there is none, which means main."""
        with reading(self._engine).connect() as db:
            return _find(db, subject_id)

    def get(self, subject_id: str) -> Place:
        """The place of the subject."""
        return self.find(subject_id) or Place()

    def forget(self, subject_id: str) -> None:
        """Delete the place of a subject that was erased, and has no points anywhere."""
        with write_transaction(self._engine) as db:
            db.execute(delete(BeatPlaceRow).where(BeatPlaceRow.subject_id == subject_id))

    def begin(self, subject_id: str, target: str, mover: str) -> Place:
        """Note that ``mover`` copies the subject to ``target`` now, in place of any other. Raises
        UnknownStreamError for one that was erased.
        """
        with write_transaction(self._engine) as db:
            lock_subject(db, subject_id)
            if is_erased(db, subject_id):
                raise UnknownStreamError("This person was erased meanwhile.")
            note(db, subject_id, MAIN)
            db.execute(
                update(BeatPlaceRow)
                .where(
                    BeatPlaceRow.subject_id == subject_id,
                    BeatPlaceRow.cleaning.is_(None),
                    BeatPlaceRow.server != target,
                )
                .values(target=target, mover=mover)
            )
            return read_place(db, subject_id)

    def cancel(self, subject_id: str) -> None:
        """Give a move up: what was copied is to be deleted from its target."""
        with write_transaction(self._engine) as db:
            lock_subject(db, subject_id)
            db.execute(
                update(BeatPlaceRow)
                .where(BeatPlaceRow.subject_id == subject_id, BeatPlaceRow.target.is_not(None))
                .values(cleaning=BeatPlaceRow.target, target=None, mover=None)
            )

    def residents(self) -> list[Resident]:
        """All subjects with a stream, by id."""
        with self._engine.connect() as db:
            beats = dict(
                db.execute(
                    select(StreamRow.subject_id, func.coalesce(func.sum(RunRow.beats), 0))
                    .outerjoin(RunRow, RunRow.stream_id == StreamRow.id)
                    .group_by(StreamRow.subject_id)
                ).all()
            )
            rows = db.execute(select(BeatPlaceRow.__table__)).all()
        places = {row.subject_id: from_row(Place, row) for row in rows}
        return [
            Resident(subject, places.get(subject, Place()), int(count))
            for subject, count in sorted(beats.items())
        ]

    def remains(self) -> dict[str, str]:
        """The subjects of whom points are still to be deleted from a server, and which."""
        with self._engine.connect() as db:
            rows = db.execute(
                select(BeatPlaceRow.subject_id, BeatPlaceRow.cleaning).where(
                    BeatPlaceRow.cleaning.is_not(None)
                )
            ).all()
        return {row.subject_id: str(row.cleaning) for row in rows}

    def drained(self) -> set[str]:
        """The servers that take no new people."""
        with self._engine.connect() as db:
            return set(db.scalars(select(DrainedServerRow.name)))

    def drain(self, name: str, *, is_drained: bool) -> None:
        """Note whether the server takes no new people."""
        with write_transaction(self._engine) as db:
            if is_drained:
                db.execute(
                    dialect_insert(db, DrainedServerRow).values(name=name).on_conflict_do_nothing()
                )
            else:
                db.execute(delete(DrainedServerRow).where(DrainedServerRow.name == name))


def read_place(db: Connection, subject_id: str) -> Place:
    """Read the place in a transaction that holds a lock on the subject, or on one of its streams:
    it stays so until the transaction ends.
    """
    return _find(db, subject_id) or Place()


# Built once: every upload and every read of InfluxDB asks it.
_PLACE = select(*columns_of(BeatPlaceRow, Place)).where(
    BeatPlaceRow.subject_id == bindparam("subject_id")
)


def _find(db: Connection, subject_id: str) -> Place | None:
    row = db.execute(_PLACE, {"subject_id": subject_id}).first()
    return None if row is None else from_values(Place, row)


def note(db: Connection, subject_id: str, server: str) -> None:
    """Note where a subject lies of whom nothing is noted."""
    db.execute(
        dialect_insert(db, BeatPlaceRow)
        .values(subject_id=subject_id, server=server, epoch=0)
        .on_conflict_do_nothing()
    )


def assign(db: Connection, subject_id: str, servers: Sequence[str]) -> None:
    """Give a subject without beats the server that has the fewest people; nothing for one that has
    a place or, of a time when there was one server, a stream. ``servers``: those that are there.
    """
    if list(servers) == [MAIN] or _find(db, subject_id) is not None:
        return
    of_subject = select(StreamRow.id).where(StreamRow.subject_id == subject_id).limit(1)
    if db.execute(of_subject).first() is not None:
        return
    drained = set(db.scalars(select(DrainedServerRow.name)))
    people = dict(
        db.execute(select(BeatPlaceRow.server, func.count()).group_by(BeatPlaceRow.server)).all()
    )
    if MAIN in servers:
        people[MAIN] = people.get(MAIN, 0) + _without_place(db)
    open_servers = [name for name in servers if name not in drained] or list(servers)
    note(db, subject_id, min(open_servers, key=lambda name: people.get(name, 0)))


def _without_place(db: Connection) -> int:
    noted = select(BeatPlaceRow.subject_id)
    return int(
        db.scalar(
            select(func.count(StreamRow.subject_id.distinct())).where(
                StreamRow.subject_id.not_in(noted)
            )
        )
        or 0
    )


def switch(db: Connection, subject_id: str) -> None:
    """Let the subject lie on the target from now on, in a transaction that holds all its locks."""
    db.execute(
        update(BeatPlaceRow)
        .where(BeatPlaceRow.subject_id == subject_id)
        .values(
            cleaning=BeatPlaceRow.server,
            server=BeatPlaceRow.target,
            epoch=BeatPlaceRow.epoch + 1,
            target=None,
            mover=None,
        )
    )


def set_clean(db: Connection, subject_id: str) -> None:
    """Note that nothing of the subject is left where it lay before."""
    db.execute(
        update(BeatPlaceRow).where(BeatPlaceRow.subject_id == subject_id).values(cleaning=None)
    )
