"""Which revision the tables of the records store have: known without Alembic, which takes a tenth
of a second to load and is needed only where they are to be changed.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

NEWEST = "0008"  # the last of store/sql/migrations (tests/store/sql/test_migrations.py)
# Stores made before revisions were kept have the tables of this one.
_BEFORE_REVISIONS = "0001"


def stored_revision(connection: Connection) -> str | None:
    """The revision that is written in the database, as Alembic does; None where none is."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def current_revision(connection: Connection) -> str | None:
    """The revision of the tables; None for an empty database."""
    kept = stored_revision(connection)
    if kept is None and inspect(connection).has_table("people"):
        return _BEFORE_REVISIONS
    return kept
