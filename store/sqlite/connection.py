"""Open the embedded store's SQLite files, and run transactions on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebbtide import _sqlite
from ebbtide.errors import EbbtideError


def open_sqlite(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any thread that locks around it.

    Raises EbbtideError when the file cannot be opened or is not a database.
    """
    try:
        return _sqlite.open_sqlite(path, foreign_keys=True)
    except (OSError, sqlite3.Error) as error:
        raise EbbtideError(
            f"The store {path} cannot be opened: {error}.",
            "Check that the folder can be written, or set EBBTIDE_DATA_DIR to another one.",
        ) from error


@contextmanager
def transaction(db: sqlite3.Connection, begin: str) -> Iterator[None]:
    """Begin with the statement ``begin``; commit at the end, and roll back on any exception."""
    db.execute(begin)
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
