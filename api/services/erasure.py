"""Erase a person from all stores, verify it by reading, and leave a line in the audit log."""

from __future__ import annotations

from dataclasses import dataclass

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import FOREVER
from store import Stores
from store.models import AuditLine


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """How much was erased."""

    beats: int
    ratings: int
    sessions: int


def erase_person(stores: Stores, email: str) -> ErasureResult:
    """Remove every beat, rating, session and token of the person. Raises EbbtideError when there
    is no such person, or when something can still be read afterwards.
    """
    person = stores.records.person_by_email(email)
    if person is None:
        raise EbbtideError(f"There is no account of {email}.", "Check the address.")
    ratings = len(stores.records.ratings(person.id, *FOREVER))
    sessions = len(stores.records.sessions(person.id))
    # Logged before it is done: should the process stop in between, the log shows what to repeat.
    stores.records.add_audit(AuditLine(stores.now(), "erasure begun", person.subject_id))
    # Beats first: while the account exists, the same command can be repeated.
    beats = stores.beats.erase(person.subject_id)
    stores.records.erase(person.id)
    remaining = [
        what
        for what, rows in (
            ("streams", stores.beats.coverage(person.subject_id)),
            ("beats", len(stores.beats.read(person.subject_id, *FOREVER))),
            ("gaps", stores.beats.gaps(person.subject_id, *FOREVER)),
            ("movement", stores.beats.activity(person.subject_id, *FOREVER)),
            ("ratings", stores.records.ratings(person.id, *FOREVER)),
            ("sessions", stores.records.sessions(person.id)),
            ("consents", stores.records.consents(person.id)),
            ("the account", stores.records.person(person.id)),
        )
        if rows
    ]
    if remaining:
        raise EbbtideError(
            f"After erasing, {', '.join(remaining)} can still be read.", "Give the command again."
        )
    stores.records.add_audit(AuditLine(stores.now(), "erased", person.subject_id))
    return ErasureResult(beats, ratings, sessions)
