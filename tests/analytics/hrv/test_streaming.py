"""Beat by beat gives the figures of the batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.hrv.engine import window_metrics
from analytics.hrv.streaming import LiveWindow


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 1400), st.sampled_from([60.0, 120.0, 300.0]))
def test_live_equals_batch_at_any_beat(seed: int, stop: int, length: float) -> None:
    rng = np.random.default_rng(seed)
    rr = 800 + 50 * np.sin(np.arange(1400) * 1.4) + rng.normal(0, 15, 1400)
    rr[rng.integers(0, 1400, 20)] *= rng.uniform(0.5, 2.1, 20)
    follows = rng.random(1400) > 0.004
    times = np.cumsum(rr + np.where(follows, 0, 4000)) / 1000
    live = LiveWindow(length)
    for k in range(stop):
        live.add(float(rr[k]), float(times[k]), bool(follows[k]))
    assert len(live) < 1400 or stop == 1400
    found = live.figures()
    run = np.cumsum(~follows[:stop])
    expected = window_metrics(rr[:stop], times[:stop], np.array([live.start_s]), length, run)
    assert found.intervals == expected.intervals
    assert found.normal_share == pytest.approx(expected.normal_share)
    assert found.longest_gap_s == pytest.approx(expected.longest_gap_s, abs=1e-9)
    for name, value in expected.values.items():
        np.testing.assert_allclose(
            found.values[name], value, rtol=1e-9, atol=1e-9, equal_nan=True, err_msg=name
        )


def test_a_long_session_keeps_no_more_than_it_needs() -> None:
    live = LiveWindow(60)
    for k in range(20_000):
        live.add(800.0, 0.8 * (k + 1))
    assert len(live) < 600


def test_misuse_is_named() -> None:
    live = LiveWindow(60)
    with pytest.raises(ValueError, match="no beat yet"):
        live.figures()
    live.add(800, 1.0)
    with pytest.raises(ValueError, match="must increase"):
        live.add(800, 1.0)
    with pytest.raises(ValueError, match="longer than 0"):
        LiveWindow(0)
