"""Roles: care, one-time links, looks, attempts, answers, pseudonyms; tokens with scopes; ratings
that are withdrawn; sessions with versions; when runs of beats were kept.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ID, _HASH = sa.String(36), sa.String(64)


def _person(name: str = "person_id", **more: object) -> sa.Column[str]:
    return sa.Column(name, _ID, sa.ForeignKey("people.id", ondelete="CASCADE"), **more)  # type: ignore[arg-type]


def upgrade() -> None:
    # Not in a batch: on SQLite that may make a table anew, and drop what refers to it.
    for table, column in (
        ("people", sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true())),
        ("ratings", sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false())),
        ("therapy_sessions", sa.Column("version", sa.Integer, nullable=False, server_default="1")),
        (
            "therapy_sessions",
            sa.Column("changed_ns", sa.BigInteger, nullable=False, server_default="0"),
        ),
        ("beat_runs", sa.Column("kept_ns", sa.BigInteger, nullable=False, server_default="0")),
    ):
        op.add_column(table, column)
    # Those that there are stay what they were: good for everything, whether used or not.
    with op.batch_alter_table("sign_ins") as sign_ins:
        sign_ins.add_column(sa.Column("id", _ID))
        sign_ins.add_column(
            sa.Column("kind", sa.String(20), nullable=False, server_default="device")
        )
        sign_ins.add_column(sa.Column("name", sa.String(200), nullable=False, server_default=""))
        sign_ins.add_column(
            sa.Column(
                "scopes",
                sa.String(200),
                nullable=False,
                server_default="account read upload write",
            )
        )
        sign_ins.add_column(sa.Column("used_ns", sa.BigInteger, nullable=False, server_default="0"))
        sign_ins.add_column(sa.Column("idle_ns", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE sign_ins SET id = substr(token_hash, 1, 36), used_ns = created_ns")
    with op.batch_alter_table("sign_ins") as sign_ins:
        sign_ins.alter_column("id", existing_type=_ID, nullable=False)
        for name in ("kind", "name", "scopes", "used_ns", "idle_ns"):
            sign_ins.alter_column(name, server_default=None)
        sign_ins.create_unique_constraint("sign_ins_id", ["id"])
    op.create_table(
        "one_time",
        sa.Column("token_hash", _HASH, primary_key=True),
        sa.Column("purpose", sa.String(20), nullable=False),
        _person(index=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "care",
        _person(primary_key=True),
        _person("therapist_id", primary_key=True, index=True),
        sa.Column("since_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "looks",
        sa.Column("id", sa.Integer, primary_key=True),
        _person(nullable=False, index=True),
        sa.Column("actor_id", _ID, nullable=False),
        sa.Column("actor_role", sa.String(20), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(200), nullable=False),
    )
    op.create_table(
        "attempts",
        sa.Column("key", _HASH, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("since_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "answers",
        _person(primary_key=True),
        sa.Column("key", _HASH, primary_key=True),
        sa.Column("request_hash", _HASH, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False, index=True),
        sa.Column("status", sa.Integer),
        sa.Column("body", sa.Text),
    )
    op.create_table(
        "pseudonyms",
        _person(primary_key=True),
        sa.Column("pseudonym", _ID, nullable=False, unique=True),
        sa.Column("shift_ns", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "live_shares",
        _person(primary_key=True),
        sa.Column("until_ns", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    tables = ("live_shares", "pseudonyms", "answers", "attempts", "looks", "care", "one_time")
    for name in tables:
        op.drop_table(name)
    with op.batch_alter_table("sign_ins") as table:
        table.drop_constraint("sign_ins_id", type_="unique")
        for name in ("id", "kind", "name", "scopes", "used_ns", "idle_ns"):
            table.drop_column(name)
    for name, columns in (
        ("beat_runs", ("kept_ns",)),
        ("therapy_sessions", ("version", "changed_ns")),
        ("ratings", ("withdrawn",)),
        ("people", ("active",)),
    ):
        # Never made anew: on SQLite that would drop whatever refers to it.
        with op.batch_alter_table(name, recreate="never") as table:
            for column in columns:
                table.drop_column(column)
