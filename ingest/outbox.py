"""What the ingester has and the API has not yet: a file on disk that outlives a crash.

A notification is durable when ``append`` returns: SQLite in WAL mode with synchronous=FULL
flushes each transaction to the disk. Beat times are worked out inside the same step, so that
they are never worked out again. Rows leave only when the API has acknowledged them.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ebbtide.errors import EbbtideError
from ebbtide.records import Gap, GapReason, Notification, Origin, Stream

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
    announced INTEGER NOT NULL DEFAULT 0
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
"""


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

    @property
    def waiting(self) -> int:
        """Notifications that the API has not acknowledged."""
        return self.last_sequence - self.acknowledged


class Outbox:
    """The outbox in the file ``path``, made if it is not there. Use from one thread.

    Raises EbbtideError when the file cannot be opened or is not an outbox.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise EbbtideError(
                f"The outbox {path} cannot be opened: {error}.",
                "Check that the folder can be written and that the disk has room.",
            ) from error
        self.path = path

    def close(self) -> None:
        """Close the file."""
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
        row = self._db.execute(
            "SELECT id FROM streams WHERE account = ? AND origin = ? AND source = ?"
            " ORDER BY created_ns DESC LIMIT 1",
            (account, origin, source),
        ).fetchone()
        return None if row is None else self.state(row[0])

    def append(self, stream_id: str, entries: Sequence[Entry]) -> int:
        """Keep notifications, in order, and return the last sequence number given.

        They are on the disk, all of them, when this returns; after an error, none is.
        """
        try:
            with self._transaction():
                return self._append(stream_id, entries)
        except sqlite3.OperationalError as error:
            raise EbbtideError(
                f"The outbox {self.path} could not keep a notification: {error}.",
                "What was kept is safe. Make room on the disk and start again.",
            ) from error

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
            "UPDATE streams SET last_sequence = ?, last_beat_ns = ?, beats_kept = beats_kept + ?"
            " WHERE id = ?",
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
            f" last_beat_ns, acknowledged, beats_kept, announced FROM streams {where}"
        )
        for row in self._db.execute(query, tuple(values)).fetchall():
            stream = Stream(row[0], Origin(row[1]), row[2], row[3], row[4])
            account, last, beat, acknowledged, kept, announced = row[5:]
            yield StreamState(stream, account, last, beat, acknowledged, kept, bool(announced))

    def waiting(self, stream_id: str, limit: int) -> tuple[list[Notification], list[Gap]]:
        """The oldest notifications that were not acknowledged, and the gaps before them."""
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

    def mark_announced(self, stream_id: str) -> None:
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
            for table in ("notifications", "gaps"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE stream_id = ? AND sequence <= ?",
                    (stream_id, through),
                )
            self._db.execute(
                "UPDATE streams SET acknowledged = max(acknowledged, ?) WHERE id = ?",
                (through, stream_id),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
