"""Days on which a baseline begins anew, and the versions of the stress index's method.

Patients who are there already had values of version 1, which the first reading by a newer version
replaces: they are told so once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    def person() -> sa.Column[str]:
        return sa.Column(
            "person_id",
            sa.String(36),
            sa.ForeignKey("people.id", ondelete="CASCADE"),
            primary_key=True,
        )

    op.create_table(
        "baseline_starts",
        person(),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("entered_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "index_methods",
        person(),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("since_ns", sa.BigInteger, nullable=False),
        sa.Column("seen_ns", sa.BigInteger),
    )
    op.execute(
        "INSERT INTO index_methods (person_id, version, since_ns, seen_ns)"
        " SELECT id, 1, 0, 0 FROM people WHERE role = 'patient'"
    )


def downgrade() -> None:
    op.drop_table("index_methods")
    op.drop_table("baseline_starts")
