"""HRV over a range."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query

from analytics.hrv import stress_index as stress_index_method
from analytics.hrv import windows
from analytics.hrv.metric import Domain
from analytics.hrv.requirements import METRICS
from analytics.hrv.stress_index import StressIndex, stress_index
from analytics.hrv.summary import SLOW_BREATHING
from analytics.hrv.windows import HrvWindows, hrv_windows, starts_by_stretch
from api.http.deps import CacheDep, PatientInScope, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import TimeRangeQuery
from api.schemas.hrv import HrvOut, HrvReport, StressIndexOut, finite_or_none
from api.services.inputs import load_movement, to_beat_arrays, windows_to_stress_index_input
from ebbtide.timestamps import DAY, SECOND, to_datetime

shared = APIRouter(tags=["HRV"])

_MAX_WINDOWS = 50_000
_MAX_DAYS = 32


@shared.get("/hrv", responses=describe_problems(401, 403, 404, 422))
def hrv(
    person: PatientInScope,
    query: TimeRangeQuery,
    stores: StoresDep,
    cache: CacheDep,
    window_s: Annotated[
        float | None, Query(gt=0, le=86_400 * 7, description="The whole range if left out")
    ] = None,
    step_s: Annotated[float | None, Query(gt=0, description="The window if left out")] = None,
    from_first_beat: Annotated[
        bool,
        Query(description="Begin with the first beat of each stretch of beats, not with `start`"),
    ] = False,
    domain: Annotated[
        list[Domain],
        Query(description="Kinds of metrics; frequency and nonlinear take longer"),
    ] = [Domain.TIME],  # noqa: B006  # FastAPI copies it
    with_stress_index: Annotated[
        bool, Query(description="Compare each window with the person's own first fortnight")
    ] = False,
) -> HrvReport:
    """HRV of one window, or of windows every ``step_s`` seconds."""
    window = query.end_ns - query.start_ns
    if window > _MAX_DAYS * DAY:  # every beat of it is read
        raise ProblemError(
            422, f"Ask for at most {_MAX_DAYS} days at a time; GET /v1/hrv/trend takes more."
        )
    step = window
    if window_s is not None:
        window, step = round(window_s * SECOND), round((step_s or window_s) * SECOND)
        if step < SECOND:
            raise ProblemError(422, "step_s must be at least 1.")
        if (query.end_ns - query.start_ns) // step > _MAX_WINDOWS:
            raise ProblemError(
                422, f"More than {_MAX_WINDOWS} windows: use a longer step_s or a shorter range."
            )
    beats = stores.beats.read(person.subject_id, query.start_ns, query.end_ns)
    arrays = to_beat_arrays(beats)
    starts = np.array([query.start_ns], dtype=np.int64)
    if window_s is not None and from_first_beat:
        starts = starts_by_stretch(arrays, window, step)
    elif window_s is not None:
        starts = np.arange(query.start_ns, query.end_ns - window + 1, step, dtype=np.int64)
    movement = load_movement(stores, person, query.start_ns, query.end_ns)
    result = hrv_windows(arrays, starts, window, {Domain.TIME, *domain}, movement)
    index = None
    if with_stress_index:
        baseline = cache.baselines.load(stores, person)
        index = stress_index(baseline, windows_to_stress_index_input(result, person.zone))
    rows = list(range(len(result)))
    if window_s is not None:
        rows = np.flatnonzero(result.metrics.intervals).tolist()
    return HrvReport(
        windows=[_to_out(result, row, domain, index) for row in rows],
        origins=sorted(beats.origins),
        method=f"{windows.METHOD}; {stress_index_method.METHOD}"
        if with_stress_index
        else windows.METHOD,
    )


def _to_out(
    result: HrvWindows, row: int, domains: list[Domain], index: StressIndex | None
) -> HrvOut:
    metrics = result.metrics
    usable = result.missing_detail[row] is None
    values = {
        name: finite_or_none(column[row]) if usable else None
        for name, column in metrics.values.items()
    }
    selected = values if Domain.TIME in domains else _without_time(values)
    reasons = {name: metrics.missing_reason(name, row) for name in selected} if usable else {}
    breaths = values.get("breathing_per_min")
    start = int(result.start_ns[row])
    beats = int(metrics.intervals[row])
    return HrvOut(
        start=to_datetime(start),
        end=to_datetime(start + result.window_ns),
        beats=beats,
        coverage=float(metrics.coverage[row]),
        removed_share=1 - float(metrics.normal_share[row]) if beats else None,
        filled_share=float(metrics.filled_share[row]),
        longest_gap_s=float(metrics.longest_gap_s[row]),
        contact_share=finite_or_none(metrics.contact_share[row]),
        motion_mg=finite_or_none(metrics.motion_mg[row]),
        mean_hr_bpm=values["mean_hr_bpm"],
        rmssd_ms=values["rmssd_ms"],
        sdnn_ms=values["sdnn_ms"],
        figures=selected,
        absent={name: reason for name, reason in reasons.items() if reason is not None},
        stress_index=None if index is None else StressIndexOut.from_index(index, row),
        notes=[SLOW_BREATHING] if breaths is not None and breaths < 9 else [],
        missing=result.missing_detail[row],
    )


def _without_time(values: dict[str, float | None]) -> dict[str, float | None]:
    return {
        name: value for name, value in values.items() if METRICS[name].domain is not Domain.TIME
    }
