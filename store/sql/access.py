"""Who may do what, and who did, in an SQL database: a class for each part of AccessStore."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import Engine, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import sessionmaker

from ebbtide.beats import new_id
from ebbtide.timestamps import DAY
from store.models.access import (
    AccessLogEntry,
    AccessToken,
    Attempts,
    FhirExport,
    IdempotentResponse,
    OneTimePurpose,
    OneTimeToken,
    Pseudonym,
)
from store.models.records import Person
from store.sql.engine import dialect_insert, write_transaction
from store.sql.rows import columns_of, from_row, to_row, to_values
from store.sql.tables.access import (
    AccessLogRow,
    AttemptsRow,
    CareRow,
    FhirExportRow,
    IdempotentResponseRow,
    LiveShareRow,
    OneTimeTokenRow,
    PseudonymRow,
)
from store.sql.tables.records import AccessTokenRow, PersonRow

_WEEK = 7 * DAY
# Built once: it runs at every request, and building it takes three times as long as running it.
_VALID_TOKEN = (
    select(PersonRow, AccessTokenRow)
    .join(AccessTokenRow, AccessTokenRow.person_id == PersonRow.id)
    .where(
        AccessTokenRow.token_hash == bindparam("token_hash"),
        AccessTokenRow.expires_ns > bindparam("at_ns"),
        or_(
            AccessTokenRow.idle_ns == 0,
            AccessTokenRow.used_ns + AccessTokenRow.idle_ns > bindparam("at_ns"),
        ),
        PersonRow.active,
    )
)
_MIN_SHIFT_WEEKS, _MAX_SHIFT_WEEKS = 26, 260  # that dates are moved back for analysts


class _SqlStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)


class SqlTokenStore(_SqlStore):
    """A TokenStore on the engine of the records store."""

    def add_token(self, token: AccessToken) -> None:
        """Store a token; see TokenStore."""
        with self._sessions.begin() as db:
            db.execute(delete(AccessTokenRow).where(AccessTokenRow.expires_ns <= token.created_ns))
            db.add(to_row(AccessTokenRow, token))

    def find_token(self, token_hash: str, at_ns: int) -> tuple[Person, AccessToken] | None:
        """Find a valid token and its person; see TokenStore."""
        with self._sessions() as db:
            found = db.execute(_VALID_TOKEN, {"token_hash": token_hash, "at_ns": at_ns}).first()
            if found is None:
                return None
            return from_row(Person, found[0]), from_row(AccessToken, found[1])

    def mark_token_used(self, token_hash: str, at_ns: int) -> None:
        """Set when a token was last used."""
        with self._sessions.begin() as db:
            db.execute(
                update(AccessTokenRow)
                .where(AccessTokenRow.token_hash == token_hash)
                .values(used_ns=at_ns)
            )

    def end_token(self, token_hash: str) -> None:
        """Delete a token, at signing out."""
        with self._sessions.begin() as db:
            db.execute(delete(AccessTokenRow).where(AccessTokenRow.token_hash == token_hash))

    def tokens(self, person_id: str) -> list[AccessToken]:
        """List all tokens of a person, oldest first."""
        query = select(AccessTokenRow).where(AccessTokenRow.person_id == person_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(AccessTokenRow.created_ns, AccessTokenRow.id))
            return [from_row(AccessToken, row) for row in rows]

    def revoke_token(self, person_id: str, token_id: str) -> bool:
        """Delete a token by its id; whether there was one."""
        with self._sessions.begin() as db:
            gone = db.execute(
                delete(AccessTokenRow)
                .where(AccessTokenRow.person_id == person_id, AccessTokenRow.id == token_id)
                .returning(AccessTokenRow.id)
            )
            return gone.first() is not None

    def end_tokens(self, person_id: str, but: str | None = None) -> None:
        """Delete all tokens of a person, but for the one with this hash."""
        with self._sessions.begin() as db:
            db.execute(
                delete(AccessTokenRow).where(
                    AccessTokenRow.person_id == person_id, AccessTokenRow.token_hash != (but or "")
                )
            )

    def put_one_time_token(self, one_time: OneTimeToken) -> None:
        """Store a one-time token, and delete those that have expired."""
        with self._sessions.begin() as db:
            db.execute(
                delete(OneTimeTokenRow).where(OneTimeTokenRow.expires_ns <= one_time.created_ns)
            )
            db.add(to_row(OneTimeTokenRow, one_time))

    def take_one_time_token(
        self, token_hash: str, purpose: OneTimePurpose, at_ns: int
    ) -> OneTimeToken | None:
        """Use a one-time token: of two who use it at once, one gets it."""
        with self._sessions.begin() as db:
            row = db.execute(
                delete(OneTimeTokenRow)
                .where(
                    OneTimeTokenRow.token_hash == token_hash,
                    OneTimeTokenRow.purpose == str(purpose),
                    OneTimeTokenRow.expires_ns > at_ns,
                )
                .returning(*columns_of(OneTimeTokenRow, OneTimeToken))
            ).first()
            return None if row is None else from_row(OneTimeToken, row)


class SqlPasswordStore(_SqlStore):
    """A PasswordStore on the engine of the records store."""

    def set_password(self, person_id: str, password_hash: str) -> None:
        """Replace the password."""
        with self._sessions.begin() as db:
            db.execute(
                update(PersonRow)
                .where(PersonRow.id == person_id)
                .values(password_hash=password_hash)
            )

    def set_active(self, person_id: str, active: bool) -> None:
        """Let a person sign in, or no more; then all their tokens end."""
        with self._sessions.begin() as db:
            db.execute(update(PersonRow).where(PersonRow.id == person_id).values(active=active))
            if not active:
                db.execute(delete(AccessTokenRow).where(AccessTokenRow.person_id == person_id))

    def is_active(self, person_id: str) -> bool:
        """Whether a person may sign in."""
        with self._sessions() as db:
            return bool(db.scalar(select(PersonRow.active).where(PersonRow.id == person_id)))


class SqlLockoutStore(_SqlStore):
    """A LockoutStore on the engine of the records store."""

    def attempts(self, key: str) -> Attempts:
        """Return the failed attempts with this key."""
        with self._sessions() as db:
            row = db.get(AttemptsRow, key)
            return Attempts(0, 0) if row is None else from_row(Attempts, row)

    def add_failure(self, key: str, at_ns: int, forget_after_ns: int) -> None:
        """Count one more; see LockoutStore."""
        oldest = at_ns - forget_after_ns
        with write_transaction(self._engine) as db:
            db.execute(delete(AttemptsRow).where(AttemptsRow.since_ns < oldest))
            db.execute(
                dialect_insert(db, AttemptsRow)
                .values(key=key, failures=1, since_ns=at_ns)
                .on_conflict_do_update(
                    index_elements=["key"], set_={"failures": AttemptsRow.failures + 1}
                )
            )

    def clear_failures(self, key: str) -> None:
        """Delete the failed attempts with this key."""
        with self._sessions.begin() as db:
            db.execute(delete(AttemptsRow).where(AttemptsRow.key == key))


class SqlCareStore(_SqlStore):
    """A CareStore on the engine of the records store."""

    def put_care(self, therapist_id: str, person_id: str, at_ns: int) -> None:
        """Put a patient into a therapist's care; see CareStore."""
        values = {"person_id": person_id, "therapist_id": therapist_id, "since_ns": at_ns}
        with write_transaction(self._engine) as db:
            db.execute(dialect_insert(db, CareRow).values(**values).on_conflict_do_nothing())

    def end_care(self, therapist_id: str, person_id: str) -> None:
        """End the care."""
        with self._sessions.begin() as db:
            db.execute(
                delete(CareRow).where(
                    CareRow.person_id == person_id, CareRow.therapist_id == therapist_id
                )
            )

    def patients_of(self, therapist_id: str) -> list[str]:
        """List the ids of the patients in a therapist's care."""
        query = select(CareRow.person_id).where(CareRow.therapist_id == therapist_id)
        with self._sessions() as db:
            return list(db.scalars(query.order_by(CareRow.since_ns, CareRow.person_id)))

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


