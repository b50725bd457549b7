"""Artefacts put in at known places, and the beats that cardiologists labelled."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.artefacts import Beat, label
from ingest.files.rr_text import read_rr_file


@pytest.fixture
def rest() -> np.ndarray:
    """Breathing at 15 a minute around 850 ms, with a little noise: no artefact."""
    rng = np.random.default_rng(5)
    at = np.arange(600)
    return 850 + 35 * np.sin(2 * np.pi * at * 0.85 / 4) + rng.normal(0, 8, 600)


def test_a_calm_heart_is_normal(rest: np.ndarray) -> None:
    assert label(rest).normal.mean() > 0.99


def test_a_missed_beat(rest: np.ndarray) -> None:
    rr = np.concatenate([rest[:300], [rest[300] + rest[301]], rest[302:]])
    found = label(rr)
    assert found.beat[300] == Beat.MISSED
    assert found.normal[:299].mean() > 0.99


def test_an_extra_beat(rest: np.ndarray) -> None:
    part = 0.4 * rest[300]
    rr = np.concatenate([rest[:300], [part, rest[300] - part], rest[301:]])
    found = label(rr)
    assert found.beat[300] in (Beat.EXTRA, Beat.ECTOPIC)
    assert not found.normal[301] or found.beat[300] == Beat.EXTRA


def test_an_ectopic_beat_and_its_pause(rest: np.ndarray) -> None:
    rr = rest.copy()
    rr[300] -= 300
    rr[301] += 300
    found = label(rr)
    assert found.beat[300] == Beat.ECTOPIC
    assert not found.normal[301]


def test_an_impossible_interval_is_named_and_spares_its_neighbours(rest: np.ndarray) -> None:
    rr = rest.copy()
    rr[[100, 200]] = [20.0, 9000.0]
    found = label(rr)
    assert (found.beat[[100, 200]] == Beat.IMPOSSIBLE).all()
    assert found.normal[90:100].all() and found.normal[102:110].all()


def test_nothing_reaches_over_a_gap(rest: np.ndarray) -> None:
    """Two hearts, one at 850 and one at 510 ms, with a gap between: each is labelled as if it were
    alone, with medians of its own.
    """
    rr = np.concatenate([rest, rest * 0.6])
    run = np.repeat([0, 1], 600)
    both = label(rr, run)
    assert (both.beat == np.concatenate([label(rest).beat, label(rest * 0.6).beat])).all()
    assert both.median_ms[596:600].min() > 750 > 600 > both.median_ms[600:604].max()
    assert not np.allclose(label(rr).median_ms[596:604], both.median_ms[596:604])


def test_too_few_beats_in_a_row_are_not_judged(rest: np.ndarray) -> None:
    found = label(rest[:40], np.repeat(np.arange(10), 4))
    assert (found.beat == Beat.UNKNOWN).all()


def test_every_labelled_beat_of_mit_bih_100_is_found(recordings: Path) -> None:
    """33 atrial and one ventricular premature beat in 30 minutes."""
    with (recordings / "mitdb_100_beats.csv").open() as file:
        rows = list(csv.DictReader(file))
    kinds = [row[next(k for k in row if k != "time_s" and "time" not in k)] for row in rows][1:]
    (run,) = read_rr_file(recordings / "mitdb_100_beats.csv", 10_000).runs
    found = label(np.array(run) / 10)
    abnormal = np.array([kind != "N" for kind in kinds])
    assert abnormal.sum() == 34
    # A premature beat shows in the interval before it or in the pause after it.
    caught = ~found.normal[abnormal] | ~found.normal[np.roll(abnormal, 1)]
    assert caught.all()
    near = abnormal | np.roll(abnormal, 1)
    assert found.normal[~near].mean() > 0.99


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-100, 1e5) | st.sampled_from([np.nan, np.inf, -np.inf]), max_size=200),
    st.integers(1, 40),
)
def test_any_input_gets_a_label_each(values: list[float], every: int) -> None:
    run = np.arange(len(values)) // every
    found = label(np.array(values), run)
    assert len(found.beat) == len(values)
    assert set(found.beat.tolist()) <= {int(beat) for beat in Beat}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(500, 1200), min_size=20, max_size=200))
def test_labels_do_not_depend_on_units_of_time(values: list[int]) -> None:
    rr = np.array(values, dtype=float)
    # Doubling is exact in binary, so ties fall the same way.
    assert (label(rr).beat == label(2 * rr).beat).all()


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="shape"):
        label(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="shape of rr_ms"):
        label(np.zeros(3), np.zeros(2, dtype=np.int64))
    with pytest.raises(ValueError, match="must not decrease"):
        label(np.full(3, 800.0), np.array([1, 0, 2]))
