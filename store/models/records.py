"""People, ratings, therapy sessions, consents, reports and the audit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    """One answer: agreed to or not, when, and until when. ``wording`` names the text that was
    displayed.
    """

    person_id: str
    purpose: Purpose
    given: bool
    wording: str
    at_ns: int
    until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with an account. Beats are stored under ``subject_id``, never under ``id``.

    ``simulated`` people are samples: everything of theirs is marked so to the last screen.
    ``password_hash`` is empty where the account has no password: nobody signs in with one then.
    ``language``: what is sent to them is written in; a BCP 47 tag, empty where it is not known.
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
    language: str = ""

    @property
    def local_only(self) -> bool:
        """Whether the account has no password, so that only links of the machine sign in."""
        return not self.password_hash


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating: numerical rating scales (NRS) from 0 to 10, in whole numbers.

    One of ``pain`` and ``stress`` may be None, where only the other was asked for.
    ``about_ns``: the moment it is about; ``entered_ns``: when it was entered; ``zone``: the
    person's zone then. ``pleasant``: how strong a pleasant sensation was, where noticed. A
    correction has the same ``id`` and the next ``version``; nothing is overwritten. So has its
    being ``withdrawn``, which a later version may undo. ``note``: what was going on, and
    ``pleasant_note``: what was pleasant, in the person's words.

    ``imported``: it comes from another system, with its ``status`` there (final, amended or
    corrected), when it was ``issued_ns`` there, and its ``identifiers`` there (see
    store.models.imports). ``prompt_id``: the prompt that it answers, in time; None where it was
    volunteered.
    """

    id: str
    version: int
    person_id: str
    about_ns: int
    entered_ns: int
    zone: str
    pain: int | None
    stress: int | None
    pleasant: int | None
    simulated: bool
    withdrawn: bool = False
    note: str | None = None
    pleasant_note: str | None = None
    imported: bool = False
    status: str | None = None
    issued_ns: int | None = None
    identifiers: str | None = None
    prompt_id: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether both pain and stress were rated."""
        return self.pain is not None and self.stress is not None


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
    """A report that was computed and can be computed again: its ``kind``, the ``fingerprint`` of
    the content it was computed from, and its JSON.
    """

    person_id: str
    kind: str
    fingerprint: str
    body: str


# Actions of audit lines about an account that is erased, and about a withdrawal, after which the
# account stays.
ERASURE_BEGUN, ERASED = "erasure begun", "erased"
WITHDRAWAL_BEGUN, WITHDRAWAL_DONE = "withdrawal begun", "withdrawal carried out"
WITHDRAWAL_EMPTY = "withdrawal carried out, nothing was stored"


@dataclass(frozen=True, slots=True)
class AuditLine:
    """What was done when, to whom (a random id)."""

    at_ns: int
    action: str
    subject: str
