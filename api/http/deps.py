"""Who asks, and what they may do. Tokens are random; only their hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from api.http.problems import ProblemError
from api.middleware.telemetry import route_of
from api.services.consent import holds
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE
from store.protocols.access import Look, Scope, SignIn, SignInKind
from store.protocols.records import Person, Purpose, Role
from store.stores import House, house_of

SESSION_LIFETIME, SESSION_IDLE = 7 * DAY, 12 * HOUR
DEVICE_LIFETIME = 365 * DAY
EVERYTHING = frozenset(Scope)
_NOTED_EVERY = MINUTE  # when a token was used
_bearer = HTTPBearer(auto_error=False, description="The token that POST /v1/sign-in gives")
_READING = frozenset({"GET", "HEAD"})

InHouse = Annotated[House, Depends(house_of)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and with which token."""

    person: Person
    sign_in: SignIn


def new_sign_in(
    house: House,
    person: Person,
    kind: SignInKind = SignInKind.SESSION,
    name: str = "",
    scopes: frozenset[Scope] = EVERYTHING,
    lifetime_ns: int = SESSION_LIFETIME,
) -> tuple[str, SignIn]:
    """A fresh token for this person, kept as a hash. Sessions end when they are not used."""
    token = secrets.token_urlsafe(32)
    now = house.now()
    idle = SESSION_IDLE if kind is SignInKind.SESSION else 0
    sign_in = SignIn(
        hash_of(token),
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
    house.rights.add_sign_in(sign_in)
    return token, sign_in


def hash_of(token: str) -> str:
    """What is kept of a token. It has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


# What looks nothing up is async: each plain function costs a way to another thread and back.
async def token_of(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """The token that came with the request."""
    if credentials is None:
        raise _sign_in_first()
    return credentials.credentials


Token = Annotated[str, Depends(token_of)]


def caller_of(needed: SecurityScopes, request: Request, house: InHouse, token: Token) -> Caller:
    """Who asks. A route says which of the token's scopes it takes (any of them); one that says
    nothing takes "read" to read and "write" to change.
    """
    found = signed_in(house, token)
    if found is None:
        raise _sign_in_first()
    default = Scope.READ if request.method in _READING else Scope.WRITE
    wanted = {Scope(word) for word in needed.scopes} or {default}
    if not wanted & found.sign_in.scopes:
        raise ProblemError(
            403,
            f"This token is not for that: it would need the scope {' or '.join(sorted(wanted))}.",
            kind="scope",
        )
    return found


def signed_in(house: House, token: str) -> Caller | None:
    """Who holds this token now; notes that it was used."""
    now = house.now()
    found = house.rights.signed_in(hash_of(token), now)
    if found is None:
        return None
    person, sign_in = found
    if now - sign_in.used_ns > _NOTED_EVERY:
        house.rights.used(sign_in.token_hash, now)
    return Caller(person, sign_in)


Calling = Annotated[Caller, Depends(caller_of)]


async def person_of(caller: Calling) -> Person:
    """The person who asks, whatever their role."""
    return caller.person


def _only(person: Person, role: Role, *, what: str) -> Person:
    if person.role is not role:
        raise ProblemError(403, f"This is for {what} only.", kind="role")
    return person


async def patient_of(caller: Calling) -> Person:
    """The patient who asks."""
    return _only(caller.person, Role.PATIENT, what="patients")


async def therapist_of(caller: Calling) -> Person:
    """The therapist who asks."""
    return _only(caller.person, Role.THERAPIST, what="therapists")


async def analyst_of(caller: Calling) -> Person:
    """The analyst who asks."""
    return _only(caller.person, Role.ANALYST, what="analysts")


async def administrator_of(caller: Calling) -> Person:
    """The administrator who asks."""
    return _only(caller.person, Role.ADMINISTRATOR, what="administrators")


def whose(request: Request, caller: Calling, house: InHouse) -> Person:
    """Whose data is asked for: one's own; or, below ``/v1/patients/{patient}``, those of a patient
    in the care of the therapist who asks, who has agreed to that. Every such look is noted.
    """
    patient_id = request.path_params.get("patient")
    if patient_id is None:
        return _only(caller.person, Role.PATIENT, what="patients")
    therapist = _only(caller.person, Role.THERAPIST, what="therapists")
    patient = in_care(house, therapist, str(patient_id))
    house.rights.add_looks(
        [
            Look(
                patient.id,
                caller.person.id,
                str(caller.person.role),
                house.now(),
                f"{request.method} {route_of(request.scope)}",
            )
        ]
    )
    return patient


def in_care(house: House, therapist: Person, patient_id: str) -> Person:
    """A patient in this therapist's care who has agreed. Raises ProblemError."""
    patient = house.records.person(patient_id)
    if patient is None or patient_id not in house.rights.in_care_of(therapist.id):
        raise ProblemError(404, "No patient with this id is in your care.")
    if not holds(house.records.consents(patient.id), Purpose.CARE, house.now()):
        raise ProblemError(
            403,
            "This patient has not agreed that you see their data, or has taken it back.",
            kind="consent",
        )
    return patient


Asking = Annotated[Person, Depends(person_of)]
AskingAnyhow = Annotated[Person, Security(person_of, scopes=[str(scope) for scope in Scope])]
AskingAccount = Annotated[Person, Security(person_of, scopes=[Scope.ACCOUNT])]
Patient = Annotated[Person, Depends(patient_of)]
PatientAccount = Annotated[Person, Security(patient_of, scopes=[Scope.ACCOUNT])]
Uploading = Annotated[Person, Security(patient_of, scopes=[Scope.UPLOAD, Scope.WRITE])]
Therapist = Annotated[Person, Depends(therapist_of)]
Analyst = Annotated[Person, Depends(analyst_of)]
Administrator = Annotated[Person, Depends(administrator_of)]
Whose = Annotated[Person, Depends(whose)]
WhoseToo = Annotated[Person, Security(whose, scopes=[Scope.READ, Scope.UPLOAD])]


def _sign_in_first() -> ProblemError:
    return ProblemError(
        401, "Sign in first (POST /v1/sign-in).", headers={"WWW-Authenticate": "Bearer"}
    )
