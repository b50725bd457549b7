"""The stress index: against a simulated person with a true state."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from analytics.hrv.requirements import MissingReason
from analytics.hrv.stress_index import StressIndexInput, stress_index

PER_DAY = 48  # half an hour apart


def person(
    seed: int, days: int, state: np.ndarray | None = None, moving: bool = False
) -> tuple[StressIndexInput, np.ndarray]:
    """A heart with a daily rhythm whose three measures all follow one hidden state, and the
    state (mean 0, standard deviation 1) itself.
    """
    rng = np.random.default_rng(seed)
    n = days * PER_DAY
    hour = np.tile(np.arange(PER_DAY) / 2, days)
    rhythm = np.cos(2 * np.pi * (hour - 4) / 24)
    hidden = rng.standard_normal(n) if state is None else state
    motion = rng.exponential(8, n) if moving else np.full(n, np.nan)
    push = np.log1p(np.nan_to_num(motion))
    noise = 0.25 * rng.standard_normal((3, n))
    return StressIndexInput(
        day=np.repeat(np.arange(days) + 739_000, PER_DAY),
        hour=hour,
        time_s=np.arange(n) * 1800.0,
        ln_rmssd=3.5 + 0.3 * rhythm - 0.25 * (hidden + noise[0]) - 0.05 * push,
        heart_rate=70 - 8 * rhythm + 5 * (hidden + noise[1]) + 3 * push,
        ln_baevsky=4.5 - 0.3 * rhythm + 0.4 * (hidden + noise[2]) + 0.1 * push,
        motion_mg=motion,
    ), hidden


def test_it_follows_the_state_and_not_the_clock() -> None:
    windows, hidden = person(1, 25)
    found = stress_index(windows, windows)
    finite = np.isfinite(found.value)
    assert finite[windows.day >= 739_005].all()
    truth = 100 * ndtr(hidden)
    assert np.corrcoef(found.value[finite], truth[finite])[0, 1] > 0.93
    by_hour = [found.value[finite & (windows.hour == h)].mean() for h in (4.0, 10.0, 16.0, 22.0)]
    assert np.ptp(by_hour) < 20  # the rhythm itself would make 65 of it
    assert abs(np.nanmean(found.value) - 50) < 6


def test_a_change_over_a_programme_stays_visible() -> None:
    days = 60
    state = np.random.default_rng(2).standard_normal(days * PER_DAY)
    state[20 * PER_DAY :] -= 1.0
    windows, _ = person(3, days, state)
    found = stress_index(windows, windows)
    late = windows.day >= 739_050
    assert np.nanmean(found.value[late]) < 30
    assert set(found.baseline_days[late].tolist()) == {14}


def test_the_interval_covers_the_state() -> None:
    """Intervals are wide on purpose: neighbouring windows differ by real changes too."""
    inside = []
    for seed in range(12):
        windows, hidden = person(seed, 20)
        found = stress_index(windows, windows)
        late = (windows.day >= 739_014) & np.isfinite(found.value)
        truth = 100 * ndtr(hidden[late])
        inside.append(((found.low[late] <= truth) & (truth <= found.high[late])).mean())
    assert np.mean(inside) > 0.95


def test_movement_is_taken_out_and_walking_left_out() -> None:
    windows, hidden = person(5, 20, moving=True)
    found = stress_index(windows, windows)
    finite = np.isfinite(found.value)
    assert abs(np.corrcoef(np.log1p(windows.motion_mg[finite]), found.value[finite])[0, 1]) < 0.1
    assert np.corrcoef(hidden[finite], found.value[finite])[0, 1] > 0.9
    walking = windows.motion_mg > 50
    assert walking.any()
    assert {found.missing_reason[i] for i in np.flatnonzero(walking)} == {MissingReason.MOVING}


def test_not_known_until_the_baseline_stands() -> None:
    windows, _ = person(6, 5)
    found = stress_index(windows, windows)
    assert np.isnan(found.value).all()
    assert set(found.missing_reason) == {MissingReason.BASELINE}
    windows, _ = person(6, 6)
    found = stress_index(windows, windows)
    assert np.isfinite(found.value[-PER_DAY:]).all()
    assert found.missing_reason[-1] is None


def test_hours_that_the_baseline_does_not_know_have_no_number() -> None:
    windows, _ = person(7, 12)
    morning = windows.at((windows.hour >= 7) & (windows.hour <= 12))
    found = stress_index(morning, windows.at(windows.day == 739_011))
    hours = windows.hour[windows.day == 739_011]
    finite = np.isfinite(found.value)
    assert finite[(hours >= 7) & (hours <= 12)].all()
    assert not finite[(hours > 15) & (hours < 24)].any()
    assert found.missing_reason[int(np.flatnonzero(hours == 20.0)[0])] is MissingReason.HOUR


def test_unusable_windows_are_left_out_and_order_does_not_matter() -> None:
    windows, _ = person(8, 10)
    windows.ln_rmssd[-5] = np.nan
    found = stress_index(windows, windows)
    assert found.missing_reason[-5] is MissingReason.TOO_FEW_BEATS
    order = np.random.default_rng(1).permutation(len(windows.day))
    mixed = stress_index(windows.at(order), windows.at(order))
    np.testing.assert_allclose(mixed.value, found.value[order], equal_nan=True)


def test_no_windows_and_a_constant_heart_rate() -> None:
    windows, _ = person(9, 1)
    nothing = windows.at(np.zeros(len(windows.day), bool))
    assert len(stress_index(nothing, nothing).value) == 0
    assert set(stress_index(nothing, windows).missing_reason) == {MissingReason.BASELINE}
    flat, _ = person(9, 10)
    same = StressIndexInput(
        flat.day,
        flat.hour,
        flat.time_s,
        np.full(480, 3.5),
        np.full(480, 70.0),
        np.full(480, 4.0),
        flat.motion_mg,
    )
    found = stress_index(same, same)
    assert found.value[-1] == pytest.approx(50)
