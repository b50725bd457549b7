"""The queue of jobs, on PostgreSQL: procrastinate's own tables, and what went wrong with a job.

An embedded store has no queue: its one machine runs the same tasks in the process that is asked.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

import store.sql.migrations as migrations

revision = "0032"
down_revision = "0031"

_SCHEMA = Path(migrations.__file__).with_name("procrastinate_schema.sql")
_REMOVE = """
DO $$
DECLARE found record;
BEGIN
    DROP TABLE IF EXISTS procrastinate_events, procrastinate_periodic_defers,
        procrastinate_jobs, procrastinate_workers CASCADE;
    FOR found IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE proname LIKE 'procrastinate%' AND pronamespace = current_schema()::regnamespace
    LOOP
        EXECUTE 'DROP FUNCTION ' || found.name || ' CASCADE';
    END LOOP;
    DROP TYPE IF EXISTS procrastinate_job_status, procrastinate_job_event_type,
        procrastinate_job_to_defer_v1 CASCADE;
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    run_script(_SCHEMA.read_text(encoding="utf-8"))
    op.create_table(
        "job_failures",
        sa.Column("job_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("machine", sa.String(120), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["procrastinate_jobs.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "job_successes",
        sa.Column("task", sa.String(40), primary_key=True),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("machine", sa.String(120), nullable=False),
    )


def run_script(script: str) -> None:
    """Run statements of PostgreSQL as they are: a % or a colon in them is no parameter."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    with connection.cursor() as cursor:
        cursor.execute(script)


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.drop_table("job_failures")
    op.drop_table("job_successes")
    run_script(_REMOVE)
