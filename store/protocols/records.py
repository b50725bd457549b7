"""The protocol of a store of people, ratings and therapy sessions, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from store.models.imports import HeartRateColumns, ImportedHeartRate, ImportedRating, ImportResult
from store.models.records import (
    AuditLine,
    Consent,
    Person,
    Rating,
    StoredReport,
    TherapySession,
)
from store.protocols.withdrawals import WithdrawalStore


class RecordStore(WithdrawalStore, Protocol):
    """Stores people and what they enter. Safe with several threads and processes."""

    def requiring_consent(self, now: Callable[[], int]) -> RecordStore:
        """Return this store, which then raises ConsentMissingError, in the transaction of each
        write, for what is of a person who does not agree to keeping.
        """
        ...

    def add_person(self, person: Person) -> None:
        """Add an account. Raises EmailTakenError."""
        ...

    def add_first_person(self, person: Person) -> bool:
        """Add an account while there is none; whether there was none. Of two that are added at
        once, one is.
        """
        ...

    def person(self, person_id: str) -> Person | None:
        """Find the person with this id."""
        ...

    def person_by_email(self, email: str) -> Person | None:
        """Find the person with this address, in any case."""
        ...

    def add_rating(self, rating: Rating) -> Rating:
        """Store a rating or its next version, and return it as stored.

        Idempotent for the same version of the same content. Raises RatingConflictError when the
        id is another's, or another content has this version, or a version is skipped.
        """
        ...

    def add_answer(self, rating: Rating) -> Rating | None:
        """Store a new rating that answers its prompt; None, and nothing stored, where the prompt
        was answered or let go, or the rating is about a moment outside of its window.
        """
        ...

    def rating(self, person_id: str, rating_id: str) -> Rating | None:
        """Find the newest version of a rating of this person."""
        ...

    def ratings(
        self,
        person_id: str,
        start_ns: int,
        end_ns: int,
        limit: int | None = None,
        after: tuple[int, str] | None = None,
        since_ns: int | None = None,
    ) -> list[Rating]:
        """List the newest versions about times in [start_ns, end_ns), by time then id.

        ``limit`` bounds how many; ``after`` is the (about_ns, id) of the last one seen;
        ``since_ns``: only what was entered, corrected or withdrawn from then on, and what was
        withdrawn is there too.
        """
        ...

    def rating_history(self, person_id: str, rating_id: str) -> list[Rating]:
        """List every version of a rating of this person, oldest first."""
        ...

    def ratings_fingerprint(self, person_id: str) -> tuple[int, int]:
        """Return how many versions of ratings there are, and when the last was entered: it changes
        with every change.
        """
        ...

    def ratings_in_order(
        self,
        person_id: str,
        start_ns: int,
        end_ns: int,
        limit: int,
        after: tuple[int, str] | None = None,
    ) -> list[tuple[tuple[int, str], Rating]]:
        """List the newest versions about times in [start_ns, end_ns), withdrawn ones too, each
        with its key: the moment that its first version is about, and its id. Keys never change, so
        that a list read from key to key loses and repeats nothing while ratings are entered,
        corrected and withdrawn.
        """
        ...

    def import_records(
        self,
        person_id: str,
        ratings: Sequence[ImportedRating],
        heart_rates: Sequence[ImportedHeartRate],
        *,
        is_atomic: bool = False,
    ) -> ImportResult:
        """Store what comes from another system, in one transaction. Idempotent: any order, overlap
        or division of the same records leads to the same rows. With ``is_atomic``, nothing is
        stored when one of them cannot be.
        """
        ...

    def heart_rates(
        self,
        person_id: str,
        start_ns: int,
        end_ns: int,
        limit: int | None = None,
        after: tuple[int, str] | None = None,
    ) -> list[ImportedHeartRate]:
        """List the heart rates of other systems in [start_ns, end_ns), by time then id, which
        never change; ``after`` is the (time_ns, id) of the last one seen.
        """
        ...

    def heart_rate_columns(self, person_id: str, start_ns: int, end_ns: int) -> HeartRateColumns:
        """Read the heart rates of other systems in [start_ns, end_ns) that a device measured, by
        time then id; what a person counted by hand is left out.
        """
        ...

    def heart_rate_days(
        self, person_id: str, start_ns: int, end_ns: int
    ) -> dict[int, tuple[int, int]]:
        """Of each UTC day that the range touches and that has heart rates of other systems: how
        many there are on the whole day, and when the last of them came here.
        """
        ...

    def heart_rate(self, person_id: str, heart_rate_id: str) -> ImportedHeartRate | None:
        """Find the heart rate of another system with this id."""
        ...

    def add_session(self, session: TherapySession, replaces: int | None = None) -> TherapySession:
        """Store a therapy session, and return it with its version; the same number of the same
        person replaces it. ``replaces``: the version that was seen, 0 for none; raises
        SessionConflictError where there is another.
        """
        ...

    def sessions(self, person_id: str) -> list[TherapySession]:
        """List the therapy sessions of this person, by time."""
        ...

    def add_consent(self, consent: Consent, due_ns: int | None = None) -> None:
        """Store an answer; those before it stay. Where keeping is taken back, the data are due to
        be erased at ``due_ns``; agreeing again before that ends this.
        """
        ...

    def consents(self, person_id: str) -> list[Consent]:
        """List every answer of this person, oldest first."""
        ...

    def put_report(self, report: StoredReport) -> None:
        """Replace the report of this kind; store nothing of a person who was erased, or who took
        consent to keeping back.
        """
        ...

    def report(self, person_id: str, kind: str) -> StoredReport | None:
        """Return the stored report of this kind."""
        ...

    def delete_reports(self, person_id: str) -> None:
        """Delete the stored reports of a person, as what they were computed from is gone."""
        ...

    def add_audit(self, line: AuditLine) -> None:
        """Store what was done."""
        ...

    def audit(self) -> list[AuditLine]:
        """List all that was done, oldest first."""
        ...

    def audit_after(self, line_id: int) -> list[tuple[int, AuditLine]]:
        """List what was done with a number above ``line_id``, with its number, oldest first."""
        ...

    def last_audit(self) -> int:
        """Return the number of the newest line; 0 where there is none."""
        ...

    def has_people(self) -> bool:
        """Whether anybody has an account."""
        ...

    def people(self) -> list[Person]:
        """List all people with an account, oldest first."""
        ...

    def erase(self, person_id: str) -> None:
        """Delete all data of the person."""
        ...

    def erase_data(self, person_id: str, subject_id: str) -> None:
        """Delete what was kept of the person, and give the account ``subject_id``, a new one. The
        account stays, with its sign-ins, consents, care and access log.
        """
        ...

    def purge(self) -> list[str]:
        """Overwrite what deleted rows left in files and logs; see BeatStore."""
        ...

    def release_memory(self) -> None:
        """Release what this process has cached."""
        ...

    def check(self) -> None:
        """Raise if the store cannot be used now."""
        ...

    def close(self) -> None:
        """Close files and connections."""
        ...
