"""Whether pain moved with stress, and with the heart."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from analytics.association.hrv_before_rating import Span
from api.http.compute import COMPUTING, ComputationsDep
from api.http.deps import AnalysedPatient, CacheDep, CallerDep, StoresDep
from api.http.problems import describe_problems
from api.http.time_range import OptionalTimeRange
from api.schemas.link import LinkReport
from api.services.link_report import ReportPlan, load_planned_json, plan_report

shared = APIRouter(tags=["link"])


@shared.get(
    "/link",
    response_model=LinkReport,
    responses={**COMPUTING, **describe_problems(401, 403, 404, 422, 503)},
)
async def link(
    request: Request,
    person: AnalysedPatient,
    caller: CallerDep,
    query: OptionalTimeRange,
    stores: StoresDep,
    cache: CacheDep,
    computations: ComputationsDep,
    span: Annotated[
        Span, Query(description="Which heartbeats before each rating count")
    ] = Span.MINUTES_30,
) -> Response:
    """The within-person link of pain with stress, and with the heart."""

    def plan() -> ReportPlan:
        return plan_report(stores, person, query.start_ns, query.end_ns, span)

    def work() -> Response:
        body = load_planned_json(stores, cache, planned)
        return Response(body, media_type="application/json")

    planned = await computations.run(request, caller.person.id, plan)
    if planned.stored is not None:
        return Response(planned.stored, media_type="application/json")
    key = ("link", person.id, query.start_ns, query.end_ns, span)
    return await computations.respond(request, caller.person.id, planned.price_s, key, work)
