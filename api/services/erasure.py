"""Forgetting a person: both stores, proved by reading, with a line that says so and no more."""

from __future__ import annotations

from dataclasses import dataclass

from ebbtide.errors import EbbtideError
from store.protocols.records import AuditLine
from store.stores import House


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was there, and what is left (nothing, or the erasure has failed)."""

    beats: int
    ratings: int
    sessions: int


def erase_person(house: House, email: str) -> Erased:
    """Remove every beat, rating, session and sign-in of the person. Raises EbbtideError when there
    is no such person, or when something can still be read afterwards.
    """
    person = house.records.person_by_email(email)
    if person is None:
        raise EbbtideError(f"There is no account of {email}.", "Check the address.")
    always = (0, 2**62)
    ratings = len(house.records.ratings(person.id, *always))
    sessions = len(house.records.sessions(person.id))
    # Said before it is done: should this machine stop in between, the line shows where to go on.
    house.records.add_audit(AuditLine(house.now(), "erasure begun", person.subject_id))
    # Beats first: while the account is there, the same command can be given again.
    beats = house.beats.erase(person.subject_id)
    house.records.erase(person.id)
    left = [
        what
        for what, there in (
            ("streams", house.beats.coverage(person.subject_id)),
            ("beats", len(house.beats.read(person.subject_id, *always))),
            ("gaps", house.beats.gaps(person.subject_id, *always)),
            ("movement", house.beats.activity(person.subject_id, *always)),
            ("ratings", house.records.ratings(person.id, *always)),
            ("sessions", house.records.sessions(person.id)),
            ("consents", house.records.consents(person.id)),
            ("the account", house.records.person(person.id)),
        )
        if there
    ]
    if left:
        raise EbbtideError(
            f"After erasing, {', '.join(left)} can still be read.", "Give the command again."
        )
    house.records.add_audit(AuditLine(house.now(), "erased", person.subject_id))
    return Erased(beats, ratings, sessions)
