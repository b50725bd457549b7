"""Dependencies of routes: stores and caches, the caller, and whose data they may use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from api.http.metrics import route_template
from api.http.problems import ProblemError
from api.http.request_state import note_account
from api.services.access_tokens import Caller, find_caller
from api.services.cache.analysis import AnalysisCache
from api.services.consent import is_consented
from api.services.snapshots import Snapshots
from store import Stores
from store.models import AccessLogEntry, Person
from store.models.access import Scope
from store.models.records import Purpose, Role

# Of the 40 threads of a process, and of the 20 connections to PostgreSQL: most requests are uploads
# and wait for the slowest store, and pages and ratings need threads and connections meanwhile.
MAX_CONCURRENT_UPLOADS = 12
_bearer = HTTPBearer(auto_error=False, description="The token that POST /v1/sign-in gives")
_READING = frozenset({"GET", "HEAD"})


# Dependencies that read no store are async: a plain function costs a way to another thread.
async def get_stores(request: Request) -> Stores:
    """The stores of this application."""
    stores: Stores = request.app.state.stores
    return stores


async def get_cache(request: Request) -> AnalysisCache:
    """The cache of this application."""
    cache: AnalysisCache = request.app.state.cache
    return cache


async def get_upload_limiter(request: Request) -> CapacityLimiter:
    """The limiter of this application's uploads: waiting ones hold no thread and no connection."""
    limiter: CapacityLimiter = request.app.state.upload_limiter
    return limiter


async def get_snapshots(request: Request) -> Snapshots:
    """The exports of this application that are read by ranges."""
    snapshots: Snapshots = request.app.state.snapshots
    return snapshots


StoresDep = Annotated[Stores, Depends(get_stores)]
CacheDep = Annotated[AnalysisCache, Depends(get_cache)]
SnapshotsDep = Annotated[Snapshots, Depends(get_snapshots)]
UploadLimiterDep = Annotated[CapacityLimiter, Depends(get_upload_limiter)]


async def get_token(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """The token that came with the request."""
    if credentials is None:
        raise _unauthenticated()
    return credentials.credentials


Token = Annotated[str, Depends(get_token)]


def get_caller(
    required: SecurityScopes, request: Request, stores: StoresDep, token: Token
) -> Caller:
    """The caller. A route names the scopes of which their token needs one; a route that names none
    needs "read" to read and "write" to change.
    """
    caller = find_caller(stores, token)
    if caller is None:
        raise _unauthenticated()
    note_account(request, caller.person.id)
    default = Scope.READ if request.method in _READING else Scope.WRITE
    scopes = {Scope(word) for word in required.scopes} or {default}
    if not scopes & caller.access_token.scopes:
        raise ProblemError(
            403,
            f"This token is not for that: it would need the scope {' or '.join(sorted(scopes))}.",
            kind="scope",
        )
    return caller


CallerDep = Annotated[Caller, Depends(get_caller)]


async def get_user(caller: CallerDep) -> Person:
    """The caller, whatever their role."""
    return caller.person


async def get_patient(caller: CallerDep) -> Person:
    """The caller, a patient."""
    return _require_role(caller.person, Role.PATIENT)


async def get_therapist(caller: CallerDep) -> Person:
    """The caller, a therapist."""
    return _require_role(caller.person, Role.THERAPIST)


async def get_analyst(caller: CallerDep) -> Person:
    """The caller, an analyst."""
    return _require_role(caller.person, Role.ANALYST)


async def get_administrator(caller: CallerDep) -> Person:
    """The caller, an administrator."""
    return _require_role(caller.person, Role.ADMINISTRATOR)


def get_patient_in_scope(request: Request, caller: CallerDep, stores: StoresDep) -> Person:
    """The patient whose data a route is about: the caller; or, below ``/v1/patients/{patient}``, a
    patient in the care of the caller, who has agreed to that. The access log gets an entry.
    """
    patient_id = request.path_params.get("patient")
    if patient_id is None:
        return _require_role(caller.person, Role.PATIENT)
    therapist = _require_role(caller.person, Role.THERAPIST)
    patient = require_in_care(stores, therapist, str(patient_id))
    log_access(stores, therapist, [patient], request_name(request))
    return patient


def require_in_care(stores: Stores, therapist: Person, patient_id: str) -> Person:
    """Get a patient in this therapist's care who has agreed to it. Raises ProblemError."""
    patient = stores.records.person(patient_id)
    if patient is None or patient_id not in stores.access.patients_of(therapist.id):
        raise ProblemError(404, "No patient with this id is in your care.")
    if not is_consented(stores.records.consents(patient.id), Purpose.CARE, stores.now()):
        raise ProblemError(
            403,
            "This patient has not agreed that you see their data, or has taken it back.",
            kind="consent",
        )
    return patient


def log_access(stores: Stores, actor: Person, people: Iterable[Person], what: str) -> None:
    """Add to each person's access log that the actor used their data."""
    now = stores.now()
    stores.access.add_access_log(
        [AccessLogEntry(person.id, actor.id, str(actor.role), now, what) for person in people]
    )


def request_name(request: Request) -> str:
    """Method and path template of a request, as the access log has them."""
    return f"{request.method} {route_template(request.scope)}"


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


def _require_role(person: Person, role: Role) -> Person:
    if person.role is not role:
        raise ProblemError(403, f"This is for {role}s only.", kind="role")
    return person


def _unauthenticated() -> ProblemError:
    return ProblemError(
        401, "Sign in first (POST /v1/sign-in).", headers={"WWW-Authenticate": "Bearer"}
    )
