"""Intervals that do not fill the time of the wall clock are noticed; those of a heart never are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebbtide.timestamps import MILLISECOND, SECOND
from ingest.timing.interval_fit import IntervalFit, Misfit
from tests.support.strap_simulation import START, StrapModel, draw_model, simulate


def sent(
    seconds: int, rr_s: float, spread_s: float, seed: int, jitter_ms: float = 40
) -> list[tuple[int, list[float]]]:
    """(arrival, intervals in s) a second, as a strap sends them."""
    rng = np.random.default_rng(seed)
    beats = np.cumsum(np.maximum(0.3, rng.normal(rr_s, spread_s, int(seconds / rr_s) + 1)))
    intervals = np.diff(beats, prepend=0.0)
    events = []
    for second in range(1, seconds):
        within = (beats > second - 1) & (beats <= second)
        late = int((30 + rng.exponential(jitter_ms)) * MILLISECOND)
        events.append((START + second * SECOND + late, intervals[within].tolist()))
    return events


def judge(
    events: list[tuple[int, list[float]]], scale: int, rr_s: float
) -> tuple[Misfit | None, float]:
    """The first certain scale at a true ``scale``, and after how many seconds."""
    fit = IntervalFit(1024)
    for arrival, intervals in events:
        ticks = [round(interval * scale) for interval in intervals]
        misfit = fit.add(ticks, arrival, round(60 / rr_s))
        if misfit is not None and misfit.ticks_per_second is not None:
            return misfit, (arrival - START) / SECOND
    return None, 0.0


hearts = st.tuples(st.floats(0.4, 1.5), st.floats(0.0, 0.06), st.integers(0, 1000))


@settings(max_examples=40, deadline=None)
@given(hearts)
def test_a_heart_fits(heart: tuple[float, float, int]) -> None:
    rr_s, spread_s, seed = heart
    fit = IntervalFit(1024)
    for arrival, intervals in sent(180, rr_s, spread_s, seed):
        assert fit.add([round(i * 1024) for i in intervals], arrival, round(60 / rr_s)) is None


@settings(max_examples=25, deadline=None)
@given(st.floats(0.45, 1.2), st.integers(0, 1000), st.sampled_from([512, 2048, 256]))
def test_another_scale_is_certain_soon(rr_s: float, seed: int, scale: int) -> None:
    misfit, after_s = judge(sent(120, rr_s, 0.03, seed), scale, rr_s)
    assert misfit is not None
    assert misfit.ticks_per_second == scale
    assert after_s <= 90


@settings(max_examples=25, deadline=None)
@given(st.floats(0.45, 1.2), st.integers(0, 1000))
def test_milliseconds_are_noticed(rr_s: float, seed: int) -> None:
    misfit, after_s = judge(sent(300, rr_s, 0.03, seed), 1000, rr_s)
    assert misfit is not None
    assert misfit.ticks_per_second == 1000
    # A heart that beats once a second, as often as a strap sends, hides 1.4 s in a minute: 155 s
    # is the longest of 12 seeds each from 0.95 to 1.10 s, 58 s elsewhere (rarely more).
    assert after_s <= (240 if -0.07 < rr_s - 1 < 0.11 else 90)


def noticed(model: StrapModel, seconds: float = 75) -> tuple[Misfit | None, float]:
    """The first misfit of a strap, and after how many seconds."""
    fit = IntervalFit(1024)
    for one in simulate(model, seconds):
        misfit = fit.add(one.rr_ticks, one.arrival_ns, one.heart_rate_bpm)
        if misfit is not None:
            return misfit, (one.arrival_ns - START) / SECOND
    return None, 0.0


def test_a_sample_of_honest_straps_is_called_no_other_scale() -> None:
    # benchmarks/interval_fit.py finds 2 in 2,000, both with losses. Here: losses, held-up
    # connections, clocks off by 200 ppm, fibrillation, exercise, rates that lag or are cut off.
    rng = np.random.default_rng(20)
    for _ in range(80):
        model = draw_model(rng)
        misfit, _ = noticed(model, 180)
        assert misfit is None or misfit.ticks_per_second is None, model


FIBRILLATION = StrapModel(rhythm="fibrillation", jitter_s=0.03, smoothing_s=2.0)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rr_s", [0.5, 0.7, 0.85])
def test_milliseconds_show_in_fibrillation_too(rr_s: float, seed: int) -> None:
    model = replace(FIBRILLATION, rr_s=rr_s, seed=seed, ticks_per_second=1000)
    misfit, after_s = noticed(model)
    assert misfit is not None
    assert misfit.ticks_per_second == 1000
    assert after_s <= 64


at_rest = st.builds(
    StrapModel,
    rr_s=st.floats(0.5, 0.9),
    spread_s=st.floats(0.01, 0.06),
    jitter_s=st.floats(0.005, 0.08),
    seed=st.integers(0, 10_000),
)


@settings(max_examples=40, deadline=None)
@given(at_rest, st.sampled_from(["overlaps by one", "stuck"]))
def test_intervals_sent_again_are_noticed_within_a_minute(model: StrapModel, fault: str) -> None:
    misfit, after_s = noticed(replace(model, fault=fault))
    assert misfit is not None
    assert misfit.ticks_per_second is None
    assert after_s <= 62


@settings(max_examples=30, deadline=None)
@given(at_rest, st.floats(1.06, 1.6))
def test_a_slow_heart_with_repeats_is_noticed_within_a_minute(
    model: StrapModel, rr_s: float
) -> None:
    misfit, after_s = noticed(replace(model, rr_s=rr_s, fault="repeats the last interval"))
    assert misfit is not None
    assert misfit.filled > 1.02
    assert after_s <= 64


def test_lost_notifications_are_no_other_scale() -> None:
    # Two lost beats in a minute are 1.7 s: as much as 1000 in place of 1024.
    for seed in range(12):
        model = StrapModel(lost_share=0.035, seed=seed, rounds_down=seed % 2 == 0)
        misfit, _ = noticed(model, 240)
        assert misfit is None


def test_a_connection_that_catches_up_is_no_fault() -> None:
    for seed in range(12):
        misfit, _ = noticed(StrapModel(held_up_s=2.0, jitter_s=0.1, seed=seed), 240)
        assert misfit is None


def test_a_repeated_last_interval_is_noticed() -> None:
    fit, last, found = IntervalFit(1024), 1400, None
    for arrival, intervals in sent(90, 1.36, 0.03, 1):
        ticks = [round(interval * 1024) for interval in intervals] or [last]
        last = ticks[-1]
        found = found or fit.add(ticks, arrival, 44)
    assert found is not None
    assert found.ticks_per_second is None
    assert found.filled > 1.2


@pytest.mark.parametrize("rate", [76, 100, 150])
def test_one_mean_interval_a_second_is_noticed_within_a_minute(rate: int) -> None:
    fit, at = IntervalFit(1024), None
    for second in range(1, 61):
        misfit = fit.add([60 * 1024 // rate], START + second * SECOND, rate)
        if misfit is not None and at is None:
            at, found = second, misfit
    assert at is not None and found.ticks_per_second is None
    assert found.filled == pytest.approx(60 / rate, abs=0.02)
