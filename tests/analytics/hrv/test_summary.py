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
from scipy.interpolate import CubicSpline

from analytics.hrv import variability
from analytics.hrv.complexity import dfa_alpha, entropies
from analytics.hrv.scalar_time_domain import sdnn_ms
from analytics.hrv.spectrum import BANDS_HZ, lomb_scargle, spectrum, welch
from analytics.hrv.summary import hrv_summary
from analytics.hrv.variability import tinn_ms
from ingest.files.rr_text import read_rr_file
from tests.analytics.hrv.test_windows import RECORDINGS

EQUAL = pytest.approx


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def deviation(values: list[float]) -> float:
    middle = mean(values)
    return math.sqrt(math.fsum((v - middle) ** 2 for v in values) / (len(values) - 1))


def plain_time_domain(rr: list[float], normal: list[bool]) -> dict[str, float]:
    nn = [v for v, ok in zip(rr, normal, strict=True) if ok]
    pairs = [(rr[i - 1], rr[i]) for i in range(1, len(rr)) if normal[i] and normal[i - 1]]
    steps = [b - a for a, b in pairs]
    ordered = sorted(nn)

    def percentile(share: float) -> float:
        place = share * (len(ordered) - 1)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    middle = percentile(0.5)
    away = sorted(abs(v - middle) for v in nn)
    half = (len(away) - 1) / 2
    mad = (away[math.floor(half)] + away[math.ceil(half)]) / 2
    bins: dict[int, int] = {}
    for v in nn:
        index = math.floor((v - min(nn)) / (1000 / 128) + 1e-9)
        bins[index] = bins.get(index, 0) + 1
    wide: dict[int, int] = {}
    for v in nn:
        wide[math.floor(v / 50)] = wide.get(math.floor(v / 50), 0) + 1
    mode = min(k for k, count in wide.items() if count == max(wide.values()))
    return {
        "mean_nn_ms": mean(nn),
        "mean_hr_bpm": 60_000 / mean(nn),
        "sdnn_ms": deviation(nn),
        "rmssd_ms": math.sqrt(mean([s * s for s in steps])),
        "sdsd_ms": deviation(steps),
        "pnn20_percent": 100 * sum(abs(s) > 20 for s in steps) / len(steps),
        "pnn50_percent": 100 * sum(abs(s) > 50 for s in steps) / len(steps),
        "cvnn_percent": 100 * deviation(nn) / mean(nn),
        "mad_ms": 1.4826 * mad,
        "percentile_range_ms": percentile(0.8) - percentile(0.2),
        "sd1_ms": deviation([(b - a) / math.sqrt(2) for a, b in pairs]),
        "sd2_ms": deviation([(b + a) / math.sqrt(2) for a, b in pairs]),
        "triangular_index": len(nn) / max(bins.values()),
        "stress_index_baevsky": 100
        * max(wide.values())
        / len(nn)
        / (2 * (mode + 0.5) * 0.05 * (max(nn) - min(nn)) / 1000),
    }


def plain_entropies(nn: list[float], follows: list[bool]) -> tuple[float, float]:
    """Sample and approximate entropy, template by template."""
    reach = 0.2 * deviation(nn)
    n = len(nn)

    def templates(length: int) -> list[int]:
        return [
            i for i in range(n - length + 1) if all(follows[j] for j in range(i + 1, i + length))
        ]

    def alike(i: int, j: int, length: int) -> bool:
        return all(abs(nn[i + k] - nn[j + k]) <= reach for k in range(length))

    three = templates(3)
    a = b = 0
    for place, i in enumerate(three):
        for j in three[place + 1 :]:
            if alike(i, j, 2):
                b += 1
                a += abs(nn[i + 2] - nn[j + 2]) <= reach

    def phi(length: int) -> float:
        some = templates(length)
        shares = [sum(alike(i, j, length) for j in some) / len(some) for i in some]
        return mean([math.log(share) for share in shares])

    return -math.log(a / b), phi(2) - phi(3)


def plain_dfa(nn: list[float], shortest: int, longest: int) -> float:
    middle, total, profile = mean(nn), 0.0, []
    for v in nn:
        total += v - middle
        profile.append(total)
    logs = []
    for size in range(shortest, longest + 1):
        squares = []
        for start in range(0, len(profile) - size + 1, size):
            box = profile[start : start + size]
            line = np.polynomial.Polynomial.fit(np.arange(size), box, 1)
            squares += [(y - line(x)) ** 2 for x, y in enumerate(box)]
        logs.append((math.log(size), math.log(math.sqrt(mean([float(s) for s in squares])))))
    mx, my = mean([x for x, _ in logs]), mean([y for _, y in logs])
    return sum((x - mx) * (y - my) for x, y in logs) / sum((x - mx) ** 2 for x, _ in logs)


