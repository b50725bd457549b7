"""Withdrawals of consent to keeping, which the service carries out itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "withdrawals",
        sa.Column(
            "person_id",
            sa.String(36),
            sa.ForeignKey("people.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("withdrawn_ns", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("due_ns", sa.BigInteger, nullable=False, index=True),
        sa.Column("begun_ns", sa.BigInteger),
        sa.Column("done_ns", sa.BigInteger),
        sa.Column("subject_id", sa.String(36)),
        sa.Column("beats", sa.BigInteger, nullable=False),
        sa.Column("ratings", sa.Integer, nullable=False),
        sa.Column("heart_rates", sa.Integer, nullable=False),
        sa.Column("notes", sa.Integer, nullable=False),
        sa.Column("practices", sa.Integer, nullable=False),
        sa.Column("sessions", sa.Integer, nullable=False),
        sa.Column("leased_until_ns", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("withdrawals")
