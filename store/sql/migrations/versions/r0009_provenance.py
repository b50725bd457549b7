"""Where ratings come from, heart rates of other systems with their provenance, FHIR exports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ID = sa.String(36)


def _person(**more: object) -> sa.Column[str]:
    return sa.Column(
        "person_id",
        _ID,
        sa.ForeignKey("people.id", ondelete="CASCADE"),
        nullable=False,
        **more,  # type: ignore[arg-type]
    )


def upgrade() -> None:
    op.add_column(
        "ratings",
        sa.Column("imported", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.add_column("ratings", sa.Column("status", sa.String(20)))
    op.add_column("ratings", sa.Column("issued_ns", sa.BigInteger))
    op.add_column("ratings", sa.Column("identifiers", sa.Text))
    op.create_table(
        "heart_rates",
        sa.Column("id", _ID, primary_key=True),
        _person(),
        sa.Column("time_ns", sa.BigInteger, nullable=False),
        sa.Column("bpm", sa.Float(53), nullable=False),
        sa.Column("device", sa.String(300), nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("modality", sa.String(20)),
        sa.Column("activity", sa.String(100)),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("issued_ns", sa.BigInteger),
        sa.Column("identifiers", sa.Text),
        sa.Column("entered_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("heart_rates_of_person", "heart_rates", ["person_id", "time_ns", "id"])
    op.create_table(
        "imported_identifiers",
        _person(primary_key=True),
        sa.Column("identifier", sa.String(500), primary_key=True),
        sa.Column("record_id", _ID, nullable=False),
    )
    op.create_table(
        "rating_parts",
        sa.Column("id", _ID, primary_key=True),
        _person(),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "fhir_exports",
        sa.Column("id", _ID, primary_key=True),
        _person(index=True),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("types", sa.String(200), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for name in ("fhir_exports", "rating_parts", "imported_identifiers", "heart_rates"):
        op.drop_table(name)
    with op.batch_alter_table("ratings", recreate="never") as table:
        for name in ("imported", "status", "issued_ns", "identifiers"):
            table.drop_column(name)