def plain_welch(times: list[float], nn: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """The definition by a discrete Fourier sum, segment by segment."""
    even = np.arange(times[0], times[-1], 0.25)
    series = CubicSpline(times, nn)(even)
    n = min(600, len(series))
    window = np.array([0.5 - 0.5 * math.cos(2 * math.pi * k / n) for k in range(n)])
    powers = []
    for start in range(0, len(series) - n + 1, n - n // 2):
        part = series[start : start + n]
        line = np.polynomial.Polynomial.fit(np.arange(n), part, 1)
        left = (part - line(np.arange(n))) * window
        k = np.arange(n // 2 + 1)[:, None]
        transform = np.exp(-2j * np.pi * k * np.arange(n)[None, :] / n) @ left
        power = np.abs(transform) ** 2 / (4 * np.sum(window**2))
        power[1 : None if n % 2 else -1] *= 2
        powers.append(power)
    return np.arange(n // 2 + 1) * 4 / n, np.mean(powers, axis=0)


@pytest.fixture(params=RECORDINGS)
def rr(request: pytest.FixtureRequest, recordings: Path) -> np.ndarray:
    (run,) = read_rr_file(recordings / request.param, 10_000).runs
    return np.array(run) / 10


def test_time_domain_equals_the_definitions(rr: np.ndarray) -> None:
    found = hrv_summary(rr)
    expected = plain_time_domain(rr.tolist(), found.labelled.normal.tolist())
    for name, value in expected.items():
        if name in found.missing:
            assert "needed" in found.missing[name]
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
    monkeypatch.setattr("analytics.hrv.complexity._BLOCK", 7000)
    assert (entropies(nn, follows), entropies(nn)) == whole


def test_dfa_equals_the_definition(rr: np.ndarray) -> None:
    for shortest, longest in ((4, 16), (16, 64)):
        expected = plain_dfa(rr.tolist(), shortest, longest)
        assert dfa_alpha(rr, shortest, longest) == EQUAL(expected, rel=1e-9)


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
    for method in (welch, lomb_scargle):
        found = method(np.array(times), np.array(nn))
        assert found.band_ms2(*band) == EQUAL(40**2 / 2, rel=0.08)
        assert found.peak_hz(*band) == EQUAL(hz, abs=0.01)


def test_a_hole_is_not_interpolated_over() -> None:
    times = np.concatenate([np.arange(0, 200, 0.8), np.arange(230, 400, 0.8)])
    nn = 800 + 30 * np.sin(2 * np.pi * 0.25 * times)
    found = spectrum(times, nn)
    assert found.method.startswith("Lomb-Scargle")
    assert found.band_ms2(*BANDS_HZ["hf"]) == EQUAL(450, rel=0.15)
    assert spectrum(times[:200], nn[:200]).method.startswith("Welch")


def test_tinn_of_a_triangle_is_its_base() -> None:
    counts = [*range(1, 21), *range(19, 0, -1)]
    nn = np.concatenate([np.full(c, 600 + k * 1000 / 128) for k, c in enumerate(counts)])
    assert tinn_ms(nn) == EQUAL(40 * 1000 / 128)


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
        assert words in found.missing[name]


@pytest.mark.parametrize(
    "rr", [[], [800.0], [800.0] * 400, [5.0] * 300, [math.nan] * 50, [800.0, math.inf] * 100]
)
def test_empty_constant_and_absurd_input_gets_reasons_and_no_nan(rr: list[float]) -> None:
    found = hrv_summary(np.array(rr))
    for name, value in found.values.items():
        if value is None:
            assert found.missing[name]
        else:
            assert math.isfinite(value)
    if rr and rr[0] == 800 and len(rr) == 400:
        assert found.values["rmssd_ms"] == 0
        assert "vary" in found.missing["sampen"]


def test_other_tools_say_the_same_where_they_follow_the_definition(recordings: Path) -> None:
    """What NeuroKit2 0.2.13 (numpy 2.3) says of the very same intervals; docs/evidence/hrv.md has
    where it and others differ.
    """
    nn = np.loadtxt(recordings / "rest_rri.txt")
    steps = np.diff(nn)
    everything, follows = np.ones(len(nn), bool), np.ones(len(nn), bool)
    follows[0] = False
    sd1, sd2 = variability.poincare_ms(nn, everything, follows)
    entropy = entropies(nn)
    for ours, theirs in (
        (float(np.mean(nn)), 1058.7186813186813),
        (sdnn_ms(nn), 57.81817771970009),
        (math.sqrt(float(np.mean(steps**2))), 55.13744203126742),
        (variability.sdsd_ms(steps), 55.167700730663555),
        (variability.mad_ms(nn), 51.891),
        (variability.percentile_range_ms(nn), 1106.0 - 1016.0),
        (variability.triangular_index(nn), 12.465753424657533),
        (sd1, 39.00945528912225),
        (sd2, 71.87886417160782),
        (entropy.approximate, 1.499443504687715),
        (entropy.sample, 1.7738200322056985),
        (variability.pnn_percent(steps, 50), 35.31353135313531),  # pyHRV and hrv-analysis
    ):
        assert ours == EQUAL(theirs, rel=1e-9)


def test_slow_breathing_is_said() -> None:
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


def test_a_day_is_too_long_for_entropy_and_says_so() -> None:
    found = hrv_summary(np.random.default_rng(0).normal(800, 30, 21_000))
    assert found.values["sampen"] is None
    assert "ask for windows" in found.missing["sampen"]


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
        said: dict[str, object] = json.loads(done.stdout)
        return said

    said = run("hrv", str(recordings / "rest_rri.txt"))
    wanted = (
        "mean_hr_bpm, mean_nn_ms, sdnn_ms, rmssd_ms, pnn50_percent, lf_ms2, hf_ms2, lf_hf, sd1_ms, "
        "sd2_ms, sampen, dfa_alpha1, stress_index_baevsky, quality"
    )
    for name in wanted.split(", "):
        assert said[name] is not None, name
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
