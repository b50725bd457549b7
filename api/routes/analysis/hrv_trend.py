"""HRV over weeks and months, for a chart."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.http.compute import COMPUTING, ComputationsDep
from api.http.deps import AnalysedPatient, CacheDep, CallerDep, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import TimeRangeQuery
from api.schemas.hrv import TrendReport
from api.services.daily_windows import daily_price_s
from api.services.hrv_trend import load_trend_json
from api.services.stress_baseline import baseline_price_s
from ebbtide.timestamps import DAY, SECOND

shared = APIRouter(tags=["HRV"])

_MAX_DAYS, _MAX_BUCKETS = 400, 20_000


@shared.get(
    "/hrv/trend",
    response_model=TrendReport,
    responses={**COMPUTING, **describe_problems(401, 403, 404, 422, 503)},
)
async def trend(
    request: Request,
    person: AnalysedPatient,
    caller: CallerDep,
    query: TimeRangeQuery,
    stores: StoresDep,
    cache: CacheDep,
    computations: ComputationsDep,
    bucket_s: Annotated[
        int, Query(ge=300, le=86_400 * 31, description="Length of a stretch, in seconds")
    ] = 3600,
) -> Response:
    """Medians of five-minute windows over up to 400 days, from stored windows. Stretches
    begin at multiples of ``bucket_s`` since 1970, and the range is widened to whole ones.
    """
    if query.end_ns - query.start_ns > _MAX_DAYS * DAY:
        raise ProblemError(422, f"Ask for at most {_MAX_DAYS} days at a time.")
    bucket_ns = bucket_s * SECOND
    if (query.end_ns - query.start_ns) // bucket_ns > _MAX_BUCKETS:
        raise ProblemError(422, f"More than {_MAX_BUCKETS} stretches: use a longer bucket_s.")

    def plan() -> float:
        # The index is relative to the days up to yesterday, which may be none of these.
        of_range = daily_price_s(stores, person, query.start_ns, query.end_ns)
        return max(of_range, baseline_price_s(stores, person))

    def work() -> Response:
        body = load_trend_json(stores, cache, person, query.start_ns, query.end_ns, bucket_ns)
        return Response(body, media_type="application/json")

    price_s = await computations.run(request, caller.person.id, plan)
    key = ("trend", person.id, query.start_ns, query.end_ns, bucket_s)
    return await computations.respond(request, caller.person.id, price_s, key, work)
