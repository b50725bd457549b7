"""Beats in a SQLite file, in blocks of some thousand."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ebbtide._sqlite import overwrite_deleted
from ebbtide.beats import Activity, Gap, GapReason, Notification, Stream
from ebbtide.timestamps import DAY
from store.encoding import window_block
from store.encoding.assemble import merge_rates, merge_streams
from store.encoding.beat_block import decode, to_notifications
from store.encoding.runs import day_fingerprints, days_of, plan_append
from store.errors import ErasedSubjectError, StreamTakenError, cannot_open
from store.models.beats import (
    Beats,
    DailyWindows,
    PlacedGap,
    Rates,
    RemovedStream,
    StoreGeneration,
    StreamCoverage,
)
from store.protocols.beats import BeatStore
from store.sqlite import generation, removal
from store.sqlite.append import last_acknowledged, require_stream, store_plan, stored_runs
from store.sqlite.connection import open_sqlite, transaction
from store.sqlite.schema import create_tables, upgrade_tables
from store.sqlite.stream_reader import find_streams, read_rates, read_stream
from store.sqlite.write_lock import WriteLock


class SqliteBeatStore(BeatStore):
    """A BeatStore in the file ``path``.

    Two connections, each under a lock, serve the threads of this process: one writes, and with WAL
    the other reads meanwhile. Other processes have their own.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._read_lock = threading.RLock()
        self._db = open_sqlite(path)
        try:
            create_tables(self._db)
            upgrade_tables(self._db)
        except sqlite3.Error as error:
            self._db.close()
            raise cannot_open(path, error) from error
        self._write_lock = WriteLock(path)
        self._reading = open_sqlite(path)

    def close(self) -> None:
        """Close the file."""
        with self._lock, self._read_lock:
            self._reading.close()
            self._db.close()
            self._write_lock.close()

    def check(self) -> None:
        """Raise sqlite3.Error if the file cannot be read."""
        with self._lock:
            self._db.execute("SELECT count(*) FROM streams").fetchone()

    def put_stream(self, subject_id: str, stream: Stream) -> None:
        """Register a stream. Idempotent."""
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
            removal.require_not_removed(self._db, subject_id, stream.id)
            self._db.execute("INSERT OR IGNORE INTO streams VALUES (?, ?, ?, ?, ?, ?)", row)
            registered = self._db.execute(
                "SELECT * FROM streams WHERE id = ?", (stream.id,)
            ).fetchone()
        if registered != row:
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
        """Store a run of notifications; see BeatStore."""
        with self._transaction():
            require_stream(self._db, subject_id, stream_id)
            plan = plan_append(
                stream_id, notifications, gaps, stored_runs(self._db, stream_id, notifications)
            )
            store_plan(self._db, stream_id, plan)
            return last_acknowledged(self._db, stream_id)

    def append_activity(self, subject_id: str, stream_id: str, spans: Sequence[Activity]) -> None:
        """Store how much the wearer moved; see BeatStore."""
        with self._transaction():
            require_stream(self._db, subject_id, stream_id)
            self._db.executemany(
                "INSERT OR IGNORE INTO activity VALUES (?, ?, ?)",
                [(stream_id, span.start_ns, span.mad_mg) for span in spans],
            )

    def activity(self, subject_id: str, start_ns: int, end_ns: int) -> list[Activity]:
        """List the spans of the range, by time; see BeatStore."""
        with self._read_lock:
            rows = self._reading.execute(
                "SELECT activity.start_ns, max(mad_mg) FROM activity"
                " JOIN streams ON streams.id = stream_id"
                " WHERE subject_id = ? AND activity.start_ns >= ? AND activity.start_ns < ?"
                " GROUP BY activity.start_ns ORDER BY activity.start_ns",
                (subject_id, start_ns, end_ns),
            ).fetchall()
        return [Activity(*row) for row in rows]

    def read(self, subject_id: str, start_ns: int, end_ns: int) -> Beats:
        """Read the beats of the range, by time; see BeatStore."""
        with self._snapshot():
            # Only the streams of the range: imported recordings may be thousands of them.
            streams = find_streams(
                self._reading,
                subject_id,
                " AND EXISTS (SELECT 1 FROM blocks WHERE stream_id = id"
                " AND start_ns < ? AND end_ns > ?)",
                (end_ns, start_ns),
            )
            parts = [
                read_stream(self._reading, index, stream, start_ns, end_ns)
                for index, stream in enumerate(streams)
            ]
        return merge_streams(tuple(streams), parts)

    def rates(self, subject_id: str, start_ns: int, end_ns: int) -> Rates:
        """Read the heart rates without intervals of the range, by time; see BeatStore."""
        with self._snapshot():
            streams = find_streams(
                self._reading,
                subject_id,
                " AND EXISTS (SELECT 1 FROM blocks WHERE stream_id = id AND rates > 0"
                " AND rates_start_ns < ? AND rates_end_ns > ?)",
                (end_ns, start_ns),
            )
            parts = [read_rates(self._reading, item, start_ns, end_ns) for item in streams]
        return merge_rates(tuple(streams), parts)

    def gaps(self, subject_id: str, start_ns: int, end_ns: int) -> list[PlacedGap]:
        """List the gaps that touch the range, by start."""
        with self._read_lock:
            rows = self._reading.execute(
                "SELECT stream_id, sequence, start_ns, end_ns, reason FROM gaps"
                " JOIN streams ON streams.id = stream_id"
                " WHERE subject_id = ? AND start_ns < ? AND end_ns > ? ORDER BY start_ns",
                (subject_id, end_ns, start_ns),
            ).fetchall()
        return [PlacedGap(row[0], Gap(row[1], row[2], row[3], GapReason(row[4]))) for row in rows]

    def coverage(self, subject_id: str) -> list[StreamCoverage]:
        """List what is stored of each stream, oldest first."""
        with self._snapshot():
            found = []
            for stream in find_streams(self._reading, subject_id):
                beats, *span, rates, newest = self._reading.execute(
                    "SELECT coalesce(sum(beats), 0), coalesce(min(start_ns), min(rates_start_ns)),"
                    " coalesce(max(end_ns), max(rates_end_ns)), coalesce(sum(rates), 0),"
                    " coalesce(max(last_sequence), 0) FROM blocks WHERE stream_id = ?",
                    (stream.id,),
                ).fetchone()
                first, end = span
                last = None if end is None else end - 1
                acknowledged = last_acknowledged(self._reading, stream.id)
                found.append(
                    StreamCoverage(stream, acknowledged, newest, beats, first, last, rates)
                )
            return found

    def day_fingerprints(self, subject_id: str, start_ns: int, end_ns: int) -> dict[int, str]:
        """Return the fingerprint of each day; see BeatStore."""
        with self._snapshot():
            blocks = self._reading.execute(
                "SELECT stream_id, first_sequence, last_sequence, beats, start_ns, end_ns"
                " FROM blocks JOIN streams ON id = stream_id WHERE subject_id = ?"
                " AND start_ns < ? AND end_ns > ? ORDER BY stream_id, first_sequence",
                (subject_id, end_ns, start_ns),
            ).fetchall()
            rated = self._reading.execute(
                "SELECT stream_id, first_sequence, last_sequence, rates, rates_start_ns,"
                " rates_end_ns FROM blocks JOIN streams ON id = stream_id WHERE subject_id = ?"
                " AND rates > 0 AND rates_start_ns < ? AND rates_end_ns > ?"
                " ORDER BY stream_id, first_sequence",
                (subject_id, end_ns, start_ns),
            ).fetchall()
            moved = self._reading.execute(
                "SELECT activity.start_ns / ?, count(*) FROM activity"
                " JOIN streams ON streams.id = stream_id WHERE subject_id = ?"
                " AND activity.start_ns >= ? AND activity.start_ns < ? GROUP BY 1",
                (DAY, subject_id, start_ns, end_ns),
            ).fetchall()
        return day_fingerprints(blocks, moved, start_ns, end_ns, rated)

    def changed_days(self, subject_id: str, since_ns: int) -> list[int]:
        """List the UTC days to which something was added from then on; see BeatStore."""
        with self._read_lock:
            rows = self._reading.execute(
                "SELECT start_ns, end_ns FROM blocks JOIN streams ON id = stream_id"
                " WHERE subject_id = ?1 AND kept_ns >= ?2"
                " UNION ALL SELECT rates_start_ns, rates_end_ns FROM blocks"
                " JOIN streams ON id = stream_id WHERE subject_id = ?1 AND kept_ns >= ?2"
                # Without beats now, but copies of those days elsewhere have them.
                " UNION ALL SELECT start_ns, end_ns FROM removed"
                " WHERE subject_id = ?1 AND removed_ns >= ?2",
                (subject_id, since_ns),
            ).fetchall()
        return days_of(rows)

    def stored_windows(
        self, subject_id: str, method: str, names: Sequence[str], first_day: int, last_day: int
    ) -> dict[int, DailyWindows]:
        """Read the windows of each day; see BeatStore."""
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
        """Return the fingerprints of the stored windows of each day; see BeatStore."""
        with self._read_lock:
            rows = self._reading.execute(
                "SELECT day, content FROM derived WHERE subject_id = ? AND method = ?"
                " AND day BETWEEN ? AND ?",
                (subject_id, method, first_day, last_day),
            ).fetchall()
        return dict(rows)

    def store_windows(self, subject_id: str, method: str, days: Mapping[int, DailyWindows]) -> None:
        """Store the windows of days; see BeatStore."""
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
                    (subject_id, method, day, windows.fingerprint, window_block.encode(windows))
                    for day, windows in days.items()
                ],
            )

    def subjects(self) -> list[str]:
        """List all subjects with a stream."""
        with self._lock:
            rows = self._db.execute("SELECT DISTINCT subject_id FROM streams ORDER BY 1").fetchall()
        return [row[0] for row in rows]

    def erased(self) -> list[str]:
        """List all erased subjects."""
        with self._lock:
            rows = self._db.execute("SELECT subject_id FROM erased ORDER BY 1").fetchall()
        return [row[0] for row in rows]

    def notifications(self, subject_id: str, stream_id: str, after: int) -> list[Notification]:
        """Return the next notifications, as they were sent; see BeatStore."""
        with self._snapshot():
            require_stream(self._reading, subject_id, stream_id)
            row = self._reading.execute(
                "SELECT first_sequence, data FROM blocks WHERE stream_id = ? AND last_sequence > ?"
                " ORDER BY first_sequence LIMIT 1",
                (stream_id, after),
            ).fetchone()
        if row is None:
            return []
        return [n for n in to_notifications(row[0], decode(row[1])) if n.sequence > after]

    def stream_activity(self, subject_id: str, stream_id: str) -> list[Activity]:
        """List all movement of one stream, by time."""
        with self._snapshot():
            require_stream(self._reading, subject_id, stream_id)
            rows = self._reading.execute(
                "SELECT start_ns, mad_mg FROM activity WHERE stream_id = ? ORDER BY start_ns",
                (stream_id,),
            ).fetchall()
        return [Activity(*row) for row in rows]

    def _was_erased(self, subject_id: str) -> bool:
        row = self._db.execute("SELECT 1 FROM erased WHERE subject_id = ?", (subject_id,))
        return row.fetchone() is not None

    def erase(self, subject_id: str) -> int:
        """Delete all data of the subject, and overwrite the pages that it was on."""
        # Readers in this process wait, so that what is erased leaves the log at once.
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
                self._db.execute("DELETE FROM removed WHERE subject_id = ?", (subject_id,))
                self._db.execute("INSERT OR IGNORE INTO erased VALUES (?)", (subject_id,))
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(beats)

    def purge(self) -> list[str]:
        """Overwrite what deleted rows left in the file and its log; see BeatStore."""
        overwrite_deleted(self._db, locked=self._alone)
        return []

    def release_memory(self) -> None:
        """Release the pages that are cached; see BeatStore."""
        with self._lock, self._read_lock:
            for db in (self._db, self._reading):
                db.execute("PRAGMA shrink_memory")

    def remove_stream(self, subject_id: str, stream_id: str, at_ns: int) -> int:
        """Delete one stream, and overwrite the pages that it was on; see BeatStore."""
        with self._lock, self._read_lock:
            self._db.execute("PRAGMA secure_delete=ON")
            with self._transaction():
                beats = removal.remove_stream(self._db, subject_id, stream_id, at_ns)
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return beats

    def removed_streams(self, subject_id: str) -> list[RemovedStream]:
        """List the streams that the subject removed; see BeatStore."""
        with self._read_lock:
            return removal.removed_streams(self._reading, subject_id)

    def readmit_stream(self, subject_id: str, stream_id: str) -> None:
        """Take a stream that was removed again; see BeatStore."""
        with self._transaction():
            self._db.execute(
                "DELETE FROM removed WHERE subject_id = ? AND stream_id = ?",
                (subject_id, stream_id),
            )

    def generation(self) -> StoreGeneration:
        """Return which state of the store this is."""
        with self._read_lock:
            return generation.read_generation(self._reading)

    def begin_backup(self) -> int:
        """Raise the counter of the generation; see BeatStore."""
        with self._transaction():
            return generation.begin_backup(self._db)

    def finish_backup(self, covered: int) -> None:
        """Note that a backup is finished; see BeatStore."""
        with self._transaction():
            generation.finish_backup(self._db, covered)

    def renew_generation(self) -> None:
        """Give the generation a new id; see BeatStore."""
        with self._transaction():
            generation.renew_generation(self._db)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, self._write_lock.acquire(), transaction(self._db, "BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Neither reads nor writes in this process meanwhile, nor writes in others."""
        with self._lock, self._read_lock, self._write_lock.acquire():
            yield

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several reads that see one state of the file."""
        with self._read_lock, transaction(self._reading, "BEGIN"):
            yield
