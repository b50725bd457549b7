"""Beats in a SQLite file, in blocks of some thousand."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebbtide.instants import DAY
from ebbtide.records import Activity, Gap, GapReason, Notification, Origin, Stream
from store.beat_block import Block, joined, of_notifications, packed, unpacked
from store.beats import (
    Beats,
    ErasedSubjectError,
    PlacedGap,
    StreamCoverage,
    StreamTakenError,
    UnknownStreamError,
)
from store.sqlite_file import open_sqlite

# Small uploads are joined to the block before them until it holds this many notifications.
_FULL_BLOCK = 4096

_SCHEMA = """
CREATE TABLE IF NOT EXISTS streams (
    id TEXT PRIMARY KEY,
    subject_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    source TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    ticks_per_second INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS streams_of_subject ON streams (subject_id);
CREATE TABLE IF NOT EXISTS blocks (
    stream_id TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    beats INTEGER NOT NULL,
    start_ns INTEGER,
    end_ns INTEGER,
    data BLOB NOT NULL,
    PRIMARY KEY (stream_id, first_sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gaps (
    stream_id TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (stream_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activity (
    stream_id TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    start_ns INTEGER NOT NULL,
    mad_mg REAL NOT NULL,
    PRIMARY KEY (stream_id, start_ns)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS derived (
    subject_id TEXT NOT NULL,
    method TEXT NOT NULL,
    day INTEGER NOT NULL,
    content TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (subject_id, method, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased (
    subject_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
"""


class SqliteBeatStore:
    """A BeatStore in the file ``path``.

    One connection under a lock serves the threads of this process; other processes have their
    own, and WAL lets them read while one writes.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = open_sqlite(path)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def check(self) -> None:
        """Raise sqlite3.Error if the file cannot be read."""
        with self._lock:
            self._db.execute("SELECT count(*) FROM streams").fetchone()

    def put_stream(self, subject_id: str, stream: Stream) -> None:
        """Register a stream; twice is once."""
        row = (
            stream.id,
            subject_id,
            str(stream.origin),
            stream.source,
            stream.created_ns,
            stream.ticks_per_second,
        )
        with self._transaction():
            if self._was_erased(subject_id):
                raise ErasedSubjectError(
                    "Everything of this person was erased.", "Stop the recorder, and sign out."
                )
            self._db.execute("INSERT OR IGNORE INTO streams VALUES (?, ?, ?, ?, ?, ?)", row)
            kept = self._db.execute("SELECT * FROM streams WHERE id = ?", (stream.id,)).fetchone()
        if kept != row:
            raise StreamTakenError(
                f"Stream {stream.id} is already registered with other facts.",
                "Begin a stream with a new random id.",
            )

    def append(
        self,
        subject_id: str,
        stream_id: str,
        notifications: Sequence[Notification],
        gaps: Sequence[Gap] = (),
    ) -> int:
        """Keep a run of notifications; see BeatStore."""
        with self._transaction():
            self._require(subject_id, stream_id)
            fresh_sequences: set[int] = set()
            for run in self._not_yet_kept(stream_id, notifications):
                self._insert_run(stream_id, run)
                fresh_sequences.update(n.sequence for n in run)
            # Gaps belong to their notification: a repeated upload does not change them either.
            self._db.executemany(
                "INSERT OR IGNORE INTO gaps VALUES (?, ?, ?, ?, ?)",
                [
                    (stream_id, gap.sequence, gap.start_ns, gap.end_ns, str(gap.reason))
                    for gap in gaps
                    if gap.sequence in fresh_sequences
                ],
            )
            return self._acknowledged(stream_id)

    def append_activity(self, subject_id: str, stream_id: str, spans: Sequence[Activity]) -> None:
        """Keep how much the wearer moved; see BeatStore."""
        with self._transaction():
            self._require(subject_id, stream_id)
            self._db.executemany(
                "INSERT OR IGNORE INTO activity VALUES (?, ?, ?)",
                [(stream_id, span.start_ns, span.mad_mg) for span in spans],
            )

    def activity(self, subject_id: str, start_ns: int, end_ns: int) -> list[Activity]:
        """Spans of the range, by time; see BeatStore."""
        with self._lock:
            rows = self._db.execute(
                "SELECT activity.start_ns, max(mad_mg) FROM activity"
                " JOIN streams ON streams.id = stream_id"
                " WHERE subject_id = ? AND activity.start_ns >= ? AND activity.start_ns < ?"
                " GROUP BY activity.start_ns ORDER BY activity.start_ns",
                (subject_id, start_ns, end_ns),
            ).fetchall()
        return [Activity(*row) for row in rows]

    def _require(self, subject_id: str, stream_id: str) -> None:
        row = self._db.execute(
            "SELECT 1 FROM streams WHERE id = ? AND subject_id = ?", (stream_id, subject_id)
        ).fetchone()
        if row is None:
            raise UnknownStreamError(
                f"There is no stream {stream_id}.", f"Register it with PUT /v1/streams/{stream_id}."
            )

    def _not_yet_kept(
        self, stream_id: str, notifications: Sequence[Notification]
    ) -> Iterator[list[Notification]]:
        """The notifications that no block has, as unbroken runs."""
        kept = self._db.execute(
            "SELECT first_sequence, last_sequence FROM blocks WHERE stream_id = ?"
            " AND first_sequence <= ? AND last_sequence >= ?",
            (stream_id, notifications[-1].sequence, notifications[0].sequence),
        ).fetchall()
        run: list[Notification] = []
        for notification in notifications:
            if any(first <= notification.sequence <= last for first, last in kept):
                if run:
                    yield run
                run = []
            else:
                run.append(notification)
        if run:
            yield run

    def _insert_run(self, stream_id: str, run: list[Notification]) -> None:
        first, last = run[0].sequence, run[-1].sequence
        block = of_notifications(run)
        before = self._db.execute(
            "SELECT first_sequence, data FROM blocks WHERE stream_id = ? AND last_sequence = ?"
            " AND last_sequence - first_sequence < ?",
            (stream_id, first - 1, _FULL_BLOCK),
        ).fetchone()
        if before is not None:
            first = before[0]
            block = joined(unpacked(before[1]), block)
        beats = len(block.time_ns)
        self._db.execute(
            "INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                stream_id,
                first,
                last,
                beats,
                int(block.time_ns[0]) if beats else None,
                int(block.time_ns[-1]) + 1 if beats else None,
                packed(block),
            ),
        )

    def _acknowledged(self, stream_id: str) -> int:
        acknowledged = 0
        for first, last in self._db.execute(
            "SELECT first_sequence, last_sequence FROM blocks WHERE stream_id = ?"
            " ORDER BY first_sequence",
            (stream_id,),
        ):
            if first != acknowledged + 1:
                break
            acknowledged = last
        return acknowledged

    def read(self, subject_id: str, start_ns: int, end_ns: int) -> Beats:
        """Beats of the range, by time; see BeatStore."""
        with self._snapshot():
            # Only the streams of the range: imported recordings may be thousands of them.
            streams = self._streams(
                subject_id,
                " AND EXISTS (SELECT 1 FROM blocks WHERE stream_id = id"
                " AND start_ns < ? AND end_ns > ?)",
                (end_ns, start_ns),
            )
            parts = [
                self._read_stream(index, stream, start_ns, end_ns)
                for index, stream in enumerate(streams)
            ]
        return _by_time(tuple(streams), [part for part in parts if len(part[0])])

    def _streams(
        self, subject_id: str, further: str = "", values: tuple[int, ...] = ()
    ) -> list[Stream]:
        rows = self._db.execute(
            "SELECT id, origin, source, created_ns, ticks_per_second FROM streams"
            f" WHERE subject_id = ?{further} ORDER BY created_ns, id",
            (subject_id, *values),
        ).fetchall()
        return [Stream(row[0], Origin(row[1]), row[2], row[3], row[4]) for row in rows]

    def _read_stream(self, index: int, stream: Stream, start_ns: int, end_ns: int) -> _Part:
        rows = self._db.execute(
            "SELECT first_sequence, last_sequence, data FROM blocks WHERE stream_id = ?"
            " AND start_ns < ? AND end_ns > ? ORDER BY first_sequence",
            (stream.id, end_ns, start_ns),
        ).fetchall()
        if not rows:
            return _EMPTY_PART
        blocks = [unpacked(row[2]) for row in rows]
        times = np.concatenate([block.time_ns for block in blocks])
        ticks = np.concatenate([block.rr_ticks for block in blocks]).astype(np.int32)
        contact = np.concatenate([np.repeat(b.contact, b.rr_count) for b in blocks])
        sequence = np.concatenate(
            [_sequences(row[0], block) for row, block in zip(rows, blocks, strict=True)]
        )
        follows = np.ones(len(times), dtype=np.bool_)
        follows[:1] = False
        gaps = self._db.execute(
            "SELECT sequence FROM gaps WHERE stream_id = ? AND sequence BETWEEN ? AND ?",
            (stream.id, rows[0][0], rows[-1][1]),
        ).fetchall()
        # A gap, and a hole between blocks that were uploaded out of order, end the run of beats:
        # the first beat at or after that sequence number follows nothing.
        holes = [row[0] for before, row in itertools.pairwise(rows) if row[0] != before[1] + 1]
        starts = np.searchsorted(sequence, [gap[0] for gap in gaps] + holes, side="left")
        follows[starts[starts < len(follows)]] = False
        inside = (times >= start_ns) & (times < end_ns)
        first = int(np.argmax(inside)) if inside.any() else 0
        if inside.any():
            follows[first] = False
        n = int(inside.sum())
        return (
            times[inside],
            ticks[inside],
            np.full(n, stream.ticks_per_second, dtype=np.int32),
            contact[inside],
            follows[inside],
            np.full(n, index, dtype=np.int32),
        )

    def gaps(self, subject_id: str, start_ns: int, end_ns: int) -> list[PlacedGap]:
        """Gaps that touch the range, by start."""
        with self._lock:
            rows = self._db.execute(
                "SELECT stream_id, sequence, start_ns, end_ns, reason FROM gaps"
                " JOIN streams ON streams.id = stream_id"
                " WHERE subject_id = ? AND start_ns < ? AND end_ns > ? ORDER BY start_ns",
                (subject_id, end_ns, start_ns),
            ).fetchall()
        return [PlacedGap(row[0], Gap(row[1], row[2], row[3], GapReason(row[4]))) for row in rows]

    def coverage(self, subject_id: str) -> list[StreamCoverage]:
        """What is kept of each stream, oldest first."""
        with self._snapshot():
            found = []
            for stream in self._streams(subject_id):
                beats, first, end = self._db.execute(
                    "SELECT coalesce(sum(beats), 0), min(start_ns), max(end_ns) FROM blocks"
                    " WHERE stream_id = ?",
                    (stream.id,),
                ).fetchone()
                last = None if end is None else end - 1
                acknowledged = self._acknowledged(stream.id)
                found.append(StreamCoverage(stream, acknowledged, beats, first, last))
            return found

    def day_contents(self, subject_id: str, start_ns: int, end_ns: int) -> dict[int, str]:
        """The name of the content of each day; see BeatStore."""
        with self._snapshot():
            blocks = self._db.execute(
                "SELECT stream_id, first_sequence, last_sequence, beats, start_ns, end_ns"
                " FROM blocks JOIN streams ON id = stream_id WHERE subject_id = ?"
                " AND start_ns < ? AND end_ns > ? ORDER BY stream_id, first_sequence",
                (subject_id, end_ns, start_ns),
            ).fetchall()
            moved = self._db.execute(
                "SELECT activity.start_ns / ?, count(*) FROM activity"
                " JOIN streams ON streams.id = stream_id WHERE subject_id = ?"
                " AND activity.start_ns >= ? AND activity.start_ns < ? GROUP BY 1",
                (DAY, subject_id, start_ns, end_ns),
            ).fetchall()
        names: dict[int, hashlib._Hash] = {}
        for *facts, begins, ends in blocks:
            first, last = max(begins, start_ns) // DAY, (min(ends, end_ns) - 1) // DAY
            for day in range(first, last + 1):
                names.setdefault(day, hashlib.sha256()).update(repr(facts).encode())
        for day, count in moved:
            if day in names:
                names[day].update(f"movement {count}".encode())
        return {day: name.hexdigest() for day, name in names.items()}

    def derived(
        self, subject_id: str, method: str, first_day: int, last_day: int
    ) -> dict[int, tuple[str, bytes]]:
        """What was worked out of each day; see BeatStore."""
        with self._lock:
            rows = self._db.execute(
                "SELECT day, content, data FROM derived WHERE subject_id = ? AND method = ?"
                " AND day BETWEEN ? AND ?",
                (subject_id, method, first_day, last_day),
            ).fetchall()
        return {row[0]: (row[1], row[2]) for row in rows}

    def put_derived(
        self, subject_id: str, method: str, days: Mapping[int, tuple[str, bytes]]
    ) -> None:
        """Keep what was worked out; nothing of a subject who was erased meanwhile."""
        with self._transaction():
            if self._was_erased(subject_id):
                return
            self._db.executemany(
                "INSERT OR REPLACE INTO derived VALUES (?, ?, ?, ?, ?)",
                [(subject_id, method, day, *held) for day, held in days.items()],
            )

    def _was_erased(self, subject_id: str) -> bool:
        row = self._db.execute("SELECT 1 FROM erased WHERE subject_id = ?", (subject_id,))
        return row.fetchone() is not None

    def erase(self, subject_id: str) -> int:
        """Remove every trace of the subject, and overwrite the freed pages."""
        with self._lock:
            self._db.execute("PRAGMA secure_delete=ON")
            with self._transaction():
                (beats,) = self._db.execute(
                    "SELECT coalesce(sum(beats), 0) FROM blocks JOIN streams ON id = stream_id"
                    " WHERE subject_id = ?",
                    (subject_id,),
                ).fetchone()
                self._db.execute("DELETE FROM streams WHERE subject_id = ?", (subject_id,))
                self._db.execute("DELETE FROM derived WHERE subject_id = ?", (subject_id,))
                self._db.execute("INSERT OR IGNORE INTO erased VALUES (?)", (subject_id,))
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(beats)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, _transaction(self._db, "BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several reads that see one state of the file."""
        with self._lock, _transaction(self._db, "BEGIN"):
            yield


_Part = tuple[
    NDArray[np.int64],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int8],
    NDArray[np.bool_],
    NDArray[np.int32],
]
_EMPTY_PART: _Part = (
    np.empty(0, np.int64),
    np.empty(0, np.int32),
    np.empty(0, np.int32),
    np.empty(0, np.int8),
    np.empty(0, np.bool_),
    np.empty(0, np.int32),
)


def _sequences(first: int, block: Block) -> NDArray[np.int64]:
    """The sequence number of each beat's notification."""
    count = len(block.rr_count)
    return np.repeat(np.arange(first, first + count, dtype=np.int64), block.rr_count)


def _by_time(streams: tuple[Stream, ...], parts: list[_Part]) -> Beats:
    if not parts:
        return Beats(*_EMPTY_PART, streams=streams)
    time, ticks, scale, contact, follows, index = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    order = np.argsort(time, kind="stable")
    index = index[order]
    return Beats(
        time[order], ticks[order], scale[order], contact[order], follows[order], index, streams
    )


@contextmanager
def _transaction(db: sqlite3.Connection, begin: str) -> Iterator[None]:
    db.execute(begin)
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
