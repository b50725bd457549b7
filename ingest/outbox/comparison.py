"""Compare the outbox with the store, and follow what the store says: set back, removed, erased."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Mapping
from typing import Protocol

from ebbtide import timestamps
from ebbtide.beats import GapReason, Origin, new_id
from ebbtide.timestamps import SECOND
from ingest.outbox.acknowledged import SeenGeneration, put_generation
from ingest.outbox.database import ERASED, REMOVED, OutboxDatabase
from ingest.outbox.imports import cut_digests

_OF_STREAM = ("notifications", "gaps", "activity", "imported", "acknowledged", "intervals")
# Those of the version before have no moment of import; the origin of pulse intervals is another.
_IS_OF_FILE = f"(imported_ns IS NOT NULL OR origin = '{Origin.FILE}')"


class Stored(Protocol):
    """What the store has of one stream."""

    @property
    def acknowledged(self) -> int:
        """The highest number up to which nothing is missing."""
        ...

    @property
    def beats(self) -> int:
        """How many beats."""
        ...

    @property
    def last_ns(self) -> int | None:
        """The last of them."""
        ...


class StoreComparison:
    """Changes of the outbox file that the store is the reason of."""

    def __init__(self, database: OutboxDatabase) -> None:
        self._database = database

    def offer_again(
        self, account: str, stored: Mapping[str, Stored], seen: SeenGeneration | None
    ) -> int:
        """Make everything wait again that the store of ``account`` had and has no more; how many
        streams that are. ``seen``: its generation, None for a store that does not tell one.

        Where rows are held no more, notifications without beats take their numbers, and a gap says
        why; a file that is held no more at all can be imported again.
        """
        changed = 0
        with self._database.transaction() as db:
            previous = db.execute(
                "SELECT id FROM generations WHERE account = ?", (account,)
            ).fetchone()
            rows = db.execute(
                "SELECT id, acknowledged FROM streams WHERE account = ? AND removed = 0"
                " AND (acknowledged > 0 OR announced = 1)",
                (account,),
            ).fetchall()
            is_another = seen is not None and previous is not None and previous[0] != seen.id
            for stream_id, acknowledged in rows:
                there = stored.get(stream_id)
                if there is None or there.acknowledged < acknowledged:
                    _rewind(db, stream_id, there)
                    changed += 1
                if is_another or there is None:  # of movement, the store names no number
                    db.execute(
                        "UPDATE activity SET acknowledged = NULL"
                        " WHERE stream_id = ? AND acknowledged IS NOT NULL",
                        (stream_id,),
                    )
            if is_another and seen is not None:
                # Counters of another generation say nothing: its next backup covers what is held.
                db.execute(
                    "UPDATE acknowledged SET counter = ? WHERE stream_id IN"
                    " (SELECT id FROM streams WHERE account = ?)",
                    (seen.counter, account),
                )
            if seen is not None:
                put_generation(db, account, seen)
        return changed

    def follow_removal(self, stream_id: str, removed_ns: int) -> None:
        """Delete a stream that the person removed from the store, and never send it again.

        What a strap recorded after that moment is another recording: it becomes a stream of its
        own, and so does what is still to be appended to this one.
        """
        with self._database.transaction() as db:
            row = db.execute(
                "SELECT min(sequence) FROM notifications WHERE stream_id = ? AND received_ns > ?"
                f" AND NOT (SELECT {_IS_OF_FILE} FROM streams WHERE id = ?)",
                (stream_id, removed_ns, stream_id),
            ).fetchone()
            if row[0] is not None:
                successor = open_successor(db, stream_id)
                _move_rows(db, stream_id, successor, row[0])
            _delete_rows(db, [stream_id])
            db.execute(
                "UPDATE streams SET removed = ?, beats_kept = 0, beats_acknowledged = 0,"
                " beats_lost = 0, acknowledged = last_sequence WHERE id = ?",
                (REMOVED, stream_id),
            )

    def follow_withdrawal(self, account: str, withdrawn_ns: int) -> None:
        """Delete what was recorded or imported before the person took back consent to keeping, as
        the service has erased it, and overwrite its pages. What came later waits on.
        """
        with self._database.reading() as connection:
            connection.execute("PRAGMA secure_delete=ON")
            rows = connection.execute(
                "SELECT id FROM streams WHERE account = ? AND removed = 0"
                " AND coalesce(imported_ns, created_ns) <= ?",
                (account, withdrawn_ns),
            ).fetchall()
        for (stream_id,) in rows:
            self.follow_removal(stream_id, withdrawn_ns)
        with self._database.transaction() as db:
            db.execute(
                "UPDATE streams SET file = NULL WHERE account = ? AND removed = 1", (account,)
            )
            db.execute(
                "DELETE FROM set_aside WHERE account = ? AND received_ns <= ?",
                (account, withdrawn_ns),
            )
            db.execute(
                "DELETE FROM links WHERE account = ? AND ended_ns <= ?", (account, withdrawn_ns)
            )
        with self._database.reading() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def import_now(self, stream_id: str) -> None:
        """Note that a person imports this stream now; one that was removed begins anew."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE streams SET imported_ns = ? WHERE id = ?", (timestamps.now_ns(), stream_id)
            )
            row = db.execute("SELECT removed FROM streams WHERE id = ?", (stream_id,)).fetchone()
            if row[0] != REMOVED:
                return
            _delete_rows(db, [stream_id])
            db.execute(
                "UPDATE streams SET removed = 0, announced = 0, last_sequence = 0,"
                " acknowledged = 0, last_beat_ns = NULL, beats_kept = 0, beats_acknowledged = 0,"
                " beats_lost = 0 WHERE id = ?",
                (stream_id,),
            )

    def erase(self, account: str) -> None:
        """Delete every row of a person who was erased, overwrite its pages, and take no more."""
        with self._database.reading() as connection:
            connection.execute("PRAGMA secure_delete=ON")
        with self._database.transaction() as db:
            streams = [
                row[0] for row in db.execute("SELECT id FROM streams WHERE account = ?", (account,))
            ]
            _delete_rows(db, streams)
            for table in ("set_aside", "links", "generations", "intervals"):
                db.execute(f"DELETE FROM {table} WHERE account = ?", (account,))
            # The ids stay, so that a recorder that still runs is told so.
            db.execute(
                "UPDATE streams SET removed = ?, source = '', file = NULL, created_ns = 0,"
                " last_beat_ns = NULL, last_sequence = 0, acknowledged = 0, beats_kept = 0,"
                " beats_acknowledged = 0, beats_lost = 0, paused = 0, successor = NULL"
                " WHERE account = ?",
                (ERASED, account),
            )
        with self._database.reading() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def open_successor(db: sqlite3.Connection, stream_id: str) -> str:
    """The stream that continues a removed one; made if there is none."""
    (found,) = db.execute("SELECT successor FROM streams WHERE id = ?", (stream_id,)).fetchone()
    if found is not None:
        return str(found)
    successor = new_id()
    db.execute(
        "INSERT INTO streams (id, account, origin, source, created_ns, ticks_per_second)"
        " SELECT ?, account, origin, source, coalesce(last_beat_ns, created_ns) + 1,"
        " ticks_per_second FROM streams WHERE id = ?",
        (successor, stream_id),
    )
    db.execute("UPDATE streams SET successor = ? WHERE id = ?", (successor, stream_id))
    return successor


