"""What Alembic runs: the revisions, over the connection that ``store.migrate`` gives."""

from __future__ import annotations

from alembic import context

from store import (  # noqa: F401  (tables of the same database)
    beat_tables,
    programme_tables,
    rights_tables,
)
from store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
