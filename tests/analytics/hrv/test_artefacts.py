"""Artefacts put in at known places, and the beats that cardiologists labelled."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from analytics.hrv import artefacts
from analytics.hrv.artefacts import REACH, Beat, label_beats
from ingest.files.rr_text import read_rr_file


@pytest.fixture
def rest() -> np.ndarray:
    """Breathing at 15 a minute around 850 ms, with a little noise: no artefact."""
    rng = np.random.default_rng(5)
    at = np.arange(600)
    return 850 + 35 * np.sin(2 * np.pi * at * 0.85 / 4) + rng.normal(0, 8, 600)


def test_a_calm_heart_is_normal(rest: np.ndarray) -> None:
    assert label_beats(rest).normal.mean() > 0.99


def test_a_missed_beat(rest: np.ndarray) -> None:
    rr = np.concatenate([rest[:300], [rest[300] + rest[301]], rest[302:]])
    found = label_beats(rr)
    assert found.beat[300] == Beat.MISSED
    assert found.normal[:299].mean() > 0.99


def test_an_extra_beat(rest: np.ndarray) -> None:
    part = 0.4 * rest[300]
    rr = np.concatenate([rest[:300], [part, rest[300] - part], rest[301:]])
    found = label_beats(rr)
    assert found.beat[300] in (Beat.EXTRA, Beat.ECTOPIC)
    assert not found.normal[301] or found.beat[300] == Beat.EXTRA


def test_an_ectopic_beat_and_its_pause(rest: np.ndarray) -> None:
    rr = rest.copy()
    rr[300] -= 300
    rr[301] += 300
    found = label_beats(rr)
    assert found.beat[300] == Beat.ECTOPIC
    assert not found.normal[301]


def test_an_impossible_interval_is_named_and_spares_its_neighbours(rest: np.ndarray) -> None:
    rr = rest.copy()
    rr[[100, 200]] = [20.0, 9000.0]
    found = label_beats(rr)
    assert (found.beat[[100, 200]] == Beat.IMPOSSIBLE).all()
    assert found.normal[90:100].all() and found.normal[102:110].all()


def test_nothing_reaches_over_a_gap(rest: np.ndarray) -> None:
    """Two hearts, one at 850 and one at 510 ms, with a gap between: each is labelled as if it were
    alone, with medians of its own.
    """
    rr = np.concatenate([rest, rest * 0.6])
    run = np.repeat([0, 1], 600)
    both = label_beats(rr, run)
    assert (
        both.beat == np.concatenate([label_beats(rest).beat, label_beats(rest * 0.6).beat])
    ).all()
    assert both.median_ms[596:600].min() > 750 > 600 > both.median_ms[600:604].max()
    assert not np.allclose(label_beats(rr).median_ms[596:604], both.median_ms[596:604])


def test_too_few_beats_in_a_row_are_not_judged(rest: np.ndarray) -> None:
    found = label_beats(rest[:40], np.repeat(np.arange(10), 4))
    assert (found.beat == Beat.UNKNOWN).all()


def test_every_labelled_beat_of_mit_bih_100_is_found(recordings: Path) -> None:
    """33 atrial and one ventricular premature beat in 30 minutes."""
    with (recordings / "mitdb_100_beats.csv").open() as file:
        rows = list(csv.DictReader(file))
    kinds = [row[next(k for k in row if k != "time_s" and "time" not in k)] for row in rows][1:]
    (run,) = read_rr_file(recordings / "mitdb_100_beats.csv", 10_000).runs
    found = label_beats(np.array(run) / 10)
    abnormal = np.array([kind != "N" for kind in kinds])
    assert abnormal.sum() == 34
    # A premature beat shows in the interval before it or in the pause after it.
    caught = ~found.normal[abnormal] | ~found.normal[np.roll(abnormal, 1)]
    assert caught.all()
    near = abnormal | np.roll(abnormal, 1)
    assert found.normal[~near].mean() > 0.99


def plain_labels(rr: list[float]) -> list[int]:
    """The rules of ``analytics.hrv.artefacts`` for one run of possible intervals, beat by beat."""
    n = len(rr)

    def around(values: list[float], i: int, width: int) -> list[float]:
        half = min(width, len(values) - 1 + len(values) % 2) // 2
        places = (abs(j) if j < n else 2 * (n - 1) - j for j in range(i - half, i + half + 1))
        return sorted(values[j] for j in places)

    middle = [around(rr, i, 11)[5] for i in range(n)]

    def scale(values: list[float], i: int) -> float:
        half = min(91, n - 1 + n % 2) // 2
        mirrored = [
            abs(v) for v in (*values[1 : half + 1][::-1], *values, *values[-half - 1 : -1][::-1])
        ]
        ordered = sorted(mirrored[i : i + 2 * half + 1])
        by_median = ordered[len(ordered) // 2] / 0.6745
        by_quartile = ordered[int(0.75 * len(ordered))] / 1.1503
        return max(min(max(by_quartile, by_median), 1.15 * by_median), 0.01 * middle[i])

    away = [v - m for v, m in zip(rr, middle, strict=True)]
    steps = [0.0, *(b - a for a, b in itertools.pairwise(rr))]
    found = [Beat.NORMAL] * n
    wide = [scale(away, i) for i in range(n)]
    for i in range(n):
        if away[i] > max(8 * wide[i], 0.18 * middle[i]):
            found[i] = Beat.LONG
        if away[i] < -max(6 * wide[i], 0.18 * middle[i]):
            found[i] = Beat.SHORT
        beside = min(rr[max(i - 1, 0)], rr[min(i + 1, n - 1)])
        if rr[i] < 0.62 * min(middle[i], beside):
            found[i] = Beat.SHORT
    for i in range(n - 1):
        half, beyond = (rr[i + 1] - rr[i]) / 2, rr[i] + rr[i + 1] - 2 * middle[i]
        stands_out = half**2 - 0.8 * beyond**2 > (1.4 * scale(steps, i)) ** 2
        if stands_out and abs(half) > 0.08 * middle[i]:
            found[i] = found[i + 1] = Beat.ECTOPIC
    for i in range(n):
        near = max(3 * wide[i], 0.15 * middle[i])
        if rr[i] > 1.5 * middle[i] and abs(rr[i] / round(rr[i] / middle[i]) - middle[i]) < near:
            found[i] = Beat.MISSED
    for i in range(n - 1):
        near = max(3 * wide[i], 0.15 * middle[i])
        short = max(rr[i], rr[i + 1]) < 0.8 * middle[i]
        if short and abs(rr[i] + rr[i + 1] - middle[i]) < near:
            found[i] = found[i + 1] = Beat.EXTRA
    paired = [beat == Beat.ECTOPIC for beat in found]
    for i in range(n):
        neighbours = [j for j in (i - 1, i + 1) if 0 <= j < n]
        alone = paired[i] and not any(paired[j] for j in neighbours)
        if (
            alone
            and any(found[j] == Beat.EXTRA for j in neighbours)
            and abs(away[i]) < max(3 * wide[i], 0.15 * middle[i])
        ):
            found[i] = Beat.NORMAL
    for _ in range(4):
        before = list(found)
        for i in range(n):
            beside = [before[j] for j in (i - 1, i + 1) if 0 <= j < n]
            if (
                before[i] == Beat.NORMAL
                and any(beat in (Beat.SHORT, Beat.EXTRA) for beat in beside)
                and away[i] < -max(3 * wide[i], 0.25 * middle[i])
            ):
                found[i] = Beat.SHORT
    return [int(beat) for beat in found]


@pytest.mark.parametrize("name", ["rest_rri.txt", "mitdb_100_beats.csv", "pyhrv_nni_short.txt"])
def test_labels_equal_the_rules_beat_by_beat(recordings: Path, name: str) -> None:
    (run,) = read_rr_file(recordings / name, 10_000).runs
    rr = np.array(run) / 10
    rng = np.random.default_rng(3)
    for place in range(20, len(rr) - 20, 25):  # enough of every kind
        kind = rng.integers(3)
        if kind == 0:
            rr[place] += rr[place + 1]
        elif kind == 1:
            rr[place] -= 250
            rr[place + 1] += 250
        else:
            rr[place], rr[place + 1] = 0.49 * rr[place], 0.51 * rr[place]
    assert rr.min() > 250
    found = label_beats(rr).beat.tolist()
    assert found == plain_labels(rr.tolist())
    assert len(set(found)) >= 4


def test_a_label_depends_on_nothing_beyond_its_reach(rest: np.ndarray) -> None:
    rr = rest.copy()
    rr[[150, 300, 450]] *= 0.6
    whole = label_beats(rr).beat
    for at in (100, 250, 400):
        part = label_beats(rr[at - REACH : at + 100 + REACH]).beat
        assert (part[REACH : REACH + 100] == whole[at : at + 100]).all()


def test_beats_without_skin_contact_are_left_out(rest: np.ndarray) -> None:
    contact = np.ones(600, np.int8)
    contact[100:120] = 0
    contact[200:300] = -1
    found = label_beats(rest, contact=contact)
    assert (found.beat[100:120] == Beat.NO_CONTACT).all()
    assert found.normal[200:300].all()


def test_an_extra_beat_close_to_a_real_one(rest: np.ndarray) -> None:
    """Too close to be an interval at all: its other half is not normal either."""
    rr = np.concatenate([rest[:300], [150.0, rest[300] - 150], rest[301:]])
    found = label_beats(rr)
    assert found.beat[300:302].tolist() == [Beat.EXTRA, Beat.EXTRA]
    assert found.normal[290:300].all() and found.normal[302:310].all()


def test_a_swing_of_breath_is_no_artefact(recordings: Path) -> None:
    """Users of NeuroKit2's Kubios method lose such beats: deep breaths of a young heart."""
    (run,) = read_rr_file(recordings / "pyhrv_nni_short.txt", 10_000).runs
    assert label_beats(np.array(run) / 10).normal.mean() > 0.98


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-100, 1e5) | st.sampled_from([np.nan, np.inf, -np.inf]), max_size=200),
    st.integers(1, 40),
)
def test_any_input_gets_a_label_each(values: list[float], every: int) -> None:
    run = np.arange(len(values)) // every
    found = label_beats(np.array(values), run)
    assert len(found.beat) == len(values)
    assert set(found.beat.tolist()) <= {int(beat) for beat in Beat}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(500, 1200), min_size=20, max_size=200))
