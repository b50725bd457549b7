"""With which file a reading of an export by ranges began, for several machines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "export_pins",
        sa.Column("reader", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("began_ns", sa.BigInteger, nullable=False),
        sa.Column("used_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_export_pins_used_ns", "export_pins", ["used_ns"])


def downgrade() -> None:
    op.drop_table("export_pins")
