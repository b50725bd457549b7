"""Time-domain HRV against a plain, slow reading of the definitions, on real recordings."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.hrv.artefacts import label_beats
from analytics.hrv.scalar_time_domain import mean_hr_bpm, rmssd_ms, sdnn_ms
from analytics.hrv.windows import (
    BeatArrays,
    MissingReason,
    hrv_windows,
    starts_by_stretch,
    window_hrv,
)
from ingest.files.rr_text import read_rr_file

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
RECORDINGS = [
    "aura_nn_intervals.txt",
    "pyhrv_nni_long.txt",
    "pyhrv_nni_short.txt",
    "rest_rri.txt",
    "mitdb_100_beats.csv",
]


def arrays(rr_ms: list[float], start: int = START, **changes: object) -> BeatArrays:
    rr = np.array(rr_ms, dtype=float)
    follows = np.ones(len(rr), dtype=bool)
    follows[:1] = False
    columns: dict[str, object] = {
        "time_ns": start + np.round(np.cumsum(rr) * 1e6).astype(np.int64),
        "rr_ms": rr,
        "follows": follows,
        "contact": np.full(len(rr), -1, dtype=np.int8),
        "stream": np.zeros(len(rr), dtype=np.int32),
    }
    return BeatArrays(**{**columns, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", RECORDINGS)
def test_real_recordings_equal_the_definitions(recordings: Path, name: str) -> None:
    (run,) = read_rr_file(recordings / name).runs
    rr = [ticks * 1000 / 1024 for ticks in run]
    normal_mask = label_beats(np.array(rr)).normal
    normal = normal_mask.tolist()
    nn = [value for value, ok in zip(rr, normal, strict=True) if ok]
    mean = math.fsum(nn) / len(nn)
    sdnn = math.sqrt(math.fsum((v - mean) ** 2 for v in nn) / (len(nn) - 1))
    squares = [(rr[i] - rr[i - 1]) ** 2 for i in range(1, len(rr)) if normal[i] and normal[i - 1]]
    rmssd = math.sqrt(math.fsum(squares) / len(squares))
    neighbours = normal_mask.copy()
    neighbours[1:] &= normal_mask[:-1]
    assert mean_hr_bpm(np.array(nn)) == pytest.approx(60_000 / mean, rel=1e-12)
    assert sdnn_ms(np.array(nn)) == pytest.approx(sdnn, rel=1e-12)
    assert rmssd_ms(np.array(rr), neighbours) == pytest.approx(rmssd, rel=1e-12)
    # The whole recording as one window says the same.
    beats = arrays(rr)
    window = window_hrv(beats, START, int(beats.time_ns[-1]) + 1)
    assert window.usable
    assert window.beats == len(rr)
    assert window.removed_share == pytest.approx(1 - sum(normal) / len(normal), abs=1e-12)
    assert window.mean_hr_bpm == pytest.approx(60_000 / mean, rel=1e-9)
    assert window.sdnn_ms == pytest.approx(sdnn, rel=1e-9)
    assert window.rmssd_ms == pytest.approx(rmssd, rel=1e-9)


def test_premature_beats_of_a_patient_do_not_swell_rmssd(recordings: Path) -> None:
    """Record 100 of MIT-BIH: 33 atrial and one ventricular premature beat in 30 minutes."""
    (run,) = read_rr_file(recordings / "mitdb_100_beats.csv").runs
    rr = np.array(run) * 1000 / 1024
    everything = np.ones(len(rr), dtype=bool)
    beats = arrays(rr.tolist())
    cleaned = window_hrv(beats, START, int(beats.time_ns[-1]) + 1).rmssd_ms
    raw = rmssd_ms(rr, everything)
    assert cleaned is not None
    assert cleaned < 0.85 * raw


def test_no_difference_is_taken_over_a_gap() -> None:
    rr = [800.0, 800.0] * 60 + [900.0, 900.0] * 60
    follows = np.ones(len(rr), dtype=bool)
    follows[[0, 120]] = False
    parted = window_hrv(arrays(rr, follows=follows), START, START + 204 * SECOND + 1)
    joined = window_hrv(arrays(rr), START, START + 204 * SECOND + 1)
    assert parted.rmssd_ms == 0
    assert joined.rmssd_ms == pytest.approx(100 / math.sqrt(239))


def test_no_difference_is_taken_over_a_beat_left_out() -> None:
    rr = [800.0] * 300
    rr[150] = 250.0
    assert window_hrv(arrays(rr), START, START + 230 * SECOND).rmssd_ms == 0


@pytest.mark.parametrize(
    ("rr", "length_s", "why"),
    [
        ([], 300, MissingReason.NO_BEATS),
        ([800.0] * 300, 30, MissingReason.TOO_SHORT),
        ([800.0] * 200, 300, MissingReason.SPARSE),
        ([800.0, 800.0, 800.0, 400.0] * 100, 300, MissingReason.DISTURBED),
    ],
)
def test_a_window_without_figures_says_why(
    rr: list[float], length_s: int, why: MissingReason
) -> None:
    window = window_hrv(arrays(rr), START, START + length_s * SECOND)
    assert window.unusable is why
    assert window.missing
    assert (window.mean_hr_bpm, window.rmssd_ms, window.sdnn_ms) == (None, None, None)


def test_two_straps_at_once_are_not_added_up() -> None:
    one, two = arrays([800.0] * 400), arrays([801.0] * 380, START + 7_000_000)
    order = np.argsort(np.concatenate([one.time_ns, two.time_ns]))
    both = BeatArrays(
        np.concatenate([one.time_ns, two.time_ns])[order],
        np.concatenate([one.rr_ms, two.rr_ms])[order],
        np.concatenate([one.follows, two.follows])[order],
        np.concatenate([one.contact, two.contact])[order],
        np.concatenate([one.stream, two.stream + 1])[order],
    )
    window = window_hrv(both, START, START + 300 * SECOND)
    # The second reaches further into the window; nothing of the first is in its figures.
    assert window.mean_hr_bpm == pytest.approx(60_000 / 801)
    assert window.rmssd_ms == 0
    assert window.coverage <= 1


def test_windows_begin_with_each_stretch_of_beats() -> None:
    first = arrays([1000.0] * 700)
    second = arrays([1000.0] * 290, START + 5000 * SECOND)
    third = arrays([1000.0] * 200, START + 9000 * SECOND)
    beats = BeatArrays(
        *(
            np.concatenate([getattr(part, name) for part in (first, second, third)])
            for name in ("time_ns", "rr_ms", "follows", "contact", "stream")
        )
    )
    starts = starts_by_stretch(beats, 300 * SECOND, 300 * SECOND)
    assert ((starts - START) // SECOND).tolist() == [0, 300, 5000]


intervals = st.lists(st.floats(350, 1900), min_size=80, max_size=300)


@given(intervals, st.integers(-(10**18), 10**18))
def test_figures_do_not_depend_on_the_date(rr: list[float], shift: int) -> None:
    beats, moved = arrays(rr), arrays(rr, START + shift)
    end = int(beats.time_ns[-1]) + 1
    here, there = window_hrv(beats, START, end), window_hrv(moved, START + shift, end + shift)
    assert here.unusable == there.unusable
    assert (here.mean_hr_bpm, here.rmssd_ms, here.sdnn_ms) == (
        there.mean_hr_bpm,
        there.rmssd_ms,
        there.sdnn_ms,
    )


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=50))
def test_absurd_input_gives_no_figure_but_a_reason(rr: list[float]) -> None:
    beats = replace(arrays([800.0] * len(rr)), rr_ms=np.array(rr, dtype=float))
    window = window_hrv(beats, START, START + 300 * SECOND)
    assert not window.usable
    assert window.missing


def test_a_window_must_end_after_it_starts() -> None:
    with pytest.raises(ValueError, match="end after"):
        window_hrv(arrays([800.0]), START, START)


def test_many_recordings_one_after_another_are_each_asked_for_their_own_time() -> None:
    rng = np.random.default_rng(3)
    parts = [
        arrays(
            (900 + 30 * rng.standard_normal(400)).tolist(),
            START + 3600 * k * SECOND,
            stream=np.full(400, k, dtype=np.int32),
        )
        for k in range(12)
    ]
    names = ("time_ns", "rr_ms", "follows", "contact", "stream")
    beats = BeatArrays(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
    starts = START + np.arange(-300, 12 * 3600, 150, dtype=np.int64) * SECOND
    found = hrv_windows(beats, starts, 300 * SECOND)
    assert found.usable.sum() == 12  # one of each fits into six minutes
    for row, start in enumerate(starts.tolist()):
        nearest = parts[min(max((start - START + 150 * SECOND) // (3600 * SECOND), 0), 11)]
        alone = window_hrv(nearest, start, start + 300 * SECOND)
        assert int(found.found.intervals[row]) == alone.beats
        assert found.missing[row] == alone.missing
        if alone.rmssd_ms is not None:
            assert found.value("rmssd_ms")[row] == pytest.approx(alone.rmssd_ms, rel=1e-9)
