"""HRV over weeks and months, for a picture."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import pairwise
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from analytics import stress_index as stress_index_method
from analytics import windows
from analytics.stress_index import stress_index
from api.access import InHouse, Whose
from api.day_windows import day_windows
from api.histories import KnownHistories
from api.hrv import StressIndexShown
from api.problems import ProblemError, described
from api.time_range import Asked
from ebbtide.instants import DAY, SECOND, to_datetime
from ebbtide.records import Origin

shared = APIRouter(tags=["HRV"])

_LONGEST_DAYS, _MOST_BUCKETS = 400, 20_000


class TrendBucket(BaseModel):
    """The usable five-minute windows that begin in a stretch of time: their medians."""

    start: datetime
    windows: int = Field(description="Windows with any beats")
    usable: int
    mean_hr_bpm: float | None
    rmssd_ms: float | None
    sdnn_ms: float | None
    stress_index: StressIndexShown = Field(
        description="Of the typical window: the medians of value, low and high"
    )


class TrendReport(BaseModel):
    """Stretches with any beats, by time; what is not in the list has none."""

    buckets: list[TrendBucket]
    windows: int
    usable: int
    origins: list[Origin]
    method: str


@shared.get("/hrv/trend", responses=described(401, 403, 404, 422))
def trend(
    asked: Asked,
    person: Whose,
    house: InHouse,
    histories: KnownHistories,
    bucket_s: Annotated[
        int, Query(ge=300, le=86_400 * 31, description="Length of a stretch, in seconds")
    ] = 3600,
) -> TrendReport:
    """Medians of five-minute windows over up to 400 days, from windows that are kept."""
    if asked.end_ns - asked.start_ns > _LONGEST_DAYS * DAY:
        raise ProblemError(422, f"Ask for at most {_LONGEST_DAYS} days at a time.")
    bucket = bucket_s * SECOND
    if (asked.end_ns - asked.start_ns) // bucket > _MOST_BUCKETS:
        raise ProblemError(422, f"More than {_MOST_BUCKETS} stretches: use a longer bucket_s.")
    found = day_windows(house, person, asked.start_ns, asked.end_ns)
    usable = np.isfinite(found.mean_hr_bpm)
    index = stress_index(histories.of(house, person), found.hearts(person.zone))
    place = (found.start_ns - asked.start_ns) // bucket
    edges = np.flatnonzero(np.diff(place, prepend=-1))
    origins = {
        item.stream.origin
        for item in house.beats.coverage(person.subject_id)
        if item.first_ns is not None
        and item.last_ns is not None
        and item.first_ns < asked.end_ns
        and item.last_ns >= asked.start_ns
    }
    buckets = []
    for first, last in pairwise([*edges.tolist(), len(place)]):
        rows = slice(first, last)
        value = _median(index.value[rows])
        reasons = [reason for reason in index.reason[rows] if reason is not None]
        buckets.append(
            TrendBucket(
                start=to_datetime(asked.start_ns + int(place[first]) * bucket),
                windows=last - first,
                usable=int(np.count_nonzero(usable[rows])),
                mean_hr_bpm=_median(found.mean_hr_bpm[rows]),
                rmssd_ms=_median(found.rmssd_ms[rows]),
                sdnn_ms=_median(found.sdnn_ms[rows]),
                stress_index=StressIndexShown(
                    value=value,
                    low=_median(index.low[rows]),
                    high=_median(index.high[rows]),
                    baseline_days=int(np.max(index.baseline_days[rows])),
                    missing=str(reasons[-1]) if value is None and reasons else None,
                ),
            )
        )
    return TrendReport(
        buckets=buckets,
        windows=len(place),
        usable=int(np.count_nonzero(usable)),
        origins=sorted(origins),
        method=f"{windows.METHOD}; {stress_index_method.METHOD}",
    )


def _median(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    middle = float(np.median(known))
    return middle if math.isfinite(middle) else None
