"""Transactions of the catalogue: one writer of a stream, one of a subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from ebbtide import timestamps
from ebbtide.beats import Notification
from store.encoding.runs import FULL_RUN, AppendPlan, Run, acknowledged_sequence
from store.sql.engine import dialect_insert
from store.sql.rows import to_values
from store.sql.tables.beats import ErasedRow, GapRow, MovementDayRow, RunRow

RUN_COLUMNS = (
    RunRow.first_sequence,
    RunRow.last_sequence,
    RunRow.beats,
    RunRow.start_ns,
    RunRow.end_ns,
)


class StreamTransaction:
    """A stream that is locked while something is appended to it."""

    def __init__(self, db: Connection, stream_id: str) -> None:
        self._db = db
        self._stream_id = stream_id

    def stored_runs(self, notifications: Sequence[Notification]) -> list[Run]:
        """The runs with numbers of this upload, and the nearest with beats on either side of it."""
        first, last = notifications[0].sequence, notifications[-1].sequence
        of_stream = select(*RUN_COLUMNS).where(RunRow.stream_id == self._stream_id)
        with_beats = of_stream.where(RunRow.beats > 0).limit(1)
        queries = (
            of_stream.where(RunRow.first_sequence <= last, RunRow.last_sequence >= first),
            with_beats.where(RunRow.last_sequence < first).order_by(RunRow.last_sequence.desc()),
            with_beats.where(RunRow.first_sequence > last).order_by(RunRow.first_sequence),
        )
        return [run_of(row) for query in queries for row in self._db.execute(query)]

    def add(self, plan: AppendPlan) -> None:
        """Note what InfluxDB has now; each run joined to the one before it, unless that is full."""
        for new in plan.runs:
            self._add_run(new.run)
        if plan.gaps:
            self._db.execute(
                dialect_insert(self._db, GapRow).on_conflict_do_nothing(),
                [{"stream_id": self._stream_id, **to_values(gap)} for gap in plan.gaps],
            )

    def _add_run(self, run: Run) -> None:
        before = self._db.execute(
            select(*RUN_COLUMNS).where(
                RunRow.stream_id == self._stream_id,
                RunRow.last_sequence == run.first - 1,
                RunRow.last_sequence - RunRow.first_sequence < FULL_RUN,
            )
        ).first()
        if before is not None:
            run = run_of(before).join(run)
            self._db.execute(
                delete(RunRow).where(
                    RunRow.stream_id == self._stream_id, RunRow.first_sequence == run.first
                )
            )
        self._db.execute(
            insert(RunRow).values(
                stream_id=self._stream_id,
                first_sequence=run.first,
                last_sequence=run.last,
                beats=run.beats,
                start_ns=run.start_ns,
                end_ns=run.end_ns,
                kept_ns=timestamps.now_ns(),
            )
        )

    def add_movement(self, spans_of_day: Mapping[int, int]) -> None:
        """So many more spans of each day."""
        for day, spans in spans_of_day.items():
            here = (MovementDayRow.stream_id == self._stream_id, MovementDayRow.day == day)
            found = self._db.execute(
                update(MovementDayRow).where(*here).values(spans=MovementDayRow.spans + spans)
            )
            if not found.rowcount:
                self._db.execute(
                    insert(MovementDayRow).values(stream_id=self._stream_id, day=day, spans=spans)
                )

    def acknowledged(self) -> int:
        """The highest number up to which nothing is missing."""
        return last_acknowledged(self._db, self._stream_id)


def lock_subject(db: Connection, subject_id: str) -> None:
    """Wait for, and hold until this transaction ends, the right to register streams of this
    subject or to erase it. SQLite has one writer at a time anyway.
    """
    if db.dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(subject_id, 0))))


def is_erased(db: Connection, subject_id: str) -> bool:
    """Whether the subject was erased."""
    found = db.execute(select(ErasedRow.subject_id).where(ErasedRow.subject_id == subject_id))
    return found.first() is not None


def last_acknowledged(db: Connection, stream_id: str) -> int:
    """Return the highest sequence number up to which nothing is missing."""
    rows = db.execute(
        select(RunRow.first_sequence, RunRow.last_sequence)
        .where(RunRow.stream_id == stream_id)
        .order_by(RunRow.first_sequence)
    )
    return acknowledged_sequence((row[0], row[1]) for row in rows)


def run_of(row: Row) -> Run:  # type: ignore[type-arg]
    """Make a run of a row that has ``RUN_COLUMNS``."""
    return Run(row.first_sequence, row.last_sequence, row.beats, row.start_ns, row.end_ns)
