"""Transactions of the catalogue: one writer of a stream, one of a subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Row,
    bindparam,
    func,
    insert,
    select,
    union_all,
    update,
)

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
    RunRow.rates,
    RunRow.rates_start_ns,
    RunRow.rates_end_ns,
)


def _select_near_runs() -> CompoundSelect[Any]:
    """Select the runs with numbers from ``first`` to ``last`` of a stream, the run that ends just
    before them, and the nearest with beats on either side.
    """
    of_stream = select(*RUN_COLUMNS).where(RunRow.stream_id == bindparam("stream_id"))
    with_beats = of_stream.where(RunRow.beats > 0).limit(1)
    before = with_beats.where(RunRow.last_sequence < bindparam("first"))
    after = with_beats.where(RunRow.first_sequence > bindparam("last"))
    return union_all(
        of_stream.where(
            RunRow.first_sequence <= bindparam("last"),
            RunRow.last_sequence >= bindparam("before_first"),
        ),
        select(before.order_by(RunRow.last_sequence.desc()).subquery()),
        select(after.order_by(RunRow.first_sequence).subquery()),
    )


# Built once: they run at every upload.
_NEAR_RUNS = _select_near_runs()
_SPANS = (
    select(RunRow.first_sequence, RunRow.last_sequence)
    .where(RunRow.stream_id == bindparam("stream_id"))
    .order_by(RunRow.first_sequence)
)
_GROWN_COLUMNS = ("last_sequence", *(column.key for column in RUN_COLUMNS[2:]), "kept_ns")
# A bound parameter of an UPDATE must not be called like a column that it sets.
_GROW_RUN = (
    update(RunRow)
    .where(
        RunRow.stream_id == bindparam("of_stream"), RunRow.first_sequence == bindparam("of_first")
    )
    .values({name: bindparam(name) for name in _GROWN_COLUMNS})
)
_ADD_RUN = insert(RunRow)


class StreamTransaction:
    """A stream that is locked while something is appended to it, to ``server``."""

    def __init__(self, db: Connection, stream_id: str, server: str) -> None:
        self.server = server
        self._db = db
        self._stream_id = stream_id
        self._known: dict[int, Run] = {}  # stored runs by their last number

    def stored_runs(self, notifications: Sequence[Notification]) -> list[Run]:
        """The runs with numbers of this upload, and the nearest with beats on either side of it."""
        first, last = notifications[0].sequence, notifications[-1].sequence
        # In one statement: an upload of two seconds waits for the database, not for its disk.
        near = {
            "stream_id": self._stream_id,
            "first": first,
            "last": last,
            "before_first": first - 1,  # the run that the first may be joined to
        }
        found = {Run(*row) for row in self._db.execute(_NEAR_RUNS, near)}
        self._known = {run.last: run for run in found}
        return sorted(found, key=lambda run: run.first)

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
        before = self._known.get(run.first - 1)
        grows = before is not None and before.last - before.first < FULL_RUN
        if before is not None and grows:
            run = before.join(run)
        self._known[run.last] = run
        stored = {
            "last_sequence": run.last,
            "beats": run.beats,
            "start_ns": run.start_ns,
            "end_ns": run.end_ns,
            "rates": run.rates,
            "rates_start_ns": run.rates_start_ns,
            "rates_end_ns": run.rates_end_ns,
            "kept_ns": timestamps.now_ns(),
        }
        if grows:
            here = {"of_stream": self._stream_id, "of_first": run.first}
            self._db.execute(_GROW_RUN, {**stored, **here})
        else:
            here = {"stream_id": self._stream_id, "first_sequence": run.first}
            self._db.execute(_ADD_RUN, {**stored, **here})

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
    rows = db.execute(_SPANS, {"stream_id": stream_id})
    return acknowledged_sequence((row[0], row[1]) for row in rows)


def run_of(row: Row) -> Run:  # type: ignore[type-arg]
    """Make a run of a row that has ``RUN_COLUMNS``."""
    return Run(*(getattr(row, column.key) for column in RUN_COLUMNS))
