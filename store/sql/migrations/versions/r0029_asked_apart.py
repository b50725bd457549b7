"""What a prompt asks for, and ratings of one of pain and stress alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

# Where a table of SQLite is made anew, its checks are not read from it.
_CHECKS = tuple(
    sa.CheckConstraint(f"{name} BETWEEN 0 AND 10") for name in ("pain", "stress", "pleasant")
)


def upgrade() -> None:
    op.add_column(
        "prompts", sa.Column("asks", sa.String(10), nullable=False, server_default="both")
    )
    with op.batch_alter_table("ratings", table_args=_CHECKS) as table:
        for name in ("pain", "stress"):
            table.alter_column(name, existing_type=sa.Integer, nullable=True)
        table.create_check_constraint(
            "rating_of_something", "pain IS NOT NULL OR stress IS NOT NULL"
        )


def downgrade() -> None:
    # A rating of one alone has no place in the version before.
    op.execute("DELETE FROM ratings WHERE pain IS NULL OR stress IS NULL")
    with op.batch_alter_table("ratings", table_args=_CHECKS) as table:
        table.drop_constraint("rating_of_something", type_="check")
        for name in ("pain", "stress"):
            table.alter_column(name, existing_type=sa.Integer, nullable=False)
    op.drop_column("prompts", "asks")
