"""Hash passwords with argon2id (pwdlib), and refuse those that are easily guessed (zxcvbn)."""

from __future__ import annotations

from collections.abc import Iterable

from pwdlib import PasswordHash

from api.schemas.auth import MAX_PASSWORD_LENGTH
from ebbtide.errors import EbbtideError

MIN_LENGTH, MAX_LENGTH = 10, MAX_PASSWORD_LENGTH
_MIN_GUESSES = 8.0  # powers of ten; enough against guessing through a sign-in that locks
_CHECKED_LENGTH = 72  # characters; zxcvbn takes no more
_hasher = PasswordHash.recommended()
# Verified when there is no such account, so that an answer takes as long either way.
_DUMMY_HASH = _hasher.hash("nobody has this password")


def validate_password(password: str, about: Iterable[str] = ()) -> None:
    """Raise EbbtideError for a password that is too short, or easily guessed, also from words
    ``about`` its owner.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise EbbtideError(
            "The password is too short, or very long.", f"Use at least {MIN_LENGTH} characters."
        )
    from zxcvbn import (
        zxcvbn,  # lazily: its dictionaries are large, and few processes check passwords
    )

    estimate = zxcvbn(password[:_CHECKED_LENGTH], user_inputs=[word for word in about if word])
    if float(estimate["guesses_log10"]) < _MIN_GUESSES:
        raise EbbtideError(
            "The password is easily guessed.", "Use a phrase of several words that do not belong."
        )


def hash_password(password: str) -> str:
    """Hash a password to store."""
    return _hasher.hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether this is the password; None stands for an account that does not exist."""
    is_right = _hasher.verify(password, password_hash or _DUMMY_HASH)
    return is_right and password_hash is not None
