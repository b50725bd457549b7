"""Nights that watches and rings measured."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "nights",
        sa.Column(
            "person_id",
            sa.String(36),
            sa.ForeignKey("people.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("source", sa.String(120), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("start_ns", sa.BigInteger, nullable=False),
        sa.Column("end_ns", sa.BigInteger, nullable=False),
        sa.Column("offset_s", sa.Integer, nullable=False),
        sa.Column("basis", sa.String(30), nullable=False),
        sa.Column("rmssd_ms", sa.Float),
        sa.Column("sdnn_ms", sa.Float),
        sa.Column("mean_hr_bpm", sa.Float),
        sa.Column("low_quarter_hr_bpm", sa.Float),
        sa.Column("windows", sa.Integer, nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("readings", sa.Text, nullable=False),
        sa.Column("missing_reason", sa.String(200)),
        sa.Column("stored_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("nights_of_person", "nights", ["person_id", "day"])


def downgrade() -> None:
    op.drop_table("nights")
