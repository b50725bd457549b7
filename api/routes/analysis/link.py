"""Whether pain moved with stress, and with the heart."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from analytics.association.hrv_before_rating import Span
from api.http.deps import CacheDep, PatientInScope, StoresDep
from api.http.problems import describe_problems
from api.http.time_range import OptionalTimeRange
from api.schemas.link import LinkReport
from api.services.link_report import load_report_json

shared = APIRouter(tags=["link"])


@shared.get("/link", response_model=LinkReport, responses=describe_problems(401, 403, 404, 422))
def link(
    person: PatientInScope,
    query: OptionalTimeRange,
    stores: StoresDep,
    cache: CacheDep,
    span: Annotated[
        Span, Query(description="Which heartbeats before each rating count")
    ] = Span.MINUTES_30,
) -> Response:
    """The within-person link of pain with stress, and with the heart."""
    body = load_report_json(stores, cache, person, query.start_ns, query.end_ns, span)
    return Response(body, media_type="application/json")
