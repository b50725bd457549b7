"""Research: a secret from which analysts' pseudonyms and moved dates are made, and who is in the
cohort. The stored pseudonyms go: their few weeks could be guessed, and all analysts shared them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_ID, _HASH = sa.String(36), sa.String(64)


def upgrade() -> None:
    op.drop_table("pseudonyms")
    op.create_table(
        "research_secret",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("secret", _HASH, nullable=False),
    )
    op.create_table(
        "cohort_members",
        sa.Column(
            "person_id", _ID, sa.ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("cohort_members")
    op.drop_table("research_secret")
    op.create_table(
        "pseudonyms",
        sa.Column(
            "person_id", _ID, sa.ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("pseudonym", _ID, nullable=False, unique=True),
        sa.Column("shift_ns", sa.BigInteger, nullable=False),
    )
