"""The stress index, version 2: properties of its baseline, its intervals and its heart rate."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from analytics.hrv.heart_rate import estimate_lag_s, reported_rates, window_rates
from analytics.hrv.relative_stress import (
    StressIndexInput,
    StressPeriods,
    fit_baseline,
    stress_index,
    stress_index_of_groupings,
    stress_index_of_periods,
)
from analytics.hrv.requirements import MissingReason
from analytics.hrv.stress_course import fill_with_reported, stress_course
from analytics.hrv.stress_model import (
    VARIANCES,
    covariance,
    covariance_with_means,
    lower_covariance,
    variance_of_mean,
)
from benchmarks.stress_simulation import measure

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
@given(st.integers(0, 2**31))
def test_more_minutes_never_leave_more_doubt_of_a_day(seed: int) -> None:
    windows = person(seed, 5)
    # Measured to be still, so that no minute is left out for the rate of another one.
    windows.motion_mg[:] = 5.0
    baseline, last = fit_baseline(windows), windows.at(windows.day == 4)
    rng = np.random.default_rng(seed)
    last.minute_bpm[rng.random(last.minute_bpm.shape) < 0.5] = np.nan
    last.window_bpm[np.all(np.isnan(last.minute_bpm), axis=1)] = np.nan
    width, minutes = [np.inf], [0]
    for minute_bpm in (last.minute_bpm.copy(), windows.minute_bpm[windows.day == 4]):
        last.minute_bpm[:] = minute_bpm
        last.window_bpm[:] = np.nanmax(np.nan_to_num(minute_bpm, nan=-1.0), axis=1)
        last.window_bpm[last.window_bpm < 0] = np.nan
        index = stress_index_of_periods(baseline, last, day_period(4))
        if index.missing_reason[0] is None:
            width.append(
                float(np.diff(ndtri([index.own_low[0] / 100, index.own_high[0] / 100]))[0])
            )
            minutes.append(int(index.known_minutes[0]))
    assert width == sorted(width, reverse=True)
    assert minutes == sorted(minutes)
    assert minutes[-1] == 60


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


def test_an_accelerometer_that_says_still_overrules_the_heart() -> None:
    windows = person(2, 4)
    windows.motion_mg[:] = 5.0
    windows.minute_bpm[windows.day == 3] += 40
    found = stress_index_of_periods(windows, windows, day_period(3))
    assert found.value[0] > 95


def test_practices_and_restarts() -> None:
    windows = person(3, 12)
    practised = windows.day == 5
    windows.minute_bpm[practised] -= 25
    windows.window_bpm[practised] -= 25
    times = windows.time_s[practised]
    spans = np.column_stack([times - 60, times + 60])
    kept = windows.at(~practised)
    one = stress_index(windows, windows, practices_s=spans)
    other = stress_index(kept, kept)
    np.testing.assert_allclose(one.value[~practised], other.value, equal_nan=True)
    assert {one.missing_reason[row] for row in np.flatnonzero(practised)} == {
        MissingReason.PRACTICE
    }
    anew = stress_index(windows, windows, restart_days=np.array([8]))
    assert np.array_equal(anew.baseline_days[windows.day >= 8], np.repeat([0, 1, 2, 3], 12))
    before = windows.day < 8
    usual = stress_index(windows, windows)
    np.testing.assert_array_equal(anew.value[before], usual.value[before])
    assert all(anew.missing_reason[row] is MissingReason.BASELINE for row in range(96, 120))


def test_a_baseline_of_nights_or_of_a_heart_that_never_varies_still_gives_an_index() -> None:
    rng = np.random.default_rng(4)
    nights, days = person(4, 40), person(5, 44)
    nights = replace(nights, hour=(nights.hour + 15) % 24)  # 23 to 10 o'clock
    nights.minute_bpm[:] = 50 + rng.standard_normal(nights.minute_bpm.shape)
    nights.window_bpm[:] = np.median(nights.minute_bpm, axis=1)
    late = days.at((days.day >= 40) & (days.hour > 10.5))
    late.minute_bpm[:] = 78 + rng.standard_normal(late.minute_bpm.shape)
    columns = (
        np.concatenate([getattr(nights, f.name), getattr(late, f.name)])
        for f in fields(nights)[:-1]
    )
    both = StressIndexInput(*columns)
    found = stress_index_of_periods(both, both, day_period(43))
    assert found.missing_reason == [None]
    # Afternoons are learnt although the nights were complete: at first far from usual, then less.
    first = stress_index_of_periods(both, both, day_period(40))
    assert found.usual_high[0] - 50 < first.usual_high[0] - 50
    flat = person(6, 40)
    flat.minute_bpm[:] = 70.0
    flat.window_bpm[:] = 70.0
    late, index = flat.day >= 28, stress_index(flat, flat)
    assert np.all(np.isfinite(index.value[flat.day >= 2]))
    assert np.all(np.abs(index.value[late] - 50) < 20)


def test_intervals_cover_and_are_as_narrow_as_documented() -> None:
    rows = measure("12 h", VARIANCES, 24, 7)
    for name, width in (("day 3", 40), ("day 14", 22), ("day 60", 20), ("week of day 60", 14)):
        assert np.all(np.isfinite(rows[name]))
        assert rows[name][:, 0].mean() < width
        # At least 20 of 24: 95% coverage goes below once in 2,000 times.
        assert rows[name][:, 2].sum() >= 20


def test_variance_of_a_mean_is_that_of_all_pairs() -> None:
    moments = 300.0 * np.arange(50)
    np.testing.assert_allclose(
        variance_of_mean(50, 300.0), covariance(moments, moments, VARIANCES).mean()
    )
    apart = np.abs(moments[:, None] - moments)
    expected = 0.12 + 0.58 * np.exp(-apart / 2700) + 0.25 * np.maximum(0, 1 - apart / 300)
    np.testing.assert_allclose(covariance(moments, moments), expected)


def test_gaps_are_filled_with_the_rate_of_the_device_at_its_lag() -> None:
    rng = np.random.default_rng(8)
    seconds = np.arange(0.0, 1800.0)
    bpm = 70 + 8 * np.sin(seconds / 90)
    time_ns = (seconds * 1e9).astype(np.int64)
    late_ns = time_ns + 40 * 1_000_000_000
    assert estimate_lag_s(time_ns, bpm, late_ns, bpm) == 40.0
    starts = MINUTE * np.arange(30)
    has_beats = rng.random(1800) < 0.5
    has_beats &= ~((seconds >= 600) & (seconds < 900))
    beats = window_rates(
        time_ns[has_beats],
        60_000 / bpm[has_beats],
        np.zeros(int(has_beats.sum()), np.bool_),
        np.full(int(has_beats.sum()), -1, np.int8),
        starts,
        MINUTE,
    )
    rates, filled = fill_with_reported(beats, reported_rates(late_ns, bpm, starts, MINUTE, 40.0))
    assert np.flatnonzero(filled).tolist() == [10, 11, 12, 13, 14]
    alone = stress_course(beats, starts, MINUTE)
    both = stress_course(rates, starts, MINUTE, reported=filled)
    truth = bpm.reshape(30, 60).mean(axis=1)
    assert not np.any(alone.known[filled])
    assert np.all(both.sd <= alone.sd + 1e-9)
    assert np.all(alone.sd[filled] > np.median(alone.sd[~filled]))
    assert np.corrcoef(both.z, truth)[0, 1] > 0.9


@pytest.mark.parametrize("seed", range(6))
def test_faster_covariances_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    apart = rng.choice([20.0, 150.0, 300.0, 5000.0], int(rng.integers(1, 120)))
    time_s = 1.7e9 + np.cumsum(apart)
    expected = covariance(time_s, time_s)
    np.testing.assert_allclose(np.tril(lower_covariance(time_s)), np.tril(expected), rtol=1e-9)
    count = rng.integers(1, 30, int(rng.integers(1, 12)))
    target_s = time_s[0] - 9000 + np.cumsum(rng.choice([60.0, 300.0, 900.0], int(count.sum())))
    dense = covariance(time_s, target_s)
    means = np.add.reduceat(dense, np.cumsum(count) - count, axis=1) / count
    np.testing.assert_allclose(
        covariance_with_means(time_s, target_s, count), means, rtol=1e-9, atol=1e-10
    )


def test_days_and_weeks_in_one_go_are_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    day = np.repeat(np.arange(12), 20)
    hour = np.tile(np.linspace(8, 20, 20), 12)
    bpm, nothing = 70 + 4 * rng.standard_normal(240), np.full(240, np.nan)
    windows = StressIndexInput(
        *(day, hour, 86400.0 * day + 3600 * hour, np.tile(bpm[:, None], 5), bpm),
        *(nothing, nothing, nothing, bpm),
    )
    days = np.arange(12)
    start = 86400.0 * days + 7 * 3600
    periods = StressPeriods(days, start, start + 16 * 3600, days)
    fitted = fit_baseline(windows)
    both = stress_index_of_groupings(fitted, windows, periods, [days, days // 7])
    for found, group in zip(both, (days, days // 7), strict=True):
        alone = stress_index_of_periods(fitted, windows, replace(periods, group=group))
        np.testing.assert_array_equal(found.value, alone.value)
        np.testing.assert_array_equal(found.high, alone.high)
        assert np.count_nonzero(np.isfinite(found.value)) > 0
