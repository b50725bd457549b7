"""Hash passwords with argon2id (pwdlib), and refuse those that are easily guessed (zxcvbn)."""

from __future__ import annotations

from collections.abc import Iterable

from pwdlib import PasswordHash

from ebbtide.errors import EbbtideError
from ebbtide.settings import PasswordUsers
from store.models.records import Role

# Of new passwords. A sign-in takes longer ones, which could be set before.
MIN_LENGTH, MAX_LENGTH = 10, 256
_MIN_GUESSES = 8.0  # powers of ten; enough against guessing through a sign-in that locks
# What zxcvbn sees of a password: its time grows with the cube of the length, and with the power set
# of the characters that may stand for letters ("4" for "a"): 4.4 s for 72 hostile characters.
_CHECKED_LENGTH, _MAX_SUBSTITUTES = 32, 5
_SUBSTITUTES = frozenset("4@8({[<369!|1705$+%2")
# Words that a guesser tries here first (OWASP ASVS 5.0, 6.1.2), beside name and address.
_CONTEXT_WORDS = ("ebbtide", "heartbeat", "heart rate", "pain", "therapy", "clinic", "patient")
_hasher = PasswordHash.recommended()
# Verified when there is no such account, so that an answer takes as long either way. Of "nobody has
# this password", with the parameters of the hasher: made at each start, it took 0.25 s of a core.
_DUMMY_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$xD1O3QRWWGu6mLoumVjNPQ$2oaLm/"
    "o2G1n8Nxd72qWhMWnhE43cQPZ7OHclsdI5nPA"
)


def validate_password(password: str, about: Iterable[str] = ()) -> None:
    """Raise EbbtideError for a password that is too short, or easily guessed, also from words
    ``about`` its owner.
    """
    validate_length(password)
    from zxcvbn import (
        zxcvbn,  # lazily: its dictionaries are large, and few processes check passwords
    )

    words = [word[:_CHECKED_LENGTH] for word in (*_CONTEXT_WORDS, *about) if word]
    estimate = zxcvbn(_cap(password), user_inputs=words)
    if float(estimate["guesses_log10"]) < _MIN_GUESSES:
        raise EbbtideError(
            "The password is easily guessed.", "Use a phrase of several words that do not belong."
        )


def validate_length(password: str) -> None:
    """Raise EbbtideError for a password that is too short or too long, at no cost."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise EbbtideError(
            "The password is too short, or very long.",
            f"Use {MIN_LENGTH} to {MAX_LENGTH} characters.",
        )


def _cap(password: str) -> str:
    """Return what of a password is estimated, in bounded time: its beginning, in which substitutes
    of letters beyond the first five different ones stand for nothing.
    """
    found: dict[str, None] = {}
    capped = []
    for character in password[:_CHECKED_LENGTH]:
        if character in _SUBSTITUTES and character not in found:
            if len(found) == _MAX_SUBSTITUTES:
                character = "~"
            else:
                found[character] = None
        capped.append(character)
    return "".join(capped)


def hash_password(password: str) -> str:
    """Hash a password to store."""
    return _hasher.hash(password)


def is_outdated(password_hash: str) -> bool:
    """Whether a hash was made with other parameters than new ones are."""
    return bool(password_hash) and _hasher.current_hasher.check_needs_rehash(password_hash)


def may_use_password(who: PasswordUsers, role: Role) -> bool:
    """Whether people of a role sign in with a password, as EBBTIDE_PASSWORDS says."""
    return who == "everybody" or (who == "patients" and role is Role.PATIENT)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether this is the password; None stands for an account that does not exist. An account that
    has no password (an empty hash) takes none.
    """
    is_right = _hasher.verify(password, password_hash or _DUMMY_HASH)
    return is_right and bool(password_hash)
