"""Tokens, the access log, pseudonyms, failed attempts and idempotent responses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from store.models.questionnaires import QuestionnaireResponse
from store.models.records import Consent, Person, StoredReport, TherapySession


class TokenKind(StrEnum):
    """What a token is for."""

    SESSION = "session"
    DEVICE = "device"
    SCRIPT = "script"
    PHONE = "phone"


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
    FIRST_RUN = "first run"
    LOCAL_LINK = "local link"
    PHONE_LINK = "phone link"
    PHONE_CODE = "phone code"
    PASSKEY_ADD = "passkey add"
    PASSKEY_USE = "passkey use"
    TOTP_SETUP = "totp setup"
    SECOND_FACTOR = "second factor"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token of a person; only its hash is stored. A session also ends ``idle_ns`` after its last
    use (0: never for that). ``second_factor``: whether more than a password was asked for;
    ``verified_ns``: when the person last gave their password again (0: not since it was made).
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
    second_factor: bool = False
    verified_ns: int = 0


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """A token that can be used once. ``body``: what it is about, JSON. ``issuer_id``: who made it;
    it ends with their rights.
    """

    token_hash: str
    purpose: OneTimePurpose
    person_id: str | None
    body: str
    created_ns: int
    expires_ns: int
    issuer_id: str | None = None


@dataclass(frozen=True, slots=True)
class CareProposal:
    """A therapist whom a patient is asked to agree to. ``proposer_id``: who asks."""

    person_id: str
    therapist_id: str
    proposer_id: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class AccessLogEntry:
    """Another person read something of a person, or changed their account. ``what``: a route or an
    act, never what was read.
    """

    person_id: str
    actor_id: str
    actor_role: str
    at_ns: int
    what: str


@dataclass(frozen=True, slots=True)
class Attempts:
    """Wrong passwords, the last at ``since_ns``; none is verified before ``next_ns``."""

    failures: int
    since_ns: int
    next_ns: int = 0


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """What is counted under a key: ``free`` attempts without delay, then one that begins with
    ``first_delay_ns`` and doubles with each attempt, up to ``max_delay_ns``.
    """

    key: str
    free: int
    first_delay_ns: int
    max_delay_ns: int

    def delay_ns(self, failures: int) -> int:
        """Return the time after this many attempts before the next one."""
        doublings = failures - self.free
        if doublings < 0:
            return 0
        return min(self.first_delay_ns << min(doublings, 40), self.max_delay_ns)


@dataclass(frozen=True, slots=True)
class RequestCount:
    """Requests in this minute before those that were just added, and in the minute before."""

    count: int
    previous: int


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
class ExportPin:
    """The file that a reading by ranges began with. ``reader``: a hash of who reads what; ``name``:
    that of the file, made of its bytes.
    """

    reader: str
    name: str
    began_ns: int
    used_ns: int


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


@dataclass(frozen=True, slots=True)
class CareRecords:
    """What a caseload needs of one patient. ``rated``: (about_ns, pain, stress) of each rating, by
    time; ``report``: the stored report of the kind that was asked for.
    """

    person: Person
    consents: list[Consent]
    rated: list[tuple[int, int, int]]
    sessions: list[TherapySession]
    responses: list[QuestionnaireResponse]
    report: StoredReport | None
