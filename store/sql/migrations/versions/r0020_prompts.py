"""Plans of prompts, prompts, where they are pushed to, and which of them a rating answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def _person(primary_key: bool = False) -> sa.Column[str]:
    people = sa.ForeignKey("people.id", ondelete="CASCADE")
    return sa.Column("person_id", sa.String(36), people, primary_key=primary_key, nullable=False)


def upgrade() -> None:
    op.create_table(
        "reminder_plans",
        _person(primary_key=True),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        *(
            sa.Column(name, sa.Boolean, nullable=False)
            for name in ("enabled", "push", "mail", "desktop", "shows_words")
        ),
        sa.Column("calendar_hash", sa.String(64), unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_ns", sa.BigInteger, nullable=False),
        sa.Column("planned_through", sa.String(10)),
        sa.Column("next_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_reminder_plans_next_ns", "reminder_plans", ["next_ns"])
    op.create_table(
        "prompts",
        sa.Column("id", sa.String(36), primary_key=True),
        _person(),
        sa.Column("slot", sa.String(120), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("planned_ns", sa.BigInteger, nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("chance", sa.Float, nullable=False),
        sa.Column("plan_version", sa.Integer, nullable=False),
        sa.Column("due_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_ns", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("skip_reason", sa.String(100)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("leased_until_ns", sa.BigInteger, nullable=False),
        sa.Column("ways_tried", sa.String(100), nullable=False),
        sa.Column("ways", sa.String(100), nullable=False),
        sa.Column("receipt_hash", sa.String(64), unique=True),
        *(
            sa.Column(name, sa.BigInteger)
            for name in (
                *("sent_ns", "delivered_ns", "opened_ns", "answered_ns"),
                *("let_go_ns", "put_off_ns"),
            )
        ),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.UniqueConstraint("person_id", "slot", name="prompt_of_slot"),
    )
    op.create_index("prompts_of_person", "prompts", ["person_id", "planned_ns"])
    op.create_index("prompts_of_state", "prompts", ["person_id", "state", "due_ns"])
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.String(36), primary_key=True),
        _person(),
        sa.Column("endpoint", sa.Text, nullable=False, unique=True),
        sa.Column("p256dh", sa.String(120), nullable=False),
        sa.Column("auth", sa.String(40), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("token_id", sa.String(36)),
        sa.Column("name", sa.String(200), nullable=False),
    )
    op.create_index("ix_push_subscriptions_person_id", "push_subscriptions", ["person_id"])
    op.create_table(
        "server_keys",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
    )
    op.add_column("ratings", sa.Column("prompt_id", sa.String(36)))


def downgrade() -> None:
    op.drop_column("ratings", "prompt_id")
    for table in ("server_keys", "push_subscriptions", "prompts", "reminder_plans"):
        op.drop_table(table)
