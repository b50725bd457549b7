"""Plans of prompts, prompts and push subscriptions, in an SQL database.

The row of a person is the lock of their plan and prompts: a worker takes the first person who is
due and whom no other has (FOR UPDATE SKIP LOCKED on PostgreSQL, the file's write lock on SQLite),
and stores in the same transaction what comes of it. Nothing is sent while it is open. The row of
the plan is locked after it, against ``wake``, which locks that alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import Engine, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from ebbtide.timestamps import DAY
from store.models.programme import PracticeKind
from store.models.prompts import (
    Prompt,
    PromptState,
    PushSubscription,
    ReminderPlan,
    Turn,
    TurnResult,
)
from store.sql.engine import dialect_insert, write_transaction
from store.sql.keeping import KeepingGuard, find_answer, find_locked, lock_person
from store.sql.offers import load_offer_plans, load_recent_points, store_turn_points
from store.sql.rows import columns_of, from_row, to_values
from store.sql.tables.programme import PracticeRow
from store.sql.tables.prompts import (
    PromptRow,
    PushSubscriptionRow,
    ReminderPlanRow,
    ServerKeyRow,
)
from store.sql.tables.records import AccessTokenRow, PersonRow, SessionRow

_OPEN = (str(PromptState.PLANNED), str(PromptState.SENDING))


class SqlPromptStore(KeepingGuard):
    """A PromptStore on the engine of the records store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    def plan(self, person_id: str) -> ReminderPlan | None:
        """Return the plan of a person; None before the first."""
        with self._sessions() as db:
            row = db.get(ReminderPlanRow, person_id)
            return None if row is None else from_row(ReminderPlan, row)

    def plan_of_calendar(self, calendar_hash: str) -> ReminderPlan | None:
        """Find the plan whose calendar has this secret; see PromptStore."""
        query = (
            select(ReminderPlanRow)
            .join(PersonRow, PersonRow.id == ReminderPlanRow.person_id)
            .where(ReminderPlanRow.calendar_hash == calendar_hash, PersonRow.active)
        )
        with self._sessions() as db:
            row = db.scalar(query)
            return None if row is None else from_row(ReminderPlan, row)

    def change_plan(
        self, person_id: str, change: Callable[[ReminderPlan | None], ReminderPlan]
    ) -> ReminderPlan:
        """Store what ``change`` makes of the plan; see PromptStore."""
        with write_transaction(self._engine) as db:
            lock_person(db, person_id)  # of two first plans one is made, and then changed
            self._require_consent(db, person_id)
            row = db.execute(
                select(*columns_of(ReminderPlanRow, ReminderPlan))
                .where(ReminderPlanRow.person_id == person_id)
                .with_for_update()
            ).first()
            changed = change(None if row is None else from_row(ReminderPlan, row))
            values = to_values(changed)
            db.execute(
                dialect_insert(db, ReminderPlanRow)
                .values(**values)
                .on_conflict_do_update(index_elements=["person_id"], set_=values)
            )
            return changed

    def by_heart(self) -> list[str]:
        """List who wishes to be asked by their heart, too; see PromptStore."""
        query = (
            select(ReminderPlanRow.person_id)
            .where(ReminderPlanRow.enabled, ReminderPlanRow.by_heart)
            .order_by(ReminderPlanRow.person_id)
        )
        with self._sessions() as db:
            return list(db.scalars(query))

    def wake(self, person_id: str, at_ns: int) -> None:
        """Have the person's next turn at this time, where it would be later."""
        with write_transaction(self._engine) as db:
            db.execute(
                update(ReminderPlanRow)
                .where(ReminderPlanRow.person_id == person_id, ReminderPlanRow.next_ns > at_ns)
                .values(next_ns=at_ns)
            )

    def next_turn_ns(self) -> int | None:
        """Return when there is next something to do; None where nobody has a plan."""
        with self._sessions() as db:
            return db.scalar(select(func.min(ReminderPlanRow.next_ns)))

    def take_turn(
        self, now_ns: int, decide: Callable[[Turn], TurnResult], person_id: str | None = None
    ) -> tuple[bool, Prompt | None]:
        """Take a person who is due, and store what ``decide`` says; see PromptStore."""
        # None is further ahead than a day, unless the clock was set back since.
        due = or_(ReminderPlanRow.next_ns <= now_ns, ReminderPlanRow.next_ns > now_ns + 2 * DAY)
        if person_id is not None:
            due = ReminderPlanRow.person_id == person_id
        with self._sessions() as db:  # most of the time there is none: no lock for that
            if db.scalar(select(ReminderPlanRow.person_id).where(due).limit(1)) is None:
                return False, None
        with write_transaction(self._engine) as connection, Session(connection) as db:
            # Somebody who is due and locked is passed over; one who was asked for is waited for.
            first = db.scalar(
                select(PersonRow.id)
                .join(ReminderPlanRow, ReminderPlanRow.person_id == PersonRow.id)
                .where(due)
                .order_by(ReminderPlanRow.next_ns)
                .limit(1)
                .with_for_update(of=PersonRow, skip_locked=person_id is None)
            )
            if first is None:
                return False, None
            row = db.execute(
                select(*columns_of(ReminderPlanRow, ReminderPlan))
                .where(ReminderPlanRow.person_id == first, due)
                .with_for_update()
            ).first()
            if row is None:  # another worker was faster: there may be others who are due
                return True, None
            turn = _load_turn(db, from_row(ReminderPlan, row), now_ns)
            result = decide(turn)
            db.execute(
                update(ReminderPlanRow)
                .where(ReminderPlanRow.person_id == result.plan.person_id)
                .values(**to_values(result.plan))
            )
            if result.added:
                # Of the same slot the first stays: a day is never planned twice.
                db.execute(
                    dialect_insert(connection, PromptRow).on_conflict_do_nothing(),
                    [to_values(prompt) for prompt in result.added],
                )
            for prompt in result.changed:
                _store_prompt(db, prompt)
            store_turn_points(connection, result.added_points, result.changed_points)
            return True, result.send

    def change_prompt(
        self, person_id: str, prompt_id: str, change: Callable[[Prompt], Prompt | None]
    ) -> Prompt | None:
        """Store what ``change`` makes of a prompt; see PromptStore."""
        with write_transaction(self._engine) as connection, Session(connection) as db:
            found = find_locked(db, PromptRow, Prompt, person_id, prompt_id)
            changed = None if found is None else change(found)
            if changed is None:
                return found
            _store_prompt(db, changed)
            if changed.state is PromptState.PLANNED:
                db.execute(
                    update(ReminderPlanRow)
                    .where(
                        ReminderPlanRow.person_id == person_id,
                        ReminderPlanRow.next_ns > changed.due_ns,
                    )
                    .values(next_ns=changed.due_ns)
                )
            return changed

    def prompt(self, person_id: str, prompt_id: str) -> Prompt | None:
        """Find a prompt of this person."""
        with self._sessions() as db:
            row = db.get(PromptRow, prompt_id)
            return None if row is None or row.person_id != person_id else from_row(Prompt, row)

    def prompt_of_receipt(self, receipt_hash: str) -> Prompt | None:
        """Find the prompt that was sent with this secret; see PromptStore."""
        query = (
            select(PromptRow)
            .join(PersonRow, PersonRow.id == PromptRow.person_id)
            .where(PromptRow.receipt_hash == receipt_hash, PersonRow.active)
        )
        with self._sessions() as db:
            row = db.scalar(query)
            return None if row is None else from_row(Prompt, row)

    def import_prompt(self, prompt: Prompt) -> bool:
        """Store a prompt of another system; see PromptStore."""
        with write_transaction(self._engine) as db:
            self._require_consent(db, prompt.person_id)
            added = db.execute(
                dialect_insert(db, PromptRow).values(**to_values(prompt)).on_conflict_do_nothing()
            )
            return added.rowcount > 0

    def prompts(self, person_id: str, start_ns: int, end_ns: int) -> list[Prompt]:
        """List the prompts planned in the range, by time then id."""
        query = (
            select(*columns_of(PromptRow, Prompt))
            .where(
                PromptRow.person_id == person_id,
                PromptRow.planned_ns >= start_ns,
                PromptRow.planned_ns < end_ns,
            )
            .order_by(PromptRow.planned_ns, PromptRow.id)
        )
        with self._sessions() as db:
            return [from_row(Prompt, row) for row in db.execute(query)]

    def prompts_fingerprint(self, person_id: str) -> str:
        """Name the content of a person's prompts: it changes with every change."""
        words = repr(self.prompts(person_id, 0, 2**62))
        return hashlib.sha256(words.encode()).hexdigest()

    def put_subscription(self, subscription: PushSubscription, most: int) -> None:
        """Store where to push; see PromptStore."""
        person_id = subscription.person_id
        with write_transaction(self._engine) as db:
            self._require_consent(db, person_id)
            db.execute(
                delete(PushSubscriptionRow).where(
                    PushSubscriptionRow.endpoint == subscription.endpoint
                )
            )
            db.execute(insert(PushSubscriptionRow).values(**to_values(subscription)))
            of_person = select(PushSubscriptionRow.id).where(
                PushSubscriptionRow.person_id == person_id
            )
            newest = of_person.order_by(
                PushSubscriptionRow.created_ns.desc(), PushSubscriptionRow.id.desc()
            ).limit(most)
            db.execute(
                delete(PushSubscriptionRow).where(
                    PushSubscriptionRow.person_id == person_id,
                    PushSubscriptionRow.id.not_in(list(db.scalars(newest))),
                )
            )

    def subscriptions(self, person_id: str) -> list[PushSubscription]:
        """List where to push to this person; see PromptStore."""
        signed_in = exists().where(
            AccessTokenRow.id == PushSubscriptionRow.token_id,
            AccessTokenRow.person_id == PushSubscriptionRow.person_id,
        )
        query = (
            select(PushSubscriptionRow)
            .where(
                PushSubscriptionRow.person_id == person_id,
                or_(PushSubscriptionRow.token_id.is_(None), signed_in),
            )
            .order_by(PushSubscriptionRow.created_ns, PushSubscriptionRow.id)
        )
        with self._sessions() as db:
            return [from_row(PushSubscription, row) for row in db.scalars(query)]

    def delete_subscription(self, person_id: str, subscription_id: str) -> bool:
        """Remove a subscription; whether there was one."""
        with write_transaction(self._engine) as db:
            gone = db.execute(
                delete(PushSubscriptionRow).where(
                    PushSubscriptionRow.id == subscription_id,
                    PushSubscriptionRow.person_id == person_id,
                )
            )
            return gone.rowcount > 0

    def server_key(self, name: str, make: Callable[[], str], at_ns: int) -> str:
        """Return a secret key of the service; see PromptStore."""
        query = select(ServerKeyRow.secret).where(ServerKeyRow.name == name)
        with self._sessions() as db:
            found = db.scalar(query)
        if found is not None:
            return found
        # Of two workers that make one, the first one's counts for both.
        with suppress(IntegrityError), write_transaction(self._engine) as db_:
            db_.execute(
                dialect_insert(db_, ServerKeyRow)
                .values(name=name, secret=make(), created_ns=at_ns)
                .on_conflict_do_nothing()
            )
        with self._sessions() as db:
            return db.execute(query).scalar_one()


