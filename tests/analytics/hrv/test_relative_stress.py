"""The stress index, version 2: properties of its baseline, its intervals and its heart rate."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.hrv.heart_rate import window_rates
from analytics.hrv.relative_stress import StressIndexInput, StressPeriods, stress_index_of_periods
from analytics.hrv.requirements import MissingReason
from analytics.hrv.stress_model import Baseline, DayWindows, deviate

MINUTE = 60_000_000_000


def person(seed: int, days: int, per_day: int = 12) -> StressIndexInput:
    rng = np.random.default_rng(seed)
    hour = np.tile(8.0 + np.arange(per_day), days)
    day = np.repeat(np.arange(days), per_day)
    bpm = 70 + 4 * rng.standard_normal(len(day))
    nothing = np.full(len(day), np.nan)
    time_s = 86400.0 * day + 3600 * hour
    return StressIndexInput(
        day, hour, time_s, np.tile(bpm[:, None], 5), bpm, nothing, nothing, nothing, bpm
    )


def day_period(day: int) -> StressPeriods:
    start = 86400.0 * day
    return StressPeriods(
        np.array([day]), np.array([start + 25_200]), np.array([start + 82_800]), np.array([0])
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 20))
def test_more_windows_never_leave_more_doubt_of_a_day(seed: int, many: int) -> None:
    rng = np.random.default_rng(seed)
    time_s = np.sort(rng.choice(192, many, replace=False)) * 300.0 + 25_200
    all_of = DayWindows(time_s, time_s / 3600, rng.standard_normal(many), np.full(many, 0.03))
    some = DayWindows(*(getattr(all_of, name)[:-1] for name in all_of.__slots__))
    usual = Baseline().add(all_of).fit()
    moments = 25_200 + 300.0 * np.arange(192)
    period = np.array([192]), np.array([300.0])
    more, fewer = (deviate(usual, day, moments, *period) for day in (all_of, some))
    assert more.own[0] <= fewer.own[0] + 1e-12


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31))
def test_order_of_arrival_does_not_matter(seed: int) -> None:
    windows = person(seed, 5)
    order = np.random.default_rng(seed).permutation(len(windows.day))
    one = stress_index_of_periods(windows, windows, day_period(4))
    other = stress_index_of_periods(windows.at(order), windows.at(order), day_period(4))
    np.testing.assert_allclose(
        [one.value[0], one.low[0], one.high[0]], [other.value[0], other.low[0], other.high[0]]
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31))
def test_ticks_and_milliseconds_give_one_heart_rate(seed: int) -> None:
    ticks = np.random.default_rng(seed).integers(700, 900, 200)
    time_ns = np.cumsum(ticks * 1_000_000_000 // 1024)
    usual = np.ones(200, np.bool_), np.full(200, -1, np.int8)
    found = [
        window_rates(time_ns, rr_ms, *usual, np.array([0, MINUTE]), MINUTE).window_bpm
        for rr_ms in (ticks / 1024 * 1000, np.round(ticks / 1.024))
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=0.5 / 600)


def test_five_beats_with_gaps_are_a_heart_rate_and_four_are_not() -> None:
    for many, known in ((5, True), (4, False)):
        time_ns = np.arange(many) * 9_000_000_000
        found = window_rates(
            time_ns,
            np.full(many, 800.0),
            np.zeros(many, np.bool_),
            np.full(many, -1, np.int8),
            np.array([0]),
            MINUTE,
        )
        assert bool(np.isfinite(found.window_bpm[0])) is known


def test_an_index_from_the_third_day_and_a_reason_before() -> None:
    windows = person(1, 3)
    before = stress_index_of_periods(windows, windows, day_period(1))
    third = stress_index_of_periods(windows, windows, day_period(2))
    assert before.missing_reason == [MissingReason.BASELINE]
    assert np.isnan(before.value[0])
    assert third.missing_reason == [None]
    assert third.low[0] < third.own_low[0] < third.value[0] < third.own_high[0] < third.high[0]


def test_active_minutes_are_not_judged() -> None:
    windows = person(2, 4)
    last = windows.day == 3
    windows.minute_bpm[last] += 40
    windows.window_bpm[last] += 40
    found = stress_index_of_periods(windows, windows, day_period(3))
    assert found.missing_reason == [MissingReason.ACTIVE]
