"""Require consent to keeping in the transaction that writes."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from store.errors import ConsentMissingError
from store.models.records import Purpose
from store.sql.tables.records import ConsentRow, PersonRow

_ENDLESS = 2**63 - 1
_Store = TypeVar("_Store", bound="KeepingGuard")


def find_agreed_until(db: Connection | Session, person_id: str) -> int | None:
    """Find until when the person agrees to keeping by their newest answer, in nanoseconds: 0 where
    they took it back, None without an answer.

    On PostgreSQL the person's row is locked, as where an answer or a withdrawal is stored, on
    SQLite the file: an answer is stored either before this, or after what is written now.
    """
    db.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update())
    answer = db.execute(
        select(ConsentRow.given, ConsentRow.until_ns)
        .where(ConsentRow.person_id == person_id, ConsentRow.purpose == str(Purpose.KEEPING))
        .order_by(ConsentRow.number.desc())
        .limit(1)
    ).first()
    if answer is None:
        return None
    if not answer.given:
        return 0
    return _ENDLESS if answer.until_ns is None else int(answer.until_ns)


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
        until_ns = find_agreed_until(db, person_id)
        if until_ns is None or until_ns <= self._consent_clock():
            raise ConsentMissingError(
                "Consent to keeping is missing, was taken back or is over, so nothing was stored.",
                "The person can agree on the page Consents (or POST /v1/consents).",
            )
