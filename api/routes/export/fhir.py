"""FHIR R4, out and in."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Path, Query, Request, Response

from api.export import fhir
from api.http.deps import (
    AliasDep,
    CacheDep,
    CallerDep,
    KeepingPatient,
    KeepingStoresDep,
    PatientInScope,
    QuestionnairesDep,
    StoresDep,
)
from api.http.fhir import (
    FhirError,
    FhirRoute,
    Words,
    base_url,
    describe_outcomes,
    fhir_response,
    is_lenient,
    outcome_response,
)
from api.http.time_range import OptionalTimeRange
from api.schemas.common import ImportOut, SkippedOut
from api.services.export_scope import is_simulated
from api.services.imported_records import import_parsed
from api.services.questionnaires import QuestionnaireService
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import EARLIEST, LATEST
from store import Stores
from store.errors import ResponseConflictError
from store.models import Person, Prompt, Rating

shared = APIRouter(tags=["standards"], route_class=FhirRoute)
router = APIRouter(tags=["standards"], route_class=FhirRoute)


def _resource_schema(kind: str) -> dict[int | str, dict[str, Any]]:
    schema = {
        "type": "object",
        "properties": {"resourceType": {"const": kind}},
        "required": ["resourceType"],
    }
    return {200: {"description": kind, "content": {fhir.MEDIA_TYPE: {"schema": schema}}}}


_SEARCHSET: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A Bundle (searchset). The link `next` leads to the next page",
        "content": {
            fhir.MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "resourceType": {"const": "Bundle"},
                        "type": {"const": "searchset"},
                        "entry": {"type": "array", "items": {"type": "object"}},
                    },
                    "required": ["resourceType", "type"],
                }
            }
        },
    },
    **describe_outcomes(400, 401, 403, 404, 406, 422),
}
_READ = describe_outcomes(401, 403, 404, 406, 422)
_OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": fhir.LOINC, "code": fhir.HEART_RATE}]},
    "effectiveDateTime": "2026-11-01T08:00:00+01:00",
    "valueQuantity": {"value": 61, "system": fhir.UCUM, "code": "/min"},
}
_Id = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9.-]+$")]


@router.get("/fhir/metadata", responses=_resource_schema("CapabilityStatement"))
def metadata(request: Request) -> Response:
    """What of FHIR is served: a CapabilityStatement. Public."""
    return fhir_response(fhir.capability_statement(base_url(request, "/metadata")))


@router.get("/fhir/CodeSystem/{resource_id}", responses=_resource_schema("CodeSystem") | _READ)
def read_code_system(resource_id: _Id) -> Response:
    """The codes that LOINC does not have, with definitions. Public."""
    if resource_id != fhir.CODE_SYSTEM_ID:
        raise FhirError(404, f"There is no CodeSystem/{resource_id}.")
    return fhir_response(fhir.code_system())


@shared.get("/fhir/Observation", response_class=Response, responses=_SEARCHSET)
def observations(
    request: Request,
    caller: CallerDep,
    person: PatientInScope,
    time_range: OptionalTimeRange,
    stores: StoresDep,
    cache: CacheDep,
    code: Words = None,
    date: Words = None,
    category: Words = None,
    patient_: Annotated[Words, Query(alias="patient")] = None,
    subject_: Annotated[Words, Query(alias="subject")] = None,
    status: Words = None,
    ids: Annotated[Words, Query(alias="_id")] = None,
    updated: Annotated[Words, Query(alias="_lastUpdated")] = None,
    count: Annotated[str | None, Query(alias="_count", max_length=20)] = None,
    form: Annotated[str | None, Query(alias="_format", max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="As _count")] = 1000,
    cursor: Annotated[str | None, Query(max_length=300, description="From the link `next`")] = None,
) -> Response:
    """Ratings (pain: LOINC 72514-3; stress and pleasant sensations: codes of ours), five-minute
    heart rate (8867-4), SDNN (80404-7) and RMSSD (ours), heart rates from elsewhere, the stress
    index of the half hour before each rating (ours), and RMSSD, SDNN and heart rate of each night.
    """
    search = _parse(request, person, time_range.start_ns, time_range.end_ns)
    try:
        after = fhir.Key() if cursor is None else fhir.decode_key(cursor)
    except ValueError as error:
        raise FhirError(422, f"cursor {error}.") from error
    subject = _subject(stores, caller.person, person)
    base = base_url(request, "/Observation")
    links = {"self": _link(base, "Observation", search.applied)}
    if search.count == 0:
        total = fhir.count_matches(stores, cache, subject, search)
        return fhir_response(fhir.search_bundle(base, [], [], links, total))
    page = fhir.load_page(stores, cache, subject, search, after)
    if page.cursor is not None:
        following = (*search.applied, ("cursor", page.cursor))
        links["next"] = _link(base, "Observation", following)
    included = []
    if page.resources:
        included.append(fhir.patient_resource(subject))
    if any("reference" in resource.get("device", {}) for resource in page.resources):
        included.append(fhir.device_resource())
    return fhir_response(fhir.search_bundle(base, page.resources, included, links))


@shared.get("/fhir/Observation/{resource_id}", responses=_resource_schema("Observation") | _READ)
def read_observation(
    resource_id: _Id, caller: CallerDep, person: PatientInScope, stores: StoresDep, cache: CacheDep
) -> Response:
    """One Observation."""
    subject = _subject(stores, caller.person, person)
    found = fhir.find_observation(stores, cache, subject, resource_id)
    if found is None:
        raise FhirError(404, f"There is no Observation/{resource_id}.")
    return fhir_response(found)


@shared.get("/fhir/Patient", response_class=Response, responses=_SEARCHSET)
def patients(
    request: Request,
    caller: CallerDep,
    person: PatientInScope,
    stores: StoresDep,
    identifier: Words = None,
    ids: Annotated[Words, Query(alias="_id")] = None,
    count_: Annotated[str | None, Query(alias="_count", max_length=20)] = None,
    form: Annotated[str | None, Query(alias="_format", max_length=100)] = None,
) -> Response:
    """The Patient, without a name."""
    applied, is_found, count = [], True, 1
    for name, value in request.query_params.multi_items():
        if name == "_count":
            count = _parse_count(value)
        elif name in fhir.PATIENT_PARAMETERS:
            own = (person.id, f"{fhir.PERSON_ID}|{person.id}")
            words = [word for word in value.split(",") if word]
            if not words:
                raise FhirError(400, f"{name} has no value")
            is_found &= any(word in (own if name == "identifier" else own[:1]) for word in words)
        elif name != "_format" and is_lenient(request):
            continue
        elif name != "_format":
            served = ", ".join([*fhir.PATIENT_PARAMETERS, "_count", "_format"])
            raise FhirError(
                400, f"the search parameter {name} is not served, only {served}", "not-supported"
            )
        applied.append((name, value))
    base = base_url(request, "/Patient")
    found = [fhir.patient_resource(_subject(stores, caller.person, person))] if is_found else []
    links = {"self": _link(base, "Patient", applied)}
    if count == 0:
        return fhir_response(fhir.search_bundle(base, [], [], links, len(found)))
    return fhir_response(fhir.search_bundle(base, found, [], links))


@shared.get("/fhir/Patient/{resource_id}", responses=_resource_schema("Patient") | _READ)
def read_patient(
    resource_id: _Id, caller: CallerDep, person: PatientInScope, stores: StoresDep
) -> Response:
    """The Patient, without a name."""
    if resource_id != person.id:
        raise FhirError(404, f"There is no Patient/{resource_id}.")
    return fhir_response(fhir.patient_resource(_subject(stores, caller.person, person)))


@shared.get(
    "/fhir/Questionnaire/{resource_id}", responses=_resource_schema("Questionnaire") | _READ
)
def read_questionnaire(
    resource_id: _Id, person: PatientInScope, service: QuestionnairesDep
) -> Response:
    """A questionnaire by id and version, such as gad7-1. Not public: a clinic's own may not be."""
    for item in service.library.newest:
        if fhir.questionnaire_id(item) == resource_id:
            return fhir_response(fhir.questionnaire_resource(item))
    raise FhirError(404, f"There is no Questionnaire/{resource_id}.")


