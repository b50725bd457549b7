"""What is missing adds no power; years need no more memory than days."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.hrv.engine import window_metrics
from analytics.hrv.frequency_domain import BANDS_HZ, Spectrum, compute_spectrum, welch
from analytics.hrv.gapped import GAPPED, gapped_welch
from analytics.hrv.summary import hrv_summary

LF_HZ, HF_HZ, LF_MS, HF_MS = 0.1, 0.25, 25.0, 45.0


def waves(seconds: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Beats with a wave in LF and one in HF: time_s and rr_ms."""
    times, rr = [0.0], [850.0]
    one, two = rng.uniform(0, 2 * np.pi, 2)
    while times[-1] < seconds:
        t = times[-1]
        rr.append(
            850
            + LF_MS * np.sin(2 * np.pi * LF_HZ * t + one)
            + HF_MS * np.sin(2 * np.pi * HF_HZ * t + two)
            + rng.normal(0, 4)
        )
        times.append(t + rr[-1] / 1000)
    return np.array(times), np.array(rr)


@pytest.mark.parametrize("seconds", [75.0, 300.9, 700.3])
def test_without_a_gap_it_is_welch(seconds: float) -> None:
    times, rr = waves(seconds, np.random.default_rng(1))
    expected = welch(times, rr)
    hz, power = gapped_welch(times, rr, np.arange(len(rr)) > 0)
    np.testing.assert_allclose(hz, expected.hz)
    peak = expected.power_ms2_hz.max()
    np.testing.assert_allclose(power, expected.power_ms2_hz, rtol=1e-9, atol=1e-9 * peak)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**31),
    st.lists(st.tuples(st.floats(20, 560), st.floats(5, 200)), min_size=1, max_size=5),
)
def test_gaps_of_any_number_length_and_place_leave_the_power(
    seed: int, gaps: list[tuple[float, float]]
) -> None:
    times, rr = waves(600, np.random.default_rng(seed))
    have = np.ones(len(rr), np.bool_)
    for start, length in gaps:
        have &= (times < start) | (times - rr / 1000 > start + length)
    run = np.cumsum(np.append(False, np.diff(np.flatnonzero(have)) > 1))
    whole, parts = hrv_summary(rr, times), hrv_summary(rr[have], times[have], run)
    for name, tolerance in (("hf_ms2", 0.12), ("lf_ms2", 0.25)):
        value, expected = parts.values[name], whole.values[name]
        assert expected is not None
        if value is None:
            assert parts.missing_reason[name]
        else:
            assert value == pytest.approx(expected, rel=tolerance), (name, parts.seconds)


