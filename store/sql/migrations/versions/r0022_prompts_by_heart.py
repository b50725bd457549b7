"""Whether a person wishes to be asked by their heart, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column(
        "reminder_plans",
        sa.Column("by_heart", sa.Boolean, nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("reminder_plans", "by_heart")
