"""The catalogue of an InfluxDB in an SQL database: streams, runs, gaps, and who was erased.

InfluxDB overwrites, and has no transactions and no locks. Transactions here make sure that the
first version stays, that writes are idempotent, that what was acknowledged is stored, and that
erased subjects stay erased.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, bindparam, delete, func, select

from ebbtide.beats import Gap, Stream
from store.encoding.runs import Run, day_fingerprints, days_of
from store.errors import ErasedSubjectError, StreamTakenError, UnknownStreamError
from store.influx.generation_catalogue import GenerationCatalogue, require_not_removed
from store.influx.places import MAIN, PlaceCatalogue, assign, note, read_place
from store.influx.transactions import (
    RUN_COLUMNS,
    StreamTransaction,
    is_erased,
    last_acknowledged,
    lock_subject,
    run_of,
)
from store.influx.window_catalogue import WindowCatalogue
from store.models.beats import PlacedGap, StreamCoverage
from store.sql.engine import dialect_insert, write_transaction
from store.sql.rows import from_row, to_values
from store.sql.tables.beats import (
    ErasedRow,
    GapRow,
    MovementDayRow,
    RemovedStreamRow,
    RunRow,
    StreamRow,
    WindowDayRow,
)

# Built once: it runs at every upload.
_LOCKED_STREAM = (
    select(StreamRow.id)
    .where(StreamRow.id == bindparam("stream_id"), StreamRow.subject_id == bindparam("subject_id"))
    .with_for_update()
)


class BeatCatalogue:
    """The SQL side of a store of beats; ``engine`` is at the newest revision."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.windows = WindowCatalogue(engine)
        self.generations = GenerationCatalogue(engine)
        self.places = PlaceCatalogue(engine)

    @property
    def engine(self) -> Engine:
        """The SQL database, for what locks several rows at once."""
        return self._engine

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def check(self) -> None:
        """Raise SQLAlchemyError if the database does not answer."""
        with self._engine.connect() as db:
            db.execute(select(StreamRow.id).limit(1))

    def put_stream(self, subject_id: str, stream: Stream, servers: Sequence[str] = (MAIN,)) -> None:
        """Register a stream; see BeatStore. Its subject gets one of ``servers``, if it is new."""
        values = {"subject_id": subject_id, **to_values(stream)}
        with write_transaction(self._engine) as db:
            lock_subject(db, subject_id)
            if is_erased(db, subject_id):
                raise ErasedSubjectError(
                    "Everything of this person was erased.", "Stop the recorder, and sign out."
                )
            require_not_removed(db, subject_id, stream.id)
            assign(db, subject_id, servers)
            db.execute(dialect_insert(db, StreamRow).values(values).on_conflict_do_nothing())
            registered = db.execute(
                select(StreamRow.__table__).where(StreamRow.id == stream.id)
            ).mappings()
            if dict(registered.one()) != values:
                raise StreamTakenError(
                    f"Stream {stream.id} is already registered with other facts.",
                    "Begin a stream with a new random id.",
                )

    @contextmanager
    def appending(self, subject_id: str, stream_id: str) -> Iterator[StreamTransaction]:
        """The stream, locked until what was appended is committed. Raises UnknownStreamError."""
        with write_transaction(self._engine) as db:
            of_stream = {"stream_id": stream_id, "subject_id": subject_id}
            if db.execute(_LOCKED_STREAM, of_stream).first() is None:
                require_not_removed(db, subject_id, stream_id)
                raise UnknownStreamError(
                    f"There is no stream {stream_id}.",
                    f"Register it with PUT /v1/streams/{stream_id}.",
                )
            yield StreamTransaction(db, stream_id, read_place(db, subject_id).server)

    def runs(
        self, subject_id: str, start_ns: int, end_ns: int
    ) -> list[tuple[Stream, list[Run], list[int]]]:
        """The streams with beats in the range, oldest first; of each the runs that touch it, and
        the sequence numbers before which there are gaps.
        """
        touching = (RunRow.start_ns < end_ns, RunRow.end_ns > start_ns)
        with self._engine.connect() as db:
            rows = db.execute(
                select(StreamRow.__table__, *RUN_COLUMNS)
                .join(RunRow, RunRow.stream_id == StreamRow.id)
                .where(StreamRow.subject_id == subject_id, *touching)
                .order_by(StreamRow.created_ns, StreamRow.id, RunRow.first_sequence)
            ).all()
            found: dict[str, tuple[Stream, list[Run], list[int]]] = {}
            for row in rows:
                entry = found.setdefault(row.id, (from_row(Stream, row), [], []))
                entry[1].append(run_of(row))
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

    def rate_runs(
        self, subject_id: str, start_ns: int, end_ns: int
    ) -> list[tuple[Stream, list[Run]]]:
        """The streams with heart rates without intervals in the range, oldest first, and the runs
        that have them.
        """
        with self._engine.connect() as db:
            rows = db.execute(
                select(StreamRow.__table__, *RUN_COLUMNS)
                .join(RunRow, RunRow.stream_id == StreamRow.id)
                .where(
                    StreamRow.subject_id == subject_id,
                    RunRow.rates > 0,
                    RunRow.rates_start_ns < end_ns,
                    RunRow.rates_end_ns > start_ns,
                )
                .order_by(StreamRow.created_ns, StreamRow.id, RunRow.first_sequence)
            ).all()
        found: dict[str, tuple[Stream, list[Run]]] = {}
        for row in rows:
            found.setdefault(row.id, (from_row(Stream, row), []))[1].append(run_of(row))
        return list(found.values())

    def next_run(self, subject_id: str, stream_id: str, after: int) -> Run | None:
        """The run with the next number after this one. Raises UnknownStreamError."""
        with self._engine.connect() as db:
            self._require(db, subject_id, stream_id)
            row = db.execute(
                select(*RUN_COLUMNS)
                .where(RunRow.stream_id == stream_id, RunRow.last_sequence > after)
                .order_by(RunRow.first_sequence)
                .limit(1)
            ).first()
        return None if row is None else run_of(row)

    def _require(self, db: Connection, subject_id: str, stream_id: str) -> None:
        found = select(StreamRow.id).where(
            StreamRow.id == stream_id, StreamRow.subject_id == subject_id
        )
        if db.execute(found).first() is None:
            raise UnknownStreamError(f"There is no stream {stream_id}.")

    def gaps(self, subject_id: str, start_ns: int, end_ns: int) -> list[PlacedGap]:
        """List the gaps that touch the range, by start."""
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
        """List what is stored of each stream, oldest first."""
        with self._engine.connect() as db:
            rows = db.execute(
                select(
                    StreamRow.__table__,
                    func.coalesce(func.sum(RunRow.beats), 0).label("beats"),
                    func.coalesce(func.min(RunRow.start_ns), func.min(RunRow.rates_start_ns)).label(
                        "start_ns"
                    ),
                    func.coalesce(func.max(RunRow.end_ns), func.max(RunRow.rates_end_ns)).label(
                        "end_ns"
                    ),
                    func.coalesce(func.sum(RunRow.rates), 0).label("rates"),
                    func.coalesce(func.max(RunRow.last_sequence), 0).label("last_sequence"),
                )
                .outerjoin(RunRow, RunRow.stream_id == StreamRow.id)
                .where(StreamRow.subject_id == subject_id)
                .group_by(StreamRow.id)
                .order_by(StreamRow.created_ns, StreamRow.id)
            ).all()
            return [
                StreamCoverage(
                    from_row(Stream, row),
                    last_acknowledged(db, row.id),
                    int(row.last_sequence),
                    int(row.beats),
                    row.start_ns,
                    None if row.end_ns is None else row.end_ns - 1,
                    int(row.rates),
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
        """Return the fingerprint of each day; see BeatStore."""
        with self._engine.connect() as db:
            runs = db.execute(
                select(RunRow.stream_id, *RUN_COLUMNS)
                .join(StreamRow, StreamRow.id == RunRow.stream_id)
                .where(
                    StreamRow.subject_id == subject_id,
                    RunRow.start_ns < end_ns,
                    RunRow.end_ns > start_ns,
                )
                .order_by(RunRow.stream_id, RunRow.first_sequence)
            ).all()
            rated = db.execute(
                select(
                    RunRow.stream_id,
                    RunRow.first_sequence,
                    RunRow.last_sequence,
                    RunRow.rates,
                    RunRow.rates_start_ns,
                    RunRow.rates_end_ns,
                )
                .join(StreamRow, StreamRow.id == RunRow.stream_id)
                .where(
                    StreamRow.subject_id == subject_id,
                    RunRow.rates > 0,
                    RunRow.rates_start_ns < end_ns,
                    RunRow.rates_end_ns > start_ns,
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
            [(row[0], row[1], row[2], row[3], int(row[4] or 0), int(row[5] or 0)) for row in rated],
        )

    def changed_days(self, subject_id: str, since_ns: int) -> list[int]:
        """List the UTC days to which something was added from then on; see BeatStore."""
        with self._engine.connect() as db:
            rows = db.execute(
                select(RunRow.start_ns, RunRow.end_ns, RunRow.rates_start_ns, RunRow.rates_end_ns)
                .join(StreamRow, StreamRow.id == RunRow.stream_id)
                .where(StreamRow.subject_id == subject_id, RunRow.kept_ns >= since_ns)
            ).all()
            # Without beats now, but copies of those days elsewhere have them.
            removed = db.execute(
                select(RemovedStreamRow.start_ns, RemovedStreamRow.end_ns).where(
                    RemovedStreamRow.subject_id == subject_id,
                    RemovedStreamRow.removed_ns >= since_ns,
                )
            ).all()
        spans = [(row[0], row[1]) for row in (*rows, *removed)]
        return days_of(spans + [(row[2], row[3]) for row in rows])

    def subjects(self) -> list[str]:
        """List all subjects with a stream."""
        with self._engine.connect() as db:
            return list(
                db.scalars(select(StreamRow.subject_id).distinct().order_by(StreamRow.subject_id))
            )

    def erased(self) -> list[str]:
        """List all erased subjects."""
        with self._engine.connect() as db:
            return list(db.scalars(select(ErasedRow.subject_id).order_by(ErasedRow.subject_id)))

    def erase(self, subject_id: str) -> int:
        """Delete the subject, refuse it from now on, and return how many beats there were. Waits
        for an upload that is under way; none begins afterwards.
        """
        with write_transaction(self._engine) as db:
            lock_subject(db, subject_id)
            db.execute(
                dialect_insert(db, ErasedRow).values(subject_id=subject_id).on_conflict_do_nothing()
            )
            of_subject = StreamRow.subject_id == subject_id
            streams = list(db.scalars(select(StreamRow.id).where(of_subject).with_for_update()))
            if streams:
                note(db, subject_id, MAIN)  # until its points are deleted there
            beats = db.scalar(
                select(func.coalesce(func.sum(RunRow.beats), 0))
                .join(StreamRow, StreamRow.id == RunRow.stream_id)
                .where(of_subject)
            )
            for table in (RunRow, GapRow, MovementDayRow):
                db.execute(delete(table).where(table.stream_id.in_(streams)))
            db.execute(delete(StreamRow).where(of_subject))
            db.execute(delete(WindowDayRow).where(WindowDayRow.subject_id == subject_id))
            db.execute(delete(RemovedStreamRow).where(RemovedStreamRow.subject_id == subject_id))
        return int(beats or 0)