def _delete_rows(db: sqlite3.Connection, streams: Iterable[str]) -> None:
    for stream_id in streams:
        for table in _OF_STREAM:
            db.execute(f"DELETE FROM {table} WHERE stream_id = ?", (stream_id,))


def _move_rows(db: sqlite3.Connection, stream_id: str, successor: str, first: int) -> None:
    """Move the notifications from ``first`` on to ``successor``, numbered from 1."""
    (started,) = db.execute(
        "SELECT received_ns FROM notifications WHERE stream_id = ? AND sequence = ?",
        (stream_id, first),
    ).fetchone()
    for table in ("notifications", "gaps"):
        db.execute(
            f"UPDATE {table} SET stream_id = ?, sequence = sequence - ?"
            " WHERE stream_id = ? AND sequence >= ?",
            (successor, first - 1, stream_id, first),
        )
    db.execute("DELETE FROM gaps WHERE stream_id = ? AND sequence = 1", (successor,))
    db.execute(
        "UPDATE activity SET stream_id = ?, acknowledged = NULL"
        " WHERE stream_id = ? AND start_ns >= ?",
        (successor, stream_id, started),
    )
    db.execute(
        "UPDATE streams SET created_ns = ?2,"
        " last_sequence = (SELECT max(sequence) FROM notifications WHERE stream_id = ?1),"
        " last_beat_ns = (SELECT last_beat_ns FROM streams WHERE id = ?3),"
        " beats_kept = (SELECT coalesce(sum(length(rr_ticks)), 0) / 2 FROM notifications"
        " WHERE stream_id = ?1) WHERE id = ?1",
        (successor, started, stream_id),
    )