@shared.get("/fhir/QuestionnaireResponse", response_class=Response, responses=_SEARCHSET)
def questionnaire_responses(
    request: Request,
    caller: CallerDep,
    person: PatientInScope,
    stores: StoresDep,
    service: QuestionnairesDep,
    form: Annotated[str | None, Query(alias="_format", max_length=100)] = None,
) -> Response:
    """Answers to questionnaires with their scores, all of them, oldest first."""
    unknown = [name for name in request.query_params if name != "_format"]
    if unknown and not is_lenient(request):
        raise FhirError(
            400, f"the search parameter {unknown[0]} is not served, only _format", "not-supported"
        )
    subject = _subject(stores, caller.person, person)
    base = base_url(request, "/QuestionnaireResponse")
    found = [fhir.response_resource(item, subject) for item in service.load_scored(stores, person)]
    links = {"self": _link(base, "QuestionnaireResponse", ())}
    return fhir_response(fhir.search_bundle(base, found, [], links))


@shared.get(
    "/fhir/QuestionnaireResponse/{resource_id}",
    responses=_resource_schema("QuestionnaireResponse") | _READ,
)
def read_questionnaire_response(
    resource_id: _Id,
    caller: CallerDep,
    person: PatientInScope,
    stores: StoresDep,
    service: QuestionnairesDep,
) -> Response:
    """Answers to one questionnaire, newest version."""
    history = stores.programme.response_history(person.id, resource_id)
    if not history:
        raise FhirError(404, f"There is no QuestionnaireResponse/{resource_id}.")
    subject = _subject(stores, caller.person, person)
    return fhir_response(fhir.response_resource(service.score(history[-1]), subject))


