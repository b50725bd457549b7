"""What the ingester has and the API has not yet: a file on disk that outlives a crash.

A notification is durable when ``append`` returns: SQLite in WAL mode with synchronous=FULL
flushes each transaction to the disk. Beat times are kept with it, so that they are never worked
out again. Rows leave only when the API has acknowledged them.
"""

from __future__ import annotations

import sqlite3
import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ebbtide._sqlite import open_sqlite
from ebbtide.beats import Activity, Gap, GapReason, Notification, Origin, Stream
from ebbtide.errors import EbbtideError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS streams (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    origin TEXT NOT NULL,
    source TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    ticks_per_second INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL DEFAULT 0,
    last_beat_ns INTEGER,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    beats_kept INTEGER NOT NULL DEFAULT 0,
    announced INTEGER NOT NULL DEFAULT 0,
    beats_acknowledged INTEGER NOT NULL DEFAULT 0,
    paused INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS notifications (
    stream_id TEXT NOT NULL REFERENCES streams (id),
    sequence INTEGER NOT NULL,
    received_ns INTEGER NOT NULL,
    payload BLOB NOT NULL,
    heart_rate_bpm INTEGER NOT NULL,
    contact INTEGER,
    energy_kj INTEGER,
    rr_ticks BLOB NOT NULL,
    beat_times_ns BLOB NOT NULL,
    PRIMARY KEY (stream_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gaps (
    stream_id TEXT NOT NULL REFERENCES streams (id),
    sequence INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (stream_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activity (
    stream_id TEXT NOT NULL REFERENCES streams (id),
    start_ns INTEGER NOT NULL,
    mad_mg REAL NOT NULL,
    PRIMARY KEY (stream_id, start_ns)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS set_aside (
    account TEXT NOT NULL,
    source TEXT NOT NULL,
    received_ns INTEGER NOT NULL,
    payload BLOB NOT NULL,
    why TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS links (
    account TEXT NOT NULL,
    source TEXT NOT NULL,
    connected_ns INTEGER NOT NULL,
    ended_ns INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT;
"""
_ADDED_TO_STREAMS = ("beats_acknowledged", "paused")
_MAX_CONNECTIONS = 2000  # of the newest, for ebbtide doctor


@dataclass(frozen=True, slots=True)
class Entry:
    """One notification about to be kept: its bytes, its content, and the gap before it.

    The sequence number inside ``notification`` and ``gap`` is given by the outbox.
    """

    payload: bytes
    notification: Notification
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where a stream stands."""

    stream: Stream
    account: str
    last_sequence: int
    last_beat_ns: int | None
    acknowledged: int
    beats_kept: int
    announced: bool
    beats_acknowledged: int
    paused: bool

    @property
    def beats_waiting(self) -> int:
        """Beats that the API has not acknowledged."""
        return self.beats_kept - self.beats_acknowledged

    @property
    def waiting(self) -> int:
        """Notifications that the API has not acknowledged."""
        return self.last_sequence - self.acknowledged


class OutboxWriteError(EbbtideError):
    """The disk is full or will not be written; what was kept is safe."""


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """One connection to a strap, from its beginning to its end, UTC ns."""

    source: str
    connected_ns: int
    ended_ns: int
    why: str


class Outbox:
    """The outbox in the file ``path``, made if it is not there. Safe with several threads and
    processes.

    Raises EbbtideError when the file cannot be opened or is not an outbox.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self.path = path
        try:
            self._db = open_sqlite(path)
            self._db.executescript(_SCHEMA)
            self._add_columns()
        except (OSError, sqlite3.Error, OutboxWriteError) as error:
            raise EbbtideError(
                f"The outbox {path} cannot be opened: {error}.",
                "Check that the folder can be written and that the disk has room.",
            ) from error

    def _add_columns(self) -> None:
        """An outbox of an earlier Ebbtide lacks some."""
        with self._transaction():
            has = {row[1] for row in self._db.execute("PRAGMA table_info(streams)")}
            for name in _ADDED_TO_STREAMS:
                if name not in has:
                    self._db.execute(
                        f"ALTER TABLE streams ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0"
                    )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Outbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open_stream(self, stream: Stream, account: str) -> StreamState:
        """Begin a stream for ``account`` (whose sign-in uploads it), or find it again."""
        with self._transaction():
            self._db.execute(
                "INSERT OR IGNORE INTO streams (id, account, origin, source, created_ns,"
                " ticks_per_second) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    stream.id,
                    account,
                    stream.origin,
                    stream.source,
                    stream.created_ns,
                    stream.ticks_per_second,
                ),
            )
        return self.state(stream.id)

    def find_stream(self, account: str, origin: Origin, source: str) -> StreamState | None:
        """The newest stream of this person and source, to go on with it after a restart."""
        with self._lock:
            row = self._db.execute(
                "SELECT id FROM streams WHERE account = ? AND origin = ? AND source = ?"
                " ORDER BY created_ns DESC LIMIT 1",
                (account, origin, source),
            ).fetchone()
        return None if row is None else self.state(row[0])

    def append(self, stream_id: str, entries: Sequence[Entry]) -> int:
        """Keep notifications, in order, and return the last sequence number given.

        They are on the disk, all of them, when this returns; after an error, none is. Raises
        CannotKeepError when the disk will not have them.
        """
        return self.append_many([(stream_id, entries)])[0]

    def append_many(self, runs: Sequence[tuple[str, Sequence[Entry]]]) -> list[int]:
        """``append`` for several streams with one flush to the disk: all are kept, or none."""
        with self._transaction():
            return [self._append(stream_id, entries) for stream_id, entries in runs]

    def _append(self, stream_id: str, entries: Sequence[Entry]) -> int:
        row = self._db.execute(
            "SELECT last_sequence, last_beat_ns FROM streams WHERE id = ?", (stream_id,)
        ).fetchone()
        if row is None:
            raise KeyError(stream_id)
        sequence, last_beat = row
        beats = 0
        for entry in entries:
            sequence += 1
            item = entry.notification
            times = item.beat_times_ns
            for time in times:
                if last_beat is not None and time <= last_beat:
                    raise ValueError(f"beat time {time} is not after {last_beat}")
                last_beat = time
            beats += len(times)
            self._db.execute(
                "INSERT INTO notifications VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    stream_id,
                    sequence,
                    item.received_ns,
                    entry.payload,
                    item.heart_rate_bpm,
                    None if item.contact is None else int(item.contact),
                    item.energy_kj,
                    struct.pack(f"<{len(item.rr_ticks)}H", *item.rr_ticks),
                    struct.pack(f"<{len(times)}q", *times),
                ),
            )
            if entry.gap is not None:
                gap = entry.gap
                self._db.execute(
                    "INSERT INTO gaps VALUES (?, ?, ?, ?, ?)",
                    (stream_id, sequence, gap.start_ns, gap.end_ns, gap.reason),
                )
        self._db.execute(
            "UPDATE streams SET last_sequence = ?, last_beat_ns = ?, beats_kept = beats_kept + ?,"
            " paused = 0 WHERE id = ?",
            (sequence, last_beat, beats, stream_id),
        )
        return int(sequence)

    def state(self, stream_id: str) -> StreamState:
        """Where the stream stands. Raises KeyError for an unknown one."""
        for state in self._states("WHERE id = ?", (stream_id,)):
            return state
        raise KeyError(stream_id)

    def states(self) -> list[StreamState]:
        """All streams, oldest first."""
        return list(self._states("ORDER BY created_ns", ()))

    def _states(self, where: str, values: Iterable[object]) -> Iterator[StreamState]:
        query = (
            "SELECT id, origin, source, created_ns, ticks_per_second, account, last_sequence,"
            " last_beat_ns, acknowledged, beats_kept, announced, beats_acknowledged, paused"
            f" FROM streams {where}"
        )
        with self._lock:
            rows = self._db.execute(query, tuple(values)).fetchall()
        for row in rows:
            stream = Stream(row[0], Origin(row[1]), row[2], row[3], row[4])
            account, last, beat, acknowledged, kept, announced, beats, paused = row[5:]
            yield StreamState(
                stream,
                account,
                last,
                beat,
                acknowledged,
                kept,
                bool(announced),
                beats,
                bool(paused),
            )

    def waiting(self, stream_id: str, limit: int) -> tuple[list[Notification], list[Gap]]:
        """The oldest notifications that were not acknowledged, and the gaps before them."""
        with self._lock:
            return self._waiting(stream_id, limit)

    def _waiting(self, stream_id: str, limit: int) -> tuple[list[Notification], list[Gap]]:
        rows = self._db.execute(
            "SELECT sequence, received_ns, heart_rate_bpm, contact, energy_kj, rr_ticks,"
            " beat_times_ns FROM notifications WHERE stream_id = ? ORDER BY sequence LIMIT ?",
            (stream_id, limit),
        ).fetchall()
        notifications = [
            Notification(
                sequence=row[0],
                received_ns=row[1],
                heart_rate_bpm=row[2],
                contact=None if row[3] is None else bool(row[3]),
                energy_kj=row[4],
                rr_ticks=struct.unpack(f"<{len(row[5]) // 2}H", row[5]),
                beat_times_ns=struct.unpack(f"<{len(row[6]) // 8}q", row[6]),
            )
            for row in rows
        ]
        if not notifications:
            return [], []
        gaps = self._db.execute(
            "SELECT sequence, start_ns, end_ns, reason FROM gaps"
            " WHERE stream_id = ? AND sequence <= ? ORDER BY sequence",
            (stream_id, notifications[-1].sequence),
        ).fetchall()
        return notifications, [Gap(row[0], row[1], row[2], GapReason(row[3])) for row in gaps]

    def set_announced(self, stream_id: str) -> None:
        """The API knows the stream."""
        with self._transaction():
            self._db.execute("UPDATE streams SET announced = 1 WHERE id = ?", (stream_id,))

    def acknowledge(self, stream_id: str, through: int) -> None:
        """The API has everything up to and including ``through``: forget it here.

        Raises EbbtideError when the API claims more than was ever kept: then it is another
        outbox's stream, or a copy of one, and forgetting would lose beats.
        """
        state = self.state(stream_id)
        if through > state.last_sequence:
            raise EbbtideError(
                f"The API has {through} notifications of stream {stream_id}, this outbox only "
                f"{state.last_sequence}.",
                "The outbox file looks like an old copy. Move it aside and start again.",
            )
        with self._transaction():
            (beats,) = self._db.execute(
                "SELECT coalesce(sum(length(rr_ticks)), 0) / 2 FROM notifications"
                " WHERE stream_id = ? AND sequence <= ?",
                (stream_id, through),
            ).fetchone()
            for table in ("notifications", "gaps"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE stream_id = ? AND sequence <= ?",
                    (stream_id, through),
                )
            self._db.execute(
                "UPDATE streams SET acknowledged = max(acknowledged, ?),"
                " beats_acknowledged = beats_acknowledged + ? WHERE id = ?",
                (through, beats, stream_id),
            )

    def set_paused(self, stream_id: str) -> None:
        """Recording ended because somebody ended it."""
        with self._transaction():
            self._db.execute("UPDATE streams SET paused = 1 WHERE id = ?", (stream_id,))

    def add_activity(self, stream_id: str, spans: Sequence[Activity]) -> None:
        """Keep how much the wearer moved. The same span twice is once."""
        with self._transaction():
            self._db.executemany(
                "INSERT OR IGNORE INTO activity VALUES (?, ?, ?)",
                [(stream_id, span.start_ns, span.mad_mg) for span in spans],
            )

    def waiting_activity(self, stream_id: str, limit: int) -> list[Activity]:
        """The oldest spans of activity that the API does not have."""
        with self._lock:
            rows = self._db.execute(
                "SELECT start_ns, mad_mg FROM activity WHERE stream_id = ?"
                " ORDER BY start_ns LIMIT ?",
                (stream_id, limit),
            ).fetchall()
        return [Activity(*row) for row in rows]

    def delete_activity(self, stream_id: str, through_ns: int) -> None:
        """The API has all spans that began at or before ``through_ns``."""
        with self._transaction():
            self._db.execute(
                "DELETE FROM activity WHERE stream_id = ? AND start_ns <= ?",
                (stream_id, through_ns),
            )

    def quarantine(
        self, account: str, source: str, received_ns: int, payload: bytes, why: str
    ) -> None:
        """Keep, as it came, a notification that adds no beats: malformed, or sent before."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO set_aside VALUES (?, ?, ?, ?, ?)",
                (account, source, received_ns, payload, why),
            )

    def count_quarantined(self, account: str, source: str) -> dict[str, int]:
        """How many were set aside, by why."""
        with self._lock:
            return dict(
                self._db.execute(
                    "SELECT why, count(*) FROM set_aside WHERE account = ? AND source = ?"
                    " GROUP BY why",
                    (account, source),
                ).fetchall()
            )

    def add_link(self, account: str, spell: ConnectionRecord) -> None:
        """Keep how long a connection lasted, and why it ended."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO links VALUES (?, ?, ?, ?, ?)",
                (account, spell.source, spell.connected_ns, spell.ended_ns, spell.why),
            )
            self._db.execute(
                "DELETE FROM links WHERE rowid <= (SELECT max(rowid) FROM links) - ?",
                (_MAX_CONNECTIONS,),
            )

    def links(self) -> list[ConnectionRecord]:
        """Connections that ended, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT source, connected_ns, ended_ns, why FROM links ORDER BY rowid"
            ).fetchall()
        return [ConnectionRecord(*row) for row in rows]

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file; empty when it is whole."""
        with self._lock:
            found = [str(row[0]) for row in self._db.execute("PRAGMA quick_check")]
        return [] if found == ["ok"] else found

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Raises CannotKeepError when the disk will not have it."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                raise OutboxWriteError(
                    f"The outbox {self.path} cannot be written: {error}.",
                    "What was kept is safe. Make room on the disk; recording goes on by itself.",
                ) from error
            finally:
                # After an error. A full disk may have ended the transaction already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
