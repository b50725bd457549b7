"""One-time tokens: invitations, new passwords, and the steps of an OpenID Connect sign-in."""

from __future__ import annotations

import secrets

from api.services.access_tokens import token_hash
from store import Stores
from store.models import OneTimePurpose, OneTimeToken, Person, Role


def issue_one_time_token(
    stores: Stores,
    purpose: OneTimePurpose,
    lifetime_ns: int,
    *,
    person_id: str | None = None,
    issuer_id: str | None = None,
    body: str = "{}",
) -> tuple[str, int]:
    """Issue a one-time token, of which a hash is stored. Returns it and when it expires, in ns."""
    token = secrets.token_urlsafe(32)
    now = stores.now()
    stored = OneTimeToken(
        token_hash(token), purpose, person_id, body, now, now + lifetime_ns, issuer_id
    )
    stores.access.put_one_time_token(stored)
    return token, stored.expires_ns


def take_one_time_token(stores: Stores, token: str, purpose: OneTimePurpose) -> OneTimeToken | None:
    """Use up a one-time token; None where it is unknown, used or expired."""
    return stores.access.take_one_time_token(token_hash(token), purpose, stores.now())


def find_one_time_token(stores: Stores, token: str, purpose: OneTimePurpose) -> OneTimeToken | None:
    """Find a one-time token that could be used now, and leave it; None where it is unknown, used or
    expired.
    """
    return stores.access.find_one_time_token(token_hash(token), purpose, stores.now())


def has_issuer(stores: Stores, issuer_id: str | None, roles: frozenset[Role]) -> bool:
    """Whether the issuer of a token may still sign in, and has one of these roles."""
    issuer = None if issuer_id is None else stores.records.person(issuer_id)
    return issuer is not None and issuer.role in roles and stores.access.is_active(issuer.id)


def take_person_token(stores: Stores, token: str, purpose: OneTimePurpose) -> Person | None:
    """Use up a one-time token that was issued to a person; None where there is no such person."""
    stored = take_one_time_token(stores, token, purpose)
    if stored is None or stored.person_id is None:
        return None
    return stores.records.person(stored.person_id)
