"""What a patient does in the programme, in an SQL database."""

from __future__ import annotations

from dataclasses import asdict, replace

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from store.errors import NotesConflictError
from store.models.programme import Note, NoteKind, Practice, PracticeKind, Programme, SessionNotes
from store.sql.engine import dialect_insert, write_transaction
from store.sql.tables.programme import (
    NoteRow,
    PracticeRow,
    ProgrammeRow,
    ReadingRow,
    SessionNotesRow,
)


class SqlProgrammeStore:
    """A ProgrammeStore on the engine of the records store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    def programme(self, person_id: str) -> Programme:
        """Where a person is; a new one where nothing is kept."""
        with self._sessions() as db:
            row = db.get(ProgrammeRow, person_id)
            if row is None:
                return Programme(person_id)
            return Programme(person_id, row.cleared_ns, row.started_ns, row.ratings_a_day)

    def put_programme(self, programme: Programme) -> None:
        """Keep where a person is."""
        values = asdict(programme)
        with write_transaction(self._engine) as db:
            db.execute(
                dialect_insert(db, ProgrammeRow)
                .values(**values)
                .on_conflict_do_update(index_elements=["person_id"], set_=values)
            )

    def put_note(self, note: Note) -> Note:
        """Keep a note, or change it; see ProgrammeStore."""
        with write_transaction(self._engine) as connection, Session(connection) as db:
            row = db.get(NoteRow, note.id)
            if row is not None and row.person_id != note.person_id:
                return _note(row)
            row = db.merge(NoteRow(**{**asdict(note), "kind": str(note.kind)}))
            db.flush()
            return _note(row)

    def delete_note(self, person_id: str, note_id: str) -> bool:
        """Remove a note; whether there was one."""
        with self._sessions.begin() as db:
            gone = db.execute(
                delete(NoteRow)
                .where(NoteRow.person_id == person_id, NoteRow.id == note_id)
                .returning(NoteRow.id)
            )
            return gone.first() is not None

    def notes(self, person_id: str) -> list[Note]:
        """All notes of a person, by time."""
        query = select(NoteRow).where(NoteRow.person_id == person_id)
        with self._sessions() as db:
            return [_note(row) for row in db.scalars(query.order_by(NoteRow.about_ns, NoteRow.id))]

    def put_practice(self, practice: Practice) -> bool:
        """Keep a practice, or what was said after it; see ProgrammeStore."""
        with write_transaction(self._engine) as connection, Session(connection) as db:
            row = db.get(PracticeRow, practice.id)
            if row is not None and row.person_id != practice.person_id:
                return False
            db.merge(PracticeRow(**{**asdict(practice), "kind": str(practice.kind)}))
            db.flush()
            return True

    def practices(self, person_id: str) -> list[Practice]:
        """All practices of a person, by time."""
        query = select(PracticeRow).where(PracticeRow.person_id == person_id)
        with self._sessions() as db:
            return [
                Practice(
                    row.id,
                    row.person_id,
                    PracticeKind(row.kind),
                    row.start_ns,
                    row.end_ns,
                    row.breaths_per_min,
                    row.pain_before,
                    row.stress_before,
                    row.pain_after,
                    row.stress_after,
                )
                for row in db.scalars(query.order_by(PracticeRow.start_ns, PracticeRow.id))
            ]

    def mark_read(self, person_id: str, reading: str, at_ns: int) -> None:
        """A reading was read; the first time counts."""
        with write_transaction(self._engine) as db:
            db.execute(
                dialect_insert(db, ReadingRow)
                .values(person_id=person_id, reading=reading, read_ns=at_ns)
                .on_conflict_do_nothing()
            )

    def readings(self, person_id: str) -> dict[str, int]:
        """What was read, and when."""
        query = select(ReadingRow.reading, ReadingRow.read_ns)
        with self._sessions() as db:
            rows = db.execute(query.where(ReadingRow.person_id == person_id)).all()
            return {row.reading: row.read_ns for row in rows}

    def put_session_notes(self, notes: SessionNotes, replaces: int) -> SessionNotes:
        """Keep notes in the place of a version; see ProgrammeStore."""
        try:
            with write_transaction(self._engine) as connection, Session(connection) as db:
                row = db.get(SessionNotesRow, (notes.person_id, notes.number), with_for_update=True)
                there = 0 if row is None else row.version
                if there != replaces:
                    raise _conflict(notes, there)
                kept = replace(notes, version=there + 1)
                db.merge(SessionNotesRow(**asdict(kept)))
                db.flush()
                return kept
        except IntegrityError as error:  # another process was a moment faster
            raise _conflict(notes, 1) from error

    def session_notes(self, person_id: str) -> list[SessionNotes]:
        """Notes of a person's sessions, by number."""
        query = select(SessionNotesRow).where(SessionNotesRow.person_id == person_id)
        with self._sessions() as db:
            return [
                SessionNotes(
                    row.person_id,
                    row.number,
                    row.notes,
                    row.homework,
                    row.author_id,
                    row.version,
                    row.changed_ns,
                )
                for row in db.scalars(query.order_by(SessionNotesRow.number))
            ]


def _note(row: NoteRow) -> Note:
    return Note(row.id, row.person_id, NoteKind(row.kind), row.words, row.about_ns, row.entered_ns)


def _conflict(notes: SessionNotes, there: int) -> NotesConflictError:
    return NotesConflictError(
        f"The notes of session {notes.number} have version {there} by now.",
        "Read them again, and send the version that you saw.",
    )
