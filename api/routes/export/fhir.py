"""The standards' forms, out and in: FHIR R4, Open mHealth."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, Field

from analytics.hrv import windows
from api.export import fhir, open_mhealth
from api.export.fhir import HeartRate, SkippedEntry
from api.export.responses import page_response, read_cursor
from api.export.tables import ExportQuery, ExportSubject, Part, Table, resolve_origins, table_parts
from api.http.deps import Patient, PatientInScope, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import OptionalTimeRange, TimeRange
from api.services.cache.analysis import AnalysisCache, CacheDep
from api.services.imported_heart_rates import SOURCES, load_heart_rates, store_heart_rates
from ebbtide.beats import Origin
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import validate_zone
from store import Stores
from store.errors import RatingConflictError
from store.models import Person, Rating

shared = APIRouter(tags=["standards"])
router = APIRouter(tags=["standards"])

Cursor = Annotated[str | None, Query(max_length=300, description="From the link `next`")]
Limit = Annotated[int, Query(ge=1, le=10_000, description="Rows of a page")]
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


class SkippedOut(BaseModel):
    """An entry that was not taken."""

    entry: int = Field(description="Its place in the list, from 0")
    reason: str


class ImportOut(BaseModel):
    """What came of an import."""

    ratings: int = Field(description="Kept, or kept already")
    heart_rates: int = Field(description="Kept, without intervals: no HRV is worked out from them")
    stream_id: str | None
    skipped: list[SkippedOut]


class DataPoints(BaseModel):
    """A page of data points. ``next`` is the ``cursor`` of the next one."""

    data_points: list[dict[str, Any]]
    next: str | None


@shared.get("/fhir/Observation", response_class=Response, responses=_FHIR)
def observations(
    request: Request,
    person: PatientInScope,
    asked: OptionalTimeRange,
    stores: StoresDep,
    known: CacheDep,
    limit: Limit = 1000,
    cursor: Cursor = None,
) -> Response:
    """Ratings (pain: LOINC 72514-3; stress and pleasant sensations: codes of ours), five-minute
    heart rate (8867-4), SDNN (80404-7) and RMSSD (ours), and heart rates from elsewhere.
    """
    simulated = person.simulated or Origin.SIMULATED in resolve_origins(stores, person)
    whole = _parts(stores, known, person, asked)
    rows, following = page_response(whole, limit, read_cursor(cursor))
    found: list[dict[str, Any]] = []
    for row in rows:
        if "about_ns" in row:
            found += fhir.rating_resource(row, person.id)
        elif "start_ns" in row:
            found += fhir.window_resource(row, person.id, person.zone, windows.METHOD, simulated)
        else:
            rate = HeartRate(row["time_ns"], row["bpm"])
            found.append(fhir.heart_rate_resource(rate, person.id, person.zone, simulated))
    links = {"self": str(request.url)}
    if following is not None:
        links["next"] = str(request.url.include_query_params(cursor=following))
    if cursor is None:
        found.insert(0, fhir.patient_resource(person.id, simulated))
    return Response(json.dumps(fhir.build_bundle(found, links)), media_type=fhir.MEDIA_TYPE)


@router.post("/fhir", responses=describe_problems(401, 403, 422))
def import_fhir(
    document: Annotated[
        dict[str, Any],
        Body(media_type=fhir.MEDIA_TYPE, examples=[_OBSERVATION], description="A Bundle"),
    ],
    person: Patient,
    stores: StoresDep,
) -> ImportOut:
    """Keep the ratings and heart rates of a Bundle. Twice is once. What cannot be taken is told."""
    try:
        found = fhir.parse_bundle(document)
    except ValueError as error:
        raise ProblemError(422, str(error), field="body") from error
    skipped, kept = list(found.skipped), 0
    for rating in found.ratings:
        reason = _store_rating(stores, person, rating)
        if reason is None:
            kept += 1
        else:
            skipped.append(SkippedEntry(-1, f"rating {rating.id}: {reason}"))
    return _to_out(stores, person, SOURCES[0], found.heart_rates, skipped, kept)


@shared.get(
    "/open-mhealth/heart-rate",
    responses=describe_problems(401, 403, 404, 422),
)
def heart_rates(
    person: PatientInScope,
    asked: OptionalTimeRange,
    stores: StoresDep,
    known: CacheDep,
    limit: Limit = 1000,
    cursor: Cursor = None,
) -> DataPoints:
    """Heart rate as data points (omh:heart-rate:2.0, header of IEEE 1752.1): the mean of each
    usable five minutes, and single heart rates from elsewhere.
    """
    simulated = person.simulated or Origin.SIMULATED in resolve_origins(stores, person)
    whole = _parts(stores, known, person, asked, with_ratings=False)
    rows, following = page_response(whole, limit, read_cursor(cursor))
    points = []
    for row in rows:
        if "start_ns" not in row:
            rate = HeartRate(row["time_ns"], row["bpm"])
            points.append(open_mhealth.heart_rate_point(rate, person.id, person.zone, simulated))
        elif row["mean_hr_bpm"] is not None:
            points.append(open_mhealth.window_point(row, person.id, person.zone, simulated))
    return DataPoints(data_points=points, next=following)


@router.post("/open-mhealth/heart-rate", responses=describe_problems(401, 403, 422))
def import_heart_rates(
    document: Annotated[
        list[dict[str, Any]] | dict[str, Any],
        Body(
            examples=[
                [
                    {
                        "header": {"schema_id": {"namespace": "omh", "name": "heart-rate"}},
                        "body": {
                            "heart_rate": {"value": 61, "unit": "beats/min"},
                            "effective_time_frame": {"date_time": "2026-11-01T08:00:00+01:00"},
                        },
                    }
                ]
            ]
        ),
    ],
    person: Patient,
    stores: StoresDep,
) -> ImportOut:
    """Keep single heart rates. Twice is once. What cannot be taken is told."""
    try:
        rates, skipped = open_mhealth.parse_points(document)
    except ValueError as error:
        raise ProblemError(422, str(error), field="body") from error
    return _to_out(stores, person, SOURCES[1], rates, skipped, 0)


def _parts(
    stores: Stores,
    known: AnalysisCache,
    person: Person,
    asked: TimeRange,
    with_ratings: bool = True,
) -> Iterator[Part]:
    """Ratings, then windows, then heart rates from elsewhere."""
    wanted = ExportQuery(asked.start_ns, asked.end_ns)
    tables = [Table.RATINGS, Table.HRV] if with_ratings else [Table.HRV]
    for table in tables:
        place = 1 if table is Table.RATINGS else 2
        for part in table_parts(table, stores, known, ExportSubject(person), wanted):
            yield Part(f"{place}/{part.key}", part.rows)

    def rates() -> pa.RecordBatch:
        found = load_heart_rates(stores, person, asked.start_ns, asked.end_ns)
        return pa.RecordBatch.from_pydict(
            {
                "time_ns": pa.array([rate.time_ns for rate in found], pa.int64()),
                "bpm": pa.array([rate.bpm for rate in found], pa.float64()),
            }
        )

    yield Part("3/rates", rates)


def _store_rating(stores: Stores, person: Person, found: fhir.ImportedRating) -> str | None:
    """Keep a rating from elsewhere; why not, where it cannot be."""
    now = stores.now() // 1000 * 1000
    if found.about_ns > now:
        return "it is about a time that has not been yet"
    try:
        zone = person.zone if found.zone is None else validate_zone(found.zone)
    except EbbtideError as error:
        return str(error)
    about = found.about_ns // 1000 * 1000
    # One's own rating, coming back, is there already. Others get an id made of what they are.
    there = stores.records.rating(person.id, found.id)
    if there is not None:
        return None
    rating_id = str(uuid.uuid5(uuid.UUID(person.id), found.id))
    try:
        stores.records.add_rating(
            Rating(
                rating_id,
                1,
                person.id,
                about,
                now,
                zone,
                found.pain,
                found.stress,
                found.pleasant,
                person.simulated,
            )
        )
    except RatingConflictError:
        return "it was imported before, and says something else now"
    return None


def _to_out(
    stores: Stores,
    person: Person,
    source: str,
    rates: list[HeartRate],
    skipped: list[SkippedEntry],
    ratings: int,
) -> ImportOut:
    return ImportOut(
        ratings=ratings,
        heart_rates=len(rates),
        stream_id=store_heart_rates(stores, person, source, rates),
        skipped=[SkippedOut(entry=item.entry, reason=item.reason) for item in skipped[:1000]],
    )
