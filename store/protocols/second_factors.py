"""The protocol of a store of passkeys, authenticator apps and recovery codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from store.models.second_factors import Passkey, RecoveryCode, Totp


class SecondFactorStore(Protocol):
    """Stores with what people sign in beside, or in place of, their password."""

    def add_passkey(self, passkey: Passkey, max_passkeys: int) -> bool:
        """Store a passkey; False, and nothing is stored, where its credential is stored already or
        the person has ``max_passkeys``.
        """
        ...

    def passkeys(self, person_id: str) -> list[Passkey]:
        """List a person's passkeys, oldest first."""
        ...

    def find_passkey(self, credential_id: str) -> Passkey | None:
        """Find a passkey by its credential."""
        ...

    def use_passkey(self, passkey_id: str, sign_count: int, at_ns: int) -> bool:
        """Store the counter and the time of a use; False where the stored counter is not lower,
        unless both are 0 (passkeys that several devices share do not count).
        """
        ...

    def remove_passkey(self, person_id: str, passkey_id: str) -> bool:
        """Delete a passkey of this person; whether there was one."""
        ...

    def set_totp(self, totp: Totp, codes: Sequence[RecoveryCode]) -> None:
        """Store the secret of a person's app and their recovery codes, in place of earlier ones."""
        ...

    def find_totp(self, person_id: str) -> Totp | None:
        """Find the secret of a person's app."""
        ...

    def use_totp(self, person_id: str, step: int) -> bool:
        """Use up a code by the number of its 30 s; False where it, or a later one, was used. Of two
        workers that verify the same code, one gets True.
        """
        ...

    def remove_totp(self, person_id: str) -> bool:
        """Delete the secret of a person's app, and their recovery codes; whether there was one."""
        ...

    def set_recovery_codes(self, person_id: str, codes: Sequence[RecoveryCode]) -> None:
        """Store a person's recovery codes, in place of earlier ones."""
        ...

    def recovery_codes(self, person_id: str) -> list[RecoveryCode]:
        """List the recovery codes of a person that were not used yet."""
        ...

    def use_recovery_code(self, person_id: str, code_hash: str) -> bool:
        """Delete a recovery code: of two who use it at once, one gets True."""
        ...

    def remove_second_factors(self, person_id: str) -> bool:
        """Delete all passkeys, the app's secret and the recovery codes of a person, and end their
        tokens; whether there was a passkey or a secret.
        """
        ...

    def has_second_factor(self, person_id: str) -> bool:
        """Whether a person has a passkey or an app."""
        ...
