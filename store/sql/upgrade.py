"""Bring the tables of the records store to the newest revision, with Alembic."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from store.errors import RevisionError
from store.sql.schema_version import current_revision, stored_revision

_LOCK = 0x45626274  # any number, the same for all who migrate


def upgrade(connection: Connection, to: str = "head") -> None:
    """Up to a revision, in the transaction of ``connection``. One process at a time does it; the
    others wait, and find it done. Raises RevisionError, for tables of a newer Ebbtide above all.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    from alembic import command  # 10 MB, when tables are old
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    present = current_revision(connection)
    try:
        if stored_revision(connection) is None and present is not None:
            command.stamp(config, present)
        command.upgrade(config, to)
    except CommandError as error:
        raise RevisionError(str(error)) from error
