"""Passwords of accounts that do not exist."""

from __future__ import annotations

from pwdlib import PasswordHash

from api.services import passwords


def test_nobody_is_verified_at_the_cost_of_an_account() -> None:
    """A hash with other parameters would tell by its time who has an account."""
    hasher = PasswordHash.recommended().current_hasher
    assert not hasher.check_needs_rehash(passwords._DUMMY_HASH)
    assert hasher.verify("nobody has this password", passwords._DUMMY_HASH)
    assert not passwords.verify_password("nobody has this password", None)
