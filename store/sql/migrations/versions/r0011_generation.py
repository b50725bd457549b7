"""Generations of the store of beats, recordings that were removed, tokens of erased people."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"

_ID = sa.String(36)


def upgrade() -> None:
    op.create_table(
        "removed_streams",
        sa.Column("stream_id", _ID, primary_key=True),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("removed_ns", sa.BigInteger, nullable=False),
        sa.Column("start_ns", sa.BigInteger),
        sa.Column("end_ns", sa.BigInteger),
    )
    op.create_index("ix_removed_streams_subject_id", "removed_streams", ["subject_id"])
    generation = op.create_table(
        "store_generation",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("covered", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(generation, [{"one": 1, "id": uuid.uuid4().hex, "counter": 1, "covered": 0}])
    op.create_table(
        "erased_tokens",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("expires_ns", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for name in ("erased_tokens", "store_generation", "removed_streams"):
        op.drop_table(name)
