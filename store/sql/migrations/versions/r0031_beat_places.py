"""On which of several InfluxDB servers the beats of each person lie."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.create_table(
        "beat_places",
        sa.Column("subject_id", sa.String(36), primary_key=True),
        sa.Column("server", sa.String(30), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("target", sa.String(30)),
        sa.Column("mover", sa.String(36)),
        sa.Column("cleaning", sa.String(30)),
    )
    op.create_index("ix_beat_places_server", "beat_places", ["server"])
    op.create_table("drained_servers", sa.Column("name", sa.String(30), primary_key=True))


def downgrade() -> None:
    op.drop_table("drained_servers")
    op.drop_table("beat_places")
