"""Tokens, the access log, pseudonyms, failed attempts and idempotent responses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TokenKind(StrEnum):
    """What a token is for."""

    SESSION = "session"
    DEVICE = "device"
    SCRIPT = "script"


class Scope(StrEnum):
    """What a token may be used for, within what its person may do."""

    UPLOAD = "upload"
    READ = "read"
    WRITE = "write"
    ACCOUNT = "account"


class OneTimePurpose(StrEnum):
    """What a one-time token is good for."""

    INVITATION = "invitation"
    PASSWORD = "password"
    OIDC_STATE = "oidc state"
    OIDC_CODE = "oidc code"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token of a person; only its hash is stored. A session also ends ``idle_ns`` after its last
    use (0: never for that).
    """

    token_hash: str
    person_id: str
    created_ns: int
    expires_ns: int
    id: str
    kind: TokenKind
    name: str
    scopes: frozenset[Scope]
    used_ns: int
    idle_ns: int = 0


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """A token that can be used once. ``body``: what it is about, JSON."""

    token_hash: str
    purpose: OneTimePurpose
    person_id: str | None
    body: str
    created_ns: int
    expires_ns: int


@dataclass(frozen=True, slots=True)
class AccessLogEntry:
    """Another person read something of a person. ``what``: a route, never what was read."""

    person_id: str
    actor_id: str
    actor_role: str
    at_ns: int
    what: str


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """The name of a person for analysts, and by how much their dates are moved back."""

    person_id: str
    pseudonym: str
    shift_ns: int


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failed attempts in a row, the first at ``since_ns``."""

    failures: int
    since_ns: int


@dataclass(frozen=True, slots=True)
class IdempotentResponse:
    """The response to a request with an idempotency key. ``status`` None: it is under way; ``body``
    None: it is not stored, since it has a secret.
    """

    request_hash: str
    at_ns: int
    status: int | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True)
class FhirExport:
    """An export of FHIR resources that an analyst began: its ``request`` and the ``types`` of
    resources, separated by spaces.
    """

    id: str
    person_id: str
    request: str
    types: str
    created_ns: int
