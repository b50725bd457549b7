"""Whose data may not be kept any longer, and why."""

from __future__ import annotations

from dataclasses import dataclass

from ebbtide.timestamps import DAY, FOREVER
from store import Stores
from store.models import Person
from store.models.records import Purpose


@dataclass(frozen=True, slots=True)
class ExpiredPerson:
    """A person whose data may not be kept any longer; ``since_ns`` when that began."""

    person: Person
    reason: str
    since_ns: int


def expired_people(stores: Stores, keep_days: int | None) -> list[ExpiredPerson]:
    """Find everybody who withdrew consent to keeping, or whose consent has expired, or of whom
    nothing new came for ``keep_days``.
    """
    now = stores.now()
    expired = []
    for person in stores.records.people():
        answers = [a for a in stores.records.consents(person.id) if a.purpose is Purpose.KEEPING]
        if answers and not answers[-1].given:
            expired.append(
                ExpiredPerson(person, "consent to keeping was taken back", answers[-1].at_ns)
            )
            continue
        if answers and answers[-1].until_ns is not None and answers[-1].until_ns <= now:
            expired.append(
                ExpiredPerson(person, "the time they agreed to is over", answers[-1].until_ns)
            )
            continue
        if keep_days is not None:
            last = _last_activity_ns(stores, person)
            if last + keep_days * DAY <= now:
                reason = f"nothing new for {keep_days} days"
                expired.append(ExpiredPerson(person, reason, last + keep_days * DAY))
    return expired


def _last_activity_ns(stores: Stores, person: Person) -> int:
    return max(
        [
            person.created_ns,
            *(item.last_ns or 0 for item in stores.beats.coverage(person.subject_id)),
            *(rating.entered_ns for rating in stores.records.ratings(person.id, *FOREVER)),
            *(session.held_ns for session in stores.records.sessions(person.id)),
            *(answer.at_ns for answer in stores.records.consents(person.id)),
        ]
    )
