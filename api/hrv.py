"""HRV over a range."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from analytics import windows
from analytics.windows import WindowHrv, starts_by_stretch, window_hrv
from api.access import Asking, InHouse
from api.beat_arrays import beat_arrays
from api.problems import ProblemError, described
from api.time_range import Asked
from ebbtide.instants import SECOND, to_datetime
from ebbtide.records import Origin

router = APIRouter(tags=["HRV"])

MOST_WINDOWS = 50_000


class HrvShown(BaseModel):
    """One window. Figures are null where ``missing`` says why."""

    start: datetime
    end: datetime
    beats: int
    coverage: float = Field(description="Share of the window that NN intervals fill")
    removed_share: float | None = Field(description="Share of RR intervals left out by cleaning")
    mean_hr_bpm: float | None = Field(examples=[64.2])
    rmssd_ms: float | None = Field(examples=[31.5])
    sdnn_ms: float | None = Field(examples=[48.0])
    missing: str | None


class HrvReport(BaseModel):
    """Windows of a range, by time. Windows without any beat are left out of the list."""

    windows: list[HrvShown]
    origins: list[Origin] = Field(description="Where the beats come from")
    method: str


@router.get("/hrv", responses=described(401, 422))
def hrv(
    asked: Asked,
    person: Asking,
    house: InHouse,
    window_s: Annotated[
        float | None, Query(gt=0, le=86_400 * 7, description="The whole range if left out")
    ] = None,
    step_s: Annotated[float | None, Query(gt=0, description="The window if left out")] = None,
    from_first_beat: Annotated[
        bool,
        Query(description="Begin with the first beat of each stretch of beats, not with `start`"),
    ] = False,
) -> HrvReport:
    """HRV of one window, or of windows every ``step_s`` seconds."""
    beats = house.beats.read(person.subject_id, asked.start_ns, asked.end_ns)
    arrays = beat_arrays(beats)
    if window_s is None:
        found = [window_hrv(arrays, asked.start_ns, asked.end_ns)]
    else:
        window, step = round(window_s * SECOND), round((step_s or window_s) * SECOND)
        if step < SECOND:
            raise ProblemError(422, "step_s must be at least 1.")
        if (asked.end_ns - asked.start_ns) // step > MOST_WINDOWS:
            raise ProblemError(
                422, f"More than {MOST_WINDOWS} windows: use a longer step_s or a shorter range."
            )
        if from_first_beat:
            starts = starts_by_stretch(arrays, window, step)
        else:
            last = asked.end_ns - window
            starts = np.arange(asked.start_ns, last + 1, step, dtype=np.int64)
        found = [window_hrv(arrays, int(s), int(s) + window) for s in starts]
        found = [item for item in found if item.beats]
    return HrvReport(
        windows=[shown(item) for item in found],
        origins=sorted(beats.origins),
        method=windows.METHOD,
    )


def shown(item: WindowHrv) -> HrvShown:
    """A window as the API tells it."""
    return HrvShown(
        start=to_datetime(item.start_ns),
        end=to_datetime(item.end_ns),
        beats=item.beats,
        coverage=item.coverage,
        removed_share=item.removed_share,
        mean_hr_bpm=item.mean_hr_bpm,
        rmssd_ms=_number(item.rmssd_ms),
        sdnn_ms=_number(item.sdnn_ms),
        missing=item.missing,
    )


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else value
