"""Passkeys, authenticator apps and recovery codes in an SQL database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, exists, func, insert, or_, select, update

from store.models.second_factors import Passkey, RecoveryCode, Totp
from store.sql.engine import SqlStore, dialect_insert, write_transaction
from store.sql.rows import from_row, to_values
from store.sql.tables.access import OneTimeTokenRow
from store.sql.tables.records import AccessTokenRow, PersonRow
from store.sql.tables.second_factors import PasskeyRow, RecoveryCodeRow, TotpRow


class SqlSecondFactorStore(SqlStore):
    """A SecondFactorStore on the engine of the records store."""

    def add_passkey(self, passkey: Passkey, max_passkeys: int) -> bool:
        """Store a passkey; see SecondFactorStore."""
        with write_transaction(self._engine) as db:
            # The person's row is locked: of many that are added at once, no more than allowed.
            db.execute(
                select(PersonRow.id).where(PersonRow.id == passkey.person_id).with_for_update()
            )
            count = db.scalar(
                select(func.count())
                .select_from(PasskeyRow)
                .where(PasskeyRow.person_id == passkey.person_id)
            )
            if (count or 0) >= max_passkeys:
                return False
            stored = db.execute(
                dialect_insert(db, PasskeyRow)
                .values(to_values(passkey))
                .on_conflict_do_nothing()
                .returning(PasskeyRow.id)
            ).first()
            return stored is not None

    def passkeys(self, person_id: str) -> list[Passkey]:
        """List a person's passkeys, oldest first."""
        query = select(PasskeyRow).where(PasskeyRow.person_id == person_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(PasskeyRow.created_ns, PasskeyRow.id))
            return [from_row(Passkey, row) for row in rows]

    def find_passkey(self, credential_id: str) -> Passkey | None:
        """Find a passkey by its credential."""
        query = select(PasskeyRow).where(PasskeyRow.credential_id == credential_id)
        with self._sessions() as db:
            row = db.scalar(query)
            return None if row is None else from_row(Passkey, row)

    def use_passkey(self, passkey_id: str, sign_count: int, at_ns: int) -> bool:
        """Store the counter and the time of a use; see SecondFactorStore."""
        is_later = PasskeyRow.sign_count < sign_count
        if sign_count == 0:
            is_later = PasskeyRow.sign_count == 0
        with write_transaction(self._engine) as db:
            used = db.execute(
                update(PasskeyRow)
                .where(PasskeyRow.id == passkey_id, is_later)
                .values(sign_count=sign_count, used_ns=at_ns)
                .returning(PasskeyRow.id)
            )
            return used.first() is not None

    def remove_passkey(self, person_id: str, passkey_id: str) -> bool:
        """Delete a passkey of this person; whether there was one."""
        with write_transaction(self._engine) as db:
            gone = db.execute(
                delete(PasskeyRow)
                .where(PasskeyRow.person_id == person_id, PasskeyRow.id == passkey_id)
                .returning(PasskeyRow.id)
            )
            return gone.first() is not None

    def set_totp(self, totp: Totp, codes: Sequence[RecoveryCode]) -> None:
        """Store the secret of a person's app and their recovery codes; see SecondFactorStore."""
        with write_transaction(self._engine) as db:
            db.execute(delete(TotpRow).where(TotpRow.person_id == totp.person_id))
            db.execute(insert(TotpRow).values(to_values(totp)))
            _put_codes(db, totp.person_id, codes)

    def find_totp(self, person_id: str) -> Totp | None:
        """Find the secret of a person's app."""
        with self._sessions() as db:
            row = db.get(TotpRow, person_id)
            return None if row is None else from_row(Totp, row)

    def use_totp(self, person_id: str, step: int) -> bool:
        """Use up a code by the number of its 30 s; see SecondFactorStore."""
        with write_transaction(self._engine) as db:
            used = db.execute(
                update(TotpRow)
                .where(TotpRow.person_id == person_id, TotpRow.last_step < step)
                .values(last_step=step)
                .returning(TotpRow.person_id)
            )
            return used.first() is not None

    def remove_totp(self, person_id: str) -> bool:
        """Delete the secret of a person's app, and their recovery codes; see SecondFactorStore."""
        with write_transaction(self._engine) as db:
            _put_codes(db, person_id, ())
            gone = db.execute(
                delete(TotpRow).where(TotpRow.person_id == person_id).returning(TotpRow.person_id)
            )
            return gone.first() is not None

    def set_recovery_codes(self, person_id: str, codes: Sequence[RecoveryCode]) -> None:
        """Store a person's recovery codes, in place of earlier ones."""
        with write_transaction(self._engine) as db:
            _put_codes(db, person_id, codes)

    def recovery_codes(self, person_id: str) -> list[RecoveryCode]:
        """List the recovery codes of a person that were not used yet."""
        query = select(RecoveryCodeRow).where(RecoveryCodeRow.person_id == person_id)
        with self._sessions() as db:
            rows = db.scalars(query.order_by(RecoveryCodeRow.code_hash))
            return [from_row(RecoveryCode, row) for row in rows]

    def use_recovery_code(self, person_id: str, code_hash: str) -> bool:
        """Delete a recovery code: of two who use it at once, one gets True."""
        with write_transaction(self._engine) as db:
            gone = db.execute(
                delete(RecoveryCodeRow)
                .where(
                    RecoveryCodeRow.person_id == person_id, RecoveryCodeRow.code_hash == code_hash
                )
                .returning(RecoveryCodeRow.code_hash)
            )
            return gone.first() is not None

    def remove_second_factors(self, person_id: str) -> bool:
        """Delete all of a person, and end their tokens; see SecondFactorStore."""
        with write_transaction(self._engine) as db:
            gone = [
                db.execute(
                    delete(table).where(table.person_id == person_id).returning(table.person_id)
                ).first()
                for table in (PasskeyRow, TotpRow)
            ]
            _put_codes(db, person_id, ())
            db.execute(delete(AccessTokenRow).where(AccessTokenRow.person_id == person_id))
            db.execute(delete(OneTimeTokenRow).where(OneTimeTokenRow.person_id == person_id))
            return any(row is not None for row in gone)

    def has_second_factor(self, person_id: str) -> bool:
        """Whether a person has a passkey or an app."""
        query = select(
            or_(
                exists().where(PasskeyRow.person_id == person_id),
                exists().where(TotpRow.person_id == person_id),
            )
        )
        with self._sessions() as db:
            return bool(db.scalar(query))


def _put_codes(db: Connection, person_id: str, codes: Sequence[RecoveryCode]) -> None:
    db.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.person_id == person_id))
    if codes:
        db.execute(insert(RecoveryCodeRow), [to_values(code) for code in codes])
