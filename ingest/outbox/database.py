"""The outbox file: its tables, and transactions that say when the disk is full."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ebbtide._sqlite import open_sqlite
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
    paused INTEGER NOT NULL DEFAULT 0,
    beats_lost INTEGER NOT NULL DEFAULT 0,
    removed INTEGER NOT NULL DEFAULT 0,
    imported_ns INTEGER,
    successor TEXT,
    file TEXT
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
    acknowledged INTEGER,
    PRIMARY KEY (stream_id, start_ns)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS set_aside (
    account TEXT NOT NULL,
    source TEXT NOT NULL,
    received_ns INTEGER NOT NULL,
    payload BLOB NOT NULL,
    why TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS imported (
    stream_id TEXT NOT NULL REFERENCES streams (id),
    sequence INTEGER NOT NULL,
    digests BLOB NOT NULL,
    PRIMARY KEY (stream_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS acknowledged (
    stream_id TEXT NOT NULL REFERENCES streams (id),
    last_sequence INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (stream_id, last_sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS generations (
    account TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    counter INTEGER NOT NULL,
    covered INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intervals (
    account TEXT NOT NULL,
    digest INTEGER NOT NULL,
    stream_id TEXT NOT NULL REFERENCES streams (id),
    time_ns INTEGER NOT NULL,
    PRIMARY KEY (account, digest, stream_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS intervals_of_stream ON intervals (stream_id);
CREATE TABLE IF NOT EXISTS links (
    account TEXT NOT NULL,
    source TEXT NOT NULL,
    connected_ns INTEGER NOT NULL,
    ended_ns INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT;
"""
# Columns that an outbox of an earlier version lacks.
_ADDED = {
    "streams": {
        "beats_acknowledged": "INTEGER NOT NULL DEFAULT 0",
        "paused": "INTEGER NOT NULL DEFAULT 0",
        "beats_lost": "INTEGER NOT NULL DEFAULT 0",
        "removed": "INTEGER NOT NULL DEFAULT 0",
        "imported_ns": "INTEGER",
        "successor": "TEXT",
        "file": "TEXT",
    },
    "activity": {"acknowledged": "INTEGER"},
}
# After the columns, on one of which it is: what waits is found without what the API has.
_INDEX = """
CREATE INDEX IF NOT EXISTS activity_waiting ON activity (stream_id, start_ns)
    WHERE acknowledged IS NULL
"""


# Values of ``removed``: the person removed the stream from the store, or everything was erased.
REMOVED, ERASED = 1, 2


class OutboxWriteError(EbbtideError):
    """The disk is full or cannot be written; what was written before is safe."""


class ErasedAccountError(EbbtideError):
    """Everything of the person was erased: nothing of them is written any more."""


class OutboxDatabase:
    """The SQLite file ``path``, created if it is missing. Safe with several threads and processes.

    Raises EbbtideError when the file cannot be opened or is not an outbox.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self.path = path
        try:
            self.connection = open_sqlite(path)
            self.connection.executescript(_SCHEMA)
            self._add_columns()
        except (OSError, sqlite3.Error, OutboxWriteError) as error:
            raise EbbtideError(
                f"The outbox {path} cannot be opened: {error}.",
                "Check that the folder can be written and that the disk has room.",
            ) from error

    def _add_columns(self) -> None:
        with self.transaction() as connection:
            for table, added in _ADDED.items():
                columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
                for name, kind in added.items():
                    if name not in columns:
                        connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
            connection.execute(_INDEX)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self.connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection, so that several queries see the same state of this process."""
        with self._lock:
            yield self.connection

    def fetch(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of one query."""
        with self.reading() as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what is executed within, or nothing of it.

        Raises OutboxWriteError when the disk cannot be written.
        """
        with self._lock:
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                yield self.connection
                self.connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                raise OutboxWriteError(
                    f"The outbox {self.path} cannot be written: {error}.",
                    "What was kept is safe. Make room on the disk; recording goes on by itself.",
                ) from error
            finally:
                # After an error. A full disk may have ended the transaction already.
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
