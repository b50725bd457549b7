"""Heart rates of other systems in an SQL database, of which a person may have millions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, and_, bindparam, delete, insert, or_, select
from sqlalchemy.orm import Session, sessionmaker

from ebbtide.timestamps import DAY
from store.encoding.imports import ConflictError, join_heart_rates
from store.models.imports import (
    SELF_REPORTED,
    HeartRateColumns,
    ImportedHeartRate,
    ImportOutcome,
    foreign_identifiers,
    unpack_identifiers,
)
from store.sql.engine import write_transaction
from store.sql.heart_rate_days import build_day_index, read_day_index, update_day_index
from store.sql.identifiers import chunks, put_identifiers
from store.sql.keeping import KeepingGuard
from store.sql.rows import columns_of, from_row, to_values
from store.sql.tables.imports import HeartRateRow

_ROWS = 10_000
_Columns = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int32], NDArray[np.bool_]]
_NO_COLUMNS: _Columns = (
    *(np.empty(0, np.int64), np.empty(0, np.float64)),
    *(np.empty(0, np.int32), np.empty(0, np.bool_)),
)
# Built once: a report asks for the minutes before each rating.
_REPORTED = (
    select(HeartRateRow.time_ns, HeartRateRow.bpm, HeartRateRow.device, HeartRateRow.simulated)
    .where(
        HeartRateRow.person_id == bindparam("person_id"),
        HeartRateRow.time_ns >= bindparam("start_ns"),
        HeartRateRow.time_ns < bindparam("end_ns"),
        or_(HeartRateRow.modality.is_(None), HeartRateRow.modality != SELF_REPORTED),
    )
    .order_by(HeartRateRow.time_ns, HeartRateRow.id)
)


class SqlHeartRates(KeepingGuard):
    """The part of a SqlRecordStore that reads heart rates of other systems."""

    _engine: Engine
    _sessions: sessionmaker[Session]

    def heart_rates(
        self,
        person_id: str,
        start_ns: int,
        end_ns: int,
        limit: int | None = None,
        after: tuple[int, str] | None = None,
    ) -> list[ImportedHeartRate]:
        """List the heart rates of other systems by time, then id; see RecordStore."""
        query = (
            select(*columns_of(HeartRateRow, ImportedHeartRate))
            .where(
                HeartRateRow.person_id == person_id,
                HeartRateRow.time_ns >= start_ns,
                HeartRateRow.time_ns < end_ns,
            )
            .order_by(HeartRateRow.time_ns, HeartRateRow.id)
            .limit(limit)
        )
        if after is not None:
            time_ns, last_id = after
            later = and_(HeartRateRow.time_ns == time_ns, HeartRateRow.id > last_id)
            query = query.where(or_(HeartRateRow.time_ns > time_ns, later))
        with self._sessions() as db:
            return [ImportedHeartRate(*row) for row in db.execute(query)]

    def heart_rate_columns(self, person_id: str, start_ns: int, end_ns: int) -> HeartRateColumns:
        """Read the heart rates that devices reported as arrays; see RecordStore."""
        range_of = {"person_id": person_id, "start_ns": start_ns, "end_ns": end_ns}
        places: dict[str, int] = {}
        parts: list[_Columns] = []
        with self._sessions() as db:
            # A part at a time: rows of objects take ten times as much as their numbers.
            for rows in db.connection().execute(_REPORTED, range_of).partitions(_ROWS):
                times, bpm, devices, simulated = zip(*rows, strict=True)
                places |= {name: len(places) + n for n, name in enumerate({*devices} - {*places})}
                parts.append(
                    (
                        np.array(times, np.int64),
                        np.array(bpm, np.float64),
                        np.array([places[name] for name in devices], np.int32),
                        np.array(simulated, np.bool_),
                    )
                )
        if not parts:
            return HeartRateColumns(*_NO_COLUMNS, ())
        time_ns, rate, device, is_simulated = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        return HeartRateColumns(time_ns, rate, device, is_simulated, tuple(places))

    def heart_rate_days(
        self, person_id: str, start_ns: int, end_ns: int
    ) -> dict[int, tuple[int, int]]:
        """Count the heart rates of other systems of the days; see RecordStore."""
        first, last = start_ns // DAY, -(-end_ns // DAY)
        with self._sessions() as db:
            days = read_day_index(db, person_id)
            if days is None and not _has_any(db, person_id):
                days = {}
        if days is None:
            with write_transaction(self._engine) as connection, Session(connection) as db:
                days = build_day_index(db, person_id, self._may_keep(db, person_id))
        return {day: facts for day, facts in days.items() if first <= day < last}

    def heart_rate(self, person_id: str, heart_rate_id: str) -> ImportedHeartRate | None:
        """Find the heart rate of another system with this id."""
        with self._sessions() as db:
            row = db.get(HeartRateRow, heart_rate_id)
            if row is None or row.person_id != person_id:
                return None
            return from_row(ImportedHeartRate, row)


def _has_any(db: Session, person_id: str) -> bool:
    query = select(HeartRateRow.id).where(HeartRateRow.person_id == person_id).limit(1)
    return db.scalar(query) is not None


def import_heart_rates(
    db: Session, person_id: str, sent: Sequence[ImportedHeartRate], known: dict[str, str]
) -> list[ImportOutcome]:
    """Join these to what is stored. ``known``: the record that has each identifier."""
    ids = sorted({item.id for item in sent} | set(known.values()))
    stored: dict[str, ImportedHeartRate] = {}
    for chunk in chunks(ids):
        query = select(*columns_of(HeartRateRow, ImportedHeartRate)).where(
            HeartRateRow.person_id == person_id, HeartRateRow.id.in_(chunk)
        )
        stored.update((row.id, ImportedHeartRate(*row)) for row in db.execute(query))
    before = dict(stored)
    owner = dict(known)  # the record of each identifier, with those of this import
    outcomes = []
    for item in sent:
        names = unpack_identifiers(item.identifiers)
        same = {item.id, *(owner[name] for name in names if name in owner)} & stored.keys()
        try:
            joined = item
            for record_id in sorted(same):
                joined = join_heart_rates(stored[record_id], joined)
        except ConflictError as error:
            outcomes.append(ImportOutcome(None, reason=str(error)))
            continue
        joined = replace(joined, identifiers=foreign_identifiers(joined.identifiers, joined.id))
        old = stored.get(joined.id)
        is_new = old is None or replace(old, entered_ns=0) != replace(joined, entered_ns=0)
        for record_id in same:
            del stored[record_id]
        stored[joined.id] = replace(joined, entered_ns=item.entered_ns) if is_new else old or joined
        owner.update((name, joined.id) for name in unpack_identifiers(joined.identifiers))
        outcomes.append(ImportOutcome(joined.id, is_new))
    gone = sorted(name for name, item in before.items() if stored.get(name) != item)
    for chunk in chunks(gone):
        db.execute(delete(HeartRateRow).where(HeartRateRow.id.in_(chunk)))
    changed = [item for name, item in stored.items() if before.get(name) != item]
    for rows in chunks([to_values(item) for item in changed]):
        db.execute(insert(HeartRateRow), rows)
    put_identifiers(db, person_id, [(item.id, item.identifiers) for item in changed])
    update_day_index(db, person_id, [before[name] for name in gone], changed)
    return outcomes
