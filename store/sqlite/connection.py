"""Open the embedded store's SQLite files, and run transactions on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebbtide import _sqlite
from store.errors import cannot_open


def open_sqlite(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any thread that locks around it.

    Raises StoreUnavailableError when the file cannot be opened, and DamagedStoreError when it is
    not a database.
    """
    try:
        return _sqlite.open_sqlite(path, foreign_keys=True)
    except (OSError, sqlite3.Error) as error:
        raise cannot_open(path, error) from error


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
