"""SQL databases: opened, and brought to the newest revision."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from ebbtide._files import make_private
from ebbtide._sqlite import BUSY_SECONDS
from ebbtide.errors import EbbtideError
from store.errors import RevisionError, cannot_open
from store.sql.schema_version import NEWEST, current_revision

_IDLE_S = 1.0  # a server takes longer to come back


class SqlStore:
    """What the parts of the stores in an SQL database have in common."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._reading = reading(engine)
        self._single_reads = sessionmaker(self._reading, expire_on_commit=False)


def sqlite_engine(path: Path) -> Engine:
    """A SQLite file, with a copy beside it before its tables change. Raises EbbtideError when it
    cannot be opened.
    """
    try:
        make_private(path)
    except OSError as error:
        raise cannot_open(path, error) from error
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",  # what is erased is overwritten
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    try:
        with engine.connect() as connection:
            before = current_revision(connection)
        if before not in (None, NEWEST):
            aside = path.with_name(f"{path.name}.revision-{before}")
            if not aside.exists():
                make_private(aside)
                with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(aside)) as copy:
                    old.backup(copy)
        return _newest(engine)
    except (SQLAlchemyError, sqlite3.Error, RevisionError) as error:
        raise cannot_open(path, error) from error


def server_engine(url: str) -> Engine:
    """A database on a server, such as ``postgresql+psycopg://user:password@host/ebbtide``.

    Raises EbbtideError when the server does not answer, or is no database of Ebbtide's.
    """
    try:
        engine = create_engine(
            url,
            pool_size=10,
            max_overflow=10,
            pool_timeout=10,
            hide_parameters=True,  # what people entered stays out of logs
            connect_args={"connect_timeout": 5} if url.startswith("postgresql") else {},
        )
        _ping_idle(engine)
        return _newest(engine)
    except (SQLAlchemyError, RevisionError, ImportError) as error:
        # Its text may have the address, and that a password.
        kind = type(error).__name__
        raise EbbtideError(
            f"The records store does not answer ({kind}).",
            "Check EBBTIDE_RECORDS_URL, that the server runs, and that the extra clinic is "
            "installed (uv sync --extra clinic).",
        ) from error


def _ping_idle(engine: Engine) -> None:
    """Ask whether a connection still stands before it is used again, unless it just was used.

    An upload uses four in a row: a question before each is a fifth of its time in the database.
    """

    @event.listens_for(engine, "checkin")
    def _note(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: object) -> None:
        if time.monotonic() - entry.info.get("used", -math.inf) <= _IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool makes a new one


def reading(engine: Engine) -> Engine:
    """The engine for a read of one statement: on a server without a transaction around it.

    A transaction of one SELECT is three ways to the server in place of one, and sees the same.
    """
    if engine.dialect.name == "sqlite":  # where a read without BEGIN has no transaction anyway
        return engine
    return engine.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction that will write. On SQLite it takes the write lock at once: one that began by
    reading could not take it any more once another has written.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("BEGIN IMMEDIATE"))
        yield connection


def dialect_insert(
    db: Connection, table: type[DeclarativeBase] | Table
) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that says what to do on a conflict; the words are the same on both engines."""
    if db.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def _newest(engine: Engine) -> Engine:
    # Two processes may start at once: lock before reading which tables there are.
    with write_transaction(engine) as connection:
        if current_revision(connection) != NEWEST:
            from store.sql.upgrade import upgrade  # with Alembic, which is slow to load

            upgrade(connection)
    return engine
