"""Forgetting a person: both stores, proved by reading, with a line that says so and no more."""

from __future__ import annotations

from dataclasses import dataclass

from ebbtide.errors import EbbtideError
from store import Stores
from store.models import AuditLine


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """How much was there, and what is left (nothing, or the erasure has failed)."""

    beats: int
    ratings: int
    sessions: int


def erase_person(stores: Stores, email: str) -> ErasureResult:
    """Remove every beat, rating, session and sign-in of the person. Raises EbbtideError when there
    is no such person, or when something can still be read afterwards.
    """
    person = stores.records.person_by_email(email)
    if person is None:
        raise EbbtideError(f"There is no account of {email}.", "Check the address.")
    always = (0, 2**62)
    ratings = len(stores.records.ratings(person.id, *always))
    sessions = len(stores.records.sessions(person.id))
    # Said before it is done: should this machine stop in between, the line shows where to go on.
    stores.records.add_audit(AuditLine(stores.now(), "erasure begun", person.subject_id))
    # Beats first: while the account is there, the same command can be given again.
    beats = stores.beats.erase(person.subject_id)
    stores.records.erase(person.id)
    left = [
        what
        for what, there in (
            ("streams", stores.beats.coverage(person.subject_id)),
            ("beats", len(stores.beats.read(person.subject_id, *always))),
            ("gaps", stores.beats.gaps(person.subject_id, *always)),
            ("movement", stores.beats.activity(person.subject_id, *always)),
            ("ratings", stores.records.ratings(person.id, *always)),
            ("sessions", stores.records.sessions(person.id)),
            ("consents", stores.records.consents(person.id)),
            ("the account", stores.records.person(person.id)),
        )
        if there
    ]
    if left:
        raise EbbtideError(
            f"After erasing, {', '.join(left)} can still be read.", "Give the command again."
        )
    stores.records.add_audit(AuditLine(stores.now(), "erased", person.subject_id))
    return ErasureResult(beats, ratings, sessions)
