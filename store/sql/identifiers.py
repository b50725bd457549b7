"""The identifiers of senders, by which what comes again is recognised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.models.imports import ImportedHeartRate, ImportedRating, unpack_identifiers
from store.sql.engine import dialect_insert
from store.sql.tables.imports import ImportedIdentifierRow

_CHUNK = 500  # values of an IN: SQLite takes 32 766, PostgreSQL 65 535
_Item = TypeVar("_Item")


def find_identified(
    db: Session, person_id: str, items: Iterable[ImportedRating | ImportedHeartRate]
) -> dict[str, str]:
    """Find the records that have an identifier of these already."""
    wanted = sorted({name for item in items for name in unpack_identifiers(item.identifiers)})
    found: dict[str, str] = {}
    for chunk in chunks(wanted):
        query = select(ImportedIdentifierRow.identifier, ImportedIdentifierRow.record_id).where(
            ImportedIdentifierRow.person_id == person_id,
            ImportedIdentifierRow.identifier.in_(chunk),
        )
        found.update((name, record) for name, record in db.execute(query))
    return found


def put_identifiers(db: Session, person_id: str, records: Iterable[tuple[str, str | None]]) -> None:
    """Store which record has each identifier, once all records are stored."""
    # Each once, with the record that was last: PostgreSQL changes no row twice in a statement.
    owner = {name: record for record, packed in records for name in unpack_identifiers(packed)}
    rows = [
        {"person_id": person_id, "identifier": name, "record_id": record_id}
        for name, record_id in owner.items()
    ]
    statement = dialect_insert(db.connection(), ImportedIdentifierRow)
    for chunk in chunks(rows):
        db.execute(
            statement.on_conflict_do_update(
                index_elements=["person_id", "identifier"],
                set_={"record_id": statement.excluded.record_id},
            ),
            chunk,
        )


def chunks(items: list[_Item]) -> Iterator[list[_Item]]:
    """Divide what goes into one statement."""
    for begin in range(0, len(items), _CHUNK):
        yield items[begin : begin + _CHUNK]
