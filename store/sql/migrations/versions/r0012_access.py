"""Access: counts of requests that all workers share, delays of wrong passwords, devices that signed
in before, who issued a one-time token, care that waits for the patient's answer.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_ID, _HASH = sa.String(36), sa.String(64)


def _person(name: str = "person_id", **more: object) -> sa.Column[str]:
    return sa.Column(name, _ID, sa.ForeignKey("people.id", ondelete="CASCADE"), **more)  # type: ignore[arg-type]


def upgrade() -> None:
    # Failures are counted in another way from here on; those that there are last 15 minutes.
    op.execute("DELETE FROM attempts")
    op.add_column(
        "attempts", sa.Column("next_ns", sa.BigInteger, nullable=False, server_default="0")
    )
    op.add_column("one_time", sa.Column("issuer_id", _ID))
    op.create_index("ix_one_time_issuer_id", "one_time", ["issuer_id"])
    _fill_issuers()
    op.create_table(
        "request_counts",
        sa.Column("key", _HASH, primary_key=True),
        sa.Column("minute", sa.BigInteger, nullable=False, index=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("previous", sa.Integer, nullable=False),
    )
    op.create_table(
        "known_devices",
        sa.Column("device_hash", _HASH, primary_key=True),
        _person(nullable=False, index=True),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "care_proposals",
        _person(primary_key=True),
        _person("therapist_id", primary_key=True, index=True),
        sa.Column("proposer_id", _ID, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
    )


def _fill_issuers() -> None:
    """Set the issuer of open invitations to therapists' own; delete one-time tokens whose issuer
    was not stored: administrators' invitations and password links have to be made again.
    """
    db = op.get_bind()
    rows = db.execute(
        sa.text("SELECT token_hash, body FROM one_time WHERE purpose = 'invitation'")
    ).all()
    for token_hash, body in rows:
        therapist_id = json.loads(body).get("therapist_id")
        if therapist_id is not None:
            db.execute(
                sa.text("UPDATE one_time SET issuer_id = :issuer WHERE token_hash = :hash"),
                {"issuer": therapist_id, "hash": token_hash},
            )
    op.execute(
        "DELETE FROM one_time WHERE issuer_id IS NULL AND purpose IN ('invitation', 'password')"
    )


def downgrade() -> None:
    for name in ("care_proposals", "known_devices", "request_counts"):
        op.drop_table(name)
    op.drop_index("ix_one_time_issuer_id", "one_time")
    with op.batch_alter_table("one_time", recreate="never") as table:
        table.drop_column("issuer_id")
    with op.batch_alter_table("attempts", recreate="never") as table:
        table.drop_column("next_ns")
