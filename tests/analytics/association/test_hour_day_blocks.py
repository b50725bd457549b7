"""Blocks of hours on some days of the week: found where they are, and not where they are not."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics import group_link, within_person_link
from analytics.association.group import GroupVerdict
from analytics.association.hour_day_blocks import (
    common_blocks,
    likely_blocks,
    week_cells,
)
from analytics.association.own_effects import find_own_effects
from tests.support.signals import ups_and_downs

MONDAY_NS = 1_790_553_600_000_000_000  # 28 September 2026


def irregular(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.sort(np.floor(np.arange(n) / 2.5) + rng.uniform(6.5, 23, n) / 24)


def in_block(days: NDArray[np.float64], first: int, start: float) -> NDArray[np.bool_]:
    """Five days from a weekday, eight hours from an hour."""
    hour = days % 1 * 24
    return ((np.floor(days) - first) % 7 < 5) & (hour >= start) & (hour < start + 8)


@given(st.lists(st.floats(0, 400), min_size=1, max_size=40))
def test_every_local_time_has_a_cell_of_the_week(days: list[float]) -> None:
    cells = week_cells(np.array(days))
    assert np.all((cells >= 0) & (cells < 168))
    assert np.array_equal(cells // 24, np.floor(days) % 7)


def test_the_likeliest_block_is_the_one_that_both_follow() -> None:
    rng = np.random.default_rng(3)
    days = irregular(rng, 80)
    block = in_block(days, 1, 10)
    x, y = (3.0 * block + ups_and_downs(80, 0.3, rng) for _ in "xy")
    columns, prior = likely_blocks(days, x - np.mean(x), y - np.mean(y), 40)
    assert np.array_equal(columns[:, 0], block)
    assert np.all(prior > 0)
    assert np.sum(prior) < 1


def test_an_effect_is_found_where_there_is_one_and_seldom_where_there_is_none() -> None:
    rng = np.random.default_rng(19)
    even = np.arange(56) // 2 + np.tile([9, 20], 28) / 24
    found = 0
    for _ in range(100):
        values = [ups_and_downs(56, 0.6, rng) for _ in "xy"]
        found += find_own_effects(even, *values).shape[1] > 0
    # Of three kinds, each in 1 to 2% (``own_effects``): 15 come in 2 of 10,000 at 5%.
    assert found <= 14
    days = irregular(rng, 56)
    up = 3.0 * in_block(days, 0, 9)
    values = [up + ups_and_downs(56, 0.3, rng) for _ in "xy"]
    assert any(np.array_equal(one, up > 0) for one in find_own_effects(days, *values).T)
    assert find_own_effects(days[:20], values[0][:20], values[1][:20]).shape == (20, 0)
    assert find_own_effects(days / 4, *values).shape == (56, 0)  # nine days have no week
    assert find_own_effects(days, np.ones(56), values[1]).shape == (56, 0)


def test_a_block_that_a_clinic_shares_is_found_beside_its_hours_and_weekdays() -> None:
    rng = np.random.default_rng(8)
    days = np.concatenate([irregular(rng, 56) for _ in range(20)])
    evenings = np.isin(np.floor(days) % 7, (4, 5)) & (days % 1 * 24 >= 18)
    x, y = (2.0 * evenings + rng.standard_normal(len(days)) for _ in "xy")
    weekday, hour = np.divmod(np.arange(168), 24)
    known = np.array(
        [hour == k for k in range(24)] + [weekday == k for k in range(1, 7)], np.float64
    )
    found = common_blocks(days, x, y, known)
    # Or another block that is the same beside hours and weekdays, such as the evenings of the rest.
    design = np.vstack([known, *found])[:, week_cells(days)].T
    left = evenings - design @ np.linalg.lstsq(design, evenings.astype(float), rcond=None)[0]
    assert np.sum(left**2) < 0.1 * np.sum(evenings)
    noise = [rng.standard_normal(len(days)) for _ in "xy"]
    assert common_blocks(days, *noise, known) == []


def test_working_hours_of_ones_own_are_no_link_of_a_clinic() -> None:
    rng = np.random.default_rng(5)
    for fixed in (False, True):
        for _ in range(2):
            days, values = [], []
            for _ in range(20):
                at = irregular(rng, 56)
                first, start = int(rng.integers(7)), float(rng.uniform(6, 12))
                if fixed:
                    k = np.arange(56)
                    at, first, start = k // 3 + np.array([8, 14, 20])[k % 3] / 24, 0, 9.0
                up = 2.0 * in_block(at, first, start)
                days.append(at)
                values.append([up + 1.3 * ups_and_downs(56, 0.3, rng) for _ in "xy"])
            together = np.concatenate(days)
            x, y = (np.concatenate([one[k] for one in values]) for k in (0, 1))
            who = np.repeat(np.arange(20), 56)
            found = group_link(who, together, x, y, together % 1 * 24, resamples=300)
            assert found.verdict is not GroupVerdict.TOGETHER


def test_days_since_1970_have_the_weekdays_of_a_monday() -> None:
    rng = np.random.default_rng(6)
    who = np.repeat(np.arange(6), 112)
    days = np.concatenate([irregular(rng, 112) for _ in range(6)])
    up = 2.0 * in_block(days, 0, 9)
    x, y = (up + ups_and_downs(672, 0.0, rng) for _ in "xy")
    hours = np.round(days % 1 * 24, 9)
    plain = group_link(who, days, x, y, hours, resamples=200)
    epoch = group_link(who, days + 20_724, x, y, hours, resamples=200, first_weekday=3)
    assert (20_724 + 3) % 7 == 0  # 28 September 2026 was a Monday
    np.testing.assert_allclose(
        [plain.estimate, plain.low, plain.high], [epoch.estimate, epoch.low, epoch.high], rtol=1e-6
    )


def test_working_hours_of_ones_own_are_no_link_of_one_person() -> None:
    called = 0
    for seed in range(12):
        rng = np.random.default_rng([31, seed])
        days = irregular(rng, 112)
        up = 2.0 * in_block(days, int(rng.integers(7)), float(rng.integers(6, 12)))
        x, y = (up + 1.3 * ups_and_downs(112, 0.3, rng) for _ in "xy")
        ns = MONDAY_NS + np.round(days * 86_400e9).astype(np.int64)
        called += within_person_link(ns, x, y, days % 1 * 24).clear
    # Before blocks were looked for: 43% of draws; 3 or more of 12 come in 2% at a rate of 5%.
    assert called <= 2
