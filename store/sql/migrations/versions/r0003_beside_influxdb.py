"""What stands beside InfluxDB: streams, runs, gaps, movement, windows, and who was erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _of_stream() -> sa.Column[str]:
    return sa.Column(
        "stream_id",
        sa.String(36),
        sa.ForeignKey("beat_streams.id", ondelete="CASCADE"),
        primary_key=True,
    )


def upgrade() -> None:
    op.create_table(
        "beat_streams",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("subject_id", sa.String(36), nullable=False, index=True),
        sa.Column("origin", sa.String(20), nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("ticks_per_second", sa.Integer, nullable=False),
    )
    op.create_table(
        "beat_runs",
        _of_stream(),
        sa.Column("first_sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last_sequence", sa.BigInteger, nullable=False),
        sa.Column("beats", sa.Integer, nullable=False),
        sa.Column("start_ns", sa.BigInteger),
        sa.Column("end_ns", sa.BigInteger),
    )
    op.create_table(
        "beat_gaps",
        _of_stream(),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("start_ns", sa.BigInteger, nullable=False),
        sa.Column("end_ns", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
    )
    op.create_table(
        "movement_days",
        _of_stream(),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("spans", sa.Integer, nullable=False),
    )
    op.create_table(
        "window_days",
        sa.Column("subject_id", sa.String(36), primary_key=True),
        sa.Column("method", sa.String(300), primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("windows", sa.Integer, nullable=False),
    )
    op.create_table(
        "erased_subjects",
        sa.Column("subject_id", sa.String(36), primary_key=True),
    )


def downgrade() -> None:
    for table in (
        "erased_subjects",
        "window_days",
        "movement_days",
        "beat_gaps",
        "beat_runs",
        "beat_streams",
    ):
        op.drop_table(table)
