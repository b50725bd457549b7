"""Whom a stored response is about, so that an erasure finds it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("answers", sa.Column("about_id", sa.String(36)))
    op.create_index("ix_answers_about_id", "answers", ["about_id"])
    # Whom those of before are about is not known; they would be deleted after a day.
    op.execute("DELETE FROM answers")


def downgrade() -> None:
    op.drop_index("ix_answers_about_id", "answers")
    op.drop_column("answers", "about_id")
