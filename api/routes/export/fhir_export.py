"""Bulk Data export of FHIR resources, for analysts."""

from __future__ import annotations

import uuid
from email.utils import formatdate
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from api.export import fhir
from api.export.fhir.bulk import (
    EXPORT_LIFETIME_NS,
    MANIFEST_SCHEMA,
    MAX_EXPORTS,
    NDJSON,
    export_lines,
    export_manifest,
    export_types,
)
from api.http.deps import Analyst, CacheDep, StoresDep, log_access, request_name
from api.http.fhir import (
    OUTCOME_SCHEMA,
    FhirError,
    FhirRoute,
    Words,
    base_url,
    describe_outcomes,
    fhir_response,
    is_lenient,
    preferences,
)
from api.http.research import CohortDep
from api.services.cohort import Cohort
from ebbtide.beats import new_id
from ebbtide.timestamps import SECOND
from store import Stores
from store.models import FhirExport, Person

router = APIRouter(tags=["standards"], route_class=FhirRoute)

_READ = describe_outcomes(401, 403, 404, 406, 422)
_KICK_OFF: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Begun: Content-Location is the address of its manifest",
        "content": {fhir.MEDIA_TYPE: {"schema": OUTCOME_SCHEMA}},
    },
    **describe_outcomes(400, 401, 403, 406, 422, 429),
}
_MANIFEST: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The files of the export",
        "content": {"application/json": {"schema": MANIFEST_SCHEMA}},
    },
    **_READ,
}
_NDJSON: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A resource a line",
        "content": {NDJSON: {"schema": {"type": "string"}}},
    },
    **_READ,
}


@router.get("/fhir/$export", status_code=202, responses=_KICK_OFF)
def export_all(
    request: Request,
    analyst: Analyst,
    cohort: CohortDep,
    stores: StoresDep,
    types: Annotated[Words, Query(alias="_type")] = None,
    form: Annotated[str | None, Query(alias="_outputFormat", max_length=100)] = None,
) -> Response:
    """Begin a Bulk Data export of everybody who agreed to research, under pseudonyms. Needs
    ``Prefer: respond-async``.
    """
    return _begin_export(request, analyst, cohort, stores, "/fhir/$export")


@router.get("/fhir/Patient/$export", status_code=202, responses=_KICK_OFF)
def export_patients(
    request: Request,
    analyst: Analyst,
    cohort: CohortDep,
    stores: StoresDep,
    types: Annotated[Words, Query(alias="_type")] = None,
    form: Annotated[str | None, Query(alias="_outputFormat", max_length=100)] = None,
) -> Response:
    """Begin the same export: everything is of a Patient."""
    return _begin_export(request, analyst, cohort, stores, "/fhir/Patient/$export")


@router.get("/fhir/exports/{export_id}", responses=_MANIFEST)
def export_status(
    export_id: uuid.UUID, request: Request, analyst: Analyst, stores: StoresDep
) -> Response:
    """The manifest of an export: the addresses of its files."""
    export = _get_export(stores, analyst, export_id)
    url = str(request.url.replace(query="", fragment="")).removesuffix("/")
    return JSONResponse(
        export_manifest(export, url),
        headers={
            "Expires": formatdate((export.created_ns + EXPORT_LIFETIME_NS) // SECOND, usegmt=True)
        },
    )


@router.delete("/fhir/exports/{export_id}", status_code=202, responses=_READ)
def delete_export(export_id: uuid.UUID, analyst: Analyst, stores: StoresDep) -> Response:
    """End an export."""
    _get_export(stores, analyst, export_id)
    stores.access.delete_fhir_export(analyst.id, str(export_id))
    return fhir_response(
        fhir.operation_outcome([("informational", "The export was ended.")], "information"), 202
    )


@router.get("/fhir/exports/{export_id}/{kind}", responses=_NDJSON)
def export_file(
    export_id: uuid.UUID,
    kind: Annotated[str, Path(max_length=64)],
    request: Request,
    analyst: Analyst,
    cohort: CohortDep,
    stores: StoresDep,
    cache: CacheDep,
) -> Response:
    """A file of an export: resources of one type as NDJSON, made while it is read."""
    export = _get_export(stores, analyst, export_id)
    if kind not in export.types.split():
        raise FhirError(404, f"The export has no file {kind}.")
    subjects = cohort.require()
    log_access(stores, analyst, [item.person for item in subjects], request_name(request))
    return StreamingResponse(export_lines(stores, cache, subjects, kind), media_type=NDJSON)


def _begin_export(
    request: Request, analyst: Person, cohort: Cohort, stores: Stores, end: str
) -> Response:
    cohort.require()
    if "respond-async" not in preferences(request):
        raise FhirError(400, "Send Prefer: respond-async: an export is answered with an address.")
    try:
        types = export_types(request.query_params.multi_items(), is_lenient(request))
    except fhir.SearchError as error:
        raise FhirError(error.status, str(error), error.code) from error
    export = FhirExport(new_id(), analyst.id, str(request.url), " ".join(types), stores.now())
    expired_ns = stores.now() - EXPORT_LIFETIME_NS
    current = [
        item for item in stores.access.fhir_exports(analyst.id) if item.created_ns >= expired_ns
    ]
    if len(current) >= MAX_EXPORTS:
        raise FhirError(429, f"There are {MAX_EXPORTS} exports already: end one with DELETE.")
    stores.access.add_fhir_export(export, expired_ns)
    address = f"{base_url(request, end)}/fhir/exports/{export.id}"
    return fhir_response(
        fhir.operation_outcome([("informational", f"See {address}.")], "information"),
        202,
        {"Content-Location": address},
    )


def _get_export(stores: Stores, analyst: Person, export_id: uuid.UUID) -> FhirExport:
    expired_ns = stores.now() - EXPORT_LIFETIME_NS
    for export in stores.access.fhir_exports(analyst.id):
        if export.id == str(export_id) and export.created_ns >= expired_ns:
            return export
    raise FhirError(404, f"There is no export {export_id}, or it has ended.")
