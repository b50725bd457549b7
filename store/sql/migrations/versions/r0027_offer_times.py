"""Times that a plan of practice by lot sets for moments of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    # Empty: the moments of earlier plans were prompts alone, and stay so.
    op.add_column(
        "offer_plans", sa.Column("times", sa.String(60), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("offer_plans", "times")
