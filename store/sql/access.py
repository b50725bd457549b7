"""Who may do what, and who did, in an SQL database: a class for each part of AccessStore."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, true, update

from store.models.access import (
    AccessLogEntry,
    AccessToken,
    FhirExport,
    IdempotentResponse,
    OneTimePurpose,
    OneTimeToken,
)
from store.models.records import Person, Role
from store.sql.attempts import SqlLockoutStore, SqlRequestCountStore
from store.sql.care import SqlCareStore
from store.sql.engine import SqlStore, dialect_insert, write_transaction
from store.sql.export_pins import SqlExportPinStore
from store.sql.rows import columns_of, from_row, from_values, to_row, to_values
from store.sql.second_factors import SqlSecondFactorStore
from store.sql.tables.access import (
    STORAGE_KEY_BYTES,
    AccessLogRow,
    CareProposalRow,
    CareRow,
    CohortMemberRow,
    ErasedTokenRow,
    FhirExportRow,
    IdempotentResponseRow,
    KnownDeviceRow,
    OneTimeTokenRow,
    ResearchSecretRow,
    StorageKeyRow,
)
from store.sql.tables.records import AccessTokenRow, PersonRow

_SECRET_BYTES = 32  # 256 bits
_ONE_OF_A_PERSON = frozenset(
    {OneTimePurpose.PASSWORD, OneTimePurpose.SECOND_FACTOR, OneTimePurpose.PHONE_CODE}
)
_PERSON_COLUMNS = columns_of(PersonRow, Person)
# Built once: it runs at every request, and building it takes three times as long as running it.
# Of columns: the objects of two tables would be made only to be read once.
_VALID_TOKEN = (
    select(*_PERSON_COLUMNS, *columns_of(AccessTokenRow, AccessToken))
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


class SqlTokenStore(SqlStore):
    """A TokenStore on the engine of the records store."""

    def add_token(self, token: AccessToken) -> None:
        """Store a token; see TokenStore."""
        with self._sessions.begin() as db:
            for table in (AccessTokenRow, ErasedTokenRow):
                db.execute(delete(table).where(table.expires_ns <= token.created_ns))
            db.add(to_row(AccessTokenRow, token))

    def add_session(self, token: AccessToken, password_hash: str) -> bool:
        """Store a token where the password is still this one; see TokenStore."""
        with write_transaction(self._engine) as db:
            person = db.execute(
                select(PersonRow.id)
                .where(
                    PersonRow.id == token.person_id,
                    PersonRow.password_hash == password_hash,
                    PersonRow.active,
                )
                .with_for_update()
            ).first()
            if person is None:
                return False
            db.execute(delete(AccessTokenRow).where(AccessTokenRow.expires_ns <= token.created_ns))
            db.execute(insert(AccessTokenRow).values(to_values(token)))
            return True

    def find_token(self, token_hash: str, at_ns: int) -> tuple[Person, AccessToken] | None:
        """Find a valid token and its person; see TokenStore."""
        with self._reading.connect() as db:
            found = db.execute(_VALID_TOKEN, {"token_hash": token_hash, "at_ns": at_ns}).first()
        if found is None:
            return None
        of_person = len(_PERSON_COLUMNS)
        return from_values(Person, found[:of_person]), from_values(AccessToken, found[of_person:])

    def is_erased_token(self, token_hash: str) -> bool:
        """Whether the token was of somebody who was erased; see TokenStore."""
        query = select(ErasedTokenRow.token_hash).where(ErasedTokenRow.token_hash == token_hash)
        with self._single_reads() as db:
            return db.scalar(query) is not None

    def add_erased_tokens(self, tokens: Sequence[tuple[str, int]], at_ns: int) -> None:
        """Store hashes of tokens of people who were erased; see TokenStore."""
        rows = [{"token_hash": token, "expires_ns": end} for token, end in tokens if end > at_ns]
        if rows:
            with write_transaction(self._engine) as db:
                statement = dialect_insert(db, ErasedTokenRow).on_conflict_do_nothing()
                db.execute(statement, rows)
                hashes = [row["token_hash"] for row in rows]
                db.execute(delete(AccessTokenRow).where(AccessTokenRow.token_hash.in_(hashes)))

    def mark_token_used(self, token_hash: str, at_ns: int) -> None:
        """Set when a token was last used."""
        with self._sessions.begin() as db:
            db.execute(
                update(AccessTokenRow)
                .where(AccessTokenRow.token_hash == token_hash)
                .values(used_ns=at_ns)
            )

    def mark_token_verified(self, token_hash: str, at_ns: int, second_factor: bool) -> None:
        """Set when the token's person proved again who they are; see TokenStore."""
        values: dict[str, object] = {"verified_ns": at_ns}
        if second_factor:
            values["second_factor"] = True
        with self._sessions.begin() as db:
            db.execute(
                update(AccessTokenRow).where(AccessTokenRow.token_hash == token_hash).values(values)
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
        """Store a one-time token; see TokenStore."""
        with write_transaction(self._engine) as db:
            db.execute(
                delete(OneTimeTokenRow).where(OneTimeTokenRow.expires_ns <= one_time.created_ns)
            )
            if one_time.purpose in _ONE_OF_A_PERSON and one_time.person_id is not None:
                # The person's row is locked: of two that are made at once, one stays.
                _lock_person(db, one_time.person_id)
                _end_one_time(db, one_time.person_id, one_time.purpose)
            db.execute(insert(OneTimeTokenRow).values(to_values(one_time)))

    def find_one_time_token(
        self, token_hash: str, purpose: OneTimePurpose, at_ns: int
    ) -> OneTimeToken | None:
        """Find a one-time token that could be used now; see TokenStore."""
        query = select(OneTimeTokenRow).where(
            OneTimeTokenRow.token_hash == token_hash,
            OneTimeTokenRow.purpose == str(purpose),
            OneTimeTokenRow.expires_ns > at_ns,
        )
        with self._sessions() as db:
            row = db.scalar(query)
            return None if row is None else from_row(OneTimeToken, row)

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


class SqlStorageKeyStore(SqlStore):
    """A StorageKeyStore on the engine of the records store."""

    def storage_key(self, person_id: str, at_ns: int) -> bytes | None:
        """Return with what a person's phones encrypt; see StorageKeyStore."""
        query = select(StorageKeyRow.secret).where(StorageKeyRow.person_id == person_id)
        with self._engine.connect() as db:
            found = db.scalar(query)
        if found is None:  # who was made a patient later, or by an older Ebbtide
            with write_transaction(self._engine) as db:
                # Locked: of two first calls one makes it, and nobody is erased in between.
                if not _lock_person(db, person_id):
                    return None
                db.execute(
                    dialect_insert(db, StorageKeyRow)
                    .values(
                        person_id=person_id,
                        secret=secrets.token_hex(STORAGE_KEY_BYTES),
                        created_ns=at_ns,
                    )
                    .on_conflict_do_nothing()
                )
                found = db.execute(query).scalar_one()
        return bytes.fromhex(found)


class SqlPasswordStore(SqlStore):
    """A PasswordStore on the engine of the records store."""

    def set_password(
        self, person_id: str, password_hash: str, but: str | None = None, *, was: str | None = None
    ) -> bool:
        """Replace the password, and end what came with the old one; see PasswordStore."""
        with write_transaction(self._engine) as db:
            replaced = db.execute(
                update(PersonRow)
                .where(PersonRow.id == person_id)
                .where(PersonRow.password_hash == was if was is not None else true())
                .values(password_hash=password_hash)
                .returning(PersonRow.id)
            ).first()
            if replaced is None:
                return False
            db.execute(
                delete(AccessTokenRow).where(
                    AccessTokenRow.person_id == person_id, AccessTokenRow.token_hash != (but or "")
                )
            )
            _end_one_time(
                *(db, person_id, OneTimePurpose.PASSWORD, OneTimePurpose.OIDC_CODE),
                *(OneTimePurpose.LOCAL_LINK, OneTimePurpose.PHONE_LINK, OneTimePurpose.PHONE_CODE),
                *(OneTimePurpose.TOTP_SETUP, OneTimePurpose.PASSKEY_ADD),
            )
            db.execute(delete(KnownDeviceRow).where(KnownDeviceRow.person_id == person_id))
            return True

    def renew_password_hash(self, person_id: str, password_hash: str, *, was: str) -> None:
        """Replace the hash of the same password; see PasswordStore."""
        with write_transaction(self._engine) as db:
            db.execute(
                update(PersonRow)
                .where(PersonRow.id == person_id, PersonRow.password_hash == was)
                .values(password_hash=password_hash)
            )

    def set_active(self, person_id: str, active: bool) -> None:
        """Let a person sign in, or no more; see PasswordStore."""
        with write_transaction(self._engine) as db:
            db.execute(update(PersonRow).where(PersonRow.id == person_id).values(active=active))
            if not active:
                db.execute(delete(AccessTokenRow).where(AccessTokenRow.person_id == person_id))
                db.execute(delete(KnownDeviceRow).where(KnownDeviceRow.person_id == person_id))
                _end_one_time(db, person_id)
                db.execute(delete(OneTimeTokenRow).where(OneTimeTokenRow.issuer_id == person_id))
                db.execute(delete(CareProposalRow).where(CareProposalRow.therapist_id == person_id))

    def set_language(self, person_id: str, language: str) -> None:
        """Set the language of mail and prompts; see PasswordStore."""
        with write_transaction(self._engine) as db:
            row = update(PersonRow).where(PersonRow.id == person_id)
            db.execute(row.values(language=language))

    def set_role(self, person_id: str, role: Role) -> None:
        """Give a person another role; see PasswordStore."""
        with write_transaction(self._engine) as db:
            db.execute(update(PersonRow).where(PersonRow.id == person_id).values(role=str(role)))
            db.execute(delete(AccessTokenRow).where(AccessTokenRow.person_id == person_id))
            db.execute(delete(OneTimeTokenRow).where(OneTimeTokenRow.issuer_id == person_id))
            for care in (CareRow, CareProposalRow):
                db.execute(delete(care).where(care.therapist_id == person_id))

    def is_active(self, person_id: str) -> bool:
        """Whether a person may sign in."""
        with self._sessions() as db:
            return bool(db.scalar(select(PersonRow.active).where(PersonRow.id == person_id)))


class SqlAccessLogStore(SqlStore):
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

    def whole_access_log(
        self, limit: int, before: int | None = None
    ) -> list[tuple[int, AccessLogEntry]]:
        """List who read something of anybody, newest first; see AccessLogStore."""
        query = select(AccessLogRow)
        if before is not None:
            query = query.where(AccessLogRow.id < before)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(AccessLogRow.id.desc()).limit(limit))
            return [(row.id, from_row(AccessLogEntry, row)) for row in rows]


