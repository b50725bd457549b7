"""The protocol of a store of people, ratings and therapy sessions, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ebbtide.errors import EbbtideError


class EmailTakenError(EbbtideError):
    """Somebody has this address already."""


class RatingConflictError(EbbtideError):
    """The rating's id is in use, or the version to correct is not the newest."""


class SessionConflictError(EbbtideError):
    """The session was changed by somebody else meanwhile."""


class Role(StrEnum):
    """What a person is here for, and so may do."""

    PATIENT = "patient"
    THERAPIST = "therapist"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"


class Purpose(StrEnum):
    """What a person can agree to."""

    KEEPING = "keeping"
    CARE = "care"
    RESEARCH = "research"


@dataclass(frozen=True, slots=True)
class Consent:
    """One answer: agreed to or not, when, and until when. ``wording`` names the text shown."""

    person_id: str
    purpose: Purpose
    given: bool
    wording: str
    at_ns: int
    until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with an account. Beats are kept under ``subject_id``, never under ``id``.

    ``simulated`` people are samples: everything of theirs is marked so to the last screen.
    """

    id: str
    subject_id: str
    email: str
    name: str
    zone: str
    role: Role
    simulated: bool
    password_hash: str
    created_ns: int


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating: numerical rating scales (NRS) from 0 to 10, in whole numbers.

    ``about_ns``: the moment it is about; ``entered_ns``: when it was entered; ``zone``: the
    person's zone then. ``pleasant``: how strong a pleasant sensation was, where noticed. A
    correction has the same ``id`` and the next ``version``; nothing is overwritten. So has its
    being ``withdrawn``, which a later version may undo. ``note``: what was going on, and
    ``pleasant_note``: what was pleasant, in the person's words.
    """

    id: str
    version: int
    person_id: str
    about_ns: int
    entered_ns: int
    zone: str
    pain: int
    stress: int
    pleasant: int | None
    simulated: bool
    withdrawn: bool = False
    note: str | None = None
    pleasant_note: str | None = None


@dataclass(frozen=True, slots=True)
class TherapySession:
    """A meeting with the therapist, the ``number``-th of the programme; ``version`` grows by one
    with each change.
    """

    id: str
    person_id: str
    number: int
    held_ns: int
    version: int = 1
    changed_ns: int = 0


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report that was worked out and can be made again: of which ``kind``, the name of the
    ``content`` it was made from, and its JSON.
    """

    person_id: str
    kind: str
    content: str
    body: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    """What was done when, to whom (a random id)."""

    at_ns: int
    action: str
    subject: str


class RecordStore(Protocol):
    """Keeps people and what they enter. Safe with several threads and processes."""

    def add_person(self, person: Person) -> None:
        """Raises EmailTakenError."""
        ...

    def person(self, person_id: str) -> Person | None:
        """The person with this id."""
        ...

    def person_by_email(self, email: str) -> Person | None:
        """The person with this address, in any case."""
        ...

    def add_rating(self, rating: Rating) -> Rating:
        """Keep a rating or its next version, and return it as kept.

        The same version of the same content twice is once. Raises RatingConflictError when the
        id is another's, or another content has this version, or a version is skipped.
        """
        ...

    def rating(self, person_id: str, rating_id: str) -> Rating | None:
        """The newest version of a rating of this person."""
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
        """Newest versions about times in [start_ns, end_ns), by time then id.

        ``limit`` bounds how many; ``after`` is the (about_ns, id) of the last one seen;
        ``since_ns``: only what was entered, corrected or withdrawn from then on, and what was
        withdrawn is there too.
        """
        ...

    def rating_history(self, person_id: str, rating_id: str) -> list[Rating]:
        """Every version of a rating of this person, oldest first."""
        ...

    def ratings_fingerprint(self, person_id: str) -> tuple[int, int]:
        """How many versions of ratings there are, and when the last was entered: it changes with
        every change.
        """
        ...

    def add_session(self, session: TherapySession, replaces: int | None = None) -> TherapySession:
        """Keep a therapy session, and return it with its version; the same number of the same
        person replaces it. ``replaces``: the version that was seen, 0 for none; raises
        SessionConflictError where there is another.
        """
        ...

    def sessions(self, person_id: str) -> list[TherapySession]:
        """Therapy sessions of this person, by time."""
        ...

    def add_consent(self, consent: Consent) -> None:
        """Keep an answer; those before it stay."""
        ...

    def consents(self, person_id: str) -> list[Consent]:
        """Every answer of this person, oldest first."""
        ...

    def put_report(self, report: StoredReport) -> None:
        """Keep a report in the place of the one of its kind; nothing of a person who is gone."""
        ...

    def report(self, person_id: str, kind: str) -> StoredReport | None:
        """The kept report of this kind."""
        ...

    def add_audit(self, line: AuditLine) -> None:
        """Keep what was done."""
        ...

    def audit(self) -> list[AuditLine]:
        """All that was done, oldest first."""
        ...

    def people(self) -> list[Person]:
        """Everybody with an account, oldest first."""
        ...

    def erase(self, person_id: str) -> None:
        """Remove every trace of the person."""
        ...

    def check(self) -> None:
        """Raise if the store cannot be used now."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
