"""Open SQLite in WAL mode, synchronous=FULL, with a 30 s busy timeout."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ebbtide._files import make_private

BUSY_SECONDS = 30.0


def open_sqlite(path: Path, *, foreign_keys: bool = False) -> sqlite3.Connection:
    """Open a database in autocommit mode, for any thread that holds a lock around its use.

    Raises OSError when the folder cannot be made, and sqlite3.Error when the file is no database.
    """
    make_private(path)
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")  # a commit is on the disk before it returns
    if foreign_keys:
        db.execute("PRAGMA foreign_keys=ON")
    return db
