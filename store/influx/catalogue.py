"""What stands beside InfluxDB in an SQL database: streams, runs, gaps, and who was erased.

InfluxDB overwrites, has no transactions and no locks. "What was kept first stays", "twice is once",
"acknowledged is kept" and "erased stays erased" are promised here, in transactions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from ebbtide import timestamps
from ebbtide.beats import Gap, Notification, Stream
from store.encoding import window_block
from store.encoding.runs import (
    FULL_RUN,
    AppendPlan,
    Run,
    acknowledged_sequence,
    day_fingerprints,
    days_of,
)
from store.errors import ErasedSubjectError, StreamTakenError, UnknownStreamError
from store.models.beats import DailyWindows, PlacedGap, StreamCoverage
from store.sql.engine import dialect_insert, write_transaction
from store.sql.rows import from_row, to_values
from store.sql.tables.beats import (
    ErasedRow,
    GapRow,
    MovementDayRow,
    RunRow,
    StreamRow,
    WindowDayRow,
)


class StreamTransaction:
    """A stream that is locked while something is appended to it."""

    def __init__(self, db: Connection, stream_id: str) -> None:
        self._db = db
        self._stream_id = stream_id

    def stored_runs(self, notifications: Sequence[Notification]) -> list[Run]:
        """The runs with numbers of this upload, and the nearest with beats on either side of it."""
        first, last = notifications[0].sequence, notifications[-1].sequence
        of_stream = select(*_RUN).where(RunRow.stream_id == self._stream_id)
        with_beats = of_stream.where(RunRow.beats > 0).limit(1)
        queries = (
            of_stream.where(RunRow.first_sequence <= last, RunRow.last_sequence >= first),
            with_beats.where(RunRow.last_sequence < first).order_by(RunRow.last_sequence.desc()),
            with_beats.where(RunRow.first_sequence > last).order_by(RunRow.first_sequence),
        )
        return [_run(row) for query in queries for row in self._db.execute(query)]

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
            select(*_RUN).where(
                RunRow.stream_id == self._stream_id,
                RunRow.last_sequence == run.first - 1,
                RunRow.last_sequence - RunRow.first_sequence < FULL_RUN,
            )
        ).first()
        if before is not None:
            run = _run(before).join(run)
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
        return _acknowledged(self._db, self._stream_id)


class BeatCatalogue:
    """The SQL side of a store of beats; ``engine`` is at the newest revision."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()

    def check(self) -> None:
        """Raise SQLAlchemyError if the database does not answer."""
        with self._engine.connect() as db:
            db.execute(select(StreamRow.id).limit(1))

    def put_stream(self, subject_id: str, stream: Stream) -> None:
        """Register a stream; see BeatStore."""
        values = {"subject_id": subject_id, **to_values(stream)}
        with write_transaction(self._engine) as db:
            _lock(db, subject_id)
            if _erased(db, subject_id):
                raise ErasedSubjectError(
                    "Everything of this person was erased.", "Stop the recorder, and sign out."
                )
            db.execute(dialect_insert(db, StreamRow).values(values).on_conflict_do_nothing())
            kept = db.execute(
                select(StreamRow.__table__).where(StreamRow.id == stream.id)
            ).mappings()
            if dict(kept.one()) != values:
                raise StreamTakenError(
                    f"Stream {stream.id} is already registered with other facts.",
                    "Begin a stream with a new random id.",
                )

    @contextmanager
    def appending(self, subject_id: str, stream_id: str) -> Iterator[StreamTransaction]:
        """The stream, locked until what was appended is committed. Raises UnknownStreamError."""
        with write_transaction(self._engine) as db:
            found = db.execute(
                select(StreamRow.id)
                .where(StreamRow.id == stream_id, StreamRow.subject_id == subject_id)
                .with_for_update()
            ).first()
            if found is None:
                raise UnknownStreamError(
                    f"There is no stream {stream_id}.",
                    f"Register it with PUT /v1/streams/{stream_id}.",
                )
            yield StreamTransaction(db, stream_id)

    def runs(
        self, subject_id: str, start_ns: int, end_ns: int
    ) -> list[tuple[Stream, list[Run], list[int]]]:
        """The streams with beats in the range, oldest first; of each the runs that touch it, and
        the sequence numbers before which there are gaps.
        """
        touching = (RunRow.start_ns < end_ns, RunRow.end_ns > start_ns)
        with self._engine.connect() as db:
            rows = db.execute(
                select(StreamRow.__table__, *_RUN)
                .join(RunRow, RunRow.stream_id == StreamRow.id)
                .where(StreamRow.subject_id == subject_id, *touching)
                .order_by(StreamRow.created_ns, StreamRow.id, RunRow.first_sequence)
            ).all()
            found: dict[str, tuple[Stream, list[Run], list[int]]] = {}
            for row in rows:
                held = found.setdefault(row.id, (from_row(Stream, row), [], []))
                held[1].append(_run(row))
            for stream_id, (_, runs, gaps) in found.items():
                gaps.extend(
                    db.scalars(
                        select(GapRow.sequence).where(
                            GapRow.stream_id == stream_id,
                            GapRow.sequence.between(runs[0].first, runs[-1].last),
                        )
                    )
                )
        return list(found.values())

    def next_run(self, subject_id: str, stream_id: str, after: int) -> Run | None:
        """The run with the next number after this one. Raises UnknownStreamError."""
        with self._engine.connect() as db:
            self._require(db, subject_id, stream_id)
            row = db.execute(
                select(*_RUN)
                .where(RunRow.stream_id == stream_id, RunRow.last_sequence > after)
                .order_by(RunRow.first_sequence)
                .limit(1)
            ).first()
        return None if row is None else _run(row)

    def _require(self, db: Connection, subject_id: str, stream_id: str) -> None:
        found = select(StreamRow.id).where(
            StreamRow.id == stream_id, StreamRow.subject_id == subject_id
        )
        if db.execute(found).first() is None:
            raise UnknownStreamError(f"There is no stream {stream_id}.")

    def gaps(self, subject_id: str, start_ns: int, end_ns: int) -> list[PlacedGap]:
        """Gaps that touch the range, by start."""
        with self._engine.connect() as db:
            rows = db.execute(
                select(GapRow.__table__)
                .join(StreamRow, StreamRow.id == GapRow.stream_id)
                .where(
                    StreamRow.subject_id == subject_id,
                    GapRow.start_ns < end_ns,
                    GapRow.end_ns > start_ns,
                )
                .order_by(GapRow.start_ns)
            ).all()
        return [PlacedGap(row.stream_id, from_row(Gap, row)) for row in rows]

    def coverage(self, subject_id: str) -> list[StreamCoverage]:
        """What is kept of each stream, oldest first."""
        with self._engine.connect() as db:
            rows = db.execute(
                select(
                    StreamRow.__table__,
                    func.coalesce(func.sum(RunRow.beats), 0).label("beats"),
                    func.min(RunRow.start_ns).label("start_ns"),
                    func.max(RunRow.end_ns).label("end_ns"),
                )
                .outerjoin(RunRow, RunRow.stream_id == StreamRow.id)
                .where(StreamRow.subject_id == subject_id)
                .group_by(StreamRow.id)
                .order_by(StreamRow.created_ns, StreamRow.id)
            ).all()
            return [
                StreamCoverage(
                    from_row(Stream, row),
                    _acknowledged(db, row.id),
                    int(row.beats),
                    row.start_ns,
                    None if row.end_ns is None else row.end_ns - 1,
                )
                for row in rows
            ]

    def movement_streams(self, subject_id: str, first_day: int, last_day: int) -> list[str]:
        """The streams with movement in these days."""
        with self._engine.connect() as db:
            return list(
                db.scalars(
                    select(MovementDayRow.stream_id)
                    .join(StreamRow, StreamRow.id == MovementDayRow.stream_id)
                    .where(
                        StreamRow.subject_id == subject_id,
                        MovementDayRow.day.between(first_day, last_day),
                    )
                    .distinct()
                )
            )

    def day_fingerprints(self, subject_id: str, start_ns: int, end_ns: int) -> dict[int, str]:
        """What names the content of each day; see BeatStore."""
        with self._engine.connect() as db:
            runs = db.execute(
                select(RunRow.stream_id, *_RUN)
                .join(StreamRow, StreamRow.id == RunRow.stream_id)
                .where(
                    StreamRow.subject_id == subject_id,
                    RunRow.start_ns < end_ns,
                    RunRow.end_ns > start_ns,
                )
                .order_by(RunRow.stream_id, RunRow.first_sequence)
            ).all()
            moved = db.execute(
                select(MovementDayRow.day, func.sum(MovementDayRow.spans))
                .join(StreamRow, StreamRow.id == MovementDayRow.stream_id)
                .where(StreamRow.subject_id == subject_id)
                .group_by(MovementDayRow.day)
            ).all()
        return day_fingerprints(
            [(row[0], row[1], row[2], row[3], int(row[4] or 0), int(row[5] or 0)) for row in runs],
            [(row[0], int(row[1])) for row in moved],
            start_ns,
            end_ns,
        )

    def changed_days(self, subject_id: str, since_ns: int) -> list[int]:
        """The UTC days to which something was added from then on; see BeatStore."""
        with self._engine.connect() as db:
            rows = db.execute(
                select(RunRow.start_ns, RunRow.end_ns)
                .join(StreamRow, StreamRow.id == RunRow.stream_id)
                .where(StreamRow.subject_id == subject_id, RunRow.kept_ns >= since_ns)
            ).all()
        return days_of((row[0], row[1]) for row in rows)

    def window_days(
        self, subject_id: str, method: str, names: Sequence[str], first_day: int, last_day: int
    ) -> dict[int, DailyWindows]:
        """What was worked out of each day."""
        wanted = (WindowDayRow.day, WindowDayRow.content, WindowDayRow.block)
        rows = self._window_days(subject_id, method, first_day, last_day, *wanted)
        return {row[0]: window_block.decode(row[1], row[2], names) for row in rows}

    def window_contents(
        self, subject_id: str, method: str, first_day: int, last_day: int
    ) -> dict[int, str]:
        """Which content the windows of each day were worked out from."""
        wanted = (WindowDayRow.day, WindowDayRow.content)
        rows = self._window_days(subject_id, method, first_day, last_day, *wanted)
        return {row[0]: row[1] for row in rows}

    def _window_days(
        self, subject_id: str, method: str, first_day: int, last_day: int, *wanted: Any
    ) -> Sequence[Any]:
        with self._engine.connect() as db:
            return db.execute(
                select(*wanted).where(
                    WindowDayRow.subject_id == subject_id,
                    WindowDayRow.method == method,
                    WindowDayRow.day.between(first_day, last_day),
                )
            ).all()

    @contextmanager
    def putting_windows(
        self, subject_id: str, method: str, days: Mapping[int, DailyWindows]
    ) -> Iterator[bool]:
        """While the windows of these days are written; False, and nothing may be written, where
        the subject was erased. Erasing waits until this ends.
        """
        with write_transaction(self._engine) as db:
            _lock(db, subject_id)
            if _erased(db, subject_id):
                yield False
                return
            yield True
            db.execute(
                delete(WindowDayRow).where(
                    WindowDayRow.subject_id == subject_id, WindowDayRow.day.in_(list(days))
                )
            )
            db.execute(
                insert(WindowDayRow),
                [
                    {
                        "subject_id": subject_id,
                        "method": method,
                        "day": day,
                        "content": held.content,
                        "block": window_block.encode(held),
                    }
                    for day, held in days.items()
                ],
            )

    def subjects(self) -> list[str]:
        """Everybody with a stream."""
        with self._engine.connect() as db:
            return list(
                db.scalars(select(StreamRow.subject_id).distinct().order_by(StreamRow.subject_id))
            )

    def erased(self) -> list[str]:
        """Everybody who was erased."""
        with self._engine.connect() as db:
            return list(db.scalars(select(ErasedRow.subject_id).order_by(ErasedRow.subject_id)))

    def erase(self, subject_id: str) -> int:
        """Forget the subject, and refuse it from now on; how many beats there were. An upload that
        is under way is waited for; none begins afterwards.
        """
        with write_transaction(self._engine) as db:
            _lock(db, subject_id)
            db.execute(
                dialect_insert(db, ErasedRow).values(subject_id=subject_id).on_conflict_do_nothing()
            )
            of_subject = StreamRow.subject_id == subject_id
            streams = list(db.scalars(select(StreamRow.id).where(of_subject).with_for_update()))
            beats = db.scalar(
                select(func.coalesce(func.sum(RunRow.beats), 0))
                .join(StreamRow, StreamRow.id == RunRow.stream_id)
                .where(of_subject)
            )
            for table in (RunRow, GapRow, MovementDayRow):
                db.execute(delete(table).where(table.stream_id.in_(streams)))
            db.execute(delete(StreamRow).where(of_subject))
            db.execute(delete(WindowDayRow).where(WindowDayRow.subject_id == subject_id))
        return int(beats or 0)


_RUN = (
    RunRow.first_sequence,
    RunRow.last_sequence,
    RunRow.beats,
    RunRow.start_ns,
    RunRow.end_ns,
)


def _lock(db: Connection, subject_id: str) -> None:
    """Nobody else registers a stream of this subject, or erases it, until this transaction ends.
    SQLite has one writer at a time anyway.
    """
    if db.dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(subject_id, 0))))


def _erased(db: Connection, subject_id: str) -> bool:
    found = db.execute(select(ErasedRow.subject_id).where(ErasedRow.subject_id == subject_id))
    return found.first() is not None


def _acknowledged(db: Connection, stream_id: str) -> int:
    rows = db.execute(
        select(RunRow.first_sequence, RunRow.last_sequence)
        .where(RunRow.stream_id == stream_id)
        .order_by(RunRow.first_sequence)
    )
    return acknowledged_sequence((row[0], row[1]) for row in rows)


def _run(row: Row) -> Run:  # type: ignore[type-arg]
    return Run(row.first_sequence, row.last_sequence, row.beats, row.start_ns, row.end_ns)
