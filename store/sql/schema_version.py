"""Read the revision of the tables of the records store without Alembic, which takes a tenth of a
second to load and is needed only where they are to be changed.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

NEWEST = "0032"
# Stores from before revisions were stored have the tables of this one.
_BEFORE_REVISIONS = "0001"


def stored_revision(connection: Connection) -> str | None:
    """Return the revision that Alembic wrote into the database; None where there is none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the tables; None for an empty database."""
    stored = stored_revision(connection)
    if stored is None and inspect(connection).has_table("people"):
        return _BEFORE_REVISIONS
    return stored