class SqlIdempotencyStore(SqlStore):
    """A IdempotencyStore on the engine of the records store."""

    def begin_idempotent(
        self,
        person_id: str,
        key: str,
        request_hash: str,
        at_ns: int,
        forget_ns: int,
        about_id: str | None = None,
    ) -> IdempotentResponse | None:
        """Store that a request is under way, or return its response; see IdempotencyStore."""
        with write_transaction(self._engine) as db:
            db.execute(delete(IdempotentResponseRow).where(IdempotentResponseRow.at_ns < forget_ns))
            noted = db.execute(
                dialect_insert(db, IdempotentResponseRow)
                .values(
                    person_id=person_id,
                    key=key,
                    request_hash=request_hash,
                    at_ns=at_ns,
                    about_id=about_id,
                )
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


class SqlResearchStore(SqlStore):
    """A ResearchStore on the engine of the records store."""

    def research_secret(self) -> bytes:
        """Return what pseudonyms are made from; see ResearchStore."""
        query = select(ResearchSecretRow.secret)
        with self._engine.connect() as db:
            found = db.scalar(query)
        if found is None:
            with write_transaction(self._engine) as db:
                db.execute(
                    dialect_insert(db, ResearchSecretRow)
                    .values(id=1, secret=secrets.token_hex(_SECRET_BYTES))
                    .on_conflict_do_nothing()
                )
                found = db.execute(query).scalar_one()
        return bytes.fromhex(found)

    def update_cohort(self, agreed: Collection[str], min_people: int, at_ns: int) -> dict[str, int]:
        """Return who is in the cohort; see ResearchStore."""
        query = select(CohortMemberRow.person_id, CohortMemberRow.at_ns)
        wanted = set(agreed)
        with self._engine.connect() as db:
            members = {row.person_id: row.at_ns for row in db.execute(query)}
        if members.keys() <= wanted and len(wanted - members.keys()) < min_people:
            return members  # mostly: nothing is to be written
        with write_transaction(self._engine) as db:
            members = {row.person_id: row.at_ns for row in db.execute(query)}
            gone = members.keys() - wanted
            if gone:
                # Who entered since these consents were read may have agreed since.
                db.execute(
                    delete(CohortMemberRow).where(
                        CohortMemberRow.person_id.in_(gone), CohortMemberRow.at_ns <= at_ns
                    )
                )
            waiting = wanted - members.keys()
            if len(waiting) >= min_people:
                # Without who was erased meanwhile: of those who are left there may be too few.
                there = sorted(db.scalars(select(PersonRow.id).where(PersonRow.id.in_(waiting))))
                for person_id in there if len(there) >= min_people else ():
                    db.execute(
                        dialect_insert(db, CohortMemberRow)
                        .values(person_id=person_id, at_ns=at_ns)
                        .on_conflict_do_nothing()
                    )
                    members[person_id] = at_ns
        return {person_id: at for person_id, at in members.items() if person_id not in gone}


class SqlFhirExportStore(SqlStore):
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
    SqlStorageKeyStore,
    SqlPasswordStore,
    SqlLockoutStore,
    SqlCareStore,
    SqlAccessLogStore,
    SqlIdempotencyStore,
    SqlResearchStore,
    SqlRequestCountStore,
    SqlExportPinStore,
    SqlFhirExportStore,
    SqlSecondFactorStore,
):
    """An AccessStore on the engine of the records store."""


def _lock_person(db: Connection, person_id: str) -> bool:
    """Lock the row of a person; whether there is one."""
    query = select(PersonRow.id).where(PersonRow.id == person_id).with_for_update()
    return db.execute(query).first() is not None


def _end_one_time(db: Connection, person_id: str, *purposes: OneTimePurpose) -> None:
    """Delete the one-time tokens that were issued to a person; of all purposes if none is given."""
    query = delete(OneTimeTokenRow).where(OneTimeTokenRow.person_id == person_id)
    if purposes:
        query = query.where(OneTimeTokenRow.purpose.in_([str(purpose) for purpose in purposes]))
    db.execute(query)