def _rewind(db: sqlite3.Connection, stream_id: str, there: Stored | None) -> None:
    """Set a stream back to what the store has of it."""
    is_of_file, created_ns, last, last_beat_ns, kept, scale = db.execute(
        f"SELECT {_IS_OF_FILE}, created_ns, last_sequence, last_beat_ns, beats_kept,"
        " ticks_per_second FROM streams WHERE id = ?",
        (stream_id,),
    ).fetchone()
    has = 0 if there is None else there.acknowledged
    there_beats = 0 if there is None else there.beats
    there_last_ns = None if there is None else there.last_ns
    first, beats = db.execute(
        "SELECT min(sequence), coalesce(sum(length(rr_ticks)), 0) / 2 FROM notifications"
        " WHERE stream_id = ? AND sequence > ?",
        (stream_id, has),
    ).fetchone()
    if first is None and is_of_file:
        cut_digests(db, stream_id, has)
        db.execute(
            "UPDATE streams SET last_sequence = ?, last_beat_ns = ?, beats_kept = ?,"
            " beats_lost = beats_lost + ? WHERE id = ?",
            (has, there_last_ns, there_beats, max(0, kept - there_beats), stream_id),
        )
        beats = 0
        kept = there_beats
    elif first is None or first > has + 1:
        lost_to = last if first is None else first - 1
        start_ns = created_ns if there_last_ns is None else there_last_ns
        _fill(db, stream_id, has + 1, lost_to, start_ns)
        if first is None:
            _put_gap(db, stream_id, last, start_ns, last_beat_ns or start_ns)
            # The interval of the next beat begins at one that is lost.
            _put_gap(db, stream_id, last + 1, last_beat_ns or start_ns, last_beat_ns or start_ns)
        else:
            end_ns = _begin_of(db, stream_id, first, scale)
            _put_gap(db, stream_id, first, start_ns, max(start_ns, end_ns))
        db.execute(
            "UPDATE streams SET beats_lost = ? WHERE id = ?",
            (max(0, kept - there_beats - beats), stream_id),
        )
    run = db.execute(
        "SELECT counter, at_ns, bytes FROM acknowledged WHERE stream_id = ? AND last_sequence > ?"
        " ORDER BY last_sequence LIMIT 1",
        (stream_id, has),
    ).fetchone()
    db.execute(
        "DELETE FROM acknowledged WHERE stream_id = ? AND last_sequence > ?", (stream_id, has)
    )
    held = db.execute(
        "SELECT 1 FROM notifications WHERE stream_id = ? AND sequence = ?", (stream_id, has)
    ).fetchone()
    if run is not None and held is not None:
        db.execute(
            "INSERT OR IGNORE INTO acknowledged VALUES (?, ?, ?, ?, ?)", (stream_id, has, *run)
        )
    db.execute(
        "UPDATE streams SET acknowledged = ?, announced = ?,"
        " beats_acknowledged = max(0, beats_kept - ?) WHERE id = ?",
        (has, there is not None, beats, stream_id),
    )


def _fill(db: sqlite3.Connection, stream_id: str, first: int, last: int, at_ns: int) -> None:
    """Put notifications without beats in the place of those that are lost: a store takes numbers
    without a hole only.
    """
    db.executemany(
        "INSERT OR IGNORE INTO notifications VALUES (?, ?, ?, x'', 0, NULL, NULL, x'', x'')",
        ((stream_id, sequence, at_ns) for sequence in range(first, last + 1)),
    )
    db.execute(
        "DELETE FROM gaps WHERE stream_id = ? AND sequence BETWEEN ? AND ?",
        (stream_id, first, last),
    )


def _put_gap(
    db: sqlite3.Connection, stream_id: str, sequence: int, start_ns: int, end_ns: int
) -> None:
    db.execute(
        "INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?, ?)",
        (stream_id, sequence, start_ns, end_ns, GapReason.LOST_AT_A_RESTORE),
    )


def _begin_of(db: sqlite3.Connection, stream_id: str, sequence: int, scale: int) -> int:
    """When the first interval from a notification on began."""
    rr_ticks, times, received_ns = db.execute(
        "SELECT rr_ticks, beat_times_ns, received_ns FROM notifications"
        " WHERE stream_id = ? AND sequence = ?",
        (stream_id, sequence),
    ).fetchone()
    if not times:
        return int(received_ns)
    (ticks,) = struct.unpack_from("<H", rr_ticks)
    (time_ns,) = struct.unpack_from("<q", times)
    return int(time_ns) - int(ticks) * SECOND // scale
