"""Kept windows beside InfluxDB as a block a day. Those there are go: they are made again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.drop_table("window_days")
    _make(sa.Column("block", sa.LargeBinary, nullable=False))


def downgrade() -> None:
    op.drop_table("window_days")
    _make(sa.Column("windows", sa.Integer, nullable=False))


def _make(last: sa.Column[object]) -> None:
    op.create_table(
        "window_days",
        sa.Column("subject_id", sa.String(36), primary_key=True),
        sa.Column("method", sa.String(300), primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.String(64), nullable=False),
        last,
    )
