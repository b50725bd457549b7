"""Passkeys, secrets of authenticator apps, and recovery codes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passkey:
    """A WebAuthn credential of a person. ``credential_id`` and ``public_key`` (COSE) are base64url;
    ``rp_id``: the name of the address that it is for; ``sign_count``: of its last use.
    """

    id: str
    person_id: str
    credential_id: str
    public_key: str
    sign_count: int
    name: str
    rp_id: str
    created_ns: int
    used_ns: int


@dataclass(frozen=True, slots=True)
class Totp:
    """The secret of a person's authenticator app (RFC 6238), in base32. ``last_step``: of the last
    code that was used; no earlier one is taken.
    """

    person_id: str
    secret: str
    last_step: int
    created_ns: int


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """A recovery code of a person, hashed with ``salt``, which all codes of the person share."""

    code_hash: str
    person_id: str
    salt: str
    created_ns: int
