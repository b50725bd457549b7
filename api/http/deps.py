"""Dependencies of routes: stores and caches, the caller, and whose data they may use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from api.http.metrics import route_template
from api.http.phone_routes import is_phone_route
from api.http.problems import ProblemError
from api.http.request_state import note_account
from api.services.access_tokens import Caller, find_caller, is_phone_token, note_language
from api.services.cache.analysis import AnalysisCache
from api.services.consent import (
    KeepingState,
    describe_refusal,
    is_consented_to_care,
    keeping_state,
    may_be_used,
)
from api.services.questionnaires import QuestionnaireService
from api.services.second_factors import is_missing
from api.services.snapshots import Snapshots
from ebbtide.i18n import choose_language
from store import Stores
from store.errors import ErasedSubjectError, UnknownStreamError
from store.models import AccessLogEntry, Person
from store.models.access import Scope, TokenKind
from store.models.records import Purpose, Role

# Of the 40 threads of a process, and of the 20 connections to PostgreSQL: most requests are uploads
# and wait for the slowest store, and pages and ratings need threads and connections meanwhile.
MAX_CONCURRENT_UPLOADS = 12
WATCHED = "ebbtide.watched"  # key of a request's scope: who and what is watched meanwhile
# Of a 403: when consent was taken back whose data were erased since, in nanoseconds.
WITHDRAWN_HEADER = "Ebbtide-Withdrawn-Ns"
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


async def get_questionnaires(request: Request) -> QuestionnaireService:
    """The questionnaires of this application."""
    service: QuestionnaireService = request.app.state.questionnaires
    return service


async def get_language(request: Request) -> str:
    """The language that the request asks for, of those that there are."""
    return choose_language(request.headers.get("accept-language", ""))


LanguageDep = Annotated[str, Depends(get_language)]
QuestionnairesDep = Annotated[QuestionnaireService, Depends(get_questionnaires)]
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

    Staff who need a second factor (EBBTIDE_STAFF_SECOND_FACTOR) and signed in without are refused.
    """
    caller = get_setup_caller(required, request, stores, token)
    if is_missing(request.app.state.settings.staff_second_factor, caller):
        has_one = stores.access.has_second_factor(caller.person.id)
        raise ProblemError(
            403,
            "Sign in again, with your passkey or a code of your app: here staff need more than a "
            "password."
            if has_one
            else "First set up a passkey or codes of an app (page Signing in): here staff need "
            "more than a password.",
            kind="second-factor",
        )
    return caller


def get_setup_caller(
    required: SecurityScopes, request: Request, stores: StoresDep, token: Token
) -> Caller:
    """The caller, as of ``get_caller``, also where they have yet to set up a second factor."""
    caller = find_caller(stores, token)
    if caller is None:
        raise _unauthenticated(token)
    note_account(request, caller.person.id)
    note_language(stores, caller, request.headers.get("accept-language", ""))
    if caller.access_token.kind is TokenKind.PHONE and not is_phone_route(request.scope):
        raise ProblemError(
            403,
            "The app on a phone does not need that: it is for the pages.",
            kind="not-for-devices",
        )
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


async def get_setup_user(caller: Annotated[Caller, Depends(get_setup_caller)]) -> Person:
    """The caller, also where they have yet to set up a second factor."""
    return caller.person


async def get_patient(caller: CallerDep) -> Person:
    """The caller, a patient."""
    return _require_role(caller.person, Role.PATIENT)


async def get_therapist(caller: CallerDep) -> Person:
    """The caller, a therapist."""
    return _require_role(caller.person, Role.THERAPIST)


async def get_analyst(request: Request, caller: CallerDep) -> Person:
    """The caller, an analyst."""
    watch_consent(request, None, Purpose.RESEARCH)
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
        watch_consent(request, {caller.person.id})
        return _require_role(caller.person, Role.PATIENT)
    therapist = _require_role(caller.person, Role.THERAPIST)
    watch_consent(request, {str(patient_id)}, Purpose.CARE)
    patient = require_in_care(stores, therapist, str(patient_id))
    log_access(stores, therapist, [patient], request_name(request))
    return patient


def require_in_care(stores: Stores, therapist: Person, patient_id: str) -> Person:
    """Get a patient in this therapist's care who has agreed to it. Raises ProblemError."""
    patient = stores.records.person(patient_id)
    if patient is None or patient_id not in stores.access.patients_of(therapist.id):
        raise ProblemError(404, "No patient with this id is in your care.")
    if not is_consented_to_care(stores.records.consents(patient.id), stores.now()):
        raise ProblemError(
            403,
            "This patient has not agreed that you see their data, or has taken it back.",
            kind="consent",
        )
    return patient


async def get_keeping_stores(stores: StoresDep) -> Stores:
    """The stores, which refuse in the transaction of each write what is of a person who does not
    agree to keeping. With ``require_keeping`` before, for each route that stores a person's data.
    """
    return stores.requiring_consent()


def get_keeping_patient(
    person: Annotated[Person, Depends(get_patient)], stores: StoresDep
) -> Person:
    """The caller, a patient who agrees that their data are kept."""
    require_keeping(stores, person)
    return person


def get_keeping_patient_in_scope(
    request: Request, person: Annotated[Person, Depends(get_patient_in_scope)], stores: StoresDep
) -> Person:
    """The patient whose data a route stores, who agrees that they are kept."""
    require_keeping(stores, person, is_own="patient" not in request.path_params)
    return person


def get_analysed_patient(
    person: Annotated[Person, Depends(get_patient_in_scope)], stores: StoresDep
) -> Person:
    """The patient whose data a route computes from: not while consent to keeping is taken back or
    over. What was entered and recorded can still be read by the patient until it is erased.
    """
    require_use(stores, person)
    return person


