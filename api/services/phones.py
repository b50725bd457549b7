"""Phones on which the app is signed in: the code that signs one in, its token, its storage key."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass

from api.services.access_tokens import (
    PHONE_IDLE_NS,
    PHONE_LIFETIME_NS,
    PHONE_SCOPES,
    Caller,
    issue_signed_in_token,
    token_hash,
)
from api.services.errors import TooManyPhonesError
from ebbtide.timestamps import MINUTE
from store import Stores
from store.models import AccessToken, OneTimePurpose, OneTimeToken, Person, TokenKind

CODE_LIFETIME_NS = 5 * MINUTE
# Letters and digits that are not taken for others: 49 bits in ten of them, good for five minutes,
# and ten attempts a network before each next one waits (``lockout.begin_phone_code``).
_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_CODE_LENGTH = 10
# Each is a way in for a year: more than anybody has, few enough to look through in a list.
MAX_PHONES = 10


@dataclass(frozen=True, slots=True)
class SignedInPhone:
    """A phone that was just signed in. ``storage_key``: with what it encrypts what it holds."""

    token: str
    access_token: AccessToken
    storage_key: bytes


def issue_phone_code(stores: Stores, caller: Caller) -> tuple[str, int]:
    """Issue a code that signs the caller in on a phone: once, within five minutes, and only while
    the session that issued it goes on; an earlier one ends. Returns it and when it expires, in ns.
    """
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    now = stores.now()
    stored = OneTimeToken(
        token_hash(code),
        OneTimePurpose.PHONE_CODE,
        caller.person.id,
        json.dumps({"session": caller.access_token.token_hash}),
        now,
        now + CODE_LIFETIME_NS,
    )
    stores.access.put_one_time_token(stored)
    return f"{code[:5]}-{code[5:]}", stored.expires_ns


def use_phone_code(stores: Stores, code: str) -> Caller | None:
    """Use up a code: whose it is, with the session that issued it; None where it is worth nothing,
    also since that session ended.
    """
    written = re.sub(r"[\s-]", "", code).upper()
    taken = stores.access.take_one_time_token(
        token_hash(written), OneTimePurpose.PHONE_CODE, stores.now()
    )
    if taken is None:
        return None
    issuer = stores.access.find_token(json.loads(taken.body)["session"], stores.now())
    if issuer is None or issuer[0].id != taken.person_id:
        return None
    return Caller(*issuer)


def sign_phone_in(
    stores: Stores, person: Person, name: str, *, second_factor: bool
) -> SignedInPhone | None:
    """Sign a patient in on a phone; None where the password was changed, or they were shut out or
    erased, meanwhile. ``second_factor``: whether more than a password was asked for. Raises
    TooManyPhonesError; none of them is signed out for it, as it may have beats that wait.
    """
    if len(phones(stores, person)) >= MAX_PHONES:
        raise _too_many()
    key = stores.access.storage_key(person.id, stores.now())
    if key is None:
        return None
    issued = issue_signed_in_token(
        *(stores, person, TokenKind.PHONE, name, PHONE_SCOPES, PHONE_LIFETIME_NS, PHONE_IDLE_NS),
        second_factor=second_factor,
    )
    if issued is None:
        return None
    # Of several that signed in at once some or all are ended again, and none is one too many.
    if len(phones(stores, person)) > MAX_PHONES:
        stores.access.revoke_token(person.id, issued[1].id)
        raise _too_many()
    return SignedInPhone(*issued, key)


def _too_many() -> TooManyPhonesError:
    return TooManyPhonesError(
        f"The app is signed in on {MAX_PHONES} phones or browsers of yours already, and no more "
        "are possible.",
        "Open My devices on the pages, remove one that you no longer use, and sign in again; a "
        "code has to be a new one.",
    )


def phones(stores: Stores, person: Person) -> list[AccessToken]:
    """List the phones on which a person is signed in now, oldest first."""
    now = stores.now()
    return [
        token
        for token in stores.access.tokens(person.id)
        if token.kind is TokenKind.PHONE
        and token.expires_ns > now
        and token.used_ns + token.idle_ns > now
    ]
