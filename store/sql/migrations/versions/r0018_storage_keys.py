"""A storage key for every patient, so that every backup from now on has it.

Before, it was made at the first sign-in on a phone: a restore of a backup from before that made
another one, and what the phone had encrypted under the first could not be read any more.
"""

from __future__ import annotations

import secrets
import time

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_SECRET_BYTES = 32  # 256 bits


def upgrade() -> None:
    connection = op.get_bind()
    missing = connection.scalars(
        sa.text(
            "SELECT id FROM people WHERE role = 'patient'"
            " AND NOT EXISTS (SELECT 1 FROM storage_keys WHERE person_id = people.id)"
        )
    ).all()
    now = time.time_ns()
    rows = [
        {"person": person, "secret": secrets.token_hex(_SECRET_BYTES), "now": now}
        for person in missing
    ]
    if rows:
        connection.execute(
            sa.text(
                "INSERT INTO storage_keys (person_id, secret, created_ns)"
                " VALUES (:person, :secret, :now)"
            ),
            rows,
        )


def downgrade() -> None:
    """Leave the keys: the version before uses them, and phones may have encrypted under them."""