def test_labels_do_not_depend_on_units_of_time(values: list[int]) -> None:
    rr = np.array(values, dtype=float)
    # Doubling is exact in binary, so ties fall the same way.
    assert (label_beats(rr).beat == label_beats(2 * rr).beat).all()


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="shape"):
        label_beats(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="shape of rr_ms"):
        label_beats(np.zeros(3), np.zeros(2, dtype=np.int64))
    with pytest.raises(ValueError, match="must not decrease"):
        label_beats(np.full(3, 800.0), np.array([1, 0, 2]))


@pytest.mark.parametrize("factor", [0.55, 0.7, 1.5, 2.0])
@pytest.mark.parametrize("place", [0, 1, 2, 199, 200, 201, 398, 399])
def test_a_fault_at_the_edge_of_a_run_is_found_as_within_it(
    rest: np.ndarray, place: int, factor: float
) -> None:
    rr = rest[:400].copy()
    rr[place] *= factor
    run = np.repeat([0, 1], 200)  # a gap between 199 and 200
    found = label_beats(rr, run)
    assert found.beat[place] != Beat.NORMAL
    assert np.delete(found.normal, [max(0, place - 1), place, min(399, place + 1)]).mean() > 0.99


@given(
    st.lists(st.integers(min_value=300, max_value=2000), min_size=1, max_size=200),
    st.integers(min_value=1, max_value=91),
    st.data(),
)
@settings(max_examples=100, deadline=None)
def test_ranks_with_and_without_scipy_are_the_same(
    rr: list[int], size: int, data: st.DataObject
) -> None:
    values = np.asarray(rr, dtype=np.float64)
    size = min(size, len(values))
    ranks = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=2))
    ours = artefacts._ranked(values, size, ranks, None)
    theirs = artefacts._ranked(values, size, ranks, ndimage)
    assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))
