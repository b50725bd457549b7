"""Shifts: runs of days in cycles longer than a week, found where they are, and no link."""

from __future__ import annotations

import numpy as np
import pytest

from analytics import group_link, within_person_link
from analytics.association.group import GroupVerdict
from analytics.association.shift_cycles import likely_runs
from tests.support.signals import ups_and_downs

MONDAY_NS = 1_790_553_600_000_000_000  # 28 September 2026


@pytest.mark.parametrize(("length", "on"), [(8, 4), (8, 2), (14, 7)])
def test_the_likeliest_run_is_the_one_that_both_follow(length: int, on: int) -> None:
    rng = np.random.default_rng(length + on)
    day = np.repeat(np.arange(56), 2)
    late = (day + 3) % length < on
    x, y = (3.0 * late + ups_and_downs(112, 0.3, rng) for _ in "xy")
    columns, prior = likely_runs(day, x, y, 20)
    assert any(np.array_equal(columns[:, 0], one) for one in (late, ~late))
    assert np.all(prior > 0)
    assert np.sum(prior) < 1


def test_a_cycle_needs_two_and_a_half_of_it() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 40))
    assert likely_runs(np.arange(40) // 3, x, y, 20)[0].shape == (40, 0)  # two weeks
    assert likely_runs(np.arange(20), x[:20], y[:20], 20)[0].shape == (20, 0)  # few ratings
    assert likely_runs(np.arange(0), x[:0], y[:0], 20)[0].shape == (0, 0)
    assert likely_runs(np.arange(40), x, y, 20)[0].shape == (40, 20)


def test_shifts_of_ones_own_are_no_link() -> None:
    """Before runs were looked for, 48% of draws of one person were called a link."""
    called = 0
    for seed in range(12):
        rng = np.random.default_rng([7, seed])
        days = np.arange(112) // 2 + np.tile([9, 20], 56) / 24
        late = (np.floor(days) + rng.integers(8)) % 8 < 4
        x, y = (2.0 * late + 1.3 * ups_and_downs(112, 0.4, rng) for _ in "xy")
        ns = MONDAY_NS + np.round(days * 86_400e9).astype(np.int64)
        called += within_person_link(ns, x, y, days % 1 * 24).clear
    assert called <= 2


def test_shifts_of_each_ones_own_are_no_link_of_a_clinic() -> None:
    rng = np.random.default_rng(4)
    days = np.arange(56) // 2 + np.tile([9, 20], 28) / 24
    for _ in range(2):
        values = []
        for _ in range(20):
            late = 2.0 * ((np.floor(days) + rng.integers(8)) % 8 < 4)
            values.append([late + 1.3 * ups_and_downs(56, 0.4, rng) for _ in "xy"])
        x, y = (np.concatenate([one[k] for one in values]) for k in (0, 1))
        who, time = np.repeat(np.arange(20), 56), np.tile(days, 20)
        found = group_link(who, time, x, y, time % 1 * 24, resamples=300)
        assert found.verdict is not GroupVerdict.TOGETHER
