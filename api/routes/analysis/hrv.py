"""HRV over a range."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from analytics.hrv.metric import Domain
from api.http.compute import COMPUTING, ComputationsDep
from api.http.deps import AnalysedPatient, CacheDep, CallerDep, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import TimeRange, TimeRangeQuery
from api.schemas.hrv import HrvReport
from api.services.cache.analysis import AnalysisCache
from api.services.compute import compute
from api.services.hrv_report import (
    HrvQuery,
    HrvTask,
    compute_hrv_json,
    estimate_beats,
    estimate_price_s,
    require_affordable,
    task_price_s,
)
from api.services.inputs import load_movement, to_beat_arrays
from ebbtide.timestamps import DAY, SECOND
from store import Stores
from store.models import Person

shared = APIRouter(tags=["HRV"])

_MAX_WINDOWS = 50_000
_MAX_DAYS = 32


@shared.get(
    "/hrv",
    response_model=HrvReport,
    responses={**COMPUTING, **describe_problems(401, 403, 404, 422, 503)},
)
async def hrv(
    request: Request,
    person: AnalysedPatient,
    caller: CallerDep,
    query: TimeRangeQuery,
    stores: StoresDep,
    cache: CacheDep,
    computations: ComputationsDep,
    window_s: Annotated[
        float | None, Query(gt=0, le=86_400 * 7, description="The whole range if left out")
    ] = None,
    step_s: Annotated[
        float | None, Query(gt=0, le=86_400 * 366, description="The window if left out")
    ] = None,
    from_first_beat: Annotated[
        bool,
        Query(description="Begin with the first beat of each stretch of beats, not with `start`"),
    ] = False,
    domain: Annotated[
        list[Domain],
        Query(max_length=20, description="Kinds of metrics; frequency and nonlinear take longer"),
    ] = [Domain.TIME],  # noqa: B006  # FastAPI copies it
    with_stress_index: Annotated[
        bool, Query(description="Compare each window with the person's own usual")
    ] = False,
) -> Response:
    """HRV of one window, or of windows every ``step_s`` seconds."""
    windows = _parse(query, window_s, step_s, from_first_beat, domain)

    def plan() -> float:
        # Before any beat is read: a week every minute over a month would take an hour.
        coverage = stores.beats.coverage(person.subject_id)
        beats = estimate_beats(coverage, windows.start_ns, windows.end_ns)
        price_s = estimate_price_s(windows, beats)
        require_affordable(windows, price_s, beats)
        return price_s

    def work() -> Response:
        task = _read(stores, cache, person, windows, with_stress_index)
        price_s = task_price_s(task)
        require_affordable(windows, price_s, len(task.beats.time_ns))
        body = compute(price_s, compute_hrv_json, task)
        return Response(body, media_type="application/json")

    price_s = await computations.run(request, caller.person.id, plan)
    key = ("hrv", person.id, windows, with_stress_index)
    return await computations.respond(request, caller.person.id, price_s, key, work)


def _parse(
    query: TimeRange,
    window_s: float | None,
    step_s: float | None,
    from_first_beat: bool,
    domains: list[Domain],
) -> HrvQuery:
    window = step = query.end_ns - query.start_ns
    if window > _MAX_DAYS * DAY:  # every beat of it is read
        raise ProblemError(
            422, f"Ask for at most {_MAX_DAYS} days at a time; GET /v1/hrv/trend takes more."
        )
    if window_s is not None:
        window, step = round(window_s * SECOND), round((step_s or window_s) * SECOND)
        if step < SECOND:
            raise ProblemError(422, "step_s must be at least 1.")
        if (query.end_ns - query.start_ns) // step > _MAX_WINDOWS:
            raise ProblemError(
                422, f"More than {_MAX_WINDOWS} windows: use a longer step_s or a shorter range."
            )
    return HrvQuery(
        query.start_ns,
        query.end_ns,
        window,
        step,
        window_s is None,
        from_first_beat,
        tuple(sorted(set(domains))),
    )


def _read(
    stores: Stores,
    cache: AnalysisCache,
    person: Person,
    query: HrvQuery,
    with_stress_index: bool,
) -> HrvTask:
    beats = stores.beats.read(person.subject_id, query.start_ns, query.end_ns)
    arrays = to_beat_arrays(beats)
    return HrvTask(
        query,
        query.starts(arrays),
        arrays,
        load_movement(stores, person, query.start_ns, query.end_ns),
        tuple(sorted(beats.origins)),
        person.zone,
        cache.baselines.load(stores, person) if with_stress_index else None,
    )
