"""Open mHealth, out and in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel

from api.export import open_mhealth
from api.export.responses import PageQueryDep, page_response
from api.export.tables import observation_parts
from api.http.deps import CacheDep, Patient, PatientInScope, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.common import ImportOut
from api.services.export_scope import is_simulated
from api.services.imported_records import OPEN_MHEALTH_SOURCE, HeartRate, finish_import

shared = APIRouter(tags=["standards"])
router = APIRouter(tags=["standards"])


class DataPoints(BaseModel):
    """A page of data points. ``next`` is the ``cursor`` of the next one."""

    data_points: list[dict[str, Any]]
    next: str | None


@shared.get(
    "/open-mhealth/heart-rate",
    responses=describe_problems(401, 403, 404, 422),
)
def heart_rates(
    person: PatientInScope,
    query: PageQueryDep,
    stores: StoresDep,
    cache: CacheDep,
) -> DataPoints:
    """Heart rate as data points (omh:heart-rate:2.0, header of IEEE 1752.1): the mean of each
    usable five minutes, and single heart rates from elsewhere.
    """
    simulated = is_simulated(stores, person)
    parts = observation_parts(stores, cache, person, query.scope, with_ratings=False)
    rows, following = page_response(parts, query.limit, query.cursor)
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
        list[Any] | dict[str, Any],
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
    """Store single heart rates. Idempotent. Points that cannot be taken are in ``skipped``."""
    try:
        rates, skipped = open_mhealth.parse_points(document)
    except ValueError as error:
        raise ProblemError(422, str(error), field="body") from error
    return finish_import(stores, person, OPEN_MHEALTH_SOURCE, rates, skipped=skipped)
