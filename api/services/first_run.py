"""Home use: the first account of a store, and links by which this machine signs its owner in.

Both are one-time tokens that a command makes in the store (``ebbtide start``): whoever can make
one can read the store's files anyway.
"""

from __future__ import annotations

import unicodedata

from api.services.accounts import new_person
from api.services.one_time_tokens import (
    find_one_time_token,
    issue_one_time_token,
    take_one_time_token,
    take_person_token,
)
from ebbtide.timestamps import HOUR, MINUTE
from store import Stores
from store.models import OneTimePurpose, Person

_FIRST_RUN_NS, _LINK_NS = 24 * HOUR, 10 * MINUTE
_LOCAL_HOST = "localhost"  # in the address of an account that has no mail address


def issue_first_run_secret(stores: Stores) -> str:
    """Issue a secret with which the first account can be made, once, within a day."""
    return issue_one_time_token(stores, OneTimePurpose.FIRST_RUN, _FIRST_RUN_NS)[0]


def has_accounts(stores: Stores) -> bool:
    """Whether the store has any account."""
    return stores.records.has_people()


def is_first_run(stores: Stores, secret: str) -> bool:
    """Whether the first account can be made with this secret now."""
    found = find_one_time_token(stores, secret, OneTimePurpose.FIRST_RUN)
    return found is not None and not has_accounts(stores)


def create_first_account(
    stores: Stores, secret: str, *, name: str, zone: str, email: str | None, password_hash: str
) -> Person | None:
    """Use up the secret and make a patient's account; None where the secret is worth nothing, or
    there is an account by now. Without ``email`` the account gets an address of this machine, by
    which commands name it. Raises EbbtideError for a name, zone or address that is not valid; the
    secret can then be used again.
    """
    taken = take_one_time_token(stores, secret, OneTimePurpose.FIRST_RUN)
    if taken is None:
        return None
    try:
        person = new_person(
            email=email or local_address(name),
            password_hash=password_hash,
            name=name,
            zone=zone,
            now_ns=stores.now(),
        )
        # Of two secrets that are used at once, one makes the account.
        return person if stores.records.add_first_person(person) else None
    except BaseException:
        stores.access.put_one_time_token(taken)
        raise


def local_address(name: str) -> str:
    """Return an address like ada@localhost for a name, in letters that every terminal can type."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    word = "".join(letter if letter.isalnum() else "-" for letter in plain).strip("-")
    return f"{word[:60] or 'me'}@{_LOCAL_HOST}"


def find_local_owner(stores: Stores) -> Person | None:
    """Find the only person who may sign in and has no password; None where there is none, or more
    than one.
    """
    found = [
        person
        for person in stores.records.people()
        if person.local_only and stores.access.is_active(person.id)
    ]
    return found[0] if len(found) == 1 else None


def issue_local_link(stores: Stores, person: Person) -> str:
    """Issue a token that signs this person in, once, within ten minutes."""
    token, _ = issue_one_time_token(
        stores, OneTimePurpose.LOCAL_LINK, _LINK_NS, person_id=person.id
    )
    return token


def use_local_link(stores: Stores, token: str) -> Person | None:
    """Use up a link: whom it signs in; None where it is worth nothing, also since the account has
    a password by now.
    """
    person = take_person_token(stores, token, OneTimePurpose.LOCAL_LINK)
    if person is None or not person.local_only or not stores.access.is_active(person.id):
        return None
    return person
