"""Require consent to keeping in the transaction that writes."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from ebbtide.timestamps import now_ns as clock_ns
from store.errors import ConsentMissingError
from store.models.records import Purpose
from store.sql.rows import RecordType, columns_of, from_row
from store.sql.tables.records import ConsentRow, PersonRow

_Store = TypeVar("_Store", bound="KeepingGuard")


@dataclass(frozen=True, slots=True)
class KeepingAnswer:
    """An answer on keeping; ``until_ns``: None where it holds without an end."""

    given: bool
    until_ns: int | None

    def holds(self, now_ns: int) -> bool:
        """Whether the person agrees at this moment."""
        return self.given and (self.until_ns is None or self.until_ns > now_ns)


def lock_person(db: Connection | Session, person_id: str) -> None:
    """Lock the row of a person, which is the first lock of whatever is written of them.

    Every transaction takes it before any other row of the person: two that lock in two orders would
    wait for each other, and PostgreSQL would end one of them.
    """
    db.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update())


def find_locked(
    db: Session, row: Any, record: type[RecordType], person_id: str, row_id: str
) -> RecordType | None:
    """Find a row of a person by its id, with the person locked until the transaction ends."""
    lock_person(db, person_id)
    found = db.execute(
        select(*columns_of(row, record)).where(row.id == row_id, row.person_id == person_id)
    ).first()
    return None if found is None else from_row(record, found)


def find_answer(db: Connection | Session, person_id: str) -> KeepingAnswer | None:
    """Find the person's newest answer on keeping; None without one.

    On PostgreSQL the person's row is locked, as where an answer or a withdrawal is stored, on
    SQLite the file: an answer is stored either before this, or after what is written now.
    """
    lock_person(db, person_id)
    answer = db.execute(
        select(ConsentRow.given, ConsentRow.until_ns)
        .where(ConsentRow.person_id == person_id, ConsentRow.purpose == str(Purpose.KEEPING))
        .order_by(ConsentRow.number.desc())
        .limit(1)
    ).first()
    return None if answer is None else KeepingAnswer(answer.given, answer.until_ns)


class KeepingGuard:
    """The part of a store in an SQL database that writes only what a person agrees to."""

    _consent_clock: Callable[[], int] | None = None

    def requiring_consent(self: _Store, now: Callable[[], int]) -> _Store:
        """Return this store, which then raises ConsentMissingError in the transaction of each write
        for a person who does not agree to keeping then.
        """
        guarded = copy(self)
        guarded._consent_clock = now
        return guarded

    def _require_consent(self, db: Connection | Session, person_id: str) -> None:
        """Raise ConsentMissingError where consent is required and not given."""
        if self._consent_clock is None:
            return
        answer = find_answer(db, person_id)
        if answer is None or not answer.holds(self._consent_clock()):
            raise ConsentMissingError(
                "Consent to keeping is missing, was taken back or is over, so nothing was stored.",
                "The person can agree on the page Consents (or POST /v1/consents).",
            )

    def _may_keep(self, db: Connection | Session, person_id: str) -> bool:
        """Whether what was computed of a person may be stored. Locks the person."""
        answer = find_answer(db, person_id)
        return answer is None or answer.holds((self._consent_clock or clock_ns)())
