"""Windows worked out all at once equal the figures of each window by itself."""

from __future__ import annotations

import csv
import io
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

from analytics.hrv.artefacts import label_beats
from analytics.hrv.correction import correct_beats
from analytics.hrv.engine import WindowMetrics, window_metrics
from analytics.hrv.entropy import entropies
from analytics.hrv.frequency_domain import BANDS_HZ, Spectrum
from analytics.hrv.gapped import GAPPED, gapped_welch
from analytics.hrv.metric import Domain
from ingest.files.rr_text import read_rr_file
from tests.analytics import reference
from tests.analytics.reference import dfa_alpha, plain_welch
from tests.support.signals import RECORDINGS


def one_by_one(rr: np.ndarray, times: np.ndarray, start: float, length: float) -> dict[str, float]:
    """Time-domain metrics of one window, by their definitions for one window."""
    normal = label_beats(rr).normal
    inside = (times >= start) & (times < start + length)
    follows = np.ones(int(inside.sum()), dtype=bool)
    follows[:1] = False
    part, ok = rr[inside], normal[inside]
    of = reference.time_domain(part, ok, follows)
    return {name: of[name] for name in of if name not in ("triangular_index", "tinn_ms")}


@pytest.fixture(params=RECORDINGS)
def series(request: pytest.FixtureRequest, recordings: Path) -> tuple[np.ndarray, np.ndarray]:
    (run,) = read_rr_file(recordings / request.param, 10_000).runs
    rr = np.array(run) / 10
    return rr, np.cumsum(rr) / 1000


@pytest.mark.parametrize(("length", "step"), [(300.0, 30.0), (60.0, 7.0), (120.5, 40.0)])
def test_every_window_of_every_recording(
    series: tuple[np.ndarray, np.ndarray], length: float, step: float
) -> None:
    rr, times = series
    starts = np.arange(0.0, max(times[-1] - length, 1.0), step)
    found = window_metrics(rr, times, starts, length)
    compared = 0
    for index, start in enumerate(starts.tolist()):
        if found.normal_share[index] < 0.8 or found.nn_seconds[index] < 60:
            assert np.isnan(found.values["rmssd_ms"][index])
            continue
        for name, value in one_by_one(rr, times, start, length).items():
            got = found.values[name][index]
            if name == "stress_index_baevsky" and np.isnan(got):
                continue  # fewer than 100 beats
            assert got == pytest.approx(value, rel=1e-9), (name, index)
            compared += 1
    assert compared > 0 or times[-1] < length


def test_the_spectrum_of_a_window_is_welchs_of_the_stretchs_spline() -> None:
    rng = np.random.default_rng(2)
    rr = 850 + 40 * np.sin(np.arange(1500) * 1.4) + rng.uniform(-15, 15, 1500)
    times = np.cumsum(rr) / 1000
    ok = label_beats(rr).normal
    assert ok.mean() > 0.97
    starts = np.array([100.0, 333.3, 641.7])
    found = window_metrics(rr, times, starts, 300.0)
    assert np.diff(times[ok]).max() < 3.5  # what is left out leaves no hole
    series = correct_beats(rr, times, None, label_beats(rr))
    spline = CubicSpline(series.time_s, series.nn_ms)
    for index, start in enumerate(starts.tolist()):
        # plain_welch samples a spline of its own: hand it points that it cannot change.
        hz, power = plain_welch_of(spline(start + np.arange(1200) / 4))
        for band, (low, high) in BANDS_HZ.items():
            inside = (hz >= low) & (hz < high)
            expected = float(np.sum(power[inside]) * hz[1])
            assert found.values[f"{band}_ms2"][index] == pytest.approx(expected, rel=1e-9)
        lf, hf = found.values["lf_ms2"][index], found.values["hf_ms2"][index]
        assert found.values["lf_hf"][index] == pytest.approx(lf / hf, rel=1e-12)
        assert found.values["hf_nu"][index] == pytest.approx(100 * hf / (lf + hf), rel=1e-12)


