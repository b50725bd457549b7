"""From when to when a run has heart rates without intervals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    # Of runs that are there already nothing is known: InfluxDB has their times, and is not asked.
    op.add_column("beat_runs", sa.Column("rates", sa.Integer, nullable=False, server_default="0"))
    op.add_column("beat_runs", sa.Column("rates_start_ns", sa.BigInteger, nullable=True))
    op.add_column("beat_runs", sa.Column("rates_end_ns", sa.BigInteger, nullable=True))


def downgrade() -> None:
    for name in ("rates_end_ns", "rates_start_ns", "rates"):
        op.drop_column("beat_runs", name)
