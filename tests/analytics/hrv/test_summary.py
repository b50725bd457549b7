"""Every figure against a plain, slow reading of its definition, on every real recording."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.hrv.entropy import entropies
from analytics.hrv.frequency_domain import BANDS_HZ, WELCH, compute_spectrum, welch
from analytics.hrv.gapped import GAPPED
from analytics.hrv.nonlinear import CorrectedWindows, dfa_alpha
from analytics.hrv.summary import hrv_summary
from analytics.hrv.time_domain import TIME_DOMAIN, NNWindows, histogram, triangle_base
from ingest.files.rr_text import read_rr_file
from tests.analytics.reference import plain_dfa, plain_entropies, plain_time_domain, plain_welch
from tests.support.signals import RECORDINGS

EQUAL = pytest.approx


@pytest.fixture(params=RECORDINGS)
def rr(request: pytest.FixtureRequest, recordings: Path) -> np.ndarray:
    (run,) = read_rr_file(recordings / request.param, 10_000).runs
    return np.array(run) / 10


def test_time_domain_equals_the_definitions(rr: np.ndarray) -> None:
    found = hrv_summary(rr)
    expected = plain_time_domain(rr.tolist(), found.labelled.normal.tolist())
    for name, value in expected.items():
        if name in found.missing_reason:
            assert "needed" in found.missing_reason[name]
        else:
            assert found.values[name] == EQUAL(value, rel=1e-9), name


@pytest.mark.parametrize("broken", [False, True])
def test_entropies_equal_the_definitions(rr: np.ndarray, broken: bool) -> None:
    nn = rr[:300]
    follows = np.ones(len(nn), dtype=bool)
    follows[0] = False
    if broken:
        follows[[60, 61, 200, 299]] = False
    found = entropies(nn, follows)
    sample, approximate = plain_entropies(nn.tolist(), follows.tolist())
    assert found.sample == EQUAL(sample, rel=1e-9)
    assert found.approximate == EQUAL(approximate, rel=1e-9)


def test_blocks_of_comparisons_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    nn = np.random.default_rng(1).normal(800, 40, 500)
    follows = np.random.default_rng(2).random(500) > 0.05
    whole = entropies(nn, follows), entropies(nn)
    monkeypatch.setattr("analytics.hrv.entropy._BLOCK", 200)
    assert (entropies(nn, follows), entropies(nn)) == whole


def test_dfa_equals_the_definition(rr: np.ndarray) -> None:
    follows = np.arange(len(rr)) > 0
    windows = CorrectedWindows(rr, follows, np.array([0]), np.array([len(rr)]))
    for shortest, longest in ((4, 16), (16, 64)):
        expected = plain_dfa(rr.tolist(), shortest, longest)
        assert dfa_alpha(windows, (shortest, longest)) == EQUAL([expected], rel=1e-9)


def test_welch_equals_the_definition(rr: np.ndarray) -> None:
    times = np.cumsum(rr) / 1000
    found = welch(times, rr)
    hz, power = plain_welch(times.tolist(), rr.tolist())
    assert found.hz == EQUAL(hz)
    # Bins without power (the line that was taken out) are rounding alone.
    assert found.power_ms2_hz == EQUAL(power, rel=1e-9, abs=1e-9 * power.max())
    low, high = BANDS_HZ["hf"]
    inside = [p for f, p in zip(hz, power, strict=True) if low <= f < high]
    assert found.band_ms2(low, high) == EQUAL(math.fsum(inside) * hz[1], rel=1e-9)


@pytest.mark.parametrize("hz", [0.1, 0.25])
def test_both_spectra_find_the_power_of_a_wave(hz: float) -> None:
    times, nn = [0.0], [800.0]
    while times[-1] < 600:
        nn.append(800 + 40 * math.sin(2 * math.pi * hz * times[-1]))
        times.append(times[-1] + nn[-1] / 1000)
    band = BANDS_HZ["lf" if hz < 0.15 else "hf"]
    broken = np.arange(len(nn)) % 200 > 0
    for found in (
        welch(np.array(times), np.array(nn)),
        compute_spectrum(np.array(times), np.array(nn), broken),
    ):
        assert found.band_ms2(*band) == EQUAL(40**2 / 2, rel=0.08)
        assert found.peak_hz(*band) == EQUAL(hz, abs=0.01)


def test_a_hole_is_not_interpolated_over() -> None:
    times = np.concatenate([np.arange(0, 200, 0.8), np.arange(230, 400, 0.8)])
    nn = 800 + 30 * np.sin(2 * np.pi * 0.25 * times)
    found = compute_spectrum(times, nn)
    assert found.method == GAPPED
    assert found.band_ms2(*BANDS_HZ["hf"]) == EQUAL(450, rel=0.05)
    assert compute_spectrum(times[:200], nn[:200]).method == WELCH


def test_tinn_of_a_triangle_is_its_base() -> None:
    counts = [*range(1, 21), *range(19, 0, -1)]
    nn = np.concatenate([np.full(c, 600 + k * 1000 / 128) for k, c in enumerate(counts)])
    assert triangle_base(histogram(nn)) == EQUAL(40 * 1000 / 128)


def test_what_is_too_short_is_absent_with_its_reason() -> None:
    rng = np.random.default_rng(1)
    found = hrv_summary(rng.normal(800, 30, 110))  # 88 s
    assert found.values["rmssd_ms"] is not None
    assert found.values["hf_ms2"] is not None
    for name, words in (
        ("lf_ms2", "120 s are needed"),
        ("vlf_ms2", "270 s"),
        ("triangular_index", "1200 s"),
        ("sampen", "200 are needed"),
    ):
        assert found.values[name] is None
        assert words in found.missing_reason[name]


@pytest.mark.parametrize(
    "rr", [[], [800.0], [800.0] * 400, [5.0] * 300, [math.nan] * 50, [800.0, math.inf] * 100]
)
def test_empty_constant_and_absurd_input_gets_reasons_and_no_nan(rr: list[float]) -> None:
    found = hrv_summary(np.array(rr))
    for name, value in found.values.items():
        if value is None:
            assert found.missing_reason[name]
        else:
            assert math.isfinite(value)
    if rr and rr[0] == 800 and len(rr) == 400:
        assert found.values["rmssd_ms"] == 0
        assert "vary" in found.missing_reason["sampen"]


def test_other_tools_say_the_same_where_they_follow_the_definition(recordings: Path) -> None:
    """What NeuroKit2 0.2.13 (numpy 2.3) says of the very same intervals; docs/evidence/hrv.md has
    where it and others differ.
    """
    nn = np.loadtxt(recordings / "rest_rri.txt")
    everything, follows = np.ones(len(nn), bool), np.ones(len(nn), bool)
    follows[0] = False
    whole = NNWindows(nn, everything, follows, np.array([0]), np.array([len(nn)]), len(nn))
    of = {metric.name: float(metric.rows(whole)[0]) for metric in TIME_DOMAIN}
    entropy = entropies(nn)
    for ours, theirs in (
        (of["mean_nn_ms"], 1058.7186813186813),
        (of["sdnn_ms"], 57.81817771970009),
        (of["rmssd_ms"], 55.13744203126742),
        (of["sdsd_ms"], 55.167700730663555),
        (of["mad_ms"], 51.891),
        (of["percentile_range_ms"], 1106.0 - 1016.0),
        (len(nn) / max(histogram(nn)), 12.465753424657533),
        (of["sd1_ms"], 39.00945528912225),
        (of["sd2_ms"], 71.87886417160782),
        (entropy.approximate, 1.499443504687715),
        (entropy.sample, 1.7738200322056985),
        (of["pnn50_percent"], 35.31353135313531),  # pyHRV and hrv-analysis
    ):
        assert ours == EQUAL(theirs, rel=1e-9)


def test_slow_breathing_is_noted() -> None:
    times, nn = [0.0], [900.0]
    while times[-1] < 400:
        nn.append(900 + 80 * math.sin(2 * math.pi * 0.1 * times[-1]))
        times.append(times[-1] + nn[-1] / 1000)
    found = hrv_summary(np.array(nn[1:]))
    assert found.values["breathing_per_min"] == EQUAL(6, abs=0.5)
    assert any("slower than 9" in note for note in found.notes)
    usual = [900 + 40 * math.sin(2 * math.pi * 0.25 * t) for t in np.arange(0, 400, 0.9)]
    found = hrv_summary(np.array(usual))
    assert found.values["breathing_per_min"] == EQUAL(15, abs=1)
    assert not found.notes


def test_a_day_is_too_long_for_entropy_and_the_reason_is_given() -> None:
    found = hrv_summary(np.random.default_rng(0).normal(800, 30, 21_000))
    assert found.values["sampen"] is None
    assert "ask for windows" in found.missing_reason["sampen"]


nn_series = st.lists(st.integers(600, 1100), min_size=90, max_size=300)


@settings(max_examples=40, deadline=None)
@given(nn_series, st.floats(0, 1e6))
def test_a_shift_in_time_changes_nothing(values: list[int], shift: float) -> None:
    rr = np.array(values, dtype=float)
    times = np.cumsum(rr) / 1000
    first, second = hrv_summary(rr, times), hrv_summary(rr, times + shift)
    for name, value in first.values.items():
        other = second.values[name]
        if value is None or other is None:
            assert value is other
        else:
            assert other == EQUAL(value, rel=1e-6, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(nn_series)
def test_figures_scale_with_their_units(values: list[int]) -> None:
    rr = np.array(values, dtype=float)
    first, second = hrv_summary(rr), hrv_summary(rr * 1.25)
    for name in ("sdnn_ms", "rmssd_ms", "sd1_ms", "mean_nn_ms"):
        a, b = first.values[name], second.values[name]
        if a is not None and b is not None:
            assert b == EQUAL(1.25 * a, rel=1e-9)


def test_the_commands_answer_in_json(recordings: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> dict[str, object]:
        done = subprocess.run(
            [sys.executable, "-m", "ebbtide", *arguments, "--json"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        printed: dict[str, object] = json.loads(done.stdout)
        return printed

    printed = run("hrv", str(recordings / "rest_rri.txt"))
    wanted = (
        "mean_hr_bpm, mean_nn_ms, sdnn_ms, rmssd_ms, pnn50_percent, lf_ms2, hf_ms2, lf_hf, sd1_ms, "
        "sd2_ms, sampen, dfa_alpha1, stress_index_baevsky, quality"
    )
    for name in wanted.split(", "):
        assert printed[name] is not None, name
    beats = run("clean", str(recordings / "rest_rri.txt"))["beats"]
    assert isinstance(beats, list)
    assert len(beats) == 910
    assert set(beats[0]) == {"index", "time_s", "rr_ms", "label"}
    bad = tmp_path / "bad.txt"
    bad.write_text("what?\nno!\n")
    done = subprocess.run(
        [sys.executable, "-m", "ebbtide", "hrv", str(bad)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "no RR interval" in " ".join(done.stderr.split())