def plain_welch_of(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``plain_welch`` of samples at 4 Hz: a spline through its own nodes returns them."""
    at = np.arange(len(samples) + 1) * 0.25
    return plain_welch(at.tolist(), [*samples.tolist(), float(samples[-1])])


def test_a_window_with_a_hole_gets_the_spectrum_of_its_pieces() -> None:
    rng = np.random.default_rng(4)
    rr = 800 + 30 * np.sin(np.arange(900) * 1.3) + rng.normal(0, 10, 900)
    times = np.cumsum(rr) / 1000
    times[450:] += 60
    run = np.repeat([0, 1], 450)
    found = window_metrics(rr, times, np.array([230.0]), 300.0, run)
    series = correct_beats(rr, times, run, label_beats(rr, run))
    hz, power = gapped_welch(series.time_s, series.nn_ms, series.follows, (230.0, 300.0), 4.0)
    expected = Spectrum(hz, power, GAPPED)
    assert found.holed.tolist() == [True]
    assert found.longest_gap_s[0] == pytest.approx(60, abs=2)
    for band, edges in BANDS_HZ.items():
        value = expected.band_ms2(*edges)
        if not np.isnan(found.values[f"{band}_ms2"][0]):
            assert found.values[f"{band}_ms2"][0] == pytest.approx(value, rel=1e-9)
    assert not np.isnan(found.values["hf_ms2"][0])
    assert np.isnan(found.values["vlf_ms2"][0])  # 60 s of the five minutes are missing


def random_series(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rr = 800 + 50 * np.sin(np.arange(count) * 1.4) + rng.normal(0, 15, count)
    return rr, np.cumsum(rr) / 1000


def same(first: WindowMetrics, second: WindowMetrics, order: np.ndarray) -> None:
    for name, values in first.values.items():
        np.testing.assert_allclose(
            values[order], second.values[name], rtol=1e-9, atol=1e-9, equal_nan=True
        )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.permutations(range(8)))
def test_the_order_of_windows_does_not_matter(seed: int, order: list[int]) -> None:
    rr, times = random_series(seed, 700)
    starts = np.arange(8) * 40.0
    chosen = np.array(order)
    same(
        window_metrics(rr, times, starts, 120),
        window_metrics(rr, times, starts[chosen], 120),
        chosen,
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 86_400))
def test_a_shift_in_time_changes_nothing(seed: int, shift: int) -> None:
    rr, times = random_series(seed, 500)
    times = np.round(times * 1024) / 1024  # so that the shift is exact
    starts = np.arange(5) * 50.0
    first = window_metrics(rr, times, starts, 150)
    second = window_metrics(rr, times + shift, starts + shift, 150)
    for name, values in first.values.items():
        np.testing.assert_allclose(
            values, second.values[name], rtol=1e-6, atol=1e-9, equal_nan=True
        )


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rr, times = random_series(1, 3000)
    starts = np.arange(0, 2000, 15.0)
    whole = window_metrics(rr, times, starts, 200)
    monkeypatch.setattr("analytics.hrv.engine._ROWS", 1500)
    monkeypatch.setattr("analytics.hrv.engine._BLOCK", 400)
    monkeypatch.setattr("analytics.hrv.frequency_domain._CHUNK", 5000)
    same(whole, window_metrics(rr, times, starts, 200), np.arange(len(starts)))


@pytest.mark.parametrize("length", [300.0, 120.5])
def test_entropy_and_dfa_of_every_window(
    series: tuple[np.ndarray, np.ndarray], length: float
) -> None:
    rr, times = series
    starts = np.arange(0.0, max(times[-1] - length, 1.0), 61.7)
    found = window_metrics(rr, times, starts, length)
    nn = correct_beats(rr, times, None, label_beats(rr))
    compared = 0
    for index, start in enumerate(starts.tolist()):
        inside = (nn.time_s >= start) & (nn.time_s < start + length)
        part, follows = nn.nn_ms[inside], nn.follows[inside]
        expected = {
            "dfa_alpha1": dfa_alpha(part, 4, 16, follows),
            "dfa_alpha2": dfa_alpha(part, 16, 64, follows),
        }
        if len(part) >= 200:
            both = entropies(part, follows)
            expected |= {"sampen": both.sample, "apen": both.approximate}
        for name, value in expected.items():
            got = found.values[name][index]
            if not np.isnan(got):
                assert got == pytest.approx(value, rel=1e-9), (name, index)
                compared += 1
    assert compared > 0


def test_geometric_figures_of_long_windows() -> None:
    rr, times = random_series(6, 6000)
    found = window_metrics(rr, times, np.array([0.0, 1800.0]), 1500.0)
    for index, start in enumerate((0.0, 1800.0)):
        ok = (times >= start) & (times < start + 1500) & label_beats(rr).normal
        assert found.values["triangular_index"][index] == reference.triangular_index(rr[ok])
        assert found.values["tinn_ms"][index] == reference.tinn_ms(rr[ok])


def test_how_good_each_window_is() -> None:
    rr = np.full(900, 1000.0) + np.random.default_rng(1).normal(0, 10, 900)
    rr[250] *= 2
    times = np.cumsum(rr) / 1000
    times[600:] += 30
    run = np.repeat([0, 1], [600, 300])
    contact = np.where(np.arange(900) < 100, 0, 1).astype(np.int8)
    when = np.arange(0, 900, 5.0)
    found = window_metrics(
        rr, times, np.array([0.0, 200, 500]), 300, run, contact=contact, motion=(when, when)
    )
    assert found.contact_share == pytest.approx([200 / 299, 1, 1], abs=0.01)
    assert found.motion_mg == pytest.approx([147.5, 347.5, 647.5])
    assert found.longest_gap_s == pytest.approx([100, 2, 30], abs=1.5)
    assert found.filled_share == pytest.approx([2 / 200, 2 / 300, 0], abs=0.003)
    assert found.coverage == pytest.approx([0.66, 298 / 300, 0.9], abs=0.01)


def test_memory_is_bounded_by_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from analytics.hrv import engine

    sizes: list[int] = []
    inner = engine.label_beats

    def watched(rr: np.ndarray, *rest: object) -> object:
        sizes.append(len(rr))
        return inner(rr, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("analytics.hrv.engine.label_beats", watched)
    rr, times = random_series(1, 200_000)
    counts: list[int] = []
    starts = np.arange(0, times[-1] - 300, 30.0)
    window_metrics(rr, times, starts, 300, domains={Domain.TIME}, progress=counts.append)
    assert max(sizes) < 32_000 and len(sizes) >= 6
    assert sum(counts) == len(starts)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([20.0, 90.0, 300.0, 1500.0]), st.floats(0, 0.3))
def test_every_absent_figure_has_its_reason(seed: int, length: float, spoilt: float) -> None:
    rng = np.random.default_rng(seed)
    rr, _ = random_series(seed, 2500)
    rr = np.where(rng.random(2500) < spoilt, rr * rng.uniform(0.3, 2.5, 2500), rr)
    if seed % 3 == 0:
        rr[:] = 800.0
    times = np.cumsum(rr) / 1000
    found = window_metrics(rr, times, np.array([-5000.0, 0.0, 300.0, times[-1] - 30]), length)
    for name, values in found.values.items():
        for row, value in enumerate(values.tolist()):
            assert (found.missing_reason(name, row) is None) == math.isfinite(value)


@pytest.mark.parametrize("count", [0, 1, 3, 50])
def test_hardly_any_beats_give_hardly_any_figures(count: int) -> None:
    rr, times = random_series(0, count)
    found = window_metrics(rr, times, np.array([0.0, 1e6]), 300)
    for name, values in found.values.items():
        if name not in ("mean_hr_bpm", "mean_nn_ms"):
            assert np.isnan(values).all(), name
    assert found.intervals.tolist() == [count, 0]
    assert window_metrics(rr, times, np.empty(0), 300).values["rmssd_ms"].shape == (0,)


def test_shapes_and_order_are_checked() -> None:
    with pytest.raises(ValueError, match="must increase"):
        window_metrics(np.full(3, 800.0), np.array([1.0, 1.0, 2.0]), np.zeros(1), 300)
    with pytest.raises(ValueError, match="shape"):
        window_metrics(np.full(3, 800.0), np.zeros(2), np.zeros(1), 300)
    with pytest.raises(ValueError, match="longer than 0"):
        window_metrics(np.full(2, 800.0), np.array([1.0, 2.0]), np.zeros(1), 0)


def test_the_command_gives_windows_as_csv_and_json(recordings: Path) -> None:
    def run(form: str) -> str:
        return subprocess.run(
            [
                *(sys.executable, "-m", "ebbtide", "hrv", str(recordings / "pyhrv_nni_long.txt")),
                *("--window", "300", "--step", "30", form),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    rows = list(csv.DictReader(io.StringIO(run("--csv"))))
    printed = json.loads(run("--json"))["windows"]
    assert len(rows) == len(printed) == 111  # the last reaches past the end by less than a tenth
    assert float(rows[3]["start_s"]) == printed[3]["start_s"] == 90
    assert float(rows[3]["rmssd_ms"]) == pytest.approx(printed[3]["rmssd_ms"], rel=1e-12)


def test_the_command_writes_parquet_and_reads_any_apps_file(
    recordings: Path, tmp_path: Path
) -> None:
    import pandas as pd

    rr = np.loadtxt(recordings / "rest_rri.txt")
    at = 1_790_000_000_000 + np.round(np.cumsum(rr)).astype(int)
    timed = tmp_path / "logger.txt"  # HRV Logger's form
    timed.write_text(
        "Phone timestamp;RR-interval [ms]\n"
        + "".join(
            f"{pd.Timestamp(int(t), unit='ms').isoformat(timespec='milliseconds')};{v:.0f}\n"
            for t, v in zip(at, rr, strict=True)
        )
    )
    tables = []
    for name in (recordings / "rest_rri.txt", timed):
        out = tmp_path / f"{name.stem}.parquet"
        subprocess.run(
            [
                *(sys.executable, "-m", "ebbtide", "hrv", str(name), "--window", "300"),
                *("--step", "60", "--parquet", "--output", str(out)),
            ],
            check=True,
            timeout=60,
        )
        tables.append(pd.read_parquet(out))
    assert len(tables[0]) == len(tables[1]) > 8
    assert tables[0]["mean_hr_bpm"].to_numpy() == pytest.approx(
        tables[1]["mean_hr_bpm"].to_numpy(), rel=0.01
    )
