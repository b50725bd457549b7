"""Beats in a SQLite file, in blocks of some thousand."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ebbtide import timestamps
from ebbtide.beats import Activity, Gap, GapReason, Notification, Origin, Stream
from ebbtide.timestamps import DAY
from store.encoding import window_block
from store.encoding.assemble import (
    EMPTY_PART,
    StreamPart,
    merge_streams,
    stream_part,
    without_contact,
)
from store.encoding.beat_block import (
    Block,
    concat,
    decode,
    encode,
    from_notifications,
    to_notifications,
)
from store.encoding.runs import (
    FULL_RUN,
    acknowledged_sequence,
    day_fingerprints,
    days_of,
    new_runs,
    require_order,
)
from store.errors import ErasedSubjectError, StreamTakenError, UnknownStreamError
from store.models.beats import Beats, DailyWindows, PlacedGap, StreamCoverage
from store.protocols.beats import BeatStore
from store.sqlite.connection import open_sqlite
from store.sqlite.write_lock import WriteLock

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
    kept_ns INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (stream_id, first_sequence)
) STRICT, WITHOUT ROWID;
-- What says where beats are, without the blocks themselves: months of them would be walked through.
CREATE INDEX IF NOT EXISTS blocks_by_time
    ON blocks (stream_id, start_ns, end_ns, last_sequence, beats);
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

_Value = TypeVar("_Value", bound=np.generic)


class SqliteBeatStore(BeatStore):
    """A BeatStore in the file ``path``.

    Two connections, each under a lock, serve the threads of this process: one writes, and with WAL
    the other reads meanwhile. Other processes have their own.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._read_lock = threading.RLock()
        self._db = open_sqlite(path)
        self._db.executescript(_SCHEMA)
        self._queue = WriteLock(path)
        self._bring_forward()
        self._reading = open_sqlite(path)

    def _bring_forward(self) -> None:
        """A file from before it was noted when a block was kept."""

        def noted() -> bool:
            columns = self._db.execute("SELECT name FROM pragma_table_info('blocks')").fetchall()
            return ("kept_ns",) in columns

        if not noted():
            with self._transaction():  # of two that open it at once, one does it
                if not noted():
                    self._db.execute(
                        "ALTER TABLE blocks ADD COLUMN kept_ns INTEGER NOT NULL DEFAULT 0"
                    )

    def close(self) -> None:
        """Close the file."""
        with self._lock, self._read_lock:
            self._reading.close()
            self._db.close()
            self._queue.close()

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
            _require(self._db, subject_id, stream_id)
            fresh_sequences: set[int] = set()
            first, last = notifications[0].sequence, notifications[-1].sequence
            kept = self._db.execute(
                # From the block that lies before or around the first on: found by the key, where
                # asking for the last numbers would walk through all blocks of a month.
                "SELECT first_sequence, last_sequence FROM blocks WHERE stream_id = ?"
                " AND first_sequence BETWEEN coalesce((SELECT max(first_sequence) FROM blocks"
                " WHERE stream_id = ? AND first_sequence <= ?), ?) AND ?",
                (stream_id, stream_id, first, first, last),
            ).fetchall()
            for run in new_runs(notifications, kept):
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
            return _acknowledged(self._db, stream_id)

    def append_activity(self, subject_id: str, stream_id: str, spans: Sequence[Activity]) -> None:
        """Keep how much the wearer moved; see BeatStore."""
        with self._transaction():
            _require(self._db, subject_id, stream_id)
            self._db.executemany(
                "INSERT OR IGNORE INTO activity VALUES (?, ?, ?)",
                [(stream_id, span.start_ns, span.mad_mg) for span in spans],
            )

    def activity(self, subject_id: str, start_ns: int, end_ns: int) -> list[Activity]:
        """Spans of the range, by time; see BeatStore."""
        with self._read_lock:
            rows = self._reading.execute(
                "SELECT activity.start_ns, max(mad_mg) FROM activity"
                " JOIN streams ON streams.id = stream_id"
                " WHERE subject_id = ? AND activity.start_ns >= ? AND activity.start_ns < ?"
                " GROUP BY activity.start_ns ORDER BY activity.start_ns",
                (subject_id, start_ns, end_ns),
            ).fetchall()
        return [Activity(*row) for row in rows]

    def _insert_run(self, stream_id: str, run: list[Notification]) -> None:
        first, last = run[0].sequence, run[-1].sequence
        block = from_notifications(run)
        if len(block.time_ns):
            self._require_order(stream_id, first, last, block)
        # Joined to those before that are no longer than itself, as a counter carries: a small
        # upload is packed anew a dozen times until its block is full, not at each that follows.
        while (before := self._block_before(stream_id, first)) is not None:
            if not 0 < before[1] - before[0] + 1 <= min(last - first + 1, FULL_RUN):
                break
            self._db.execute(
                "DELETE FROM blocks WHERE stream_id = ? AND first_sequence = ?", (stream_id, first)
            )
            first = before[0]
            block = concat(decode(before[2]), block)
        beats = len(block.time_ns)
        self._db.execute(
            "INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                stream_id,
                first,
                last,
                beats,
                int(block.time_ns[0]) if beats else None,
                int(block.time_ns[-1]) + 1 if beats else None,
                encode(block),
                timestamps.now_ns(),
            ),
        )

    def _block_before(self, stream_id: str, first: int) -> tuple[int, int, bytes] | None:
        """First and last number and content of the block that ends just before ``first``."""
        found: tuple[int, int, bytes] | None = self._db.execute(
            "SELECT first_sequence, last_sequence, data FROM blocks WHERE stream_id = ?"
            " AND first_sequence < ? ORDER BY first_sequence DESC LIMIT 1",
            (stream_id, first),
        ).fetchone()
        return found if found is not None and found[1] == first - 1 else None

    def _require_order(self, stream_id: str, first: int, last: int, block: Block) -> None:
        before_ns, after_ns = self._db.execute(
            # Times increase with the numbers: of those with beats, the nearest says it.
            "SELECT (SELECT end_ns FROM blocks WHERE stream_id = ? AND first_sequence < ?"
            " AND beats > 0 ORDER BY first_sequence DESC LIMIT 1),"
            " (SELECT start_ns FROM blocks WHERE stream_id = ? AND first_sequence > ?"
            " AND beats > 0 ORDER BY first_sequence LIMIT 1)",
            (stream_id, first, stream_id, last),
        ).fetchone()
        start_ns, end_ns = int(block.time_ns[0]), int(block.time_ns[-1]) + 1
        require_order(stream_id, start_ns, end_ns, before_ns, after_ns)

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
        return merge_streams(tuple(streams), parts)

    def _streams(
        self, subject_id: str, further: str = "", values: tuple[int, ...] = ()
    ) -> list[Stream]:
        rows = self._reading.execute(
            "SELECT id, origin, source, created_ns, ticks_per_second FROM streams"
            f" WHERE subject_id = ?{further} ORDER BY created_ns, id",
            (subject_id, *values),
        ).fetchall()
        return [Stream(row[0], Origin(row[1]), row[2], row[3], row[4]) for row in rows]

    def _read_stream(self, index: int, stream: Stream, start_ns: int, end_ns: int) -> StreamPart:
        rows = self._reading.execute(
            # Which ones, by the index; then these alone.
            "SELECT first_sequence, last_sequence, data FROM blocks WHERE stream_id = ?"
            " AND first_sequence IN (SELECT first_sequence FROM blocks WHERE stream_id = ?"
            " AND start_ns < ? AND end_ns > ?) ORDER BY first_sequence",
            (stream.id, stream.id, end_ns, start_ns),
        ).fetchall()
        if not rows:
            return EMPTY_PART
        blocks = [decode(row[2], beats_alone=True) for row in rows]
        times = np.concatenate([block.time_ns for block in blocks])
        ticks = np.concatenate([block.rr_ticks for block in blocks]).astype(np.int32)
        contact = np.concatenate([_a_beat(block.contact, block) for block in blocks])
        sequence = np.concatenate(
            [_sequences(row[0], block) for row, block in zip(rows, blocks, strict=True)]
        )
        gaps = self._reading.execute(
            "SELECT sequence FROM gaps WHERE stream_id = ? AND sequence BETWEEN ? AND ?",
            (stream.id, rows[0][0], rows[-1][1]),
        ).fetchall()
        off_the_clock = self._reading.execute(
            "SELECT start_ns, end_ns FROM gaps WHERE stream_id = ? AND reason = ?",
            (stream.id, GapReason.OFF_THE_CLOCK),
        ).fetchall()
        return stream_part(
            index,
            stream,
            [(row[0], row[1]) for row in rows],
            [gap[0] for gap in gaps],
            times,
            ticks,
            without_contact(contact, times, off_the_clock),
            sequence,
            (start_ns, end_ns),
        )

    def gaps(self, subject_id: str, start_ns: int, end_ns: int) -> list[PlacedGap]:
        """Gaps that touch the range, by start."""
        with self._read_lock:
            rows = self._reading.execute(
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
                beats, first, end = self._reading.execute(
                    "SELECT coalesce(sum(beats), 0), min(start_ns), max(end_ns) FROM blocks"
                    " WHERE stream_id = ?",
                    (stream.id,),
                ).fetchone()
                last = None if end is None else end - 1
                acknowledged = _acknowledged(self._reading, stream.id)
                found.append(StreamCoverage(stream, acknowledged, beats, first, last))
            return found

    def day_fingerprints(self, subject_id: str, start_ns: int, end_ns: int) -> dict[int, str]:
        """The name of the content of each day; see BeatStore."""
        with self._snapshot():
            blocks = self._reading.execute(
                "SELECT stream_id, first_sequence, last_sequence, beats, start_ns, end_ns"
                " FROM blocks JOIN streams ON id = stream_id WHERE subject_id = ?"
                " AND start_ns < ? AND end_ns > ? ORDER BY stream_id, first_sequence",
                (subject_id, end_ns, start_ns),
            ).fetchall()
            moved = self._reading.execute(
                "SELECT activity.start_ns / ?, count(*) FROM activity"
                " JOIN streams ON streams.id = stream_id WHERE subject_id = ?"
                " AND activity.start_ns >= ? AND activity.start_ns < ? GROUP BY 1",
                (DAY, subject_id, start_ns, end_ns),
            ).fetchall()
        return day_fingerprints(blocks, moved, start_ns, end_ns)

    def changed_days(self, subject_id: str, since_ns: int) -> list[int]:
        """The UTC days to which something was added from then on; see BeatStore."""
        with self._read_lock:
            rows = self._reading.execute(
                "SELECT start_ns, end_ns FROM blocks JOIN streams ON id = stream_id"
                " WHERE subject_id = ? AND kept_ns >= ?",
                (subject_id, since_ns),
            ).fetchall()
        return days_of(rows)

    def stored_windows(
        self, subject_id: str, method: str, names: Sequence[str], first_day: int, last_day: int
    ) -> dict[int, DailyWindows]:
        """What was worked out of each day; see BeatStore."""
        with self._read_lock:
            rows = self._reading.execute(
                "SELECT day, content, data FROM derived WHERE subject_id = ? AND method = ?"
                " AND day BETWEEN ? AND ?",
                (subject_id, method, first_day, last_day),
            ).fetchall()
        return {row[0]: window_block.decode(row[1], row[2], names) for row in rows}

    def stored_fingerprints(
        self, subject_id: str, method: str, first_day: int, last_day: int
    ) -> dict[int, str]:
        """What the kept windows of each day were worked out from; see BeatStore."""
        with self._read_lock:
            rows = self._reading.execute(
                "SELECT day, content FROM derived WHERE subject_id = ? AND method = ?"
                " AND day BETWEEN ? AND ?",
                (subject_id, method, first_day, last_day),
            ).fetchall()
        return dict(rows)

    def store_windows(self, subject_id: str, method: str, days: Mapping[int, DailyWindows]) -> None:
        """Keep what was worked out; see BeatStore."""
        with self._transaction():
            if self._was_erased(subject_id):
                return
            self._db.executemany(  # those of older methods go, too
                "DELETE FROM derived WHERE subject_id = ? AND day = ?",
                [(subject_id, day) for day in days],
            )
            self._db.executemany(
                "INSERT INTO derived VALUES (?, ?, ?, ?, ?)",
                [
                    (subject_id, method, day, held.content, window_block.encode(held))
                    for day, held in days.items()
                ],
            )

    def subjects(self) -> list[str]:
        """Everybody with a stream."""
        with self._lock:
            rows = self._db.execute("SELECT DISTINCT subject_id FROM streams ORDER BY 1").fetchall()
        return [row[0] for row in rows]

    def erased(self) -> list[str]:
        """Everybody who was erased."""
        with self._lock:
            rows = self._db.execute("SELECT subject_id FROM erased ORDER BY 1").fetchall()
        return [row[0] for row in rows]

    def notifications(self, subject_id: str, stream_id: str, after: int) -> list[Notification]:
        """The next notifications, as they were sent; see BeatStore."""
        with self._snapshot():
            _require(self._reading, subject_id, stream_id)
            row = self._reading.execute(
                "SELECT first_sequence, data FROM blocks WHERE stream_id = ? AND last_sequence > ?"
                " ORDER BY first_sequence LIMIT 1",
                (stream_id, after),
            ).fetchone()
        if row is None:
            return []
        return [n for n in to_notifications(row[0], decode(row[1])) if n.sequence > after]

    def stream_activity(self, subject_id: str, stream_id: str) -> list[Activity]:
        """All movement of one stream, by time."""
        with self._snapshot():
            _require(self._reading, subject_id, stream_id)
            rows = self._reading.execute(
                "SELECT start_ns, mad_mg FROM activity WHERE stream_id = ? ORDER BY start_ns",
                (stream_id,),
            ).fetchall()
        return [Activity(*row) for row in rows]

    def _was_erased(self, subject_id: str) -> bool:
        row = self._db.execute("SELECT 1 FROM erased WHERE subject_id = ?", (subject_id,))
        return row.fetchone() is not None

    def erase(self, subject_id: str) -> int:
        """Remove every trace of the subject, and overwrite the freed pages."""
        # Whoever reads in this process waits, so that what is erased leaves the log at once.
        with self._lock, self._read_lock:
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
        with self._lock, self._queue.turn(), _transaction(self._db, "BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several reads that see one state of the file."""
        with self._read_lock, _transaction(self._reading, "BEGIN"):
            yield


def _acknowledged(db: sqlite3.Connection, stream_id: str) -> int:
    return acknowledged_sequence(
        db.execute(
            "SELECT first_sequence, last_sequence FROM blocks WHERE stream_id = ?"
            " ORDER BY first_sequence",
            (stream_id,),
        )
    )


def _require(db: sqlite3.Connection, subject_id: str, stream_id: str) -> None:
    row = db.execute(
        "SELECT 1 FROM streams WHERE id = ? AND subject_id = ?", (stream_id, subject_id)
    ).fetchone()
    if row is None:
        raise UnknownStreamError(
            f"There is no stream {stream_id}.", f"Register it with PUT /v1/streams/{stream_id}."
        )


def _sequences(first: int, block: Block) -> NDArray[np.int64]:
    """The sequence number of each beat's notification."""
    count = len(block.rr_count)
    return _a_beat(np.arange(first, first + count, dtype=np.int64), block)


def _a_beat(values: NDArray[_Value], block: Block) -> NDArray[_Value]:
    """A value of each notification, for each of its beats."""
    if len(block.time_ns) == len(values) and np.all(block.rr_count == 1):  # as most straps send
        return values
    return np.repeat(values, block.rr_count)


@contextmanager
def _transaction(db: sqlite3.Connection, begin: str) -> Iterator[None]:
    db.execute(begin)
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
