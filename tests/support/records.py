"""People and ratings to fill stores of records with."""

from __future__ import annotations

from dataclasses import replace

from ebbtide.beats import new_id
from ebbtide.timestamps import SECOND
from store import RecordStore
from store.models import (
    Person,
    Rating,
    Role,
)

NOW = 1_790_000_000 * SECOND


def new_person(email: str) -> Person:
    return Person(
        new_id(), new_id(), email, "Ada", "Europe/Berlin", Role.PATIENT, False, "hash", NOW
    )


def a_person(store: RecordStore, email: str = "Ada@Example.org") -> Person:
    person = new_person(email)
    store.add_person(person)
    return person


def a_rating(person: Person, second: int = 0, **changes: object) -> Rating:
    about = NOW + second * SECOND
    rating = Rating(new_id(), 1, person.id, about, about + 5, "Europe/Berlin", 4, 6, None, False)
    return replace(rating, **changes)  # type: ignore[arg-type]
