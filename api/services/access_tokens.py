"""Access tokens: issue them, and find whose they are. Only their hashes are stored."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal

from api.services.errors import AccountErasedError
from ebbtide.beats import new_id
from ebbtide.i18n import choose_language
from ebbtide.timestamps import DAY, HOUR, MINUTE
from store import Stores
from store.errors import ErasedSubjectError
from store.models import AccessToken, Person
from store.models.access import Scope, TokenKind
from store.models.records import Role

SESSION_LIFETIME_NS, SESSION_IDLE_NS = 7 * DAY, 12 * HOUR
Computer = Literal["own", "shared"]
# How long a session lasts, and how long unused, by what the person says of the computer.
_OWN_NS, _SHARED_NS = (90 * DAY, 30 * DAY), (12 * HOUR, HOUR)
DEVICE_LIFETIME_NS = 365 * DAY
# A phone that is signed in, and how long without being used.
PHONE_LIFETIME_NS, PHONE_IDLE_NS = 365 * DAY, 90 * DAY
PHONE_SCOPES = frozenset({Scope.UPLOAD, Scope.READ, Scope.WRITE})
# By it a token that is not valid is known for that of a phone, which then locks what it holds;
# nothing is stored for that, and it holds after an end by whatever way, also by a restore.
PHONE_PREFIX = "phone-"
ALL_SCOPES = frozenset(Scope)
_USE_RESOLUTION_NS = MINUTE  # the time of last use is written at most this often


@dataclass(frozen=True, slots=True)
class Caller:
    """The person who sent a request, and the access token that they sent."""

    person: Person
    access_token: AccessToken


def session_times_ns(person: Person, computer: Computer | None) -> tuple[int, int]:
    """Return how long a session of this person lasts, and how long when it is not used. A long one
    is for patients alone: others see data that are not theirs.
    """
    if computer == "own" and person.role is Role.PATIENT:
        return _OWN_NS
    return _SHARED_NS if computer == "shared" else (SESSION_LIFETIME_NS, SESSION_IDLE_NS)


def issue_token(
    stores: Stores,
    person: Person,
    kind: TokenKind = TokenKind.SESSION,
    name: str = "",
    scopes: frozenset[Scope] = ALL_SCOPES,
    lifetime_ns: int = SESSION_LIFETIME_NS,
    idle_ns: int = SESSION_IDLE_NS,
    *,
    second_factor: bool = False,
) -> tuple[str, AccessToken]:
    """Issue a token to a person. Returns the token and what is stored, which has only its hash.

    A session, or a phone, also ends when it is not used for ``idle_ns``. ``second_factor``: whether
    more than a password was asked for.
    """
    token, stored = _new_token(
        stores, person, kind, name, scopes, lifetime_ns, idle_ns, second_factor
    )
    stores.access.add_token(stored)
    return token, stored


def issue_signed_in_token(
    stores: Stores,
    person: Person,
    kind: TokenKind = TokenKind.SESSION,
    name: str = "",
    scopes: frozenset[Scope] = ALL_SCOPES,
    lifetime_ns: int = SESSION_LIFETIME_NS,
    idle_ns: int = SESSION_IDLE_NS,
    *,
    second_factor: bool = False,
) -> tuple[str, AccessToken] | None:
    """Issue a token to a person who was verified; None where the password was changed, or they were
    shut out, meanwhile. ``second_factor``: as of ``issue_token``.
    """
    token, stored = _new_token(
        stores, person, kind, name, scopes, lifetime_ns, idle_ns, second_factor
    )
    is_stored = stores.access.add_session(stored, person.password_hash)
    return (token, stored) if is_stored else None


def _new_token(
    stores: Stores,
    person: Person,
    kind: TokenKind,
    name: str,
    scopes: frozenset[Scope],
    lifetime_ns: int,
    idle_ns: int,
    second_factor: bool,
) -> tuple[str, AccessToken]:
    token = secrets.token_urlsafe(32)
    if kind is TokenKind.PHONE:
        token = PHONE_PREFIX + token
    now = stores.now()
    idle = idle_ns if kind in (TokenKind.SESSION, TokenKind.PHONE) else 0
    stored = AccessToken(
        token_hash(token),
        person.id,
        now,
        now + lifetime_ns,
        new_id(),
        kind,
        name,
        scopes,
        now,
        idle,
        second_factor,
    )
    return token, stored


def find_caller(stores: Stores, token: str) -> Caller | None:
    """Find who holds a token that is valid now, and record that it was used.

    Raises ErasedSubjectError for a token of somebody who was erased, so that their recorder deletes
    what it holds of them; AccountErasedError for that of a phone.
    """
    now = stores.now()
    holder = stores.access.find_token(token_hash(token), now)
    if holder is None:
        if stores.access.is_erased_token(token_hash(token)):
            if is_phone_token(token):
                raise AccountErasedError(
                    "Everything of this person was erased.", "This phone holds nothing any more."
                )
            raise ErasedSubjectError(
                "Everything of this person was erased.", "Stop the recorder, and sign out."
            )
        return None
    person, access_token = holder
    if now - access_token.used_ns > _USE_RESOLUTION_NS:
        stores.access.mark_token_used(access_token.token_hash, now)
    return Caller(person, access_token)


def note_language(stores: Stores, caller: Caller, accept_language: str) -> None:
    """Remember the language of the browser that a person uses, for mail and prompts.

    A script has none. It is stored once where it is not known yet, and then no more often than the
    use of a token is, so that two browsers of two languages do not write at each request.
    """
    person, access_token = caller.person, caller.access_token
    if access_token.kind not in (TokenKind.SESSION, TokenKind.PHONE) or not accept_language:
        return
    language = choose_language(accept_language)
    is_due = stores.now() - access_token.used_ns > _USE_RESOLUTION_NS
    if language != person.language and (is_due or not person.language):
        stores.access.set_language(person.id, language)


def is_phone_token(token: str) -> bool:
    """Whether a token, valid or not, is one of a phone."""
    return token.startswith(PHONE_PREFIX)


def token_hash(token: str) -> str:
    """Hash a token. It has 256 random bits, so neither salt nor a slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