class SqlAccessLogStore(_SqlStore):
    """A AccessLogStore on the engine of the records store."""

    def add_access_log(self, entries: Sequence[AccessLogEntry]) -> None:
        """Store who read what."""
        with self._sessions.begin() as db:
            db.add_all(to_row(AccessLogRow, entry) for entry in entries)

    def access_log(
        self, person_id: str, limit: int, before: int | None = None
    ) -> list[tuple[int, AccessLogEntry]]:
        """List who read something of this person, newest first; see AccessLogStore."""
        query = select(AccessLogRow).where(AccessLogRow.person_id == person_id)
        if before is not None:
            query = query.where(AccessLogRow.id < before)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(AccessLogRow.id.desc()).limit(limit))
            return [(row.id, from_row(AccessLogEntry, row)) for row in rows]


class SqlIdempotencyStore(_SqlStore):
    """A IdempotencyStore on the engine of the records store."""

    def begin_idempotent(
        self, person_id: str, key: str, request_hash: str, at_ns: int, forget_ns: int
    ) -> IdempotentResponse | None:
        """Store that a request is under way, or return its response; see IdempotencyStore."""
        with write_transaction(self._engine) as db:
            db.execute(delete(IdempotentResponseRow).where(IdempotentResponseRow.at_ns < forget_ns))
            noted = db.execute(
                dialect_insert(db, IdempotentResponseRow)
                .values(person_id=person_id, key=key, request_hash=request_hash, at_ns=at_ns)
                .on_conflict_do_nothing()
                .returning(IdempotentResponseRow.key)
            ).first()
            if noted is not None:
                return None
            row = db.execute(
                select(*columns_of(IdempotentResponseRow, IdempotentResponse)).where(
                    IdempotentResponseRow.person_id == person_id, IdempotentResponseRow.key == key
                )
            ).one()
            return from_row(IdempotentResponse, row)

    def finish_idempotent(self, person_id: str, key: str, status: int, body: str | None) -> None:
        """Store the response."""
        with self._sessions.begin() as db:
            db.execute(
                update(IdempotentResponseRow)
                .where(
                    IdempotentResponseRow.person_id == person_id, IdempotentResponseRow.key == key
                )
                .values(status=status, body=body)
            )

    def drop_idempotent(self, person_id: str, key: str) -> None:
        """Let the key be used again, since nothing was done."""
        with self._sessions.begin() as db:
            db.execute(
                delete(IdempotentResponseRow).where(
                    IdempotentResponseRow.person_id == person_id, IdempotentResponseRow.key == key
                )
            )


