"""Brings the tables of the records store to the newest revision, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

# Stores made before revisions were kept have the tables of this one.
_BEFORE_REVISIONS = "0001"
_LOCK = 0x45626274  # any number, the same for all who migrate
NEWEST = ScriptDirectory(str(Path(__file__).with_name("migrations"))).get_current_head()


def revision_of(connection: Connection) -> str | None:
    """The revision of the tables; None for an empty database."""
    kept = MigrationContext.configure(connection).get_current_revision()
    if kept is None and inspect(connection).has_table("people"):
        return _BEFORE_REVISIONS
    return kept


def migrate(connection: Connection, to: str = "head") -> None:
    """Up to a revision, in the transaction of ``connection``. One process at a time does it; the
    others wait, and find it done.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    kept = MigrationContext.configure(connection).get_current_revision()
    known = revision_of(connection)
    if kept is None and known is not None:
        command.stamp(config, known)
    command.upgrade(config, to)
