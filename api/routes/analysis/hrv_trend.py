"""HRV over weeks and months, for a picture."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Response
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from analytics.hrv import stress_index as stress_index_method
from analytics.hrv import windows
from analytics.hrv.stress_index import StressIndexInput
from api.http.deps import PatientInScope, StoresDep
from api.http.problems import ProblemError, describe_problems
from api.http.time_range import TimeRangeQuery
from api.routes.analysis.hrv import StressIndexOut
from api.services.cache.analysis import CacheDep
from api.services.cache.stress_index import StressIndexCache, fingerprint
from api.services.daily_windows import load_daily_hrv
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY, SECOND, to_datetime
from store import Stores
from store.models import Person

shared = APIRouter(tags=["HRV"])

_MAX_DAYS, _MAX_BUCKETS = 400, 20_000


class TrendBucket(BaseModel):
    """The usable five-minute windows that begin in a stretch of time: their medians."""

    start: datetime
    windows: int = Field(description="Windows with any beats")
    usable: int
    mean_hr_bpm: float | None
    rmssd_ms: float | None
    sdnn_ms: float | None
    stress_index: StressIndexOut = Field(
        description="Of the typical window: the medians of value, low and high"
    )


class TrendReport(BaseModel):
    """Stretches with any beats, by time; what is not in the list has none."""

    buckets: list[TrendBucket]
    windows: int
    usable: int
    origins: list[Origin]
    method: str


@shared.get(
    "/hrv/trend", response_model=TrendReport, responses=describe_problems(401, 403, 404, 422)
)
def trend(
    person: PatientInScope,
    asked: TimeRangeQuery,
    stores: StoresDep,
    known: CacheDep,
    bucket_s: Annotated[
        int, Query(ge=300, le=86_400 * 31, description="Length of a stretch, in seconds")
    ] = 3600,
) -> Response:
    """Medians of five-minute windows over up to 400 days, from windows that are kept. Stretches
    begin at multiples of ``bucket_s`` since 1970, and the range is widened to whole ones.
    """
    if asked.end_ns - asked.start_ns > _MAX_DAYS * DAY:
        raise ProblemError(422, f"Ask for at most {_MAX_DAYS} days at a time.")
    bucket = bucket_s * SECOND
    if (asked.end_ns - asked.start_ns) // bucket > _MAX_BUCKETS:
        raise ProblemError(422, f"More than {_MAX_BUCKETS} stretches: use a longer bucket_s.")
    # The same stretches at each look: an answer is the same until beats or the clock move on.
    start, end = asked.start_ns // bucket * bucket, -(-asked.end_ns // bucket) * bucket
    history = known.histories.of(stores, person)
    contents = stores.beats.day_fingerprints(
        person.subject_id, start // DAY * DAY, -(-end // DAY) * DAY
    )
    key = (
        *("trend", person.subject_id, bucket, start, end),
        *(tuple(contents.items()), fingerprint(history, person.zone)),
    )
    made = known.answers.get(key)
    if made is None:
        made = _compute(stores, person, known.indexes, history, start, end, bucket)
        known.answers.put(key, made)
    # Here and not by FastAPI, which would hold up everybody else's requests meanwhile.
    return Response(made, media_type="application/json")


def _compute(
    stores: Stores,
    person: Person,
    indexes: StressIndexCache,
    history: StressIndexInput,
    start_ns: int,
    end_ns: int,
    bucket: int,
) -> bytes:
    """The answer, as JSON."""
    found = load_daily_hrv(stores, person, start_ns, end_ns)
    usable = np.isfinite(found.mean_hr_bpm)
    index = indexes.of(person.subject_id, person.zone, found, history)
    place = (found.start_ns - start_ns) // bucket
    edges = np.flatnonzero(np.diff(place, prepend=-1))
    columns = (found.mean_hr_bpm, found.rmssd_ms, found.sdnn_ms, index.value, index.low, index.high)
    medians = [medians_of(column, edges) for column in columns]
    usable_of = np.add.reduceat(usable, edges).tolist() if len(edges) else []
    most_days = np.maximum.reduceat(index.baseline_days, edges).tolist() if len(edges) else []
    origins = {
        item.stream.origin
        for item in stores.beats.coverage(person.subject_id)
        if item.first_ns is not None
        and item.last_ns is not None
        and item.first_ns < end_ns
        and item.last_ns >= start_ns
    }
    lasts = np.append(edges, len(place))[1:]
    why_last = _last_data_ns(index.why, edges)
    starts = (start_ns + place[edges] * bucket).tolist()
    buckets = [
        TrendBucket(
            start=to_datetime(starts[number]),
            windows=windows_there,
            usable=usable_of[number],
            mean_hr_bpm=heart_rate,
            rmssd_ms=rmssd,
            sdnn_ms=sdnn,
            stress_index=StressIndexOut(
                value=value,
                low=low,
                high=high,
                baseline_days=most_days[number],
                missing=why_last[number] if math.isnan(value) else None,
            ),
        )
        for number, (windows_there, heart_rate, rmssd, sdnn, value, low, high) in enumerate(
            zip((lasts - edges).tolist(), *medians, strict=True)
        )
    ]
    report = TrendReport(
        buckets=buckets,
        windows=len(place),
        usable=int(np.count_nonzero(usable)),
        origins=sorted(origins),
        method=f"{windows.METHOD}; {stress_index_method.METHOD}",
    )
    return report.model_dump_json().encode()


def _last_data_ns(why: NDArray[np.object_], edges: NDArray[np.int64]) -> list[str | None]:
    """In each stretch, the last reason for a number that is missing."""
    if not len(edges):
        return []
    unknown = np.array([reason is None for reason in why.tolist()], dtype=bool)
    rows = np.where(unknown, -1, np.arange(len(why)))
    return [None if row < 0 else why[row] for row in np.maximum.reduceat(rows, edges).tolist()]


def medians_of(values: NDArray[np.float64], edges: NDArray[np.int64]) -> list[float]:
    """The median of what is known in each stretch; NaN, which JSON tells as null, where nothing is.
    ``edges``: where each stretch begins in ``values``.
    """
    if not len(edges):
        return []
    lengths = np.diff(np.append(edges, len(values)))
    stretch = np.repeat(np.arange(len(edges)), lengths)
    # A row a stretch, sorted: what is not known comes last.
    table = np.full((len(edges), int(lengths.max())), np.nan)
    table[stretch, np.arange(len(values)) - edges[stretch]] = values
    table.sort(axis=1)
    counts = np.count_nonzero(np.isfinite(table), axis=1)
    rows, last = np.arange(len(edges)), np.maximum(counts - 1, 0)
    found: list[float] = ((table[rows, last // 2] + table[rows, (last + 1) // 2]) / 2).tolist()
    return found