@shared.get("/fhir/Communication", response_class=Response, responses=_SEARCHSET)
def communications(
    request: Request,
    caller: CallerDep,
    person: PatientInScope,
    stores: StoresDep,
    count_: Annotated[str, Query(alias="_count", max_length=20)] = "1000",
    form: Annotated[str | None, Query(alias="_format", max_length=100)] = None,
    cursor: Annotated[str | None, Query(max_length=64, description="From the link `next`")] = None,
) -> Response:
    """Prompts whose time has come, oldest first: sent or why not, and the ratings that answer."""
    served = ("_count", "_format", "cursor")
    unknown = [name for name in request.query_params if name not in served]
    if unknown and not is_lenient(request):
        raise FhirError(
            400,
            f"the search parameter {unknown[0]} is not served, only {', '.join(served)}",
            "not-supported",
        )
    count = _parse_count(count_)
    prompts = _prompts_so_far(stores, person)
    base = base_url(request, "/Communication")
    applied = [item for item in request.query_params.multi_items() if item[0] in served]
    links = {"self": _link(base, "Communication", applied)}
    if count == 0:
        return fhir_response(fhir.search_bundle(base, [], [], links, len(prompts)))
    first = 0
    if cursor is not None:
        ids = [prompt.id for prompt in prompts]
        if cursor not in ids:
            raise FhirError(422, "cursor is not of this list: begin without one.")
        first = ids.index(cursor) + 1
    page = prompts[first : first + count]
    if first + count < len(prompts):
        following = [item for item in applied if item[0] != "cursor"] + [("cursor", page[-1].id)]
        links["next"] = _link(base, "Communication", following)
    answers = _answers(stores, person, page)
    subject = _subject(stores, caller.person, person)
    found = [fhir.prompt_resource(item, answers.get(item.id, ()), subject) for item in page]
    return fhir_response(fhir.search_bundle(base, found, [], links))


@shared.get(
    "/fhir/Communication/{resource_id}", responses=_resource_schema("Communication") | _READ
)
def read_communication(
    resource_id: _Id, caller: CallerDep, person: PatientInScope, stores: StoresDep
) -> Response:
    """One prompt whose time has come."""
    found = stores.prompts.prompt(person.id, resource_id)
    if found is None or found.planned_ns > stores.now():
        raise FhirError(404, f"There is no Communication/{resource_id}.")
    answers = _answers(stores, person, [found]).get(found.id, ())
    subject = _subject(stores, caller.person, person)
    return fhir_response(fhir.prompt_resource(found, answers, subject))


@shared.get("/fhir/Device/{resource_id}", responses=_resource_schema("Device") | _READ)
def read_device(resource_id: _Id, person: PatientInScope) -> Response:
    """The software that computes windows."""
    if resource_id != fhir.DEVICE_ID:
        raise FhirError(404, f"There is no Device/{resource_id}.")
    return fhir_response(fhir.device_resource())


