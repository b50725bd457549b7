"""The generation of the store of beats beside InfluxDB, and the streams that were removed."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from ebbtide.timestamps import DAY
from store.errors import RemovedStreamError, UnknownStreamError
from store.models.beats import RemovedStream, StoreGeneration
from store.sql.engine import reading, write_transaction
from store.sql.rows import columns_of, from_row, from_values
from store.sql.tables.beats import (
    GapRow,
    GenerationRow,
    MovementDayRow,
    RemovedStreamRow,
    RunRow,
    StreamRow,
    WindowDayRow,
)

_GENERATION = select(*columns_of(GenerationRow, StoreGeneration))  # built once


class GenerationCatalogue:
    """Generation and removed streams; ``engine`` is at the newest revision."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = reading(engine)

    def read(self) -> StoreGeneration:
        """Return which state of the store this is."""
        with self._reading.connect() as db:
            return from_values(StoreGeneration, db.execute(_GENERATION).one())

    def begin_backup(self) -> int:
        """Raise the counter by one and return what it was; see BeatStore."""
        with write_transaction(self._engine) as db:
            raised = (
                update(GenerationRow)
                .values(counter=GenerationRow.counter + 1)
                .returning(GenerationRow.counter)
            )
            return int(db.execute(raised).scalar_one()) - 1

    def finish_backup(self, covered: int) -> None:
        """Note that a backup is finished; see BeatStore."""
        with write_transaction(self._engine) as db:
            db.execute(
                update(GenerationRow).where(GenerationRow.covered < covered).values(covered=covered)
            )

    def renew(self) -> None:
        """Give the generation a new id; see BeatStore."""
        with write_transaction(self._engine) as db:
            db.execute(
                update(GenerationRow).values(id=uuid.uuid4().hex, counter=GenerationRow.counter + 1)
            )

    def remove_stream(self, subject_id: str, stream_id: str, at_ns: int) -> int:
        """Delete a stream, once no upload of it is under way; how many beats it had."""
        of_stream = (StreamRow.id == stream_id, StreamRow.subject_id == subject_id)
        with write_transaction(self._engine) as db:
            if db.execute(select(StreamRow.id).where(*of_stream).with_for_update()).first() is None:
                require_not_removed(db, subject_id, stream_id)
                raise UnknownStreamError(
                    f"There is no stream {stream_id}.", "GET /v1/streams lists yours."
                )
            beats, *spans = db.execute(
                select(
                    func.coalesce(func.sum(RunRow.beats), 0),
                    func.min(RunRow.start_ns),
                    func.max(RunRow.end_ns),
                    func.min(RunRow.rates_start_ns),
                    func.max(RunRow.rates_end_ns),
                ).where(RunRow.stream_id == stream_id)
            ).one()
            start_ns = min((at for at in spans[::2] if at is not None), default=None)
            end_ns = max((at for at in spans[1::2] if at is not None), default=None)
            for table in (RunRow, GapRow, MovementDayRow):
                db.execute(delete(table).where(table.stream_id == stream_id))
            db.execute(delete(StreamRow).where(*of_stream))
            if start_ns is not None and end_ns is not None:
                db.execute(
                    delete(WindowDayRow).where(
                        WindowDayRow.subject_id == subject_id,
                        WindowDayRow.day.between(start_ns // DAY, end_ns // DAY),
                    )
                )
            db.execute(
                insert(RemovedStreamRow).values(
                    stream_id=stream_id,
                    subject_id=subject_id,
                    removed_ns=at_ns,
                    start_ns=start_ns,
                    end_ns=end_ns,
                )
            )
        return int(beats)

    def removed_streams(self, subject_id: str) -> list[RemovedStream]:
        """List the streams that the subject removed, by time of removal."""
        with self._engine.connect() as db:
            rows = db.execute(
                select(RemovedStreamRow.__table__)
                .where(RemovedStreamRow.subject_id == subject_id)
                .order_by(RemovedStreamRow.removed_ns, RemovedStreamRow.stream_id)
            ).all()
        return [from_row(RemovedStream, row) for row in rows]

    def readmit_stream(self, subject_id: str, stream_id: str) -> None:
        """Take a stream that was removed again; see BeatStore."""
        with write_transaction(self._engine) as db:
            db.execute(
                delete(RemovedStreamRow).where(
                    RemovedStreamRow.subject_id == subject_id,
                    RemovedStreamRow.stream_id == stream_id,
                )
            )


def require_not_removed(db: Connection, subject_id: str, stream_id: str) -> None:
    """Raise RemovedStreamError for a stream that the subject removed."""
    removed_ns = db.scalar(
        select(RemovedStreamRow.removed_ns).where(
            RemovedStreamRow.stream_id == stream_id, RemovedStreamRow.subject_id == subject_id
        )
    )
    if removed_ns is not None:
        raise RemovedStreamError(stream_id, removed_ns)