def noise(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Beats of 340 s of which the power falls with frequency and peaks in LF and HF."""
    hz = np.fft.rfftfreq(2800, 0.25)
    power = 30 / np.maximum(hz, 0.003) * (hz > 0) * (hz < 0.5)
    power += 8000 * (np.exp(-(((hz - 0.1) / 0.02) ** 2)) + np.exp(-(((hz - 0.25) / 0.03) ** 2)))
    spectrum = np.sqrt(power * 2800) * (rng.normal(size=len(hz)) + 1j * rng.normal(size=len(hz)))
    wave, times, rr = np.fft.irfft(spectrum), [0.0], [850.0]
    while times[-1] < 340:
        rr.append(850 + np.interp(4 * times[-1], np.arange(len(wave)), wave))
        times.append(times[-1] + rr[-1] / 1000)
    return np.array(times), np.array(rr)


@pytest.mark.parametrize("gaps", [[(60, 180)], [(40, 70), (120, 160), (200, 250)]])
def test_gaps_add_no_power_to_noise_on_average(gaps: list[tuple[float, float]]) -> None:
    """A wave could be right by chance; noise leaks into every band where gaps are not corrected."""
    ratios = []
    for seed in range(60):
        times, rr = noise(np.random.default_rng(seed))
        have = np.ones(len(rr), np.bool_)
        for start, end in gaps:
            have &= (times < start) | (times - rr / 1000 > end)
        at = np.flatnonzero(have)
        follows = np.append(False, np.diff(at) == 1)
        whole = gapped_welch(times, rr, np.arange(len(rr)) > 0, (20.0, 300.0))
        parts = gapped_welch(times[at], rr[at], follows, (20.0, 300.0))
        ratios.append(
            [
                Spectrum(*parts, GAPPED).band_ms2(*BANDS_HZ[band])
                / Spectrum(*whole, GAPPED).band_ms2(*BANDS_HZ[band])
                for band in ("lf", "hf")
            ]
        )
    error = np.std(ratios, axis=0) / np.sqrt(len(ratios))
    assert (error < 0.05).all()
    assert (np.abs(np.mean(ratios, axis=0) - 1) < 3 * error).all()


def test_recordings_days_apart_count_by_their_time() -> None:
    times, rr = waves(300, np.random.default_rng(3))
    apart = np.concatenate([times, times + 5 * 86_400])
    found = hrv_summary(np.tile(rr, 2), apart, np.repeat([0, 1], len(rr)))
    once = hrv_summary(rr, times)
    for name in ("hf_ms2", "lf_ms2"):
        assert found.values[name] == pytest.approx(once.values[name], rel=0.05)


def test_a_file_and_its_one_window_agree() -> None:
    times, rr = waves(300, np.random.default_rng(4))
    have = (times < 100) | (times > 160)
    run = (times[have] > 130).astype(np.int64)
    whole = hrv_summary(rr[have], times[have], run)
    window = window_metrics(rr[have], times[have], np.zeros(1), 300.0, run)
    for name in ("hf_ms2", "lf_ms2"):
        assert window.values[name][0] == pytest.approx(whole.values[name], rel=0.03)


def test_years_of_one_minute_measurements_need_little_memory() -> None:
    times, rr = waves(60, np.random.default_rng(5))
    count = 1500
    year = np.concatenate([times + k * 3.4e5 for k in range(count)])  # 16 years
    values = np.tile(rr, count)
    follows = np.arange(len(values)) % len(rr) > 0
    tracemalloc.start()
    found = compute_spectrum(year, values, follows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6
    assert found.band_ms2(*BANDS_HZ["hf"]) == pytest.approx(HF_MS**2 / 2, rel=0.08)


def test_pieces_too_short_for_lf_give_none() -> None:
    times, rr = waves(40, np.random.default_rng(6))
    many = np.concatenate([times + 1000 * k for k in range(8)])
    found = hrv_summary(np.tile(rr, 8), many, np.repeat(np.arange(8), len(rr)))
    assert found.values["lf_ms2"] is None and found.missing_reason["lf_ms2"]
    assert found.values["total_ms2"] is None and found.missing_reason["total_ms2"]
    assert found.values["hf_ms2"] == pytest.approx(HF_MS**2 / 2, rel=0.1)


FAULTS = ("premature", "echo", "noise", *(f"run of {n}" for n in range(2, 6)))


def disturb(rr: np.ndarray, fault: str, places: list[int]) -> np.ndarray:
    """Put a fault before each of ``places`` (increasing)."""
    parts, at = [], 0
    for place in places:
        usual = float(np.median(rr))
        part = {
            "premature": [0.51 * usual],
            "echo": [130.0],
            "noise": [210.0, 90.0, 340.0, 150.0],
        }.get(fault) or [0.55 * usual] * int(fault.split()[-1])
        parts += [rr[at:place], np.array(part)]
        at = place
    return np.concatenate([*parts, rr[at:]])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mean_ms", [600.0, 860.0, 1150.0])
@pytest.mark.parametrize("rmssd_ms", [12.0, 30.0, 60.0])
def test_a_fault_is_not_filled_with_itself(fault: str, mean_ms: float, rmssd_ms: float) -> None:
    rng = np.random.default_rng(11)
    t, clean = 0.0, []
    for _ in range(int(330_000 / mean_ms)):
        wave = np.sin(2 * np.pi * HF_HZ * t)
        # RMSSD of a wave of amplitude a: a * sqrt(2) * sin(pi f T).
        a = rmssd_ms / (np.sqrt(2) * np.sin(np.pi * HF_HZ * mean_ms / 1000))
        clean.append(mean_ms + a * wave + rng.normal(0, 0.1 * rmssd_ms))
        t += clean[-1] / 1000
    rr = np.array(clean)
    places = [len(rr) // 3, 2 * len(rr) // 3]
    truth, found = hrv_summary(rr), hrv_summary(disturb(rr, fault, places))
    for name, tolerance in (("hf_ms2", 0.12), ("rmssd_ms", 0.06)):
        assert found.values[name] == pytest.approx(truth.values[name], rel=tolerance), name
