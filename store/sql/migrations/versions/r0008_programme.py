"""The programme: where a person is, notes, practices, readings, session notes; words of ratings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ID = sa.String(36)


def _person(**more: object) -> sa.Column[str]:
    return sa.Column(
        "person_id",
        _ID,
        sa.ForeignKey("people.id", ondelete="CASCADE"),
        nullable=False,
        **more,  # type: ignore[arg-type]
    )


def _moment(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def upgrade() -> None:
    op.add_column("ratings", sa.Column("note", sa.String(500)))
    op.add_column("ratings", sa.Column("pleasant_note", sa.String(500)))
    op.create_table(
        "programmes",
        _person(primary_key=True),
        _moment("cleared_ns", nullable=True),
        _moment("started_ns", nullable=True),
        sa.Column("ratings_a_day", sa.Integer, nullable=False),
    )
    op.create_table(
        "notes",
        sa.Column("id", _ID, primary_key=True),
        _person(),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("words", sa.String(300), nullable=False),
        _moment("about_ns"),
        _moment("entered_ns"),
    )
    op.create_index("notes_of_person", "notes", ["person_id", "about_ns"])
    op.create_table(
        "practices",
        sa.Column("id", _ID, primary_key=True),
        _person(),
        sa.Column("kind", sa.String(20), nullable=False),
        _moment("start_ns"),
        _moment("end_ns"),
        sa.Column("breaths_per_min", sa.Float),
        *(
            sa.Column(f"{what}_{when}", sa.Integer)
            for when in ("before", "after")
            for what in ("pain", "stress")
        ),
    )
    op.create_index("practices_of_person", "practices", ["person_id", "start_ns"])
    op.create_table(
        "readings",
        _person(primary_key=True),
        sa.Column("reading", sa.String(40), primary_key=True),
        _moment("read_ns"),
    )
    op.create_table(
        "session_notes",
        _person(primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("homework", sa.Text, nullable=False),
        sa.Column("author_id", _ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        _moment("changed_ns"),
    )


def downgrade() -> None:
    for name in ("session_notes", "readings", "practices", "notes", "programmes"):
        op.drop_table(name)
    with op.batch_alter_table("ratings", recreate="never") as table:
        table.drop_column("note")
        table.drop_column("pleasant_note")
