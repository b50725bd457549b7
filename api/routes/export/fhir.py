"""FHIR R4, out and in."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from analytics.hrv import windows
from api.export import fhir
from api.export.responses import PageQueryDep, page_response
from api.export.tables import observation_parts
from api.http.deps import CacheDep, Patient, PatientInScope, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.common import ImportOut
from api.services.export_scope import is_simulated
from api.services.imported_records import (
    FHIR_SOURCE,
    HeartRate,
    SkippedEntry,
    finish_import,
    store_rating,
)

shared = APIRouter(tags=["standards"])
router = APIRouter(tags=["standards"])

_FHIR: dict[int | str, dict[str, Any]] = {
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
    **describe_problems(401, 403, 404, 422),
}
_OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": fhir.LOINC, "code": fhir.HEART_RATE}]},
    "effectiveDateTime": "2026-11-01T08:00:00+01:00",
    "valueQuantity": {"value": 61, "system": fhir.UCUM, "code": "/min"},
}


@shared.get("/fhir/Observation", response_class=Response, responses=_FHIR)
def observations(
    request: Request,
    person: PatientInScope,
    query: PageQueryDep,
    stores: StoresDep,
    cache: CacheDep,
) -> Response:
    """Ratings (pain: LOINC 72514-3; stress and pleasant sensations: codes of ours), five-minute
    heart rate (8867-4), SDNN (80404-7) and RMSSD (ours), and heart rates from elsewhere.
    """
    simulated = is_simulated(stores, person)
    parts = observation_parts(stores, cache, person, query.scope)
    rows, following = page_response(parts, query.limit, query.cursor)
    resources: list[dict[str, Any]] = []
    for row in rows:
        if "about_ns" in row:
            resources += fhir.rating_resource(row, person.id)
        elif "start_ns" in row:
            resources += fhir.window_resource(
                row, person.id, person.zone, windows.METHOD, simulated
            )
        else:
            rate = HeartRate(row["time_ns"], row["bpm"])
            resources.append(fhir.heart_rate_resource(rate, person.id, person.zone, simulated))
    links = {"self": str(request.url)}
    if following is not None:
        links["next"] = str(request.url.include_query_params(cursor=following))
    if query.is_first:
        resources.insert(0, fhir.patient_resource(person.id, simulated))
    return Response(json.dumps(fhir.build_bundle(resources, links)), media_type=fhir.MEDIA_TYPE)


@router.post("/fhir", responses=describe_problems(401, 403, 422))
def import_fhir(
    document: Annotated[
        dict[str, Any],
        Body(media_type=fhir.MEDIA_TYPE, examples=[_OBSERVATION], description="A Bundle"),
    ],
    person: Patient,
    stores: StoresDep,
) -> ImportOut:
    """Store the ratings and heart rates of a Bundle. Idempotent. Entries that cannot be taken are
    listed in ``skipped``.
    """
    try:
        bundle = fhir.parse_bundle(document)
    except ValueError as error:
        raise ProblemError(422, str(error), field="body") from error
    skipped, stored = list(bundle.skipped), 0
    for rating in bundle.ratings:
        reason = store_rating(stores, person, rating)
        if reason is None:
            stored += 1
        else:
            skipped.append(SkippedEntry(-1, f"rating {rating.id}: {reason}"))
    return finish_import(
        stores, person, FHIR_SOURCE, bundle.heart_rates, ratings=stored, skipped=skipped
    )
