"""The sample heart reacts to sample stress as hearts do in laboratories."""

from __future__ import annotations

import numpy as np
import pytest

from cli.demo.heart import Minutes, SampleHeart


def _rate_and_rmssd(minutes: Minutes, seed: int) -> tuple[float, float]:
    rates, rmssds = [], []
    for draw in range(80):
        rng = np.random.default_rng((seed, draw))
        rr_ms = SampleHeart().generate_rr(minutes, rng) * 1000 / 1024
        rates.append(60_000 / rr_ms.mean())
        rmssds.append(np.sqrt(np.mean(np.diff(rr_ms) ** 2)))
    return float(np.mean(rates)), float(np.mean(rmssds))


def test_stress_makes_it_faster_and_steadier() -> None:
    """5 to 10 bpm, and 20 to 40% less RMSSD (Castaldo et al. 2015)."""
    rest = _rate_and_rmssd(Minutes.at_rest(5, 2.0), 1)
    stressed = _rate_and_rmssd(Minutes.at_rest(5, 8.0), 2)
    assert 5 < stressed[0] - rest[0] < 10
    assert 0.6 < stressed[1] / rest[1] < 0.8


def test_sleep_slows_it_and_exercise_drives_it() -> None:
    none, whole = np.zeros(5), np.ones(5)
    hour, stress = np.full(5, 12.0), np.full(5, 2.0)
    rest = _rate_and_rmssd(Minutes(hour, stress, none, none), 1)
    asleep = _rate_and_rmssd(Minutes(hour, stress, none, whole), 2)
    running = _rate_and_rmssd(Minutes(hour, stress, whole, none), 3)
    assert asleep[0] < rest[0] - 5 and asleep[1] > rest[1]
    assert running[0] > rest[0] + 25 and running[1] < rest[1] / 2


@pytest.mark.parametrize("minutes", [1, 6, 720])
def test_beats_fill_the_minutes_and_no_more(minutes: int) -> None:
    ticks = SampleHeart().generate_rr(Minutes.at_rest(minutes, 5.0), np.random.default_rng(5))
    seconds = ticks.sum() / 1024
    assert minutes * 60 - 4 < seconds <= minutes * 60
    assert ticks.min() > 0.3 * 1024 and ticks.max() < 2 * 1024


def test_the_same_seed_is_the_same_heart() -> None:
    first, again = (
        SampleHeart().generate_rr(Minutes.at_rest(5, 4.0), np.random.default_rng(7))
        for _ in range(2)
    )
    assert np.array_equal(first, again)