def _load_turn(db: Session, plan: ReminderPlan, now_ns: int) -> Turn:
    person_id = plan.person_id
    answer = find_answer(db, person_id)
    person = db.execute(
        select(PersonRow.active, PersonRow.simulated).where(PersonRow.id == person_id)
    ).one()
    prompts = db.execute(
        select(*columns_of(PromptRow, Prompt))
        .where(
            PromptRow.person_id == person_id,
            or_(PromptRow.state.in_(_OPEN), PromptRow.planned_ns > now_ns - 2 * DAY),
        )
        .order_by(PromptRow.planned_ns, PromptRow.id)
    )
    last_sent = select(func.max(PromptRow.sent_ns)).where(
        PromptRow.person_id == person_id, PromptRow.sent_ns <= now_ns
    )
    practices = select(PracticeRow.id, PracticeRow.end_ns).where(
        PracticeRow.person_id == person_id,
        PracticeRow.end_ns > now_ns - DAY,
        PracticeRow.kind != PracticeKind.REST,
    )
    sessions = select(SessionRow.held_ns).where(SessionRow.person_id == person_id)
    agreed = [item for item in load_offer_plans(db, person_id) if item.agreed_ns is not None]
    offers = agreed[-1] if agreed else None
    return Turn(
        plan,
        person.active and answer is not None and answer.holds(now_ns),
        person.simulated,
        tuple(from_row(Prompt, row) for row in prompts),
        db.scalar(last_sent),
        tuple((row.id, row.end_ns) for row in db.execute(practices)),
        tuple(db.scalars(sessions)),
        offers,
        () if offers is None else tuple(load_recent_points(db, offers, now_ns)),
    )


def _store_prompt(db: Session, prompt: Prompt) -> None:
    db.execute(update(PromptRow).where(PromptRow.id == prompt.id).values(**to_values(prompt)))
