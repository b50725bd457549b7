"""The protocol of what a patient does in the programme: notes, practices, readings, the plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from store.models.programme import (
    BaselineStart,
    IndexMethod,
    Message,
    Note,
    Practice,
    Programme,
    SessionNotes,
)
from store.models.questionnaires import QuestionnaireResponse


class ProgrammeStore(Protocol):
    """Stores what belongs to the programme. Safe with several threads and processes."""

    def requiring_consent(self, now: Callable[[], int]) -> ProgrammeStore:
        """Return this store, as RecordStore.requiring_consent does."""
        ...

    def programme(self, person_id: str) -> Programme:
        """Return the progress of a person; a new one where nothing is stored."""
        ...

    def put_programme(self, programme: Programme) -> None:
        """Store the progress of a person."""
        ...

    def put_note(self, note: Note) -> Note:
        """Store a note, or change it, and return the stored one. One of another person stays as it
        is.
        """
        ...

    def delete_note(self, person_id: str, note_id: str) -> bool:
        """Remove a note; whether there was one."""
        ...

    def notes(self, person_id: str) -> list[Note]:
        """List all notes of a person, by time."""
        ...

    def put_practice(self, practice: Practice) -> bool:
        """Store a practice, or its ratings afterwards; False where the id is another person's."""
        ...

    def practices(self, person_id: str) -> list[Practice]:
        """List all practices of a person, by time."""
        ...

    def put_baseline_start(self, start: BaselineStart) -> None:
        """Store that a baseline begins anew on a day; again, it replaces the reason."""
        ...

    def delete_baseline_start(self, person_id: str, day: int) -> bool:
        """Remove such a day; whether there was one."""
        ...

    def baseline_starts(self, person_id: str) -> list[BaselineStart]:
        """List the days on which a person's baseline begins anew, by day."""
        ...

    def note_index_method(self, person_id: str, version: int, at_ns: int) -> None:
        """Store that values of the stress index are made with this version; the first time counts.

        The first version that a person has replaces none, and is noted as seen.
        """
        ...

    def see_index_method(self, person_id: str, version: int, at_ns: int) -> None:
        """Store that the person was told of this version; the first time counts."""
        ...

    def index_methods(self, person_id: str) -> list[IndexMethod]:
        """List the versions of the stress index that a person has had, by version."""
        ...

    def mark_read(self, person_id: str, reading: str, at_ns: int) -> None:
        """Store that a reading was read; the first time counts."""
        ...

    def readings(self, person_id: str) -> dict[str, int]:
        """Return when each reading was read."""
        ...

    def put_session_notes(self, notes: SessionNotes, replaces: int) -> SessionNotes:
        """Store notes in place of version ``replaces`` (0: of none).

        Raises NotesConflictError.
        """
        ...

    def session_notes(self, person_id: str) -> list[SessionNotes]:
        """List the notes of a person's sessions, by number."""
        ...

    def add_message(self, message: Message, most: int) -> bool:
        """Store a message to a person; False, and nothing stored, where ``most`` are there."""
        ...

    def messages(self, person_id: str) -> list[Message]:
        """List the messages to a person, newest first."""
        ...

    def see_message(self, person_id: str, message_id: str, at_ns: int) -> bool:
        """Store that the person has read a message, the first time; whether there is such a one."""
        ...

    def delete_message(self, person_id: str, message_id: str, author_id: str) -> bool:
        """Remove a message of this author to a person; whether there was one."""
        ...

    def add_response(self, response: QuestionnaireResponse) -> QuestionnaireResponse:
        """Store answers to a questionnaire or their next version, and return them as stored.

        Idempotent for the same version of the same content. Raises ResponseConflictError when the
        id is another's, or another content has this version, or a version is skipped.
        """
        ...

    def responses(self, person_id: str, since_ns: int | None = None) -> list[QuestionnaireResponse]:
        """List the newest versions of a person's answers, by time then id. ``since_ns``: only what
        was entered, corrected or withdrawn from then on, and what was withdrawn is there too.
        """
        ...

    def response_history(self, person_id: str, response_id: str) -> list[QuestionnaireResponse]:
        """List every version of answers of this person, oldest first."""
        ...
