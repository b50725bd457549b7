"""What the ingester has, and the API has not yet or might lose: a queue that outlives a crash.

A notification is durable when ``append`` returns: SQLite in WAL mode with synchronous=FULL
flushes each transaction to the disk. Beat times are stored with it, so that they are computed only
once. Rows leave only when the API has acknowledged them, and a backup of its store has them or they
are older than the settings say (``acknowledged``); a store that is set back is offered them again.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ebbtide.beats import Activity, Gap, GapReason, Notification, Origin, Stream
from ebbtide.errors import EbbtideError
from ingest.outbox.acknowledged import AcknowledgedRows, Retention, add_acknowledged
from ingest.outbox.comparison import StoreComparison, open_successor
from ingest.outbox.connection_history import ConnectionHistory
from ingest.outbox.database import ERASED, ErasedAccountError, OutboxDatabase
from ingest.outbox.imports import ImportHistory


@dataclass(frozen=True, slots=True)
class Entry:
    """One notification to be written: its bytes, its content, and the gap before it.

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
    beats_lost: int = 0
    removed: bool = False
    imported_ns: int | None = None
    file: str | None = None

    @property
    def beats_waiting(self) -> int:
        """Beats that the API has not acknowledged."""
        return self.beats_kept - self.beats_acknowledged

    @property
    def waiting(self) -> int:
        """Notifications that the API has not acknowledged."""
        return self.last_sequence - self.acknowledged


