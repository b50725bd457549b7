"""How this house opens a SQLite file: WAL, durable, patient with other processes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ebbtide.errors import EbbtideError

BUSY_SECONDS = 30.0


def open_sqlite(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any thread that locks around it.

    Raises EbbtideError when the file cannot be opened or is not a database.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(
            path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False
        )
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")  # an acknowledged beat is on the disk
        db.execute("PRAGMA foreign_keys=ON")
    except (OSError, sqlite3.Error) as error:
        raise EbbtideError(
            f"The store {path} cannot be opened: {error}.",
            "Check that the folder can be written, or set EBBTIDE_DATA_DIR to another one.",
        ) from error
    return db
