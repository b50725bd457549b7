"""People, ratings and sessions in an SQL database, through SQLAlchemy."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from store.errors import EmailTakenError, RatingConflictError, SessionConflictError
from store.models.access import TokenKind
from store.models.prompts import PromptState
from store.models.records import (
    AuditLine,
    Consent,
    Person,
    Rating,
    Role,
    StoredReport,
    TherapySession,
)
from store.sql.engine import write_transaction
from store.sql.jobs import delete_jobs
from store.sql.mentions import delete_mentions
from store.sql.purge import purge
from store.sql.rows import columns_of, from_row, from_values, to_row
from store.sql.tables.access import STORAGE_KEY_BYTES, ErasedTokenRow, StorageKeyRow
from store.sql.tables.prompts import PromptRow
from store.sql.tables.records import (
    AccessTokenRow,
    AuditRow,
    Base,
    ConsentRow,
    PersonRow,
    RatingRow,
    ReportRow,
    SessionRow,
)
from store.sql.withdrawals import SqlWithdrawals, delete_data

# Built once: it runs twice at every upload.
_CONSENTS = (
    select(*columns_of(ConsentRow, Consent))
    .where(ConsentRow.person_id == bindparam("person_id"))
    .order_by(ConsentRow.number)
)


class SqlRecordStore(SqlWithdrawals):
    """A RecordStore on an SQLAlchemy engine with its tables at the newest revision."""

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def check(self) -> None:
        """Raise SQLAlchemyError if the database does not answer."""
        with self._sessions() as db:
            db.execute(select(PersonRow.id).limit(1))

    def add_person(self, person: Person) -> None:
        """Add an account. Raises EmailTakenError."""
        try:
            with self._sessions.begin() as db:
                _add_person(db, person)
        except IntegrityError as error:
            raise EmailTakenError(
                f"{person.email} has an account already.", "Sign in, or use another address."
            ) from error

    def add_first_person(self, person: Person) -> bool:
        """Add an account while there is none; see RecordStore."""
        with write_transaction(self._engine) as connection, Session(connection) as db:
            if connection.dialect.name == "postgresql":
                # No row is there to lock; this waits for others' inserts, and they for it.
                db.execute(text("LOCK TABLE people IN SHARE ROW EXCLUSIVE MODE"))
            if db.scalar(select(PersonRow.id).limit(1)) is not None:
                return False
            _add_person(db, person)
            return True

    def person(self, person_id: str) -> Person | None:
        """Find the person with this id."""
        with self._sessions() as db:
            row = db.get(PersonRow, person_id)
            return None if row is None else from_row(Person, row)

    def person_by_email(self, email: str) -> Person | None:
        """Find the person with this address, in any case."""
        with self._sessions() as db:
            row = db.scalar(select(PersonRow).where(PersonRow.email == email.lower()))
            return None if row is None else from_row(Person, row)

    def add_rating(self, rating: Rating) -> Rating:
        """Store a rating or its next version; see RecordStore."""
        try:
            with write_transaction(self._engine) as connection, Session(connection) as db:
                self._require_consent(db, rating.person_id)
                added = self._add_rating(db, rating)
                db.flush()
                return added
        except IntegrityError as error:  # another process was faster
            stored = self.rating(rating.person_id, rating.id)
            if stored is not None and _same_content(stored, rating):
                return stored
            raise _rating_conflict(rating) from error

    def add_answer(self, rating: Rating) -> Rating | None:
        """Store a new rating that answers its prompt; see RecordStore."""
        with write_transaction(self._engine) as connection, Session(connection) as db:
            self._require_consent(db, rating.person_id)
            if not _answer_prompt(db, rating):
                return None
            db.add(to_row(RatingRow, rating))
            db.flush()
            return rating

    def _add_rating(self, db: Session, rating: Rating) -> Rating:
        newest = db.scalar(
            select(RatingRow).where(RatingRow.id == rating.id, RatingRow.superseded.is_(False))
        )
        if newest is not None:
            if newest.person_id != rating.person_id:
                raise _rating_conflict(rating)
            stored = from_row(Rating, newest)
            if _same_content(stored, rating):
                return stored
        expected = 1 if newest is None else newest.version + 1
        if rating.version != expected:
            raise _rating_conflict(rating)
        if newest is not None:
            newest.superseded = True
            rating = _with_provenance(rating, newest)
        elif rating.prompt_id is not None and not _answer_prompt(db, rating):
            rating = replace(rating, prompt_id=None)
        db.add(to_row(RatingRow, rating))
        return rating

    def rating(self, person_id: str, rating_id: str) -> Rating | None:
        """Find the newest version of a rating of this person."""
        with self._sessions() as db:
            row = db.scalar(
                select(RatingRow).where(
                    RatingRow.id == rating_id,
                    RatingRow.person_id == person_id,
                    RatingRow.superseded.is_(False),
                )
            )
            return None if row is None else from_row(Rating, row)

    def ratings(
        self,
        person_id: str,
        start_ns: int,
        end_ns: int,
        limit: int | None = None,
        after: tuple[int, str] | None = None,
        since_ns: int | None = None,
    ) -> list[Rating]:
        """List the newest versions in the range, by time then id; see RecordStore."""
        query = (
            select(
                *columns_of(RatingRow, Rating)
            )  # columns: rows of the ORM take five times as long
            .where(
                RatingRow.person_id == person_id,
                RatingRow.superseded.is_(False),
                RatingRow.about_ns >= start_ns,
                RatingRow.about_ns < end_ns,
            )
            .order_by(RatingRow.about_ns, RatingRow.id)
            .limit(limit)
        )
        if since_ns is None:
            query = query.where(RatingRow.withdrawn.is_(False))
        else:
            query = query.where(RatingRow.entered_ns >= since_ns)
        if after is not None:
            about, last_id = after
            query = query.where(
                or_(
                    RatingRow.about_ns > about,
                    and_(RatingRow.about_ns == about, RatingRow.id > last_id),
                )
            )
        with self._sessions() as db:
            return [Rating(*row) for row in db.execute(query)]

    def ratings_in_order(
        self,
        person_id: str,
        start_ns: int,
        end_ns: int,
        limit: int,
        after: tuple[int, str] | None = None,
    ) -> list[tuple[tuple[int, str], Rating]]:
        """List the newest versions by the moment of the first; see RecordStore."""
        first = aliased(RatingRow)
        query = (
            select(first.about_ns, *columns_of(RatingRow, Rating))
            .join(first, and_(first.id == RatingRow.id, first.version == 1))
            .where(
                RatingRow.person_id == person_id,
                RatingRow.superseded.is_(False),
                RatingRow.about_ns >= start_ns,
                RatingRow.about_ns < end_ns,
            )
            .order_by(first.about_ns, first.id)
            .limit(limit)
        )
        if after is not None:
            about, last_id = after
            query = query.where(
                or_(first.about_ns > about, and_(first.about_ns == about, first.id > last_id))
            )
        with self._sessions() as db:
            found = [(about, Rating(*row)) for about, *row in db.execute(query)]
        return [((about, rating.id), rating) for about, rating in found]

    def rating_history(self, person_id: str, rating_id: str) -> list[Rating]:
        """List every version of a rating of this person, oldest first."""
        query = (
            select(RatingRow)
            .where(RatingRow.id == rating_id, RatingRow.person_id == person_id)
            .order_by(RatingRow.version)
        )
        with self._sessions() as db:
            return [from_row(Rating, row) for row in db.scalars(query)]

    def ratings_fingerprint(self, person_id: str) -> tuple[int, int]:
        """Return how many versions of ratings there are, and when the last was entered."""
        with self._sessions() as db:
            count, last = db.execute(
                select(func.count(), func.max(RatingRow.entered_ns)).where(
                    RatingRow.person_id == person_id
                )
            ).one()
            return count, last or 0

    def add_session(self, session: TherapySession, replaces: int | None = None) -> TherapySession:
        """Store a therapy session; see RecordStore."""
        key = (session.person_id, session.number)
        try:
            with write_transaction(self._engine) as connection, Session(connection) as db:
                self._require_consent(db, session.person_id)
                row = db.get(SessionRow, key, with_for_update=True)
                there = 0 if row is None else row.version
                if replaces is not None and replaces != there:
                    raise _session_conflict(session, there)
                stored_id = session.id if row is None else row.id
                stored = replace(session, id=stored_id, version=there + 1)
                db.merge(to_row(SessionRow, stored))
                db.flush()
                return stored
        except IntegrityError as error:  # another process was faster
            raise _session_conflict(session, 1) from error

    def sessions(self, person_id: str) -> list[TherapySession]:
        """List the therapy sessions of this person, by time."""
        query = select(SessionRow).where(SessionRow.person_id == person_id)
        with self._sessions() as db:
            return [
                from_row(TherapySession, row)
                for row in db.scalars(query.order_by(SessionRow.held_ns, SessionRow.number))
            ]

    def add_consent(self, consent: Consent, due_ns: int | None = None) -> None:
        """Store an answer; see RecordStore."""
        with self._sessions.begin() as db:
            # The person's row is the lock, in SQLite the file: two answers at once get two numbers.
            if self._engine.dialect.name == "sqlite":
                db.execute(text("BEGIN IMMEDIATE"))
            db.scalar(
                select(PersonRow.id).where(PersonRow.id == consent.person_id).with_for_update()
            )
            number = db.scalar(
                select(func.coalesce(func.max(ConsentRow.number), 0) + 1).where(
                    ConsentRow.person_id == consent.person_id
                )
            )
            db.add(to_row(ConsentRow, consent, number=number))
            self._follow_answer(db, consent, due_ns)

    def consents(self, person_id: str) -> list[Consent]:
        """List every answer of this person, oldest first."""
        with self._reading.connect() as db:
            rows = db.execute(_CONSENTS, {"person_id": person_id}).all()
        return [from_values(Consent, row) for row in rows]

    def put_report(self, report: StoredReport) -> None:
        """Replace the report of this kind; see RecordStore."""
        # The person was erased, or another process was faster.
        with (
            suppress(IntegrityError),
            write_transaction(self._engine) as connection,
            Session(connection) as db,
        ):
            if self._may_keep(db, report.person_id):
                db.merge(to_row(ReportRow, report))
                db.flush()

    def report(self, person_id: str, kind: str) -> StoredReport | None:
        """Return the stored report of this kind."""
        with self._sessions() as db:
            row = db.get(ReportRow, (person_id, kind))
            return None if row is None else from_row(StoredReport, row)

    def delete_reports(self, person_id: str) -> None:
        """Delete the stored reports of a person."""
        with self._sessions.begin() as db:
            db.execute(delete(ReportRow).where(ReportRow.person_id == person_id))

    def add_audit(self, line: AuditLine) -> None:
        """Store what was done."""
        with self._sessions.begin() as db:
            db.add(to_row(AuditRow, line))

    def audit(self) -> list[AuditLine]:
        """List all that was done, oldest first."""
        with self._sessions() as db:
            rows = db.scalars(select(AuditRow).order_by(AuditRow.id))
            return [from_row(AuditLine, row) for row in rows]

    def audit_after(self, line_id: int) -> list[tuple[int, AuditLine]]:
        """List what was done with a number above ``line_id``; see RecordStore."""
        query = select(AuditRow).where(AuditRow.id > line_id).order_by(AuditRow.id)
        with self._sessions() as db:
            return [(row.id, from_row(AuditLine, row)) for row in db.scalars(query)]

    def last_audit(self) -> int:
        """Return the number of the newest line; see RecordStore."""
        with self._sessions() as db:
            return db.scalar(select(func.max(AuditRow.id))) or 0

    def has_people(self) -> bool:
        """Whether anybody has an account."""
        with self._sessions() as db:
            return db.scalar(select(PersonRow.id).limit(1)) is not None

    def people(self) -> list[Person]:
        """List all people with an account, oldest first."""
        with self._sessions() as db:
            rows = db.scalars(select(PersonRow).order_by(PersonRow.created_ns, PersonRow.id))
            return [from_row(Person, row) for row in rows]

    def erase(self, person_id: str) -> None:
        """Delete all data of the person."""
        with self._sessions.begin() as db:
            person = db.get(PersonRow, person_id)
            if person is not None:
                delete_mentions(db, person)
                delete_jobs(db, person.id)
            # Recorders that hold these tokens are told that the person was erased.
            db.execute(
                insert(ErasedTokenRow).from_select(
                    ["token_hash", "expires_ns"],
                    select(AccessTokenRow.token_hash, AccessTokenRow.expires_ns).where(
                        AccessTokenRow.person_id == person_id,
                        AccessTokenRow.kind != str(TokenKind.SESSION),
                    ),
                )
            )
            for mapper in Base.registry.mappers:  # every table of rows of a person
                if hasattr(mapper.class_, "person_id"):
                    db.execute(delete(mapper.class_).where(mapper.class_.person_id == person_id))
            db.execute(delete(PersonRow).where(PersonRow.id == person_id))
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    def erase_data(self, person_id: str, subject_id: str) -> None:
        """Delete what was kept of the person; see RecordStore."""
        with self._sessions.begin() as db:
            delete_data(db, person_id)
            db.execute(
                update(PersonRow).where(PersonRow.id == person_id).values(subject_id=subject_id)
            )

    def purge(self) -> list[str]:
        """Overwrite what deleted rows left in files and logs; see BeatStore."""
        return purge(self._engine)

    def release_memory(self) -> None:
        """Close the connections that are idle, and with them what they cached."""
        self._engine.dispose()


def _add_person(db: Session, person: Person) -> None:
    """Add an account; a patient's with the key of their phones, so that every backup that has the
    person has the key, too.
    """
    db.add(to_row(PersonRow, replace(person, email=person.email.lower())))
    db.flush()
    if person.role is Role.PATIENT:
        secret = secrets.token_hex(STORAGE_KEY_BYTES)
        row = StorageKeyRow(person_id=person.id, secret=secret, created_ns=person.created_ns)
        db.add(row)
        db.flush()


def _session_conflict(session: TherapySession, there: int) -> SessionConflictError:
    return SessionConflictError(
        f"Session {session.number} has version {there} by now.",
        "Read it again, and send the version that you saw.",
    )


def _same_content(stored: Rating, sent: Rating) -> bool:
    """Whether a repeated request has the stored content. The time of entry may differ: a retry
    comes later than the request that got lost.
    """

    def content(rating: Rating) -> tuple[object, ...]:
        return (
            rating.version,
            rating.person_id,
            rating.about_ns,
            rating.zone,
            rating.pain,
            rating.stress,
            rating.pleasant,
            rating.withdrawn,
            rating.note,
            rating.pleasant_note,
        )

    return content(stored) == content(sent)


def _answer_prompt(db: Session, rating: Rating) -> bool:
    """Note that a rating answers its prompt; False where the prompt is another's, was answered or
    let go, or the rating is about a moment outside of its window: then it was volunteered.
    """
    answered = db.execute(
        update(PromptRow)
        .where(
            PromptRow.id == rating.prompt_id,
            PromptRow.person_id == rating.person_id,
            PromptRow.answered_ns.is_(None),
            PromptRow.let_go_ns.is_(None),
            PromptRow.sent_ns <= rating.about_ns,
            PromptRow.expires_ns > rating.about_ns,
        )
        .values(
            answered_ns=rating.about_ns,
            opened_ns=func.coalesce(PromptRow.opened_ns, rating.about_ns),
            # One that was put off and answered before it came again does not come again.
            state=str(PromptState.SENT),
            skip_reason=None,
        )
        .returning(PromptRow.id)
    )
    return answered.first() is not None


def _with_provenance(rating: Rating, before: RatingRow) -> Rating:
    """Where a rating comes from stays true of its corrections; the person's own correction of an
    imported one is later than what the sender issued.
    """
    rating = replace(
        rating,
        simulated=rating.simulated or before.simulated,
        prompt_id=before.prompt_id,
    )
    if not before.imported:
        return rating
    corrected = not rating.withdrawn
    return replace(
        rating,
        imported=True,
        status="corrected" if corrected else before.status,
        issued_ns=rating.entered_ns if corrected else before.issued_ns,
        identifiers=before.identifiers,
    )


def _rating_conflict(rating: Rating) -> RatingConflictError:
    return RatingConflictError(
        f"Rating {rating.id} version {rating.version} does not follow what is kept.",
        "Read the rating again and correct its newest version, or use a new id.",
    )
