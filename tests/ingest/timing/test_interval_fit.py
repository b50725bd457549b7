"""Intervals that do not fill the time of the wall clock are noticed; those of a heart never are."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ebbtide.timestamps import MILLISECOND, SECOND
from ingest.timing.interval_fit import IntervalFit, Misfit

START = 1_790_000_000 * SECOND


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
    misfit, after_s = judge(sent(200, rr_s, 0.03, seed), 1000, rr_s)
    assert misfit is not None
    assert misfit.ticks_per_second == 1000
    assert after_s <= 140  # the rounded heart rate may not decide; then a second minute does


def test_a_repeated_last_interval_is_noticed() -> None:
    fit, last, found = IntervalFit(1024), 1400, None
    for arrival, intervals in sent(90, 1.36, 0.03, 1):
        ticks = [round(interval * 1024) for interval in intervals] or [last]
        last = ticks[-1]
        found = found or fit.add(ticks, arrival, 44)
    assert found is not None
    assert found.ticks_per_second is None
    assert found.filled > 1.2
