"""The tables of the file of beats."""

from __future__ import annotations

import sqlite3

from store.encoding.beat_block import decode, to_notifications
from store.encoding.runs import rates_span
from store.sqlite.connection import transaction

_TABLES = """
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
    rates INTEGER NOT NULL DEFAULT 0,
    rates_start_ns INTEGER,
    rates_end_ns INTEGER,
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
CREATE TABLE IF NOT EXISTS removed (
    stream_id TEXT PRIMARY KEY,
    subject_id TEXT NOT NULL,
    removed_ns INTEGER NOT NULL,
    start_ns INTEGER,
    end_ns INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS generation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    counter INTEGER NOT NULL,
    covered INTEGER NOT NULL
) STRICT;
"""

# Made when the columns are there.
_RATES_INDEX = (
    "CREATE INDEX IF NOT EXISTS blocks_with_rates ON blocks"
    " (stream_id, rates_start_ns, rates_end_ns, last_sequence, rates) WHERE rates > 0"
)


def create_tables(db: sqlite3.Connection) -> None:
    """Make the tables that are not there."""
    db.executescript(_TABLES)
    if db.execute("SELECT 1 FROM generation").fetchone() is None:
        db.execute("INSERT OR IGNORE INTO generation VALUES (1, lower(hex(randomblob(16))), 1, 0)")


def upgrade_tables(db: sqlite3.Connection) -> None:
    """Add the columns of blocks that files of earlier versions do not have: ``kept_ns``, and the
    heart rates without intervals.
    """
    if not _has_column(db, "kept_ns"):
        with transaction(db, "BEGIN IMMEDIATE"):  # two processes may open the file at once
            if not _has_column(db, "kept_ns"):
                db.execute("ALTER TABLE blocks ADD COLUMN kept_ns INTEGER NOT NULL DEFAULT 0")
    if not _has_column(db, "rates"):
        with transaction(db, "BEGIN IMMEDIATE"):
            if not _has_column(db, "rates"):
                db.execute("ALTER TABLE blocks ADD COLUMN rates INTEGER NOT NULL DEFAULT 0")
                db.execute("ALTER TABLE blocks ADD COLUMN rates_start_ns INTEGER")
                db.execute("ALTER TABLE blocks ADD COLUMN rates_end_ns INTEGER")
                _find_rates(db)
    db.execute(_RATES_INDEX)


def _find_rates(db: sqlite3.Connection) -> None:
    """Find the heart rates of blocks without any beats. Those among beats stay unfound: every
    block would have to be decoded.
    """
    keys = db.execute("SELECT stream_id, first_sequence FROM blocks WHERE beats = 0").fetchall()
    for stream_id, first in keys:
        here = "WHERE stream_id = ? AND first_sequence = ?"
        (data,) = db.execute(f"SELECT data FROM blocks {here}", (stream_id, first)).fetchone()
        try:
            found = rates_span(to_notifications(first, decode(data)))
        except ValueError:  # damaged: the check of the store tells of it
            continue
        db.execute(
            f"UPDATE blocks SET rates = ?, rates_start_ns = ?, rates_end_ns = ? {here}",
            (*found, stream_id, first),
        )


def _has_column(db: sqlite3.Connection, name: str) -> bool:
    columns = db.execute("SELECT name FROM pragma_table_info('blocks')").fetchall()
    return (name,) in columns
