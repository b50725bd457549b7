"""Attempts to sign in, devices that signed in before, and counts of requests, in an SQL database.
All workers share them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import delete, insert, select, update

from store.models.access import AttemptLimit, Attempts, RequestCount
from store.sql.engine import SqlStore, dialect_insert, write_transaction
from store.sql.rows import from_row
from store.sql.tables.access import AttemptsRow, KnownDeviceRow, RequestCountRow

_DELETED_AT_ONCE = 100  # rows that are no longer needed
_MAX_KNOWN_DEVICES = 20  # a person; a browser that deletes its cookies makes another each time


class SqlLockoutStore(SqlStore):
    """A LockoutStore on the engine of the records store."""

    def attempts(self, key: str) -> Attempts:
        """Return the failed attempts with this key."""
        with self._sessions() as db:
            row = db.get(AttemptsRow, key)
            return Attempts(0, 0) if row is None else from_row(Attempts, row)

    def begin_attempt(
        self, limits: Sequence[AttemptLimit], at_ns: int, forget_after_ns: int
    ) -> int:
        """Count an attempt under each key before it is verified; see LockoutStore."""
        # Read before the write lock is taken: who is refused costs no write.
        wait_ns = max(self.attempts(limit.key).next_ns - at_ns for limit in limits)
        if wait_ns > 0:
            return wait_ns
        with write_transaction(self._engine) as db:
            oldest_ns = at_ns - forget_after_ns
            counts: list[tuple[AttemptLimit, int]] = []
            # In order, so that two transactions on PostgreSQL never wait for each other.
            for limit in sorted(limits, key=lambda limit: limit.key):
                db.execute(
                    dialect_insert(db, AttemptsRow)
                    .values(key=limit.key, failures=0, since_ns=at_ns, next_ns=0)
                    .on_conflict_do_nothing()
                )
                row = db.execute(
                    select(AttemptsRow.failures, AttemptsRow.since_ns, AttemptsRow.next_ns)
                    .where(AttemptsRow.key == limit.key)
                    .with_for_update()
                ).one()
                wait_ns = max(wait_ns, row.next_ns - at_ns)
                counts.append((limit, 1 if row.since_ns < oldest_ns else row.failures + 1))
            if wait_ns > 0:
                return wait_ns
            for limit, failures in counts:
                db.execute(
                    update(AttemptsRow)
                    .where(AttemptsRow.key == limit.key)
                    .values(
                        failures=failures,
                        since_ns=at_ns,
                        next_ns=at_ns + limit.delay_ns(failures),
                    )
                )
            # Rows that another worker has locked are left to the next time: no two wait here.
            forgotten = (
                select(AttemptsRow.key)
                .where(AttemptsRow.since_ns < oldest_ns)
                .limit(_DELETED_AT_ONCE)
                .with_for_update(skip_locked=True)
            )
            db.execute(delete(AttemptsRow).where(AttemptsRow.key.in_(forgotten)))
            return 0

    def undo_attempt(self, keys: Sequence[str]) -> None:
        """Count one less under each key; see LockoutStore."""
        with write_transaction(self._engine) as db:
            for key in sorted(keys):
                db.execute(
                    update(AttemptsRow)
                    .where(AttemptsRow.key == key, AttemptsRow.failures > 0)
                    .values(failures=AttemptsRow.failures - 1, next_ns=0)
                )

    def clear_failures(self, key: str) -> None:
        """Delete the failed attempts with this key."""
        with self._sessions.begin() as db:
            db.execute(delete(AttemptsRow).where(AttemptsRow.key == key))

    def add_known_device(
        self, device_hash: str, person_id: str, at_ns: int, expires_ns: int
    ) -> None:
        """Store that a person signed in with a device; see LockoutStore."""
        newest = (
            select(KnownDeviceRow.device_hash)
            .where(KnownDeviceRow.person_id == person_id)
            .order_by(KnownDeviceRow.created_ns.desc(), KnownDeviceRow.device_hash)
            .limit(_MAX_KNOWN_DEVICES)
        )
        with write_transaction(self._engine) as db:
            db.execute(
                insert(KnownDeviceRow).values(
                    device_hash=device_hash,
                    person_id=person_id,
                    created_ns=at_ns,
                    expires_ns=expires_ns,
                )
            )
            db.execute(
                delete(KnownDeviceRow).where(
                    KnownDeviceRow.person_id == person_id,
                    KnownDeviceRow.device_hash.not_in(newest),
                )
            )

    def find_known_device(self, device_hash: str, at_ns: int) -> str | None:
        """Find whose device this is, by their id."""
        query = select(KnownDeviceRow.person_id).where(
            KnownDeviceRow.device_hash == device_hash, KnownDeviceRow.expires_ns > at_ns
        )
        with self._sessions() as db:
            return db.scalar(query)


class SqlRequestCountStore(SqlStore):
    """A RequestCountStore on the engine of the records store."""

    def take_requests(
        self, key: str, minute: int, choose: Callable[[RequestCount], int]
    ) -> RequestCount:
        """Add requests to a minute, and return the counts from before; see RequestCountStore."""
        with write_transaction(self._engine) as db:
            inserted = db.execute(
                dialect_insert(db, RequestCountRow)
                .values(key=key, minute=minute, count=0, previous=0)
                .on_conflict_do_nothing()
                .returning(RequestCountRow.key)
            ).first()
            row = db.execute(
                select(
                    RequestCountRow.minute,
                    RequestCountRow.count.label("number"),  # a row's count is a method
                    RequestCountRow.previous,
                )
                .where(RequestCountRow.key == key)
                .with_for_update()
            ).one_or_none()
            before = RequestCount(0, 0)
            if row is not None and row.minute == minute:
                before = RequestCount(row.number, row.previous)
            elif row is not None and row.minute == minute - 1:
                before = RequestCount(0, row.number)
            db.execute(
                update(RequestCountRow)
                .where(RequestCountRow.key == key)
                .values(
                    minute=minute, count=before.count + choose(before), previous=before.previous
                )
            )
            if inserted is not None:  # once a key: addresses are not stored for longer than that
                forgotten = (
                    select(RequestCountRow.key)
                    .where(RequestCountRow.minute < minute - 1)
                    .limit(_DELETED_AT_ONCE)
                    .with_for_update(skip_locked=True)
                )
                db.execute(delete(RequestCountRow).where(RequestCountRow.key.in_(forgotten)))
            return before
