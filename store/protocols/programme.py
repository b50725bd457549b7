"""The protocol of what a patient does in the programme: notes, practices, readings, the plan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ebbtide.errors import EbbtideError


class NotesConflictError(EbbtideError):
    """The session's notes were changed by somebody else meanwhile."""


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
    """Where a person is. ``cleared_ns``: when they said that a clinician has ruled out a physical
    cause; ``started_ns``: when they began; ``ratings_a_day``: how often they wish to be asked.
    """

    person_id: str
    cleared_ns: int | None = None
    started_ns: int | None = None
    ratings_a_day: int = 2


@dataclass(frozen=True, slots=True)
class SessionNotes:
    """What a therapist keeps of a session, and the homework that the patient sees."""

    person_id: str
    number: int
    notes: str
    homework: str
    author_id: str
    version: int
    changed_ns: int


class ProgrammeStore(Protocol):
    """Keeps what belongs to the programme. Safe with several threads and processes."""

    def programme(self, person_id: str) -> Programme:
        """Where a person is; a new one where nothing is kept."""
        ...

    def put_programme(self, programme: Programme) -> None:
        """Keep where a person is."""
        ...

    def put_note(self, note: Note) -> Note:
        """Keep a note, or change it; the kept one. Nothing happens to somebody else's."""
        ...

    def delete_note(self, person_id: str, note_id: str) -> bool:
        """Remove a note; whether there was one."""
        ...

    def notes(self, person_id: str) -> list[Note]:
        """All notes of a person, by time."""
        ...

    def put_practice(self, practice: Practice) -> bool:
        """Keep a practice, or what was said after it; False where the id is somebody else's."""
        ...

    def practices(self, person_id: str) -> list[Practice]:
        """All practices of a person, by time."""
        ...

    def mark_read(self, person_id: str, reading: str, at_ns: int) -> None:
        """A reading was read; the first time counts."""
        ...

    def readings(self, person_id: str) -> dict[str, int]:
        """What was read, and when."""
        ...

    def put_session_notes(self, notes: SessionNotes, replaces: int) -> SessionNotes:
        """Keep notes in the place of version ``replaces`` (0: of none).

        Raises NotesConflictError.
        """
        ...

    def session_notes(self, person_id: str) -> list[SessionNotes]:
        """Notes of a person's sessions, by number."""
        ...
