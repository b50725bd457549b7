"""Nights that watches and rings measured, in an SQL database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session, defer, sessionmaker

from ebbtide.nights import Night, NightBasis, decode_values, encode_values, is_fuller
from store.models.nights import NightsPut, StoredNight
from store.sql.engine import dialect_insert, write_transaction
from store.sql.keeping import KeepingGuard, lock_person
from store.sql.tables.nights import NightRow

_PLAIN = (
    *("day", "source", "start_ns", "end_ns", "offset_s", "rmssd_ms", "sdnn_ms", "mean_hr_bpm"),
    *("low_quarter_hr_bpm", "windows", "steps", "missing_reason"),
)


class SqlNightStore(KeepingGuard):
    """A NightStore on the engine of the records store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    def put_nights(self, person_id: str, nights: Sequence[Night], now_ns: int) -> NightsPut:
        """Store nights; see NightStore."""
        new = grown = known = 0
        with write_transaction(self._engine) as connection, Session(connection) as db:
            # Two imports at once would both find a night missing.
            lock_person(db, person_id)
            self._require_consent(db, person_id)
            days = [night.day for night in nights]
            there = {}
            if days:
                there = {
                    (item.night.source, item.night.day): item.night
                    for item in _load(db, person_id, min(days), max(days), values=False)
                }
            for night in nights:
                key = (night.source, night.day)
                stored = there.get(key)
                if stored is not None and not is_fuller(night, stored):
                    known += 1
                    continue
                if stored is None:
                    new += 1
                else:
                    grown += 1
                there[key] = night
                values = _to_values(person_id, night, now_ns)
                db.execute(
                    dialect_insert(connection, NightRow)
                    .values(**values)
                    .on_conflict_do_update(
                        index_elements=["person_id", "source", "day"], set_=values
                    )
                )
        return NightsPut(new, grown, known)

    def replace_recorded(self, person_id: str, nights: Sequence[Night], now_ns: int) -> NightsPut:
        """Store the nights of own recordings; see NightStore."""
        new = grown = known = 0
        with write_transaction(self._engine) as connection, Session(connection) as db:
            lock_person(db, person_id)
            self._require_consent(db, person_id)
            query = select(NightRow).where(NightRow.person_id == person_id)
            there = {(row.source, row.day): row for row in db.scalars(query)}
            wanted = {(night.source, night.day): night for night in nights}
            for key, row in there.items():
                if row.basis == NightBasis.RECORDING and key not in wanted:
                    db.delete(row)
            for key, night in wanted.items():
                stored = there.get(key)
                if stored is None:
                    new += 1
                    db.add(NightRow(**_to_values(person_id, night, now_ns)))
                elif stored.basis != NightBasis.RECORDING or _is_stored(stored, night):
                    known += 1
                else:
                    grown += 1
                    for name, value in _to_values(person_id, night, now_ns).items():
                        setattr(stored, name, value)
            db.flush()
        return NightsPut(new, grown, known)

    def remove_recorded(self, person_id: str, start_ns: int, end_ns: int) -> int:
        """Remove nights of own recordings in a range; see NightStore."""
        with write_transaction(self._engine) as db:
            found = db.execute(
                delete(NightRow).where(
                    NightRow.person_id == person_id,
                    NightRow.basis == NightBasis.RECORDING,
                    NightRow.start_ns <= end_ns,
                    NightRow.end_ns >= start_ns,
                )
            )
            return int(found.rowcount)

    def nights(
        self, person_id: str, first: str = "", last: str = "9999", *, values: bool = True
    ) -> list[StoredNight]:
        """List nights by day then source; see NightStore."""
        with self._sessions() as db:
            return _load(db, person_id, first, last, values=values)

    def count_nights(self, person_id: str) -> dict[str, int]:
        """Count the nights of each source; see NightStore."""
        query = (
            select(NightRow.source, func.count())
            .where(NightRow.person_id == person_id)
            .group_by(NightRow.source)
        )
        with self._sessions() as db:
            return {source: int(count) for source, count in db.execute(query)}

    def remove_nights(self, person_id: str, source: str) -> int:
        """Remove all nights of a source; how many there were."""
        with write_transaction(self._engine) as db:
            found = db.execute(
                delete(NightRow).where(NightRow.person_id == person_id, NightRow.source == source)
            )
            return int(found.rowcount)


def _load(db: Session, person_id: str, first: str, last: str, *, values: bool) -> list[StoredNight]:
    query = (
        select(NightRow)
        .where(NightRow.person_id == person_id, NightRow.day >= first, NightRow.day <= last)
        .order_by(NightRow.day, NightRow.source)
    )
    if not values:
        query = query.options(defer(NightRow.readings))
    return [_from_row(row, values=values) for row in db.scalars(query)]


def _to_values(person_id: str, night: Night, now_ns: int) -> dict[str, object]:
    return {
        "person_id": person_id,
        **{name: getattr(night, name) for name in _PLAIN},
        "basis": str(night.basis),
        "readings": encode_values(night.values),
        "stored_ns": now_ns,
    }


def _is_stored(row: NightRow, night: Night) -> bool:
    values = _to_values(row.person_id, night, row.stored_ns)
    return all(getattr(row, name) == value for name, value in values.items())


def _from_row(row: NightRow, *, values: bool) -> StoredNight:
    night = Night(
        **{name: getattr(row, name) for name in _PLAIN},
        basis=NightBasis(row.basis),
        values=decode_values(row.readings) if values else (),
    )
    return StoredNight(row.person_id, night, row.stored_ns)
