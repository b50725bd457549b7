"""Passkeys, authenticator apps, recovery codes; of a token, whether its sign-in had a second factor
and when its person last gave their password.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_ID = sa.String(36)


def _person(**more: object) -> sa.Column[str]:
    return sa.Column("person_id", _ID, sa.ForeignKey("people.id", ondelete="CASCADE"), **more)  # type: ignore[arg-type]


def upgrade() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", _ID, primary_key=True),
        _person(nullable=False, index=True),
        sa.Column("credential_id", sa.String(1364), nullable=False, unique=True),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("rp_id", sa.String(253), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("used_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "totp",
        _person(primary_key=True),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.String(64), primary_key=True),
        _person(nullable=False, index=True),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
    )
    op.add_column(
        "sign_ins",
        sa.Column("second_factor", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "sign_ins", sa.Column("verified_ns", sa.BigInteger, nullable=False, server_default="0")
    )


def downgrade() -> None:
    with op.batch_alter_table("sign_ins", recreate="never") as table:
        table.drop_column("verified_ns")
        table.drop_column("second_factor")
    for name in ("recovery_codes", "totp", "passkeys"):
        op.drop_table(name)
