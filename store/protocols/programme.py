"""The protocol of what a patient does in the programme: notes, practices, readings, the plan."""

from __future__ import annotations

from typing import Protocol

from store.models.programme import Note, Practice, Programme, SessionNotes


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
