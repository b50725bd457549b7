"""What a patient does in the programme: notes, practices, progress, session notes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NoteKind(StrEnum):
    """What a note is about."""

    TRIGGER = "trigger"
    FEAR = "fear"
    STRESSOR = "stressor"
    HELPED = "helped"
    PLEASANT = "pleasant"


class PracticeKind(StrEnum):
    """What was practised."""

    TRACKING = "somatic tracking"
    BREATHING = "paced breathing"
    SAVOURING = "savouring"  # noticing something pleasant, and staying with it
    REST = "seated rest"  # sitting and breathing as one likes: a reading, not a practice


# Those that are guided, and so can be offered.
OFFERED_KINDS = (PracticeKind.BREATHING, PracticeKind.TRACKING, PracticeKind.SAVOURING)


class BaselineReason(StrEnum):
    """Why somebody's usual is not what it was."""

    ILLNESS = "illness"
    NEW_STRAP = "new strap"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class BaselineStart:
    """A declaration that the usual of the heart changed: the baseline of the stress index begins
    anew on local day ``day`` (an ordinal, ``datetime.date.toordinal``).
    """

    person_id: str
    day: int
    reason: BaselineReason
    entered_ns: int


@dataclass(frozen=True, slots=True)
class IndexMethod:
    """A version of the stress index's method that a person's values were made with.

    ``seen_ns``: when they were told that older values were worked out anew; None: not yet.
    """

    person_id: str
    version: int
    since_ns: int
    seen_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A few words about a moment. The same words (in any case) are the same thing noted again."""

    id: str
    person_id: str
    kind: NoteKind
    words: str
    about_ns: int
    entered_ns: int


@dataclass(frozen=True, slots=True)
class Practice:
    """A guided practice from ``start_ns`` to ``end_ns``, with ratings before and after where they
    were given. ``breaths_per_min``: the pace, of paced breathing.
    """

    id: str
    person_id: str
    kind: PracticeKind
    start_ns: int
    end_ns: int
    breaths_per_min: float | None = None
    pain_before: int | None = None
    stress_before: int | None = None
    pain_after: int | None = None
    stress_after: int | None = None


@dataclass(frozen=True, slots=True)
class Programme:
    """The progress of a person. ``cleared_ns``: when they said that a clinician has ruled out a
    physical cause; ``started_ns``: when they began; ``ratings_a_day``: how many reminders to rate
    they wish.
    """

    person_id: str
    cleared_ns: int | None = None
    started_ns: int | None = None
    ratings_a_day: int = 2


@dataclass(frozen=True, slots=True)
class Message:
    """A few words of a therapist to a patient. ``seen_ns``: when the patient said that they had
    read it; None: not yet.
    """

    id: str
    person_id: str
    author_id: str
    words: str
    written_ns: int
    seen_ns: int | None = None


@dataclass(frozen=True, slots=True)
class SessionNotes:
    """A therapist's notes of a session, and the homework that the patient sees."""

    person_id: str
    number: int
    notes: str
    homework: str
    author_id: str
    version: int
    changed_ns: int
