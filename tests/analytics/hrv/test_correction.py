"""Short holes are filled, exactly in their time; long ones and gaps stay."""

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
def test_whatever_comes_time_stays_in_order_and_is_filled_exactly(
    values: list[float], every: int
) -> None:
    rr = np.array(values)
    run = np.arange(len(rr)) // every
    times = np.cumsum(rr) / 1000
    found = correct_beats(rr, times, run, label_beats(rr, run))
    assert (found.nn_ms > 0).all()
    assert (np.diff(found.time_s) > 0).all()
    # Where measured intervals follow each other, each is the time since the beat before, but for
    # the time of less than half a usual interval, which gets no interval of its own.
    on = np.flatnonzero(found.follows & ~found.filled & ~np.roll(found.filled, 1))
    span = (found.time_s[on] - found.time_s[on - 1]) * 1000
    labels = label_beats(rr, run)
    assert (span - found.nn_ms[on] > -1e-6).all()
    usual = np.nanmax(labels.median_ms) if np.isfinite(labels.median_ms).any() else 0.0
    assert (span - found.nn_ms[on] <= max(100.001, usual / 2 + 1e-6)).all()
    # No later beat moves, and every fill lies between its neighbours: none is the fault.
    for i in np.flatnonzero(found.filled).tolist():
        left, right = i, i
        while found.filled[left]:
            left -= 1
        while found.filled[right]:
            right += 1
        low, high = sorted([found.nn_ms[left], found.nn_ms[right]])
        assert low - 0.05 * usual - 1e-6 <= found.nn_ms[i] <= high + 0.05 * usual + 1e-6
    measured = found.time_s[~found.filled]
    assert np.isin(measured, times).all()
