"""Practice by lot: plans of offers, and the moments at which it is drawn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def _person(primary_key: bool = False) -> sa.Column[str]:
    people = sa.ForeignKey("people.id", ondelete="CASCADE")
    return sa.Column("person_id", sa.String(36), people, primary_key=primary_key, nullable=False)


def upgrade() -> None:
    op.create_table(
        "offer_plans",
        _person(primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("arms", sa.String(200), nullable=False),
        sa.Column("base_probability", sa.Float, nullable=False),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("delay_min", "first_days", "start_min", "end_min")
        ),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("proposed_by", sa.String(36)),
        sa.Column("wording", sa.String(40), nullable=False),
        sa.Column("agreed_ns", sa.BigInteger),
        sa.Column("first_day", sa.String(10)),
        sa.Column("quiet_until_ns", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger),
        sa.Column("ended_why", sa.String(100)),
    )
    op.create_table(
        "decision_points",
        sa.Column("id", sa.String(36), primary_key=True),
        _person(),
        sa.Column("plan_number", sa.Integer, nullable=False),
        sa.Column("prompt_id", sa.String(36), nullable=False),
        sa.Column("planned_ns", sa.BigInteger, nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("block", sa.String(60), nullable=False),
        sa.Column("base_probability", sa.Float, nullable=False),
        sa.Column("arms", sa.String(200), nullable=False),
        sa.Column("delay_min", sa.Integer, nullable=False),
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.Column("committed_ns", sa.BigInteger, nullable=False),
        sa.Column("available", sa.Boolean),
        sa.Column("why_not", sa.String(200)),
        sa.Column("nonce", sa.String(64)),
        sa.Column("probability", sa.Float),
        sa.Column("offered", sa.Boolean),
        sa.Column("arm", sa.String(40)),
        sa.Column("drawn_ns", sa.BigInteger),
        sa.Column("before_ns", sa.BigInteger),
        sa.Column("after_prompt_id", sa.String(36)),
        sa.Column("shown_ns", sa.BigInteger),
        sa.Column("declined_ns", sa.BigInteger),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.UniqueConstraint("person_id", "prompt_id", name="point_of_prompt"),
    )
    op.create_index("points_of_person", "decision_points", ["person_id", "planned_ns"])


def downgrade() -> None:
    op.drop_table("decision_points")
    op.drop_table("offer_plans")
