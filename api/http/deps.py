"""Who asks, and what they may do. Tokens are random; only their hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from api.http.problems import ProblemError
from api.middleware.telemetry import route_template
from api.services.consent import is_consented
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE
from store import Stores
from store.models import AccessLogEntry, AccessToken, Person, Purpose, Role, Scope, TokenKind

SESSION_LIFETIME, SESSION_IDLE = 7 * DAY, 12 * HOUR
DEVICE_LIFETIME = 365 * DAY
EVERYTHING = frozenset(Scope)
_LOG_EVERY = MINUTE  # when a token was used
_bearer = HTTPBearer(auto_error=False, description="The token that POST /v1/sign-in gives")
_READING = frozenset({"GET", "HEAD"})


async def get_stores(request: Request) -> Stores:
    """The stores that this application was made with."""
    stores: Stores = request.app.state.stores
    return stores


StoresDep = Annotated[Stores, Depends(get_stores)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and with which token."""

    person: Person
    sign_in: AccessToken


def issue_token(
    stores: Stores,
    person: Person,
    kind: TokenKind = TokenKind.SESSION,
    name: str = "",
    scopes: frozenset[Scope] = EVERYTHING,
    lifetime_ns: int = SESSION_LIFETIME,
) -> tuple[str, AccessToken]:
    """A fresh token for this person, kept as a hash. Sessions end when they are not used."""
    token = secrets.token_urlsafe(32)
    now = stores.now()
    idle = SESSION_IDLE if kind is TokenKind.SESSION else 0
    sign_in = AccessToken(
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
    )
    stores.access.add_token(sign_in)
    return token, sign_in


def token_hash(token: str) -> str:
    """What is kept of a token. It has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


# What looks nothing up is async: each plain function costs a way to another thread and back.
async def get_token(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """The token that came with the request."""
    if credentials is None:
        raise _unauthenticated()
    return credentials.credentials


Token = Annotated[str, Depends(get_token)]


def get_caller(needed: SecurityScopes, request: Request, stores: StoresDep, token: Token) -> Caller:
    """Who asks. A route says which of the token's scopes it takes (any of them); one that says
    nothing takes "read" to read and "write" to change.
    """
    found = require_signed_in(stores, token)
    if found is None:
        raise _unauthenticated()
    default = Scope.READ if request.method in _READING else Scope.WRITE
    wanted = {Scope(word) for word in needed.scopes} or {default}
    if not wanted & found.sign_in.scopes:
        raise ProblemError(
            403,
            f"This token is not for that: it would need the scope {' or '.join(sorted(wanted))}.",
            kind="scope",
        )
    return found


def require_signed_in(stores: Stores, token: str) -> Caller | None:
    """Who holds this token now; notes that it was used."""
    now = stores.now()
    found = stores.access.signed_in(token_hash(token), now)
    if found is None:
        return None
    person, sign_in = found
    if now - sign_in.used_ns > _LOG_EVERY:
        stores.access.used(sign_in.token_hash, now)
    return Caller(person, sign_in)


CallerDep = Annotated[Caller, Depends(get_caller)]


async def get_user(caller: CallerDep) -> Person:
    """The person who asks, whatever their role."""
    return caller.person


def _only(person: Person, role: Role, *, what: str) -> Person:
    if person.role is not role:
        raise ProblemError(403, f"This is for {what} only.", kind="role")
    return person


async def get_patient(caller: CallerDep) -> Person:
    """The patient who asks."""
    return _only(caller.person, Role.PATIENT, what="patients")


async def get_therapist(caller: CallerDep) -> Person:
    """The therapist who asks."""
    return _only(caller.person, Role.THERAPIST, what="therapists")


async def get_analyst(caller: CallerDep) -> Person:
    """The analyst who asks."""
    return _only(caller.person, Role.ANALYST, what="analysts")


async def get_administrator(caller: CallerDep) -> Person:
    """The administrator who asks."""
    return _only(caller.person, Role.ADMINISTRATOR, what="administrators")


def get_patient_in_scope(request: Request, caller: CallerDep, stores: StoresDep) -> Person:
    """Whose data is asked for: one's own; or, below ``/v1/patients/{patient}``, those of a patient
    in the care of the therapist who asks, who has agreed to that. Every such look is noted.
    """
    patient_id = request.path_params.get("patient")
    if patient_id is None:
        return _only(caller.person, Role.PATIENT, what="patients")
    therapist = _only(caller.person, Role.THERAPIST, what="therapists")
    patient = require_in_care(stores, therapist, str(patient_id))
    stores.access.add_access_log(
        [
            AccessLogEntry(
                patient.id,
                caller.person.id,
                str(caller.person.role),
                stores.now(),
                f"{request.method} {route_template(request.scope)}",
            )
        ]
    )
    return patient


def require_in_care(stores: Stores, therapist: Person, patient_id: str) -> Person:
    """A patient in this therapist's care who has agreed. Raises ProblemError."""
    patient = stores.records.person(patient_id)
    if patient is None or patient_id not in stores.access.in_care_of(therapist.id):
        raise ProblemError(404, "No patient with this id is in your care.")
    if not is_consented(stores.records.consents(patient.id), Purpose.CARE, stores.now()):
        raise ProblemError(
            403,
            "This patient has not agreed that you see their data, or has taken it back.",
            kind="consent",
        )
    return patient


CurrentUser = Annotated[Person, Depends(get_user)]
CurrentUserAnyScope = Annotated[Person, Security(get_user, scopes=[str(scope) for scope in Scope])]
CurrentAccount = Annotated[Person, Security(get_user, scopes=[Scope.ACCOUNT])]
Patient = Annotated[Person, Depends(get_patient)]
PatientAccount = Annotated[Person, Security(get_patient, scopes=[Scope.ACCOUNT])]
UploadPatient = Annotated[Person, Security(get_patient, scopes=[Scope.UPLOAD, Scope.WRITE])]
Therapist = Annotated[Person, Depends(get_therapist)]
Analyst = Annotated[Person, Depends(get_analyst)]
Administrator = Annotated[Person, Depends(get_administrator)]
PatientInScope = Annotated[Person, Depends(get_patient_in_scope)]
PatientInAnyScope = Annotated[
    Person, Security(get_patient_in_scope, scopes=[Scope.READ, Scope.UPLOAD])
]


def _unauthenticated() -> ProblemError:
    return ProblemError(
        401, "Sign in first (POST /v1/sign-in).", headers={"WWW-Authenticate": "Bearer"}
    )
