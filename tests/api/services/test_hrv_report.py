"""What HRV of a range would cost, before it is computed."""

from __future__ import annotations

import time

import numpy as np
import pytest

from analytics.hrv.metric import Domain
from analytics.hrv.windows import BeatArrays, Movement
from api.services.compute import TooCostlyError
from api.services.hrv_report import (
    MAX_PRICE_S,
    HrvQuery,
    HrvTask,
    compute_hrv_json,
    estimate_beats,
    estimate_price_s,
    require_affordable,
    task_price_s,
)
from ebbtide.beats import Origin, Stream
from ebbtide.timestamps import DAY, SECOND
from store.models import StreamCoverage

BEGIN = 20_700 * DAY
ALL = tuple(Domain)


def query(
    days: float, window_s: int, step_s: int, domains: tuple[Domain, ...] = (Domain.TIME,)
) -> HrvQuery:
    end = BEGIN + round(days * DAY)
    return HrvQuery(BEGIN, end, window_s * SECOND, step_s * SECOND, False, False, domains)


def worn(days: float) -> list[StreamCoverage]:
    """A strap worn day and night."""
    stream = Stream("s", Origin.STRAP, "a strap", BEGIN)
    beats = int(days * 86_400 / 0.85)
    return [StreamCoverage(stream, 1, 1, beats, BEGIN, BEGIN + round(days * DAY))]


def task(days: float, windows: HrvQuery) -> HrvTask:
    count = int(days * 86_400 / 0.85)
    rng = np.random.default_rng(1)
    rr = np.clip(rng.normal(850, 40, count), 400, 1500)
    beats = BeatArrays(
        BEGIN + np.round(np.cumsum(rr) * 1e6).astype(np.int64),
        rr,
        np.arange(count) > 0,
        np.full(count, -1, np.int8),
        np.zeros(count, np.int32),
    )
    none = Movement(np.empty(0, np.int64), np.empty(0))
    return HrvTask(windows, windows.starts(beats), beats, none, (Origin.STRAP,), "UTC", None)


def test_a_week_every_minute_over_a_month_is_refused_in_milliseconds() -> None:
    windows = query(31, 604_800, 60)
    began = time.perf_counter()
    beats = estimate_beats(worn(31), windows.start_ns, windows.end_ns)
    with pytest.raises(TooCostlyError, match=r"are allowed.*step_s of at least"):
        require_affordable(windows, estimate_price_s(windows, beats), beats)
    assert time.perf_counter() - began < 0.1


@pytest.mark.parametrize(
    "windows",
    [
        query(32, 300, 300),
        query(32, 300, 60),
        query(32, 300, 300, ALL),
        query(32, 3600, 600),
        query(32, 86_400, 86_400, ALL),
        query(8, 60, 60, ALL),
    ],
)
def test_what_people_use_stays_allowed(windows: HrvQuery) -> None:
    beats = estimate_beats(worn(400), windows.start_ns, windows.end_ns)
    require_affordable(windows, estimate_price_s(windows, beats), beats)


def test_what_would_be_allowed_is_allowed() -> None:
    windows = query(31, 86_400, 60)
    beats = estimate_beats(worn(31), windows.start_ns, windows.end_ns)
    with pytest.raises(TooCostlyError) as refused:
        require_affordable(windows, estimate_price_s(windows, beats), beats)
    words = str(refused.value)
    step = int(words.partition("step_s of at least ")[2].split()[0].rstrip(",."))
    longer = query(31, 86_400, step)
    assert estimate_price_s(longer, beats) <= MAX_PRICE_S
    days = int(words.partition("at most ")[2].split()[0])
    shorter = query(days, 86_400, 60)
    assert estimate_price_s(shorter, beats * days / 31) <= MAX_PRICE_S


def test_beats_crowded_into_an_hour_are_priced_as_they_are() -> None:
    windows = query(31, 3600, 60, ALL)
    crowded = task(1, windows)
    count = len(crowded.beats.time_ns)
    assert task_price_s(crowded) > 3 * estimate_price_s(windows, count)


def test_the_price_grows_with_the_work() -> None:
    cheap, dear = query(0.2, 1800, 1800), query(0.2, 1800, 600, ALL)
    prices = [task_price_s(task(0.2, windows)) for windows in (cheap, dear)]
    seconds = []
    compute_hrv_json(task(0.2, cheap))  # what is loaded at the first is not the work
    for windows in (cheap, dear):
        began = time.process_time()
        compute_hrv_json(task(0.2, windows))
        seconds.append(time.process_time() - began)
    assert prices[1] > 10 * prices[0]
    assert seconds[1] > 4 * seconds[0]
