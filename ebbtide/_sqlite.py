"""Open SQLite in WAL mode, synchronous=FULL, with a 30 s busy timeout."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from ebbtide._files import make_private

BUSY_SECONDS = 30.0
_CHECKPOINT_S = 50.0
_PAUSE_S, _ATTEMPT_MS = 0.1, 50


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


def overwrite_deleted(
    db: sqlite3.Connection,
    wait_s: float = _CHECKPOINT_S,
    locked: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Write the file anew without what was deleted, and empty the write-ahead log.

    Deleting alone leaves old versions in free pages, in the free space of others, and in the log.
    Readers of a state from before are waited for, without ``locked``, which is entered around each
    use of ``db``: other threads write meanwhile. Raises sqlite3.OperationalError when the disk is
    full, or a reader goes on for longer than ``wait_s``.
    """
    with locked():
        db.execute("PRAGMA secure_delete=ON")
        db.execute("VACUUM")
    deadline = time.monotonic() + wait_s
    while True:
        with locked():
            if _empty_log(db):
                return
        if time.monotonic() > deadline:
            raise sqlite3.OperationalError("a reader holds an older state of the file")
        time.sleep(_PAUSE_S)


def _empty_log(db: sqlite3.Connection) -> bool:
    """Move the write-ahead log into the file and cut it to nothing, where no reader needs it.

    A checkpoint that waits for readers holds SQLite's write lock meanwhile: no longer than
    ``_ATTEMPT_MS``.
    """
    (before_ms,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute(f"PRAGMA busy_timeout={_ATTEMPT_MS}")
    try:
        return not db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        db.execute(f"PRAGMA busy_timeout={before_ms}")
