"""Passwords, hashed with argon2id by pwdlib."""

from __future__ import annotations

from pwdlib import PasswordHash

SHORTEST = 10
_hasher = PasswordHash.recommended()
# Verified when there is no such account, so that an answer takes as long either way.
_NOBODY = _hasher.hash("nobody has this password")


def hashed(password: str) -> str:
    """The hash to keep."""
    return _hasher.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether this is the password; None stands for an account that does not exist."""
    right = _hasher.verify(password, password_hash or _NOBODY)
    return right and password_hash is not None