@router.post("/fhir/", response_model=ImportOut, include_in_schema=False)
@router.post(
    "/fhir",
    response_model=ImportOut,
    responses=describe_outcomes(400, 401, 403, 406, 422),
)
def import_fhir(
    document: Annotated[
        dict[str, Any],
        Body(media_type=fhir.MEDIA_TYPE, examples=[_OBSERVATION], description="A Bundle"),
    ],
    person: KeepingPatient,
    stores: KeepingStoresDep,
    alias: AliasDep,
    service: QuestionnairesDep,
) -> ImportOut | Response:
    """Store the ratings, heart rates and answers to questionnaires of a Bundle. Idempotent. Entries
    that cannot be taken are listed in ``skipped``. A batch or transaction, which takes no answers
    to questionnaires, is answered with a Bundle.
    """
    if document.get("resourceType") == "QuestionnaireResponse":
        document = {"resourceType": "Bundle", "entry": [{"resource": document}]}
    kind = document.get("type") if document.get("resourceType") == "Bundle" else None
    has_requests = kind in ("batch", "transaction")
    try:
        entries = fhir.list_entries(document)
        refused = fhir.reasons_against_requests(entries) if has_requests else {}
        parsed = fhir.parse_bundle(document, person.id, alias, refused)
    except ValueError as error:
        raise FhirError(422, f"body: {error}") from error
    if kind is None or not has_requests:
        answers = {
            number: entry["resource"] for number, entry in enumerate(entries) if _is_response(entry)
        }
        others = [item for item in parsed.skipped if item.entry not in answers]
        report = import_parsed(stores, person, replace(parsed, skipped=others))
        return _import_answers(stores, person, service, answers, report.to_out())
    report = import_parsed(stores, person, parsed, is_atomic=kind == "transaction")
    if kind == "transaction" and report.skipped:
        first = report.skipped[0]
        return outcome_response(
            422, f"Nothing was stored. Bundle.entry[{first.entry}]: {first.reason}", "processing"
        )
    locations = {item.entry: "rate-{}" for item in parsed.heart_rates}
    for rating in parsed.ratings:
        names = zip(rating.entries, rating.names, strict=True)
        locations.update((entry, f"{{}}-{name}") for entry, name in names)
    locations = {
        entry: f"Observation/{locations[entry].format(record)}"
        for entry, record in report.records.items()
    }
    return fhir_response(fhir.response_bundle(kind, entries, report, locations))


@shared.get("/fhir/{rest:path}", include_in_schema=False)
def not_served(rest: str, person: PatientInScope) -> Response:
    """Answer to other resources of FHIR."""
    raise FhirError(
        404, f"{rest or 'This'} is not served; GET fhir/metadata lists what is.", "not-supported"
    )


def _is_response(entry: Any) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and resource.get("resourceType") == "QuestionnaireResponse"


def _import_answers(
    stores: Stores,
    person: Person,
    service: QuestionnaireService,
    answers: dict[int, dict[str, Any]],
    report: ImportOut,
) -> ImportOut:
    """Store the QuestionnaireResponses of a Bundle, and add them to its report."""
    known = {item.id for item in stores.programme.responses(person.id, since_ns=0)}
    stored, new, skipped = 0, 0, []
    for number, resource in answers.items():
        try:
            made = fhir.parse_response(resource, service.library, person, stores.now())
        except (ValueError, KeyError, TypeError, AttributeError, EbbtideError) as error:
            words = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            skipped.append(SkippedOut(entry=number, reason=words))
            continue
        if made.id not in known:
            try:
                stores.programme.add_response(made)
            except ResponseConflictError as error:
                skipped.append(SkippedOut(entry=number, reason=str(error)))
                continue
            known.add(made.id)
            new += 1
        stored += 1
    merged = sorted([*report.skipped, *skipped], key=lambda item: item.entry)
    return report.model_copy(
        update={
            "answers": stored,
            "new": report.new + new,
            "skipped": merged[:1000],
            "skipped_count": report.skipped_count + len(skipped),
        }
    )


def _subject(stores: Stores, caller: Person, person: Person) -> fhir.Subject:
    return fhir.Subject(person, is_simulated(stores, person), with_notes=caller.id == person.id)


def _parse(request: Request, person: Person, start_ns: int, end_ns: int) -> fhir.Search:
    try:
        return fhir.parse_search(
            request.query_params.multi_items(),
            person.zone,
            is_lenient=is_lenient(request),
            start_ns=start_ns,
            end_ns=end_ns,
        )
    except fhir.SearchError as error:
        raise FhirError(error.status, str(error), error.code) from error


def _prompts_so_far(stores: Stores, person: Person) -> list[Prompt]:
    """Nobody reads when they will be asked."""
    found = stores.prompts.prompts(person.id, EARLIEST, stores.now() + 1)
    return sorted(found, key=lambda prompt: (prompt.planned_ns, prompt.id))


def _answers(stores: Stores, person: Person, prompts: list[Prompt]) -> dict[str, list[Rating]]:
    """The ratings that answer these prompts. They may be about any moment until they expired."""
    if not prompts:
        return {}
    found: dict[str, list[Rating]] = {prompt.id: [] for prompt in prompts}
    for rating in stores.records.ratings(person.id, EARLIEST, LATEST):
        if rating.prompt_id in found:
            found[rating.prompt_id].append(rating)
    return found


def _parse_count(value: str) -> int:
    try:
        return fhir.parse_count(value)
    except fhir.SearchError as error:
        raise FhirError(error.status, str(error), error.code) from error


def _link(base: str, kind: str, parameters: Any) -> str:
    query = urlencode(list(parameters))
    return f"{base}/{kind}?{query}" if query else f"{base}/{kind}"
