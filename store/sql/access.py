"""Who may do what, and who did, in an SQL database."""

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
    IdempotentResponse,
    OneTimePurpose,
    OneTimeToken,
    Pseudonym,
)
from store.models.records import Person
from store.sql.engine import dialect_insert, write_transaction
from store.sql.rows import columns_of, from_row, to_row, to_values
from store.sql.tables.access import (
    AnswerRow,
    AttemptsRow,
    CareRow,
    LiveShareRow,
    LookRow,
    OneTimeRow,
    PseudonymRow,
)
from store.sql.tables.records import PersonRow, SignInRow

_WEEK = 7 * DAY
# Asked at every request: putting it together anew takes three times as long as asking.
_SIGNED_IN = (
    select(PersonRow, SignInRow)
    .join(SignInRow, SignInRow.person_id == PersonRow.id)
    .where(
        SignInRow.token_hash == bindparam("token_hash"),
        SignInRow.expires_ns > bindparam("at_ns"),
        or_(SignInRow.idle_ns == 0, SignInRow.used_ns + SignInRow.idle_ns > bindparam("at_ns")),
        PersonRow.active,
    )
)
_LEAST_WEEKS, _MOST_WEEKS = 26, 260  # that dates are moved back for analysts


class SqlAccessStore:
    """A RightsStore on the engine of the records store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)

    def add_token(self, sign_in: AccessToken) -> None:
        """Keep a sign-in, and forget those that have expired by its creation."""
        with self._sessions.begin() as db:
            db.execute(delete(SignInRow).where(SignInRow.expires_ns <= sign_in.created_ns))
            db.add(to_row(SignInRow, sign_in))

    def signed_in(self, token_hash: str, at_ns: int) -> tuple[Person, AccessToken] | None:
        """Who holds this token at this time; see RightsStore."""
        with self._sessions() as db:
            found = db.execute(_SIGNED_IN, {"token_hash": token_hash, "at_ns": at_ns}).first()
            if found is None:
                return None
            return from_row(Person, found[0]), from_row(AccessToken, found[1])

    def used(self, token_hash: str, at_ns: int) -> None:
        """Note that a token was used."""
        with self._sessions.begin() as db:
            db.execute(
                update(SignInRow).where(SignInRow.token_hash == token_hash).values(used_ns=at_ns)
            )

    def end_token(self, token_hash: str) -> None:
        """Sign out."""
        with self._sessions.begin() as db:
            db.execute(delete(SignInRow).where(SignInRow.token_hash == token_hash))

    def sign_ins(self, person_id: str) -> list[AccessToken]:
        """All tokens of a person, oldest first."""
        query = select(SignInRow).where(SignInRow.person_id == person_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(SignInRow.created_ns, SignInRow.id))
            return [from_row(AccessToken, row) for row in rows]

    def revoke(self, person_id: str, sign_in_id: str) -> bool:
        """End a token by its id; whether there was one."""
        with self._sessions.begin() as db:
            gone = db.execute(
                delete(SignInRow)
                .where(SignInRow.person_id == person_id, SignInRow.id == sign_in_id)
                .returning(SignInRow.id)
            )
            return gone.first() is not None

    def end_tokens(self, person_id: str, but: str | None = None) -> None:
        """End all tokens of a person, but for the one with this hash."""
        with self._sessions.begin() as db:
            db.execute(
                delete(SignInRow).where(
                    SignInRow.person_id == person_id, SignInRow.token_hash != (but or "")
                )
            )

    def set_password(self, person_id: str, password_hash: str) -> None:
        """Keep another password."""
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
                db.execute(delete(SignInRow).where(SignInRow.person_id == person_id))

    def active(self, person_id: str) -> bool:
        """Whether a person may sign in."""
        with self._sessions() as db:
            return bool(db.scalar(select(PersonRow.active).where(PersonRow.id == person_id)))

    def put_one_time_token(self, one_time: OneTimeToken) -> None:
        """Keep a one-time token, and forget those that have expired."""
        with self._sessions.begin() as db:
            db.execute(delete(OneTimeRow).where(OneTimeRow.expires_ns <= one_time.created_ns))
            db.add(to_row(OneTimeRow, one_time))

    def take_one_time_token(
        self, token_hash: str, purpose: OneTimePurpose, at_ns: int
    ) -> OneTimeToken | None:
        """Use a one-time token: of two who use it at once, one gets it."""
        with self._sessions.begin() as db:
            row = db.execute(
                delete(OneTimeRow)
                .where(
                    OneTimeRow.token_hash == token_hash,
                    OneTimeRow.purpose == str(purpose),
                    OneTimeRow.expires_ns > at_ns,
                )
                .returning(*columns_of(OneTimeRow, OneTimeToken))
            ).first()
            return None if row is None else from_row(OneTimeToken, row)

    def put_care(self, therapist_id: str, person_id: str, at_ns: int) -> None:
        """Put a patient into a therapist's care; twice is once."""
        values = {"person_id": person_id, "therapist_id": therapist_id, "since_ns": at_ns}
        with write_transaction(self._engine) as db:
            db.execute(dialect_insert(db, CareRow).values(**values).on_conflict_do_nothing())

    def end_care(self, therapist_id: str, person_id: str) -> None:
        """End it."""
        with self._sessions.begin() as db:
            db.execute(
                delete(CareRow).where(
                    CareRow.person_id == person_id, CareRow.therapist_id == therapist_id
                )
            )

    def in_care_of(self, therapist_id: str) -> list[str]:
        """The ids of the patients in a therapist's care."""
        query = select(CareRow.person_id).where(CareRow.therapist_id == therapist_id)
        with self._sessions() as db:
            return list(db.scalars(query.order_by(CareRow.since_ns, CareRow.person_id)))

    def carers_of(self, person_id: str) -> list[str]:
        """The ids of the therapists of a patient."""
        query = select(CareRow.therapist_id).where(CareRow.person_id == person_id)
        with self._sessions() as db:
            return list(db.scalars(query.order_by(CareRow.since_ns, CareRow.therapist_id)))

    def add_access_log(self, looks: Sequence[AccessLogEntry]) -> None:
        """Keep who read what."""
        with self._sessions.begin() as db:
            db.add_all(to_row(LookRow, look) for look in looks)

    def looks(
        self, person_id: str, limit: int, before: int | None = None
    ) -> list[tuple[int, AccessLogEntry]]:
        """Who read something of this person, newest first; see RightsStore."""
        query = select(LookRow).where(LookRow.person_id == person_id)
        if before is not None:
            query = query.where(LookRow.id < before)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(LookRow.id.desc()).limit(limit))
            return [(row.id, from_row(AccessLogEntry, row)) for row in rows]

    def attempts(self, key: str) -> Attempts:
        """Failed attempts with this key."""
        with self._sessions() as db:
            row = db.get(AttemptsRow, key)
            return Attempts(0, 0) if row is None else from_row(Attempts, row)

    def add_failure(self, key: str, at_ns: int, forget_after_ns: int) -> None:
        """One more; see RightsStore."""
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
        """It went well."""
        with self._sessions.begin() as db:
            db.execute(delete(AttemptsRow).where(AttemptsRow.key == key))

    def begin_idempotent(
        self, person_id: str, key: str, request_hash: str, at_ns: int, forget_ns: int
    ) -> IdempotentResponse | None:
        """Note that a request is under way, or what there is; see RightsStore."""
        with write_transaction(self._engine) as db:
            db.execute(delete(AnswerRow).where(AnswerRow.at_ns < forget_ns))
            noted = db.execute(
                dialect_insert(db, AnswerRow)
                .values(person_id=person_id, key=key, request_hash=request_hash, at_ns=at_ns)
                .on_conflict_do_nothing()
                .returning(AnswerRow.key)
            ).first()
            if noted is not None:
                return None
            row = db.execute(
                select(*columns_of(AnswerRow, IdempotentResponse)).where(
                    AnswerRow.person_id == person_id, AnswerRow.key == key
                )
            ).one()
            return from_row(IdempotentResponse, row)

    def finish_idempotent(self, person_id: str, key: str, status: int, body: str | None) -> None:
        """Keep the answer."""
        with self._sessions.begin() as db:
            db.execute(
                update(AnswerRow)
                .where(AnswerRow.person_id == person_id, AnswerRow.key == key)
                .values(status=status, body=body)
            )

    def drop_idempotent(self, person_id: str, key: str) -> None:
        """Nothing was done: the key may be used again."""
        with self._sessions.begin() as db:
            db.execute(
                delete(AnswerRow).where(AnswerRow.person_id == person_id, AnswerRow.key == key)
            )

    def pseudonym(self, person_id: str) -> Pseudonym:
        """The person's pseudonym; see RightsStore."""
        weeks = _LEAST_WEEKS + secrets.randbelow(_MOST_WEEKS - _LEAST_WEEKS)
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

    def share_live(self, person_id: str, until_ns: int) -> None:
        """Until when therapists may watch live."""
        with write_transaction(self._engine) as db:
            db.execute(
                dialect_insert(db, LiveShareRow)
                .values(person_id=person_id, until_ns=until_ns)
                .on_conflict_do_update(index_elements=["person_id"], set_={"until_ns": until_ns})
            )

    def live_until(self, person_id: str) -> int:
        """Until when therapists may watch live; 0 never."""
        query = select(func.coalesce(func.max(LiveShareRow.until_ns), 0))
        with self._sessions() as db:
            return int(db.scalar(query.where(LiveShareRow.person_id == person_id)) or 0)
