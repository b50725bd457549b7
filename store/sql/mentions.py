"""Delete what is stored of others and mentions a person who is erased."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, or_, select, tuple_
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session

from store.mentions import has_mention, search_forms
from store.sql.tables.access import IdempotentResponseRow, OneTimeTokenRow
from store.sql.tables.records import PersonRow


def delete_mentions(db: Session, person: PersonRow) -> None:
    """Delete what is stored of others and is about this person: responses that a therapist or an
    administrator could ask for again, and invitations of the same address.
    """
    words = (person.email, person.id, person.subject_id)
    tables: tuple[tuple[type[DeclarativeBase], InstrumentedAttribute[Any], list[Any]], ...] = (
        (OneTimeTokenRow, OneTimeTokenRow.body, [OneTimeTokenRow.token_hash]),
        (
            IdempotentResponseRow,
            IdempotentResponseRow.body,
            [IdempotentResponseRow.person_id, IdempotentResponseRow.key],
        ),
    )
    for row, body_of, keys in tables:
        found = func.lower(body_of)
        is_candidate = or_(
            *(
                found.contains(form, autoescape=True)
                for word in words
                for form in search_forms(word)
            )
        )
        for *key, body in db.execute(select(*keys, body_of).where(is_candidate)).all():
            if has_mention(body, *words):
                db.execute(delete(row).where(tuple_(*keys) == tuple_(*key)))
    db.execute(delete(IdempotentResponseRow).where(IdempotentResponseRow.about_id == person.id))