class Outbox:
    """The outbox in the file ``path``, created if it is missing. Safe with several threads and
    processes. ``keep``: how long what the API has stays, at most.

    Raises EbbtideError when the file cannot be opened or is not an outbox.
    """

    def __init__(self, path: Path, keep: Retention | None = None) -> None:
        self.path = path
        self.keep = Retention() if keep is None else keep
        self._database = OutboxDatabase(path)
        self.connections = ConnectionHistory(self._database)
        self.acknowledged = AcknowledgedRows(self._database)
        self.comparison = StoreComparison(self._database)
        self.imports = ImportHistory(self._database)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Outbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open_stream(self, stream: Stream, account: str) -> StreamState:
        """Create a stream of ``account``, or find it again. Raises ErasedAccountError."""
        with self._database.transaction() as db:
            if db.execute(
                "SELECT 1 FROM streams WHERE account = ? AND removed = ?", (account, ERASED)
            ).fetchone():
                raise _erased()
            db.execute(
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
        """Find the newest stream of this person and source, to continue it after a restart."""
        rows = self._database.fetch(
            "SELECT id FROM streams WHERE account = ? AND origin = ? AND source = ? AND removed = 0"
            " ORDER BY created_ns DESC LIMIT 1",
            (account, origin, source),
        )
        return self.state(rows[0][0]) if rows else None

    def append(self, stream_id: str, entries: Sequence[Entry]) -> int:
        """Write notifications, in order, and return the last sequence number given.

        They are on the disk, all of them, when this returns; after an error, none is. Raises
        OutboxWriteError when the disk cannot be written.
        """
        return self.append_many([(stream_id, entries)])[0]

    def append_imported(self, stream_id: str, entries: Sequence[Entry], digests: bytes) -> int:
        """``append``, with a digest of each notification, of the same length each: they stay when
        the notifications have gone to the API, so that a later file can be compared.
        """
        with self._database.transaction() as db:
            last = _append(db, stream_id, entries)
            db.execute(
                "INSERT INTO imported VALUES (?, ?, ?)",
                (stream_id, last - len(entries) + 1, digests),
            )
            beats = sum(len(entry.notification.rr_ticks) for entry in entries)
            db.execute(
                "UPDATE streams SET beats_lost = max(0, beats_lost - ?) WHERE id = ?",
                (beats, stream_id),
            )
        return last

    def append_many(self, runs: Sequence[tuple[str, Sequence[Entry]]]) -> list[int]:
        """``append`` for several streams with one flush to the disk: all are written, or none."""
        with self._database.transaction() as db:
            return [_append(db, stream_id, entries) for stream_id, entries in runs]

    def state(self, stream_id: str) -> StreamState:
        """Where the stream stands. Raises KeyError for an unknown one."""
        for state in self._states("WHERE id = ?", (stream_id,)):
            return state
        raise KeyError(stream_id)

    def states(self) -> list[StreamState]:
        """All streams that were not removed, oldest first."""
        return list(self._states("WHERE removed = 0 ORDER BY created_ns", ()))

    def _states(self, where: str, values: Sequence[object]) -> Iterator[StreamState]:
        query = (
            "SELECT id, origin, source, created_ns, ticks_per_second, account, last_sequence,"
            " last_beat_ns, acknowledged, beats_kept, announced, beats_acknowledged, paused,"
            " beats_lost, removed, imported_ns, file"
            f" FROM streams {where}"
        )
        for row in self._database.fetch(query, values):
            stream = Stream(row[0], Origin(row[1]), row[2], row[3], row[4])
            account, last, beat, acknowledged, written, announced, beats, paused = row[5:13]
            lost, removed, imported_ns, file = row[13:]
            yield StreamState(
                stream,
                account,
                last,
                beat,
                acknowledged,
                written,
                bool(announced),
                beats,
                bool(paused),
                lost,
                bool(removed),
                imported_ns,
                file,
            )

    def waiting(self, stream_id: str, limit: int) -> tuple[list[Notification], list[Gap]]:
        """The oldest notifications that were not acknowledged, and the gaps before them."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT sequence, received_ns, heart_rate_bpm, contact, energy_kj, rr_ticks,"
                " beat_times_ns FROM notifications WHERE stream_id = ?1 AND sequence >"
                " (SELECT acknowledged FROM streams WHERE id = ?1) ORDER BY sequence LIMIT ?2",
                (stream_id, limit),
            ).fetchall()
            gaps = db.execute(
                "SELECT sequence, start_ns, end_ns, reason FROM gaps"
                " WHERE stream_id = ? AND sequence BETWEEN ? AND ? ORDER BY sequence",
                (stream_id, *((rows[0][0], rows[-1][0]) if rows else (1, 0))),
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
        return notifications, [Gap(row[0], row[1], row[2], GapReason(row[3])) for row in gaps]

    def set_announced(self, stream_id: str) -> None:
        """Note that the API has the stream."""
        with self._database.transaction() as db:
            db.execute("UPDATE streams SET announced = 1 WHERE id = ?", (stream_id,))

    def acknowledge(self, stream_id: str, through: int, counter: int = 0) -> None:
        """Note that the API has everything up to and including ``through``. ``counter``: of its
        store's generation then.

        Raises EbbtideError when the API claims more than was ever written: then it is another
        outbox's stream, or a copy of one, and deleting would lose beats.
        """
        state = self.state(stream_id)
        if through > state.last_sequence:
            raise EbbtideError(
                f"The API has {through} notifications of stream {stream_id}, this outbox only "
                f"{state.last_sequence}.",
                "The outbox file looks like an old copy. Move it aside and start again.",
            )
        with self._database.transaction() as db:
            (before,) = db.execute(
                "SELECT acknowledged FROM streams WHERE id = ?", (stream_id,)
            ).fetchone()
            if through <= before:
                return
            beats = add_acknowledged(db, stream_id, before, through, counter)
            db.execute(
                "UPDATE streams SET acknowledged = ?,"
                " beats_acknowledged = beats_acknowledged + ? WHERE id = ?",
                (through, beats, stream_id),
            )

    def set_paused(self, stream_id: str) -> None:
        """Note that the recording was ended on purpose: the gap that follows is a pause."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE streams SET paused = 1 WHERE id = ?", (_recorded_stream(db, stream_id),)
            )

    def add_activity(self, stream_id: str, spans: Sequence[Activity]) -> None:
        """Write how much the wearer moved. Idempotent."""
        with self._database.transaction() as db:
            stream_id = _recorded_stream(db, stream_id)
            db.executemany(
                "INSERT OR IGNORE INTO activity (stream_id, start_ns, mad_mg) VALUES (?, ?, ?)",
                [(stream_id, span.start_ns, span.mad_mg) for span in spans],
            )

    def waiting_activity(self, stream_id: str, limit: int) -> list[Activity]:
        """The oldest spans of activity that the API does not have."""
        rows = self._database.fetch(
            "SELECT start_ns, mad_mg FROM activity WHERE stream_id = ? AND acknowledged IS NULL"
            " ORDER BY start_ns LIMIT ?",
            (stream_id, limit),
        )
        return [Activity(*row) for row in rows]

    def acknowledge_activity(self, stream_id: str, through_ns: int, counter: int = 0) -> None:
        """Note what the API has: the spans that waited, and began at or before ``through_ns``."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE activity SET acknowledged = ? WHERE stream_id = ?"
                " AND acknowledged IS NULL AND start_ns <= ?",
                (counter, stream_id, through_ns),
            )

    def quarantine(
        self, account: str, source: str, received_ns: int, payload: bytes, why: str
    ) -> None:
        """Write the bytes of a notification that adds no beats: malformed, or sent before."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO set_aside VALUES (?, ?, ?, ?, ?)",
                (account, source, received_ns, payload, why),
            )

    def count_quarantined(self, account: str, source: str) -> dict[str, int]:
        """Notifications in quarantine, counted by reason."""
        return dict(
            self._database.fetch(
                "SELECT why, count(*) FROM set_aside WHERE account = ? AND source = ? GROUP BY why",
                (account, source),
            )
        )

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file; empty when it is sound."""
        found = [str(row[0]) for row in self._database.fetch("PRAGMA quick_check")]
        return [] if found == ["ok"] else found


def _erased() -> ErasedAccountError:
    return ErasedAccountError("Everything of this person was erased.", "Stop the recorder.")


def _recorded_stream(db: sqlite3.Connection, stream_id: str) -> str:
    """The stream itself, or the one that continues it where its person removed it. Raises KeyError
    for an unknown one, and ErasedAccountError.
    """
    while True:
        row = db.execute("SELECT removed FROM streams WHERE id = ?", (stream_id,)).fetchone()
        if row is None:
            raise KeyError(stream_id)
        if row[0] == ERASED:
            raise _erased()
        if not row[0]:
            return stream_id
        stream_id = open_successor(db, stream_id)


def _append(db: sqlite3.Connection, stream_id: str, entries: Sequence[Entry]) -> int:
    stream_id = _recorded_stream(db, stream_id)
    row = db.execute(
        "SELECT last_sequence, last_beat_ns FROM streams WHERE id = ?", (stream_id,)
    ).fetchone()
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
        db.execute(
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
            db.execute(
                # One is there where the beats before it were lost at a restore: it is longer now.
                "INSERT INTO gaps VALUES (?, ?, ?, ?, ?) ON CONFLICT (stream_id, sequence)"
                " DO UPDATE SET end_ns = max(end_ns, excluded.end_ns)",
                (stream_id, sequence, gap.start_ns, gap.end_ns, gap.reason),
            )
    db.execute(
        "UPDATE streams SET last_sequence = ?, last_beat_ns = ?, beats_kept = beats_kept + ?,"
        " paused = 0 WHERE id = ?",
        (sequence, last_beat, beats, stream_id),
    )
    return int(sequence)
