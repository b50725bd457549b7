"""Medians of five-minute HRV windows, and the stress index of stretches, days and weeks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.hrv import relative_stress as stress_index_method
from analytics.hrv import windows
from analytics.hrv.relative_stress import StressIndexInput, StressPeriods
from api.schemas.hrv import StressIndexOut, TrendBucket, TrendReport
from api.services.cache.analysis import AnalysisCache
from api.services.daily_windows import DailyHrv, load_daily_hrv
from api.services.inputs import day_fingerprints
from api.services.stress_baseline import midnight_ns
from api.services.stress_days import DayRange, judge_days, load_gaps, load_rests
from api.services.stress_index import StressBaseline, reported_shares
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY, MINUTE, SECOND, to_datetime
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
    whole_days = DayRange.around(start, end, stores.now(), person.zone)
    days = day_fingerprints(
        stores, person, whole_days.start_ns // DAY * DAY, -(-whole_days.end_ns // DAY) * DAY
    )
    gaps = load_gaps(stores, person, whole_days)
    rests = load_rests(stores, person, whole_days)
    key = (
        *("trend", person.subject_id, bucket_ns, start, end, whole_days, repr((gaps, rests))),
        *(tuple(days.items()), baseline.fingerprint),
    )
    body = cache.responses.get(key)
    if body is None:
        daily = load_daily_hrv(stores, person, whole_days.start_ns, whole_days.end_ns)
        inputs = daily.to_stress_index_input(person.zone)
        all_days, weeks = judge_days(stores, person, baseline, inputs, whole_days, gaps, rests)
        inside = (daily.start_ns >= start) & (daily.start_ns < end)
        report = TrendReport(
            buckets=_buckets(
                person, baseline, daily.at(inside), inputs.at(inside), start, bucket_ns
            ),
            days=all_days,
            weeks=weeks,
            windows=int(np.count_nonzero(inside & ~daily.reported)),
            usable=int(np.count_nonzero(np.isfinite(daily.mean_hr_bpm[inside]))),
            origins=sorted(_origins(stores, person, start, end)),
            method=f"{windows.METHOD}; {stress_index_method.METHOD}",
        )
        body = report.model_dump_json().encode()
        cache.responses.put(key, body)
    return body


def _origins(stores: Stores, person: Person, start_ns: int, end_ns: int) -> set[Origin]:
    return {
        item.stream.origin
        for item in stores.beats.coverage(person.subject_id)
        if item.first_ns is not None
        and item.last_ns is not None
        and item.first_ns < end_ns
        and item.last_ns >= start_ns
    }


def _buckets(
    person: Person,
    baseline: StressBaseline,
    daily: DailyHrv,
    inputs: StressIndexInput,
    start_ns: int,
    bucket_ns: int,
) -> list[TrendBucket]:
    usable = np.isfinite(daily.mean_hr_bpm)
    bucket_index = (daily.start_ns - start_ns) // bucket_ns
    edges = np.flatnonzero(np.diff(bucket_index, prepend=-1))
    if not len(edges):
        return []
    starts = start_ns + bucket_index[edges] * bucket_ns
    group = np.cumsum(np.diff(bucket_index, prepend=bucket_index[0]) > 0, dtype=np.int64)
    periods = _bucket_periods(inputs.day, group, starts, bucket_ns, person.zone)
    index = baseline.judge_periods(inputs, periods)
    reported = reported_shares(inputs, periods)
    columns = (daily.mean_hr_bpm, daily.rmssd_ms, daily.sdnn_ms)
    medians = [bucket_medians(column, edges) for column in columns]
    counts = np.add.reduceat(~daily.reported, edges, dtype=np.int64).tolist()
    usable_counts = np.add.reduceat(usable, edges).tolist()
    return [
        TrendBucket(
            start=to_datetime(int(starts[row])),
            windows=counts[row],
            usable=usable_counts[row],
            mean_hr_bpm=heart_rate,
            rmssd_ms=rmssd,
            sdnn_ms=sdnn,
            stress_index=StressIndexOut.from_index(
                index, row, bucket_ns / MINUTE, float(reported[row])
            ),
        )
        for row, (heart_rate, rmssd, sdnn) in enumerate(zip(*medians, strict=True))
    ]


def _bucket_periods(
    day: NDArray[np.int64],
    group: NDArray[np.int64],
    starts: NDArray[np.int64],
    bucket_ns: int,
    zone: str,
) -> StressPeriods:
    """Cut the buckets at midnight, since the model has one day at a time."""
    pairs = np.unique(np.column_stack([group, day]), axis=0)
    midnights = {
        number: midnight_ns(number, zone)
        for first in np.unique(day).tolist()
        for number in (first, first + 1)
    }
    begin = np.array([midnights[number] for number in pairs[:, 1].tolist()])
    end = np.array([midnights[number + 1] for number in pairs[:, 1].tolist()])
    bucket = starts[pairs[:, 0]]
    # A window belongs to the bucket in which it begins, and is placed by its middle.
    half = windows.WINDOW_NS // 2
    return StressPeriods(
        pairs[:, 1],
        np.maximum(bucket + half, begin) / SECOND,
        np.minimum(bucket + half + bucket_ns, end) / SECOND,
        pairs[:, 0],
    )


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
