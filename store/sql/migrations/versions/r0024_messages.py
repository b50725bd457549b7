"""Short messages of a therapist to a patient."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column(
            "person_id",
            sa.String(36),
            sa.ForeignKey("people.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("author_id", sa.String(36), nullable=False),
        sa.Column("words", sa.String(500), nullable=False),
        sa.Column("written_ns", sa.BigInteger, nullable=False),
        sa.Column("seen_ns", sa.BigInteger),
    )
    op.create_index("messages_of_person", "messages", ["person_id", "written_ns"])


def downgrade() -> None:
    op.drop_table("messages")
