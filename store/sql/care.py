"""Who is in whose care, and what is proposed or shared, in an SQL database."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Select, delete, func, select

from store.models.access import CareProposal, CareRecords
from store.models.questionnaires import QuestionnaireResponse
from store.models.records import Consent, Person, StoredReport, TherapySession
from store.sql.engine import SqlStore, dialect_insert, write_transaction
from store.sql.rows import columns_of, from_row, to_values
from store.sql.tables.access import CareProposalRow, CareRow, LiveShareRow
from store.sql.tables.programme import QuestionnaireResponseRow
from store.sql.tables.records import ConsentRow, PersonRow, RatingRow, ReportRow, SessionRow


class SqlCareStore(SqlStore):
    """A CareStore on the engine of the records store."""

    def put_care(self, therapist_id: str, person_id: str, at_ns: int) -> None:
        """Put a patient into a therapist's care; see CareStore."""
        values = {"person_id": person_id, "therapist_id": therapist_id, "since_ns": at_ns}
        with write_transaction(self._engine) as db:
            db.execute(dialect_insert(db, CareRow).values(**values).on_conflict_do_nothing())

    def end_care(self, therapist_id: str, person_id: str) -> None:
        """End the care, or the proposal of it."""
        with write_transaction(self._engine) as db:
            for care in (CareRow, CareProposalRow):
                db.execute(
                    delete(care).where(
                        care.person_id == person_id, care.therapist_id == therapist_id
                    )
                )

    def propose_care(self, proposal: CareProposal) -> None:
        """Store a proposal that the patient may agree to; see CareStore."""
        with write_transaction(self._engine) as db:
            db.execute(
                dialect_insert(db, CareProposalRow)
                .values(to_values(proposal))
                .on_conflict_do_nothing()
            )

    def accept_care(self, therapist_id: str, person_id: str, at_ns: int) -> bool:
        """Make care of a proposal; see CareStore."""
        values = {"person_id": person_id, "therapist_id": therapist_id, "since_ns": at_ns}
        with write_transaction(self._engine) as db:
            proposed = db.execute(
                delete(CareProposalRow)
                .where(
                    CareProposalRow.person_id == person_id,
                    CareProposalRow.therapist_id == therapist_id,
                )
                .returning(CareProposalRow.person_id)
            ).first()
            if proposed is None:
                return False
            db.execute(dialect_insert(db, CareRow).values(**values).on_conflict_do_nothing())
            return True

    def care_proposals(self, person_id: str) -> list[CareProposal]:
        """List what a patient is asked to agree to, oldest first."""
        query = select(CareProposalRow).where(CareProposalRow.person_id == person_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(CareProposalRow.at_ns, CareProposalRow.therapist_id))
            return [from_row(CareProposal, row) for row in rows]

    def patients_of(self, therapist_id: str) -> list[str]:
        """List the ids of the patients in a therapist's care."""
        query = select(CareRow.person_id).where(CareRow.therapist_id == therapist_id)
        with self._sessions() as db:
            return list(db.scalars(query.order_by(CareRow.since_ns, CareRow.person_id)))

    def care_records(self, therapist_id: str, since_ns: int, kind: str) -> list[CareRecords]:
        """List what is stored of a therapist's patients; see CareStore."""
        in_care = select(CareRow.person_id).where(CareRow.therapist_id == therapist_id)

        def of_patients(row: Any, record: Any, *order: Any) -> Select[Any]:
            # Columns: rows of the ORM take five times as long.
            return (
                select(*columns_of(row, record)).where(row.person_id.in_(in_care)).order_by(*order)
            )

        response = QuestionnaireResponseRow
        rated = (
            select(RatingRow.person_id, RatingRow.about_ns, RatingRow.pain, RatingRow.stress)
            .where(
                RatingRow.person_id.in_(in_care),
                RatingRow.superseded.is_(False),
                RatingRow.withdrawn.is_(False),
                RatingRow.about_ns >= since_ns,
            )
            .order_by(RatingRow.about_ns, RatingRow.id)
        )
        with self._sessions() as db:
            people = {
                row.id: from_row(Person, row)
                for row in db.execute(
                    select(*columns_of(PersonRow, Person)).where(PersonRow.id.in_(in_care))
                )
            }
            ratings: dict[str, list[tuple[int, int | None, int | None]]] = defaultdict(list)
            for person_id, about_ns, pain, stress in db.execute(rated):
                ratings[person_id].append((about_ns, pain, stress))
            found: dict[type, dict[str, list[Any]]] = {}
            for record, query in (
                (Consent, of_patients(ConsentRow, Consent, ConsentRow.number)),
                (TherapySession, of_patients(SessionRow, TherapySession, SessionRow.held_ns)),
                (
                    QuestionnaireResponse,
                    of_patients(
                        response, QuestionnaireResponse, response.about_ns, response.id
                    ).where(response.superseded.is_(False), response.withdrawn.is_(False)),
                ),
                (
                    StoredReport,
                    of_patients(ReportRow, StoredReport).where(ReportRow.kind == kind),
                ),
            ):
                by_person: dict[str, list[Any]] = defaultdict(list)
                for row in db.execute(query):
                    by_person[row.person_id].append(from_row(record, row))
                found[record] = by_person
            order = db.scalars(in_care.order_by(CareRow.since_ns, CareRow.person_id)).all()
        return [
            CareRecords(
                people[person_id],
                found[Consent][person_id],
                ratings[person_id],
                found[TherapySession][person_id],
                found[QuestionnaireResponse][person_id],
                next(iter(found[StoredReport][person_id]), None),
            )
            for person_id in order
            if person_id in people
        ]

    def therapists_of(self, person_id: str) -> list[str]:
        """List the ids of the therapists of a patient."""
        query = select(CareRow.therapist_id).where(CareRow.person_id == person_id)
        with self._sessions() as db:
            return list(db.scalars(query.order_by(CareRow.since_ns, CareRow.therapist_id)))

    def share_live(self, person_id: str, until_ns: int) -> None:
        """Set until when therapists may watch live."""
        with write_transaction(self._engine) as db:
            db.execute(
                dialect_insert(db, LiveShareRow)
                .values(person_id=person_id, until_ns=until_ns)
                .on_conflict_do_update(index_elements=["person_id"], set_={"until_ns": until_ns})
            )

    def live_until(self, person_id: str) -> int:
        """Return until when therapists may watch live; 0 never."""
        query = select(func.coalesce(func.max(LiveShareRow.until_ns), 0))
        with self._sessions() as db:
            return int(db.scalar(query.where(LiveShareRow.person_id == person_id)) or 0)
