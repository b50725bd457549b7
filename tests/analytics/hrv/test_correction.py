"""Short holes are filled in their time by usual intervals; long ones and gaps stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.hrv.artefacts import Beat, label_beats
from analytics.hrv.correction import CorrectedSeries, correct_beats


@pytest.fixture
def rest() -> np.ndarray:
    rng = np.random.default_rng(5)
    return 850 + 35 * np.sin(np.arange(400) * 1.3) + rng.normal(0, 8, 400)


def corrected(rr: np.ndarray, run: np.ndarray | None = None) -> CorrectedSeries:
    return correct_beats(rr, np.cumsum(rr) / 1000, run, label_beats(rr, run))


def test_clean_beats_stay_as_they_are(rest: np.ndarray) -> None:
    found = corrected(rest)
    assert found.nn_ms == pytest.approx(rest)
    assert not found.filled.any()
    assert found.follows.tolist() == [False] + [True] * 399


@pytest.mark.parametrize("missed", [1, 2])
def test_missed_beats_are_put_back(rest: np.ndarray, missed: int) -> None:
    """NeuroKit2's issue 1062: beats were added, but the long interval hardly got shorter."""
    end = 201 + missed
    rr = np.concatenate([rest[:200], [rest[200:end].sum()], rest[end:]])
    found = corrected(rr)
    assert len(found.nn_ms) == 400
    assert np.count_nonzero(found.filled) == missed + 1
    assert found.nn_ms[200:end].max() < 950
    assert found.nn_ms.sum() == pytest.approx(rest.sum())


def test_an_extra_beat_is_taken_out_and_an_ectopic_one_moved(rest: np.ndarray) -> None:
    rr = rest.copy()
    rr[100] -= 280
    rr[101] += 280
    rr = np.concatenate([rr[:300], [0.4 * rr[300], 0.6 * rr[300]], rr[301:]])
    found = corrected(rr)
    assert len(found.nn_ms) == 400
    assert np.flatnonzero(found.filled).tolist() == [100, 101, 300]
    assert found.nn_ms == pytest.approx(rest, abs=90)


def test_beats_are_never_invented_over_a_gap_or_a_long_hole(rest: np.ndarray) -> None:
    run = np.repeat([0, 1], 200)
    rr = rest.copy()
    times = np.cumsum(rr) / 1000
    times[200:] += 2.5
    found = correct_beats(rr, times, run, label_beats(rr, run))
    assert len(found.nn_ms) == 400
    assert np.flatnonzero(~found.follows).tolist() == [0, 200]
    rr = np.concatenate([rest[:200], [9000.0], rest[200:]])
    found = corrected(rr)
    assert not found.filled.any()
    assert np.flatnonzero(~found.follows).tolist() == [0, 200]


def test_duplicate_beats_do_not_stop_it(rest: np.ndarray) -> None:
    """NeuroKit2 fails on two beats at the same time."""
    rr = np.concatenate([rest[:100], [0.0], rest[100:]])
    found = label_beats(rr)
    assert found.beat[100] == Beat.IMPOSSIBLE
    assert found.normal[:100].all()
    result = correct_beats(rr, np.cumsum(rr) / 1000, None, found)
    assert len(result.nn_ms) == 400
    assert result.follows[1:].all()


def test_nothing_in_nothing_out() -> None:
    empty = np.empty(0)
    assert len(correct_beats(empty, empty, None, label_beats(empty)).nn_ms) == 0


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(20, 4000), min_size=1, max_size=200), st.integers(1, 60))
def test_whatever_comes_time_stays_in_order_and_fills_are_usual(
    values: list[float], every: int
) -> None:
    rr = np.array(values)
    run = np.arange(len(rr)) // every
    times = np.cumsum(rr) / 1000
    found = correct_beats(rr, times, run, label_beats(rr, run))
    assert (found.nn_ms > 0).all()
    assert (np.diff(found.time_s) > 0).all()
    # No measured beat moves, and its interval changes by a quarter at most.
    measured = np.flatnonzero(~found.filled)
    at = np.searchsorted(times, found.time_s[measured])
    assert (times[at] == found.time_s[measured]).all()
    assert (np.abs(found.nn_ms[measured] / rr[at] - 1) <= 0.25 + 1e-9).all()
    # Every fill is near those measured before and after it: none is the fault.
    usual = label_beats(rr, run).median_ms
    for i in np.flatnonzero(found.filled).tolist():
        place = int(np.searchsorted(measured, i))
        low, high = sorted([rr[at[place - 1]], rr[at[place]]])
        slack = 0.2 * np.nanmax(usual) + 1e-6
        assert low - slack <= found.nn_ms[i] <= high + slack


FAULTS = {
    "premature": (0.5,),
    "echo": (0.15,),
    "split": (0.15, 0.85),
    "ectopic": (0.6, 1.4),
    "missed": (2.0,),
    "noise": (0.25, 0.1, 0.4, 0.18),
    **{f"run of {n}": (0.55, 0.52, 0.57, 0.54, 0.55)[:n] for n in range(2, 6)},
}


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(list(FAULTS)),
    st.floats(550, 1200),
    st.floats(0.01, 0.04),
    st.lists(st.integers(0, 90), min_size=1, max_size=3),
    st.integers(0, 2**31),
)
def test_faults_are_replaced_in_their_time_by_what_is_beside_them(
    fault: str, mean_ms: float, varies: float, places: list[int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    breathing = np.sin(np.arange(420) * 1.5 + rng.uniform(0, 6)) + 0.2 * rng.normal(size=420)
    clean = mean_ms * (1 + varies * breathing)
    assert corrected(clean).nn_ms.tolist() == clean.tolist()  # clean intervals are untouched
    part = mean_ms * np.array(FAULTS[fault])
    at = [30 + 130 * k + place for k, place in enumerate(places)]
    rr = np.insert(clean, np.repeat(at, len(part)), np.tile(part, len(at)))
    found = corrected(rr)
    assert found.follows[1:].all()
    assert found.nn_ms.sum() == pytest.approx(rr.sum(), abs=1e-6)
    assert found.nn_ms.min() > 0.8 * clean.min()
    assert found.nn_ms.max() < 1.2 * clean.max()
    rmssd = np.sqrt(np.mean(np.diff(found.nn_ms) ** 2))
    assert rmssd == pytest.approx(np.sqrt(np.mean(np.diff(clean) ** 2)), rel=0.12)