def require_use(stores: Stores, person: Person) -> None:
    """Require that consent to keeping was not taken back and is not over. Raises ProblemError."""
    if not may_be_used(stores.records.consents(person.id), stores.now()):
        raise ProblemError(
            403,
            "Consent to keeping was taken back, or is over: nothing is computed any more. What was "
            "entered and recorded can be downloaded until it is erased (My data).",
            kind="consent",
        )


def require_keeping(stores: Stores, person: Person, *, is_own: bool = True) -> None:
    """Require that this person agrees now that their data are kept. Raises ProblemError."""
    state = keeping_state(stores.records.consents(person.id), stores.now())
    if state is not KeepingState.AGREED:
        raise _keeping_problem(stores, person, state, is_own=is_own)


@contextmanager
def storing_beats(stores: Stores, person: Person) -> Iterator[None]:
    """Refuse what is stored within while consent is taken back: beats are in another file or on
    another server than consents, where one transaction cannot hold both.

    When the data are erased, the account gets a new subject, and the old one is refused: what was
    under way is stored before that and erased, or not stored. It is acknowledged in neither case.
    """
    try:
        yield
    except (ErasedSubjectError, UnknownStreamError):
        now = stores.records.person(person.id)
        if now is None or now.subject_id == person.subject_id:
            raise
        state = keeping_state(stores.records.consents(person.id), stores.now())
        raise _keeping_problem(stores, person, state) from None
    require_keeping(stores, person)


def withdrawn_header(stores: Stores, person: Person) -> dict[str, str]:
    """The header by which recorders delete what they hold from before a withdrawal that was carried
    out; nothing where there was none.
    """
    withdrawal = stores.records.withdrawal(person.id)
    if withdrawal is None or withdrawal.done_ns is None:
        return {}
    return {WITHDRAWN_HEADER: str(withdrawal.withdrawn_ns)}


def _keeping_problem(
    stores: Stores, person: Person, state: KeepingState, *, is_own: bool = True
) -> ProblemError:
    headers = withdrawn_header(stores, person)
    return ProblemError(
        403, describe_refusal(state, is_own=is_own), headers=headers, kind="consent"
    )


def log_access(stores: Stores, actor: Person, people: Iterable[Person], what: str) -> None:
    """Add to each person's access log that the actor used their data."""
    now = stores.now()
    stores.access.add_access_log(
        [AccessLogEntry(person.id, actor.id, str(actor.role), now, what) for person in people]
    )


def watch_consent(request: Request, people: set[str] | None, *purposes: Purpose) -> None:
    """End the response when one of these people, or anybody, takes back consent to keeping or to
    one of these purposes while it is sent (``api.middleware.withdrawals``).
    """
    request.scope[WATCHED] = (people, frozenset({Purpose.KEEPING, *purposes}))


def request_name(request: Request) -> str:
    """Method and path template of a request, as the access log has them."""
    return f"{request.method} {route_template(request.scope)}"


CurrentUser = Annotated[Person, Depends(get_user)]
_ANY_SCOPE = [str(scope) for scope in Scope]
SetupUserAnyScope = Annotated[Person, Security(get_setup_user, scopes=_ANY_SCOPE)]
SetupCallerAnyScope = Annotated[Caller, Security(get_setup_caller, scopes=_ANY_SCOPE)]
SetupCaller = Annotated[Caller, Security(get_setup_caller, scopes=[Scope.ACCOUNT])]
CurrentAccount = Annotated[Person, Security(get_user, scopes=[Scope.ACCOUNT])]
Patient = Annotated[Person, Depends(get_patient)]
PatientAccount = Annotated[Person, Security(get_patient, scopes=[Scope.ACCOUNT])]
UploadPatient = Annotated[Person, Security(get_patient, scopes=[Scope.UPLOAD, Scope.WRITE])]
Therapist = Annotated[Person, Depends(get_therapist)]
Analyst = Annotated[Person, Depends(get_analyst)]
Administrator = Annotated[Person, Depends(get_administrator)]
PatientInScope = Annotated[Person, Depends(get_patient_in_scope)]
AnalysedPatient = Annotated[Person, Depends(get_analysed_patient)]
KeepingPatient = Annotated[Person, Depends(get_keeping_patient)]
KeepingPatientInScope = Annotated[Person, Depends(get_keeping_patient_in_scope)]
KeepingUploadPatient = Annotated[
    Person, Security(get_keeping_patient, scopes=[Scope.UPLOAD, Scope.WRITE])
]
KeepingStoresDep = Annotated[Stores, Depends(get_keeping_stores)]
PatientInAnyScope = Annotated[
    Person, Security(get_patient_in_scope, scopes=[Scope.READ, Scope.UPLOAD])
]


def _require_role(person: Person, role: Role) -> Person:
    if person.role is not role:
        raise ProblemError(403, f"This is for {role}s only.", kind="role")
    return person


def _unauthenticated(token: str = "") -> ProblemError:
    headers = {"WWW-Authenticate": "Bearer"}
    if is_phone_token(token):
        return ProblemError(
            401, "This phone is signed out. Sign in again.", headers, kind="device-revoked"
        )
    return ProblemError(401, "Sign in first (POST /v1/sign-in).", headers)


def get_alias(
    request: Request,
    subject: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=300,
            description="What the person is called there: in a Bundle such as Patient/12, its URL"
            " or an identifier (system|value), in data points the user id; otherwise only what is"
            " of no subject, or of theirs here, is taken",
        ),
    ] = None,
) -> str | None:
    """What the person is called in what they send."""
    if len(request.query_params.getlist("subject")) > 1:
        raise ProblemError(400, "subject is given twice: what is sent is of one person.")
    return subject


AliasDep = Annotated[str | None, Depends(get_alias)]
