"""Overwrite what deleted rows left in the files of an SQL database."""

from __future__ import annotations

import time

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from ebbtide._sqlite import overwrite_deleted
from ebbtide.errors import EbbtideError
from store.sql.jobs import QUEUE_TABLES
from store.sql.tables.records import Base

# A larger table is locked for too long while it is written anew (about 50 MB/s).
MAX_REWRITTEN_BYTES = 2 * 2**30
_LOCK_TIMEOUT = "5s"
_TRIES = 6
_PAUSE_S = 0.5


def purge(engine: Engine) -> list[str]:
    """Overwrite deleted rows, and return in words what is left to the server's operator.

    Raises DBAPIError or sqlite3.Error where it has to be repeated.
    """
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            file = connection.connection.driver_connection
            assert file is not None
            overwrite_deleted(file)
        return []
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
            return [*_rewrite_tables(connection), *_end_log(connection)]
        except ProgrammingError as error:
            raise EbbtideError(
                f"PostgreSQL refuses to overwrite ({type(error.orig).__name__}).",
                "Give its user the tables (ALTER TABLE ... OWNER TO).",
            ) from error
        finally:
            connection.execute(text("RESET lock_timeout"))


def _rewrite_tables(connection: Connection) -> list[str]:
    """VACUUM alone leaves the bytes of deleted rows in the free space of pages; FULL does not."""
    large, foreign = [], []
    there = set(inspect(connection).get_table_names())
    for name in sorted({*Base.metadata.tables, *QUEUE_TABLES} & there):
        size = connection.scalar(
            text("SELECT pg_total_relation_size(to_regclass(:name))"), {"name": name}
        )
        if size > MAX_REWRITTEN_BYTES:
            large.append(name)
            _vacuum(connection, "ANALYZE", name)
        elif not _rewrite(connection, name, "FULL, ANALYZE"):
            foreign.append(name)
        else:
            _forget_statistics(connection, name)
    words = [
        f"Table {name} of PostgreSQL is too large to be written anew while it is used: its free "
        f"space may hold deleted rows until it is used again, or until VACUUM FULL {name}."
        for name in large
    ]
    if foreign:
        words.append(
            f"Ebbtide's user does not own {', '.join(foreign)} in PostgreSQL: VACUUM FULL them as "
            "their owner."
        )
    # The most frequent values of columns, of before.
    if not _rewrite(connection, "pg_catalog.pg_statistic", "FULL"):
        words.append(
            "PostgreSQL's statistics may hold frequent values of before: VACUUM FULL pg_statistic, "
            "as the owner of the database."
        )
    return words


def _rewrite(connection: Connection, name: str, how: str) -> bool:
    """Write a table anew; False where this user may not, of which PostgreSQL only warns."""
    place = text("SELECT pg_relation_filenode(CAST(CAST(:name AS text) AS regclass))")
    before = connection.scalar(place, {"name": name})
    try:
        _vacuum(connection, how, name)
    except ProgrammingError:
        return False
    return bool(connection.scalar(place, {"name": name}) != before)


def _forget_statistics(connection: Connection, name: str) -> None:
    """Remove the statistics of a table that became empty: ANALYZE leaves them as they were."""
    if connection.scalar(text(f"SELECT EXISTS (SELECT 1 FROM {name})")):
        return
    columns = connection.execute(
        text(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " JOIN pg_stats USING (attname)"
            " WHERE attrelid = CAST(CAST(:name AS text) AS regclass)"
            " AND tablename = CAST(:name AS text) AND NOT attisdropped"
        ),
        {"name": name},
    ).all()
    for column, kind in columns:  # to its own type, which ends what was known of its values
        connection.execute(text(f'ALTER TABLE {name} ALTER COLUMN "{column}" TYPE {kind}'))


def _vacuum(connection: Connection, how: str, name: str) -> None:
    for attempt in range(_TRIES):
        try:
            connection.execute(text(f"VACUUM ({how}) {name}"))
        except OperationalError:  # locked, by autovacuum or a long query
            if attempt == _TRIES - 1:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _end_log(connection: Connection) -> list[str]:
    """Begin another segment of the write-ahead log, and let the server remove the ones before."""
    words = []
    for statement, right in (
        ("SELECT pg_switch_wal()", "GRANT EXECUTE ON FUNCTION pg_switch_wal TO its user"),
        ("CHECKPOINT", "GRANT pg_checkpoint TO its user"),
    ):
        try:
            connection.execute(text(statement))
        except ProgrammingError:
            words.append(
                f"Ebbtide may not call {statement.removeprefix('SELECT ')} on PostgreSQL "
                f"({right}): its write-ahead log holds deleted rows until its next checkpoints."
            )
    if _setting(connection, "wal_recycle") == "on":
        words.append(
            "PostgreSQL uses segments of its write-ahead log again (wal_recycle = on): deleted "
            "rows can be in pg_wal until those are written over. With wal_recycle = off, they are "
            "removed."
        )
    if _setting(connection, "archive_mode") != "off":
        words.append("PostgreSQL's archive of its write-ahead log holds deleted rows.")
    slots = connection.scalar(text("SELECT count(*) FROM pg_replication_slots"))
    if slots:
        words.append(
            f"{slots} replication slots of PostgreSQL hold its write-ahead log until it is read."
        )
    return words


def _setting(connection: Connection, name: str) -> str | None:
    try:
        found: str | None = connection.scalar(
            text("SELECT current_setting(:name, true)"), {"name": name}
        )
    except DBAPIError:
        return None
    return found
