"""HRV over a range."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from analytics.hrv import stress_index as stress_index_method
from analytics.hrv import windows
from analytics.hrv.metric import Domain
from analytics.hrv.requirements import METRICS
from analytics.hrv.stress_index import StressIndex, stress_index
from analytics.hrv.summary import SLOW_BREATHING
from analytics.hrv.windows import HrvWindows, hrv_windows, starts_by_stretch
from api.http.deps import PatientInScope, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import TimeRangeQuery
from api.services.cache.analysis import CacheDep
from api.services.inputs import to_beat_arrays
from api.services.stress_index_input import load_movement, load_stress_index_input
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY, SECOND, to_datetime

shared = APIRouter(tags=["HRV"])

MAX_WINDOWS = 50_000
_MAX_DAYS = 32


class StressIndexOut(BaseModel):
    """How far from the person's own usual: 0 to 100, 50 is usual. Null where ``missing`` says
    why.
    """

    value: float | None = Field(examples=[61.0])
    low: float | None = Field(description="95% interval", examples=[42.0])
    high: float | None = Field(examples=[78.0])
    baseline_days: int = Field(description="Days it was compared with", examples=[14])
    missing: str | None


class HrvOut(BaseModel):
    """One window. Figures are null where ``missing`` says why."""

    start: datetime
    end: datetime
    beats: int
    coverage: float = Field(description="Share of the window that NN intervals fill")
    removed_share: float | None = Field(description="Share of RR intervals that are not normal")
    filled_share: float = Field(
        description="Share of the corrected series that was filled in (spectrum, entropy, DFA)"
    )
    longest_gap_s: float = Field(description="Longest time without a normal interval")
    contact_share: float | None = Field(
        description="Share of intervals with skin contact, where the strap tells"
    )
    motion_mg: float | None = Field(
        description="Mean amplitude deviation of acceleration, where the strap has it"
    )
    mean_hr_bpm: float | None = Field(examples=[64.2])
    rmssd_ms: float | None = Field(examples=[31.5])
    sdnn_ms: float | None = Field(examples=[48.0])
    figures: dict[str, float | None] = Field(
        description="The figures of the domains that were asked for, by name; docs/evidence/"
        "hrv.md has what each is",
        examples=[{"lf_ms2": 812.4, "hf_ms2": 655.0, "vlf_ms2": None}],
    )
    absent: dict[str, str] = Field(
        description="Why a figure is null, where the window as a whole is usable",
        examples=[{"vlf_ms2": "180 s of NN intervals; 270 s are needed"}],
    )
    stress_index: StressIndexOut | None
    notes: list[str]
    missing: str | None


class HrvReport(BaseModel):
    """Windows of a range, by time. Windows without any beat are left out of the list."""

    windows: list[HrvOut]
    origins: list[Origin] = Field(description="Where the beats come from")
    method: str


@shared.get("/hrv", responses=describe_problems(401, 403, 404, 422))
def hrv(
    person: PatientInScope,
    asked: TimeRangeQuery,
    stores: StoresDep,
    known: CacheDep,
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
        Query(description="Kinds of figures; frequency and nonlinear take longer"),
    ] = [Domain.TIME],  # noqa: B006  # FastAPI copies it
    with_stress_index: Annotated[
        bool, Query(description="Compare each window with the person's own first fortnight")
    ] = False,
) -> HrvReport:
    """HRV of one window, or of windows every ``step_s`` seconds."""
    window = asked.end_ns - asked.start_ns
    if window > _MAX_DAYS * DAY:  # every beat of it is read
        raise ProblemError(
            422, f"Ask for at most {_MAX_DAYS} days at a time; GET /v1/hrv/trend takes more."
        )
    step = window
    if window_s is not None:
        window, step = round(window_s * SECOND), round((step_s or window_s) * SECOND)
        if step < SECOND:
            raise ProblemError(422, "step_s must be at least 1.")
        if (asked.end_ns - asked.start_ns) // step > MAX_WINDOWS:
            raise ProblemError(
                422, f"More than {MAX_WINDOWS} windows: use a longer step_s or a shorter range."
            )
    beats = stores.beats.read(person.subject_id, asked.start_ns, asked.end_ns)
    arrays = to_beat_arrays(beats)
    starts = np.array([asked.start_ns], dtype=np.int64)
    if window_s is not None and from_first_beat:
        starts = starts_by_stretch(arrays, window, step)
    elif window_s is not None:
        starts = np.arange(asked.start_ns, asked.end_ns - window + 1, step, dtype=np.int64)
    movement = load_movement(stores, person, asked.start_ns, asked.end_ns)
    found = hrv_windows(arrays, starts, window, {Domain.TIME, *domain}, movement)
    index = None
    if with_stress_index:
        history = known.histories.of(stores, person)
        index = stress_index(history, load_stress_index_input(found, person.zone))
    rows = list(range(len(found)))
    if window_s is not None:
        rows = np.flatnonzero(found.metrics.intervals).tolist()
    return HrvReport(
        windows=[_to_out(found, row, domain, index) for row in rows],
        origins=sorted(beats.origins),
        method=f"{windows.METHOD}; {stress_index_method.METHOD}"
        if with_stress_index
        else windows.METHOD,
    )


def _to_out(
    found: HrvWindows, row: int, domains: list[Domain], index: StressIndex | None
) -> HrvOut:
    """A window as the API tells it."""
    of = found.metrics
    usable = found.missing_detail[row] is None
    values = {name: number(column[row]) if usable else None for name, column in of.values.items()}
    told = values if Domain.TIME in domains else _without_time(values)
    reasons = {name: of.missing_reason(name, row) for name in told} if usable else {}
    breaths = values.get("breathing_per_min")
    start = int(found.start_ns[row])
    beats = int(of.intervals[row])
    return HrvOut(
        start=to_datetime(start),
        end=to_datetime(start + found.window_ns),
        beats=beats,
        coverage=float(of.coverage[row]),
        removed_share=1 - float(of.normal_share[row]) if beats else None,
        filled_share=float(of.filled_share[row]),
        longest_gap_s=float(of.longest_gap_s[row]),
        contact_share=number(of.contact_share[row]),
        motion_mg=number(of.motion_mg[row]),
        mean_hr_bpm=values["mean_hr_bpm"],
        rmssd_ms=values["rmssd_ms"],
        sdnn_ms=values["sdnn_ms"],
        figures=told,
        absent={name: why for name, why in reasons.items() if why is not None},
        stress_index=None if index is None else to_stress_index_out(index, row),
        notes=[SLOW_BREATHING] if breaths is not None and breaths < 9 else [],
        missing=found.missing_detail[row],
    )


def _without_time(values: dict[str, float | None]) -> dict[str, float | None]:
    return {
        name: value for name, value in values.items() if METRICS[name].domain is not Domain.TIME
    }


def to_stress_index_out(index: StressIndex, row: int) -> StressIndexOut:
    """The stress index of one window as the API tells it."""
    reason = index.missing_reason[row]
    return StressIndexOut(
        value=number(index.value[row]),
        low=number(index.low[row]),
        high=number(index.high[row]),
        baseline_days=int(index.baseline_days[row]),
        missing=None if reason is None else str(reason),
    )


def number(value: Any) -> float | None:
    """A number, or None for NaN."""
    return float(value) if math.isfinite(value) else None
