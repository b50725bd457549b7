"""What a patient does in the programme, in an SQL database."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine, delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from store.errors import NotesConflictError, ResponseConflictError
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
from store.sql.engine import dialect_insert, write_transaction
from store.sql.keeping import KeepingGuard, lock_person
from store.sql.rows import from_row, to_row, to_values
from store.sql.tables.programme import (
    BaselineStartRow,
    IndexMethodRow,
    MessageRow,
    NoteRow,
    PracticeRow,
    ProgrammeRow,
    QuestionnaireResponseRow,
    ReadingRow,
    SessionNotesRow,
)


class SqlProgrammeStore(KeepingGuard):
    """A ProgrammeStore on the engine of the records store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    def programme(self, person_id: str) -> Programme:
        """Return the progress of a person; a new one where nothing is stored."""
        with self._sessions() as db:
            row = db.get(ProgrammeRow, person_id)
            return Programme(person_id) if row is None else from_row(Programme, row)

    def put_programme(self, programme: Programme) -> None:
        """Store the progress of a person."""
        values = to_values(programme)
        with write_transaction(self._engine) as db:
            self._require_consent(db, programme.person_id)
            db.execute(
                dialect_insert(db, ProgrammeRow)
                .values(**values)
                .on_conflict_do_update(index_elements=["person_id"], set_=values)
            )

    def put_note(self, note: Note) -> Note:
        """Store a note, or change it; see ProgrammeStore."""
        with write_transaction(self._engine) as connection, Session(connection) as db:
            self._require_consent(db, note.person_id)
            row = db.get(NoteRow, note.id)
            if row is not None and row.person_id != note.person_id:
                return from_row(Note, row)
            row = db.merge(to_row(NoteRow, note))
            db.flush()
            return from_row(Note, row)

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
        """List all notes of a person, by time."""
        query = select(NoteRow).where(NoteRow.person_id == person_id)
        with self._sessions() as db:
            return [
                from_row(Note, row)
                for row in db.scalars(query.order_by(NoteRow.about_ns, NoteRow.id))
            ]

    def put_practice(self, practice: Practice) -> bool:
        """Store a practice, or its ratings afterwards; see ProgrammeStore."""
        with write_transaction(self._engine) as connection, Session(connection) as db:
            self._require_consent(db, practice.person_id)
            row = db.get(PracticeRow, practice.id)
            if row is not None and row.person_id != practice.person_id:
                return False
            db.merge(to_row(PracticeRow, practice))
            db.flush()
            return True

    def practices(self, person_id: str) -> list[Practice]:
        """List all practices of a person, by time."""
        query = select(PracticeRow).where(PracticeRow.person_id == person_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(PracticeRow.start_ns, PracticeRow.id))
            return [from_row(Practice, row) for row in rows]

    def put_baseline_start(self, start: BaselineStart) -> None:
        """Store that a baseline begins anew; see ProgrammeStore."""
        with write_transaction(self._engine) as connection, Session(connection) as db:
            self._require_consent(db, start.person_id)
            db.merge(to_row(BaselineStartRow, start))
            db.flush()

    def delete_baseline_start(self, person_id: str, day: int) -> bool:
        """Remove such a day; whether there was one."""
        with write_transaction(self._engine) as db:
            found = db.execute(
                delete(BaselineStartRow).where(
                    BaselineStartRow.person_id == person_id, BaselineStartRow.day == day
                )
            )
            return bool(found.rowcount)

    def baseline_starts(self, person_id: str) -> list[BaselineStart]:
        """List the days on which a person's baseline begins anew, by day."""
        query = select(BaselineStartRow).where(BaselineStartRow.person_id == person_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(BaselineStartRow.day))
            return [from_row(BaselineStart, row) for row in rows]

    def note_index_method(self, person_id: str, version: int, at_ns: int) -> None:
        """Store which version values are made with; see ProgrammeStore."""
        with write_transaction(self._engine) as db:
            has_older = db.scalar(select(exists().where(IndexMethodRow.person_id == person_id)))
            db.execute(
                dialect_insert(db, IndexMethodRow)
                .values(
                    person_id=person_id,
                    version=version,
                    since_ns=at_ns,
                    seen_ns=None if has_older else at_ns,
                )
                .on_conflict_do_nothing()
            )

    def see_index_method(self, person_id: str, version: int, at_ns: int) -> None:
        """Store that the person was told of this version; the first time counts."""
        with write_transaction(self._engine) as db:
            db.execute(
                update(IndexMethodRow)
                .where(
                    IndexMethodRow.person_id == person_id,
                    IndexMethodRow.version == version,
                    IndexMethodRow.seen_ns.is_(None),
                )
                .values(seen_ns=at_ns)
            )

    def index_methods(self, person_id: str) -> list[IndexMethod]:
        """List the versions of the stress index that a person has had, by version."""
        query = select(IndexMethodRow).where(IndexMethodRow.person_id == person_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(IndexMethodRow.version))
            return [from_row(IndexMethod, row) for row in rows]

    def mark_read(self, person_id: str, reading: str, at_ns: int) -> None:
        """Store that a reading was read; the first time counts."""
        with write_transaction(self._engine) as db:
            self._require_consent(db, person_id)
            db.execute(
                dialect_insert(db, ReadingRow)
                .values(person_id=person_id, reading=reading, read_ns=at_ns)
                .on_conflict_do_nothing()
            )

    def readings(self, person_id: str) -> dict[str, int]:
        """Return when each reading was read."""
        query = select(ReadingRow.reading, ReadingRow.read_ns)
        with self._sessions() as db:
            rows = db.execute(query.where(ReadingRow.person_id == person_id)).all()
            return {row.reading: row.read_ns for row in rows}

    def put_session_notes(self, notes: SessionNotes, replaces: int) -> SessionNotes:
        """Replace a version of notes; see ProgrammeStore."""
        try:
            with write_transaction(self._engine) as connection, Session(connection) as db:
                self._require_consent(db, notes.person_id)
                row = db.get(SessionNotesRow, (notes.person_id, notes.number), with_for_update=True)
                there = 0 if row is None else row.version
                if there != replaces:
                    raise _conflict(notes, there)
                stored = replace(notes, version=there + 1)
                db.merge(to_row(SessionNotesRow, stored))
                db.flush()
                return stored
        except IntegrityError as error:  # another process was faster
            raise _conflict(notes, 1) from error

    def session_notes(self, person_id: str) -> list[SessionNotes]:
        """List the notes of a person's sessions, by number."""
        query = select(SessionNotesRow).where(SessionNotesRow.person_id == person_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(SessionNotesRow.number))
            return [from_row(SessionNotes, row) for row in rows]

    def add_message(self, message: Message, most: int) -> bool:
        """Store a message to a person; see ProgrammeStore."""
        of_them = select(func.count()).where(MessageRow.person_id == message.person_id)
        with write_transaction(self._engine) as connection, Session(connection) as db:
            lock_person(db, message.person_id)  # of two at once, each counts the other
            self._require_consent(db, message.person_id)
            if (db.scalar(of_them) or 0) >= most:
                return False
            db.add(to_row(MessageRow, message))
            db.flush()
            return True

    def messages(self, person_id: str) -> list[Message]:
        """List the messages to a person, newest first."""
        query = select(MessageRow).where(MessageRow.person_id == person_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(MessageRow.written_ns.desc(), MessageRow.id))
            return [from_row(Message, row) for row in rows]

    def see_message(self, person_id: str, message_id: str, at_ns: int) -> bool:
        """Store that the person has read a message; see ProgrammeStore."""
        of_them = (MessageRow.person_id == person_id, MessageRow.id == message_id)
        with write_transaction(self._engine) as db:
            db.execute(
                update(MessageRow)
                .where(*of_them, MessageRow.seen_ns.is_(None))
                .values(seen_ns=at_ns)
            )
            return bool(db.scalar(select(exists().where(*of_them))))

    def delete_message(self, person_id: str, message_id: str, author_id: str) -> bool:
        """Remove a message of this author to a person; whether there was one."""
        with write_transaction(self._engine) as db:
            found = db.execute(
                delete(MessageRow).where(
                    MessageRow.person_id == person_id,
                    MessageRow.id == message_id,
                    MessageRow.author_id == author_id,
                )
            )
            return bool(found.rowcount)

    def add_response(self, response: QuestionnaireResponse) -> QuestionnaireResponse:
        """Store answers or their next version; see ProgrammeStore."""
        try:
            with write_transaction(self._engine) as connection, Session(connection) as db:
                self._require_consent(db, response.person_id)
                newest = db.scalar(
                    select(QuestionnaireResponseRow).where(
                        QuestionnaireResponseRow.id == response.id,
                        QuestionnaireResponseRow.superseded.is_(False),
                    )
                )
                if newest is not None:
                    if newest.person_id != response.person_id:
                        raise _response_conflict(response)
                    stored = from_row(QuestionnaireResponse, newest)
                    if _same_response(stored, response):
                        return stored
                    # Where answers come from stays true of their corrections.
                    response = replace(
                        response,
                        simulated=response.simulated or newest.simulated,
                        imported=newest.imported,
                        planned_by=newest.planned_by,
                    )
                if response.version != (1 if newest is None else newest.version + 1):
                    raise _response_conflict(response)
                if newest is not None:
                    newest.superseded = True
                db.add(to_row(QuestionnaireResponseRow, response))
                db.flush()
                return response
        except IntegrityError as error:  # another process was faster
            history = self.response_history(response.person_id, response.id)
            if history and _same_response(history[-1], response):
                return history[-1]
            raise _response_conflict(response) from error

    def responses(self, person_id: str, since_ns: int | None = None) -> list[QuestionnaireResponse]:
        """List the newest versions of a person's answers; see ProgrammeStore."""
        row = QuestionnaireResponseRow
        query = select(row).where(row.person_id == person_id, row.superseded.is_(False))
        if since_ns is None:
            query = query.where(row.withdrawn.is_(False))
        else:
            query = query.where(row.entered_ns >= since_ns)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(row.about_ns, row.id))
            return [from_row(QuestionnaireResponse, found) for found in rows]

    def response_history(self, person_id: str, response_id: str) -> list[QuestionnaireResponse]:
        """List every version of answers of this person, oldest first."""
        row = QuestionnaireResponseRow
        query = select(row).where(row.person_id == person_id, row.id == response_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(row.version))
            return [from_row(QuestionnaireResponse, found) for found in rows]


def _same_response(stored: QuestionnaireResponse, sent: QuestionnaireResponse) -> bool:
    """Whether a repeated request has the stored content; a retry comes later than the first."""
    taken = replace(
        sent,
        entered_ns=stored.entered_ns,
        simulated=stored.simulated,
        imported=stored.imported,
        planned_by=stored.planned_by,
    )
    return taken == stored


def _response_conflict(response: QuestionnaireResponse) -> ResponseConflictError:
    return ResponseConflictError(
        f"Answers {response.id} version {response.version} do not follow what is kept.",
        "Read them again and correct their newest version, or use a new id.",
    )


def _conflict(notes: SessionNotes, there: int) -> NotesConflictError:
    return NotesConflictError(
        f"The notes of session {notes.number} have version {there} by now.",
        "Read them again, and send the version that you saw.",
    )
