"""Passwords, hashed with argon2id by pwdlib; those that are easily guessed are refused (zxcvbn)."""

from __future__ import annotations

from collections.abc import Iterable

from pwdlib import PasswordHash

from ebbtide.errors import EbbtideError

MIN_LENGTH, MAX_LENGTH = 10, 1000
_MIN_GUESSES = 8.0  # powers of ten: what withstands guessing through a sign-in that locks itself
_CHECKED_LENGTH = 72  # characters; zxcvbn takes no more
_hasher = PasswordHash.recommended()
# Verified when there is no such account, so that an answer takes as long either way.
_DUMMY_HASH = _hasher.hash("nobody has this password")


def validate_password(password: str, about: Iterable[str] = ()) -> None:
    """Raises EbbtideError for a password that is too short or easily guessed, also from what is
    known ``about`` its owner.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise EbbtideError(
            "The password is too short, or very long.", f"Use at least {MIN_LENGTH} characters."
        )
    from zxcvbn import zxcvbn  # with its dictionaries, which few processes need

    found = zxcvbn(password[:_CHECKED_LENGTH], user_inputs=[word for word in about if word])
    if float(found["guesses_log10"]) < _MIN_GUESSES:
        raise EbbtideError(
            "The password is easily guessed.", "Use a phrase of several words that do not belong."
        )


def hash_password(password: str) -> str:
    """The hash to keep."""
    return _hasher.hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether this is the password; None stands for an account that does not exist."""
    right = _hasher.verify(password, password_hash or _DUMMY_HASH)
    return right and password_hash is not None