class SqlPseudonymStore(_SqlStore):
    """A PseudonymStore on the engine of the records store."""

    def pseudonym(self, person_id: str) -> Pseudonym:
        """Return the person's pseudonym; see PseudonymStore."""
        weeks = _MIN_SHIFT_WEEKS + secrets.randbelow(_MAX_SHIFT_WEEKS - _MIN_SHIFT_WEEKS)
        with write_transaction(self._engine) as db:
            proposed = Pseudonym(person_id, new_id(), weeks * _WEEK)
            db.execute(
                dialect_insert(db, PseudonymRow)
                .values(to_values(proposed))
                .on_conflict_do_nothing()
            )
            row = db.execute(
                select(*columns_of(PseudonymRow, Pseudonym)).where(
                    PseudonymRow.person_id == person_id
                )
            ).one()
            return from_row(Pseudonym, row)


class SqlFhirExportStore(_SqlStore):
    """A FhirExportStore on the engine of the records store."""

    def add_fhir_export(self, export: FhirExport, expired_ns: int) -> None:
        """Store an export, and delete expired ones; see FhirExportStore."""
        with self._sessions.begin() as db:
            db.execute(delete(FhirExportRow).where(FhirExportRow.created_ns < expired_ns))
            db.add(to_row(FhirExportRow, export))

    def fhir_exports(self, person_id: str) -> list[FhirExport]:
        """List the exports of this analyst, oldest first."""
        query = select(FhirExportRow).where(FhirExportRow.person_id == person_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(FhirExportRow.created_ns, FhirExportRow.id))
            return [from_row(FhirExport, row) for row in rows]

    def delete_fhir_export(self, person_id: str, export_id: str) -> bool:
        """Delete an export of this analyst; returns whether there was one."""
        with self._sessions.begin() as db:
            row = db.get(FhirExportRow, export_id)
            if row is None or row.person_id != person_id:
                return False
            db.delete(row)
            return True


class SqlAccessStore(
    SqlTokenStore,
    SqlPasswordStore,
    SqlLockoutStore,
    SqlCareStore,
    SqlAccessLogStore,
    SqlIdempotencyStore,
    SqlPseudonymStore,
    SqlFhirExportStore,
):
    """An AccessStore on the engine of the records store."""
