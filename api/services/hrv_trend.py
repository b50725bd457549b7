"""Medians of five-minute HRV windows over weeks and months, from stored windows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analytics.hrv import stress_index as stress_index_method
from analytics.hrv import windows
from analytics.hrv.stress_index import StressIndexInput
from api.schemas.hrv import StressIndexOut, TrendBucket, TrendReport
from api.services.cache.analysis import AnalysisCache
from api.services.cache.stress_index import StressIndexCache, baseline_fingerprint
from api.services.daily_windows import load_daily_hrv
from ebbtide.timestamps import DAY, to_datetime
from store import Stores
from store.models import Person


def load_trend_json(
    stores: Stores,
    cache: AnalysisCache,
    person: Person,
    start_ns: int,
    end_ns: int,
    bucket_ns: int,
) -> bytes:
    """Load or make the trend as JSON, in buckets that begin at multiples of ``bucket_ns``. The
    range is widened to whole buckets.
    """
    # The same buckets for each request: an answer is the same until beats or the clock move on.
    start, end = start_ns // bucket_ns * bucket_ns, -(-end_ns // bucket_ns) * bucket_ns
    baseline = cache.baselines.load(stores, person)
    days = stores.beats.day_fingerprints(
        person.subject_id, start // DAY * DAY, -(-end // DAY) * DAY
    )
    key = (
        *("trend", person.subject_id, bucket_ns, start, end),
        *(tuple(days.items()), baseline_fingerprint(baseline, person.zone)),
    )
    body = cache.responses.get(key)
    if body is None:
        report = _compute(stores, person, cache.indexes, baseline, start, end, bucket_ns)
        body = report.model_dump_json().encode()
        cache.responses.put(key, body)
    return body


def _compute(
    stores: Stores,
    person: Person,
    indexes: StressIndexCache,
    baseline: StressIndexInput,
    start_ns: int,
    end_ns: int,
    bucket_ns: int,
) -> TrendReport:
    daily = load_daily_hrv(stores, person, start_ns, end_ns)
    usable = np.isfinite(daily.mean_hr_bpm)
    index = indexes.load(person.subject_id, person.zone, daily, baseline)
    bucket_index = (daily.start_ns - start_ns) // bucket_ns
    edges = np.flatnonzero(np.diff(bucket_index, prepend=-1))
    columns = (daily.mean_hr_bpm, daily.rmssd_ms, daily.sdnn_ms, index.value, index.low, index.high)
    medians = [bucket_medians(column, edges) for column in columns]
    usable_counts = np.add.reduceat(usable, edges).tolist() if len(edges) else []
    max_days = np.maximum.reduceat(index.baseline_days, edges).tolist() if len(edges) else []
    origins = {
        item.stream.origin
        for item in stores.beats.coverage(person.subject_id)
        if item.first_ns is not None
        and item.last_ns is not None
        and item.first_ns < end_ns
        and item.last_ns >= start_ns
    }
    ends = np.append(edges, len(bucket_index))[1:]
    last_reasons = _last_reasons(index.missing_reason, edges)
    starts = (start_ns + bucket_index[edges] * bucket_ns).tolist()
    buckets = [
        TrendBucket(
            start=to_datetime(starts[number]),
            windows=window_count,
            usable=usable_counts[number],
            mean_hr_bpm=heart_rate,
            rmssd_ms=rmssd,
            sdnn_ms=sdnn,
            stress_index=StressIndexOut(
                value=value,
                low=low,
                high=high,
                baseline_days=max_days[number],
                missing=last_reasons[number] if math.isnan(value) else None,
            ),
        )
        for number, (window_count, heart_rate, rmssd, sdnn, value, low, high) in enumerate(
            zip((ends - edges).tolist(), *medians, strict=True)
        )
    ]
    return TrendReport(
        buckets=buckets,
        windows=len(bucket_index),
        usable=int(np.count_nonzero(usable)),
        origins=sorted(origins),
        method=f"{windows.METHOD}; {stress_index_method.METHOD}",
    )


def _last_reasons(reasons: NDArray[np.object_], edges: NDArray[np.int64]) -> list[str | None]:
    """In each bucket, the last reason for a value that is missing."""
    if not len(edges):
        return []
    has_value = np.array([reason is None for reason in reasons.tolist()], dtype=bool)
    rows = np.where(has_value, -1, np.arange(len(reasons)))
    return [None if row < 0 else reasons[row] for row in np.maximum.reduceat(rows, edges).tolist()]


def bucket_medians(values: NDArray[np.float64], edges: NDArray[np.int64]) -> list[float]:
    """Compute the median of the finite values of each bucket; NaN, which becomes null in JSON,
    where there are none. ``edges``: where each bucket begins in ``values``.
    """
    if not len(edges):
        return []
    lengths = np.diff(np.append(edges, len(values)))
    bucket = np.repeat(np.arange(len(edges)), lengths)
    # One row for each bucket, sorted: NaN comes last.
    table = np.full((len(edges), int(lengths.max())), np.nan)
    table[bucket, np.arange(len(values)) - edges[bucket]] = values
    table.sort(axis=1)
    counts = np.count_nonzero(np.isfinite(table), axis=1)
    rows, last = np.arange(len(edges)), np.maximum(counts - 1, 0)
    medians: list[float] = ((table[rows, last // 2] + table[rows, (last + 1) // 2]) / 2).tolist()
    return medians
