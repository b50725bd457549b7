"""Open mHealth, out and in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel

from api.export import open_mhealth
from api.export.fhir import Key, decode_key
from api.http.deps import AliasDep, KeepingPatient, KeepingStoresDep, PatientInScope, StoresDep
from api.http.pagination import Cursor, PageLimit
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import OptionalTimeRange
from api.schemas.common import ImportOut
from api.services.export_scope import is_simulated
from api.services.imported_records import import_parsed

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
    time_range: OptionalTimeRange,
    stores: StoresDep,
    limit: PageLimit = 1000,
    cursor: Cursor = None,
) -> DataPoints:
    """Heart rate as data points (omh:heart-rate:2.0, header of IEEE 1752.1): the mean of each
    usable five minutes, and single heart rates from elsewhere.
    """
    search = open_mhealth.heart_rate_search(time_range.start_ns, time_range.end_ns, limit)
    try:
        after = Key() if cursor is None else decode_key(cursor)
    except ValueError as error:
        raise ProblemError(422, f"{error}.", field="query.cursor") from error
    simulated = is_simulated(stores, person)
    points, following = open_mhealth.load_points(stores, person, simulated, search, after)
    return DataPoints(data_points=points, next=following)


@router.post("/open-mhealth/heart-rate", responses=describe_problems(400, 401, 403, 422))
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
    person: KeepingPatient,
    stores: KeepingStoresDep,
    alias: AliasDep,
) -> ImportOut:
    """Store single heart rates. Idempotent. Points that cannot be taken are in ``skipped``."""
    try:
        parsed = open_mhealth.parse_points(document, person.id, alias)
    except ValueError as error:
        raise ProblemError(422, str(error), field="body") from error
    return import_parsed(stores, person, parsed).to_out()
