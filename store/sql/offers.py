"""Plans of offers by lot and decision points, in an SQL database.

The person's row is the lock of all of this, as it is of the prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine, or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from ebbtide.timestamps import DAY
from store.models.offers import DecisionPoint, OfferPlan
from store.sql.engine import dialect_insert, write_transaction
from store.sql.keeping import KeepingGuard, find_locked, lock_person
from store.sql.rows import columns_of, from_row, to_values
from store.sql.tables.offers import DecisionPointRow, OfferPlanRow


class SqlOfferStore(KeepingGuard):
    """An OfferStore on the engine of the records store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    def plans(self, person_id: str) -> list[OfferPlan]:
        """List all plans of a person, by number."""
        with self._sessions() as db:
            return load_offer_plans(db, person_id)

    def change_plans(
        self, person_id: str, change: Callable[[Sequence[OfferPlan]], Sequence[OfferPlan]]
    ) -> list[OfferPlan]:
        """Store the plans that ``change`` gives; see OfferStore."""
        with write_transaction(self._engine) as connection, Session(connection) as db:
            lock_person(db, person_id)
            self._require_consent(db, person_id)
            for plan in change(load_offer_plans(db, person_id)):
                values = to_values(plan)
                db.execute(
                    dialect_insert(connection, OfferPlanRow)
                    .values(**values)
                    .on_conflict_do_update(index_elements=["person_id", "number"], set_=values)
                )
            return load_offer_plans(db, person_id)

    def points(self, person_id: str, start_ns: int, end_ns: int) -> list[DecisionPoint]:
        """List the decision points planned in the range, by time then id."""
        query = (
            select(*columns_of(DecisionPointRow, DecisionPoint))
            .where(
                DecisionPointRow.person_id == person_id,
                DecisionPointRow.planned_ns >= start_ns,
                DecisionPointRow.planned_ns < end_ns,
            )
            .order_by(DecisionPointRow.planned_ns, DecisionPointRow.id)
        )
        with self._sessions() as db:
            return [from_row(DecisionPoint, row) for row in db.execute(query)]

    def change_point(
        self,
        person_id: str,
        point_id: str,
        change: Callable[[DecisionPoint], DecisionPoint | None],
    ) -> DecisionPoint | None:
        """Store what ``change`` makes of a point; see OfferStore."""
        with write_transaction(self._engine) as connection, Session(connection) as db:
            found = find_locked(db, DecisionPointRow, DecisionPoint, person_id, point_id)
            changed = None if found is None else change(found)
            if changed is None:
                return found
            _update(db, changed)
            return changed

    def put_points(self, points: Sequence[DecisionPoint]) -> None:
        """Store points of a sample or of another store; see OfferStore."""
        with write_transaction(self._engine) as connection, Session(connection) as db:
            for person_id in sorted({point.person_id for point in points}):
                lock_person(db, person_id)
                self._require_consent(db, person_id)
            add_points(connection, points)


def load_offer_plans(db: Session, person_id: str) -> list[OfferPlan]:
    """Read all plans of a person, by number."""
    rows = db.execute(
        select(*columns_of(OfferPlanRow, OfferPlan))
        .where(OfferPlanRow.person_id == person_id)
        .order_by(OfferPlanRow.number)
    )
    return [from_row(OfferPlan, row) for row in rows]


def load_recent_points(db: Session, plan: OfferPlan, now_ns: int) -> list[DecisionPoint]:
    """Read the points of the last days, and those whose moment has not come."""
    rows = db.execute(
        select(*columns_of(DecisionPointRow, DecisionPoint))
        .where(
            DecisionPointRow.person_id == plan.person_id,
            or_(
                DecisionPointRow.available.is_(None),
                DecisionPointRow.planned_ns > now_ns - _RECENT_NS,
            ),
        )
        .order_by(DecisionPointRow.planned_ns, DecisionPointRow.id)
    )
    return [from_row(DecisionPoint, row) for row in rows]


def add_points(connection: Connection, points: Sequence[DecisionPoint]) -> None:
    """Store new points. Of the same prompt the first stays: nothing is committed to twice."""
    if points:
        connection.execute(
            dialect_insert(connection, DecisionPointRow).on_conflict_do_nothing(),
            [to_values(point) for point in points],
        )


def store_turn_points(
    connection: Connection, added: Sequence[DecisionPoint], changed: Sequence[DecisionPoint]
) -> None:
    """Store what a turn decided. What was drawn is never drawn again."""
    add_points(connection, added)
    for point in changed:
        with Session(connection) as db:
            _update(db, point)


def _update(db: Session, point: DecisionPoint) -> None:
    is_same = or_(DecisionPointRow.nonce.is_(None), DecisionPointRow.nonce == point.nonce)
    db.execute(
        update(DecisionPointRow)
        .where(DecisionPointRow.id == point.id, is_same)
        .values(**to_values(point))
    )


# Blocks last four days (analytics.practice.draws.BLOCK_DAYS), and a day has at most 25 hours.
_RECENT_NS = 6 * DAY
