"""What Alembic runs: the revisions, over the connection that ``store.sql.upgrade`` gives."""

from __future__ import annotations

from alembic import context

from store.sql.tables import access, beats, imports, offers, programme, prompts  # noqa: F401 - registers the tables
from store.sql.tables.records import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
