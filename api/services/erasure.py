"""Erase a person from all stores and verify it by reading; find those whose data expired."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import DAY, FOREVER
from store import Stores
from store.models import AuditLine, Person, Purpose


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """How much was erased."""

    beats: int
    ratings: int
    sessions: int


def erase_person(stores: Stores, email: str, snapshots: Path | None = None) -> ErasureResult:
    """Remove every beat, rating, session and token of the person. Raises EbbtideError when there
    is no such person, or when something can still be read afterwards. ``snapshots``: the folder of
    exports that are being read; all go, since an analyst's hold several people.
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
    if snapshots is not None:
        for path in snapshots.glob("*.*"):
            path.unlink(missing_ok=True)
    remaining = [
        what
        for what, rows in (
            ("streams", stores.beats.coverage(person.subject_id)),
            ("beats", len(stores.beats.read(person.subject_id, *FOREVER))),
            ("gaps", stores.beats.gaps(person.subject_id, *FOREVER)),
            ("movement", stores.beats.activity(person.subject_id, *FOREVER)),
            ("ratings", stores.records.ratings(person.id, *FOREVER)),
            ("heart rates", stores.records.heart_rates(person.id, *FOREVER)),
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
        # Others who took it back: the service erases their data (api.services.withdrawal).
        is_withdrawn = bool(answers) and not answers[-1].given
        if is_withdrawn and stores.records.withdrawal(person.id) is None:
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
