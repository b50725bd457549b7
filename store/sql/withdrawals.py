"""Withdrawals of consent to keeping, and the erasure of records that follows."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, update
from sqlalchemy.orm import DeclarativeBase, Session

from store.models.records import ERASED, ERASURE_BEGUN, Consent, Purpose
from store.models.withdrawals import OF_ACCOUNT, Withdrawal
from store.sql.engine import dialect_insert, write_transaction
from store.sql.imports import SqlImports
from store.sql.rows import from_row, to_row, to_values
from store.sql.tables.access import IdempotentResponseRow
from store.sql.tables.imports import HeartRateRow
from store.sql.tables.programme import NoteRow, PracticeRow
from store.sql.tables.records import (
    AuditRow,
    Base,
    ConsentRow,
    PersonRow,
    RatingRow,
    SessionRow,
)
from store.sql.tables.withdrawals import WithdrawalRow


class SqlWithdrawals(SqlImports):
    """The part of a SqlRecordStore that carries withdrawals out."""

    def withdrawn_since(self, at_ns: int, purposes: Collection[Purpose]) -> set[str]:
        """Return the ids of all who took back consent to one of these from then on."""
        query = select(ConsentRow.person_id).where(
            ConsentRow.at_ns >= at_ns,
            ConsentRow.given.is_(False),
            ConsentRow.purpose.in_([str(purpose) for purpose in purposes]),
        )
        with self._sessions() as db:
            return set(db.scalars(query))

    def withdrawal(self, person_id: str) -> Withdrawal | None:
        """Find the newest withdrawal of a person."""
        query = (
            select(WithdrawalRow)
            .where(WithdrawalRow.person_id == person_id)
            .order_by(WithdrawalRow.withdrawn_ns.desc())
            .limit(1)
        )
        with self._sessions() as db:
            row = db.scalar(query)
            return None if row is None else from_row(Withdrawal, row)

    def withdrawn_subjects(self) -> dict[str, str]:
        """Return the subjects that withdrawals erased; see WithdrawalStore."""
        query = select(WithdrawalRow.subject_id, WithdrawalRow.person_id)
        with self._sessions() as db:
            rows = db.execute(query.where(WithdrawalRow.subject_id.is_not(None))).all()
        return {subject: person_id for subject, person_id in rows if subject is not None}

    def erased_accounts(self, subjects: Collection[str]) -> set[str]:
        """Return the subjects whose account was erased; see WithdrawalStore."""
        query = select(AuditRow.subject).where(AuditRow.action.in_([ERASED, ERASURE_BEGUN]))
        with self._sessions() as db:
            return set(subjects).intersection(db.scalars(query)) if subjects else set()

    def adopt_withdrawals(self, due_ns: int, now_ns: int) -> int:
        """Make due what nobody stored a withdrawal of; see WithdrawalStore."""
        newest = (
            select(ConsentRow.person_id, func.max(ConsentRow.number).label("number"))
            .where(ConsentRow.purpose == str(Purpose.KEEPING))
            .group_by(ConsentRow.person_id)
            .subquery()
        )
        query = (
            select(ConsentRow.person_id)
            .join(
                newest,
                and_(
                    newest.c.person_id == ConsentRow.person_id,
                    newest.c.number == ConsentRow.number,
                ),
            )
            .outerjoin(
                WithdrawalRow,
                and_(
                    WithdrawalRow.person_id == ConsentRow.person_id,
                    # Of one that is given, the end.
                    WithdrawalRow.withdrawn_ns
                    == case((ConsentRow.given, ConsentRow.until_ns), else_=ConsentRow.at_ns),
                ),
            )
            .where(
                or_(ConsentRow.given.is_(False), ConsentRow.until_ns <= now_ns),
                WithdrawalRow.person_id.is_(None),
            )
        )
        adopted = 0
        with self._sessions() as db:
            found = list(db.scalars(query))
        for person_id in found:
            with write_transaction(self._engine) as connection, Session(connection) as db:
                at_ns = _find_withdrawn_ns(db, person_id, now_ns)
                if at_ns is not None and db.get(WithdrawalRow, (person_id, at_ns)) is None:
                    db.execute(
                        dialect_insert(connection, WithdrawalRow)
                        .values(to_values(Withdrawal(person_id, at_ns, due_ns)))
                        .on_conflict_do_nothing()
                    )
                    adopted += 1
        return adopted

    def claim_withdrawal(self, now_ns: int, lease_ns: int) -> Withdrawal | None:
        """Take the next withdrawal that is due; see WithdrawalStore."""
        is_due = and_(
            WithdrawalRow.due_ns <= now_ns,
            WithdrawalRow.done_ns.is_(None),
            WithdrawalRow.leased_until_ns <= now_ns,
        )
        with self._sessions() as db:  # most of the time there is none: no lock for that
            if db.scalar(select(WithdrawalRow.person_id).where(is_due).limit(1)) is None:
                return None
        with write_transaction(self._engine) as connection, Session(connection) as db:
            row = db.scalar(
                select(WithdrawalRow)
                .where(is_due)
                .order_by(WithdrawalRow.due_ns)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if row is None:
                return None
            row.leased_until_ns = now_ns + lease_ns
            db.flush()
            return from_row(Withdrawal, row)

    def begin_withdrawal(
        self, withdrawal: Withdrawal, now_ns: int, subject_id: str
    ) -> tuple[Withdrawal, int]:
        """Erase the records of a person who withdrew; see WithdrawalStore."""
        person_id = withdrawal.person_id
        with write_transaction(self._engine) as connection, Session(connection) as db:
            person = db.scalar(select(PersonRow).where(PersonRow.id == person_id).with_for_update())
            row = db.get(WithdrawalRow, (person_id, withdrawal.withdrawn_ns))
            if person is None or row is None or row.begun_ns is not None:
                return (withdrawal if row is None else from_row(Withdrawal, row)), 0
            newest = db.scalar(
                select(ConsentRow)
                .where(
                    ConsentRow.person_id == person_id,
                    ConsentRow.purpose == str(Purpose.KEEPING),
                )
                .order_by(ConsentRow.number.desc())
                .limit(1)
            )
            if newest is None or _is_given(newest, now_ns):
                db.delete(row)
                db.flush()
                return withdrawal, 0
            row.begun_ns, row.subject_id, row.beats = now_ns, person.subject_id, withdrawal.beats
            row.ratings = _count(db, RatingRow, person_id, RatingRow.superseded.is_(False))
            row.heart_rates = _count(db, HeartRateRow, person_id)
            row.notes = _count(db, NoteRow, person_id)
            row.practices = _count(db, PracticeRow, person_id)
            row.sessions = _count(db, SessionRow, person_id)
            rows = delete_data(db, person_id)
            person.subject_id = subject_id
            db.flush()
            return from_row(Withdrawal, row), rows

    def finish_withdrawal(self, withdrawal: Withdrawal, now_ns: int) -> None:
        """Note that the beats are erased too."""
        with write_transaction(self._engine) as db:
            db.execute(
                update(WithdrawalRow)
                .where(
                    WithdrawalRow.person_id == withdrawal.person_id,
                    WithdrawalRow.withdrawn_ns == withdrawal.withdrawn_ns,
                )
                .values(done_ns=now_ns, leased_until_ns=0)
            )

    def _follow_answer(self, db: Session, consent: Consent, due_ns: int | None) -> None:
        """Store the withdrawal that an answer is, or end what the person thought better of. One
        that is being carried out already goes on.
        """
        if consent.purpose is not Purpose.KEEPING:
            return
        if consent.given:
            db.execute(
                delete(WithdrawalRow).where(
                    WithdrawalRow.person_id == consent.person_id, WithdrawalRow.begun_ns.is_(None)
                )
            )
            return
        # Taken back twice in a row: the first time counts.
        if (
            due_ns is not None
            and _find_withdrawn_ns(db, consent.person_id, consent.at_ns) == consent.at_ns
        ):
            made = Withdrawal(consent.person_id, consent.at_ns, due_ns)
            db.add(to_row(WithdrawalRow, made))


def delete_data(db: Session, person_id: str) -> int:
    """Delete all rows of a person but those of the account, and stored responses to requests of
    others about them; how many rows there were.
    """
    tables = [mapper.class_ for mapper in Base.registry.mappers]
    conditions = [
        (table, table.person_id == person_id)
        for table in tables
        if hasattr(table, "person_id") and table.__tablename__ not in OF_ACCOUNT
    ]
    conditions.append((IdempotentResponseRow, IdempotentResponseRow.about_id == person_id))
    connection = db.connection()
    return sum(
        connection.execute(delete(table).where(condition)).rowcount
        for table, condition in conditions
    )


def _is_given(answer: ConsentRow, now_ns: int) -> bool:
    return answer.given and (answer.until_ns is None or answer.until_ns > now_ns)


def _find_withdrawn_ns(db: Session, person_id: str, now_ns: int) -> int | None:
    """Find since when a person does not agree to keeping any more; None where they agree, or never
    answered.
    """
    query = (
        select(ConsentRow)
        .where(ConsentRow.person_id == person_id, ConsentRow.purpose == str(Purpose.KEEPING))
        .order_by(ConsentRow.number.desc())
    )
    since_ns = None
    for answer in db.scalars(query):
        if answer.given:
            if since_ns is None and not _is_given(answer, now_ns):
                since_ns = answer.until_ns
            break
        since_ns = answer.at_ns
    return since_ns


def _count(
    db: Session, row: type[DeclarativeBase], person_id: str, *more: ColumnElement[bool]
) -> int:
    found = select(func.count()).select_from(row).where(row.person_id == person_id, *more)  # type: ignore[attr-defined]
    return db.scalar(found) or 0
