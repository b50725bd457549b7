"""What Alembic runs: the revisions, over the connection that ``store.migrate`` gives."""

from __future__ import annotations

from alembic import context

from store import beat_tables, rights_tables  # noqa: F401  (tables of the same database)
from store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
