"""Compiled loops, NumPy and the plain definitions say the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from analytics.hrv import compiled
from analytics.hrv.engine import window_metrics
from analytics.hrv.entropy import entropies, window_entropies
from analytics.hrv.nonlinear import ALPHA_1, ALPHA_2, CorrectedWindows, dfa_alpha
from tests.analytics.reference import plain_dfa, plain_entropies


@pytest.fixture(autouse=True)
def _numpy_again() -> Iterator[None]:
    compiled.unload()
    yield
    compiled.unload()


def beats(kind: str, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Some hours with faults and gaps: intervals, times and runs."""
    rng = np.random.default_rng(seed)
    rr = 800 + 60 * np.sin(np.arange(9000) * 0.31) + rng.normal(0, 25, 9000)
    if kind == "whole milliseconds":
        rr = np.round(rr)
    elif kind == "few values":
        rr = np.round(rr / 20) * 20
    elif kind == "paced":
        rr = 800 + rng.normal(0, 0.5, 9000)
    elif kind == "constant in part":
        rr[2000:4000] = 800.0
    rr[rng.integers(0, 9000, 120)] *= 1.9
    run = np.cumsum(rng.random(9000) < 0.002)
    times = np.cumsum(rr) / 1000 + 20.0 * run
    return rr, times, run


@pytest.mark.parametrize(
    "kind", ["any", "whole milliseconds", "few values", "paced", "constant in part"]
)
@pytest.mark.parametrize("in_order", [True, False])
def test_compiled_metrics_equal_those_of_numpy(kind: str, in_order: bool) -> None:
    rr, times, run = beats(kind)
    starts = np.arange(0, times[-1], 47.0)
    if not in_order:
        starts = np.random.default_rng(1).permutation(starts)
    of_numpy = window_metrics(rr, times, starts, 300, run)
    assert compiled.loops() is None
    assert compiled.load() and compiled.loops() is not None
    found = window_metrics(rr, times, starts, 300, run)
    assert np.array_equal(found.normal, of_numpy.normal)
    np.testing.assert_allclose(found.nn_seconds, of_numpy.nn_seconds, rtol=1e-12)
    some = 0
    for name, values in of_numpy.values.items():
        some += int(np.isfinite(values).sum())
        # Where nothing varies, a line through rounding errors has any slope.
        steady = of_numpy.values["sdnn_ms"] < 1e-6 if name.startswith("dfa") else np.zeros(1, bool)
        np.testing.assert_allclose(
            np.where(steady, 0, found.values[name]),
            np.where(steady, 0, values),
            rtol=1e-9,
            atol=1e-9,
            err_msg=name,
        )
    assert some > 1000


def test_long_windows_keep_their_geometric_metrics() -> None:
    rr, times, _ = beats("whole milliseconds")
    starts = np.arange(0, times[-1] - 1800, 600.0)
    of_numpy = window_metrics(rr, times, starts, 1800)
    compiled.load()
    found = window_metrics(rr, times, starts, 1800)
    assert np.isfinite(of_numpy.values["tinn_ms"]).any()
    for name, values in of_numpy.values.items():
        np.testing.assert_allclose(found.values[name], values, rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("use_compiled", [True, False])
@pytest.mark.parametrize("kind", ["any", "few values"])
def test_entropies_of_windows_equal_their_definition(use_compiled: bool, kind: str) -> None:
    rr, _, run = beats(kind, seed=8)
    follows = np.append(False, np.diff(run) == 0)
    first = np.array([0, 40, 800, 700, 100])
    last = first + np.array([200, 263, 257, 320, 199])
    if use_compiled:
        assert compiled.load()
    found = window_entropies(rr, follows, first, last)
    assert np.isnan(found[:, 4]).all()  # 199 intervals are too few
    for row in range(4):
        part = slice(first[row], last[row])
        plain = plain_entropies(rr[part].tolist(), follows[part].tolist())
        np.testing.assert_allclose(found[:, row], plain, rtol=1e-9)
        alone = entropies(rr[part], follows[part])
        np.testing.assert_allclose([alone.sample, alone.approximate], plain, rtol=1e-9)


def test_a_difference_of_exactly_the_tolerance_matches() -> None:
    """SDNN is 50 but for rounding, r is 10, and neighbouring levels are 10 apart."""
    rng = np.random.default_rng(0)
    levels = np.repeat(800 + 10.0 * np.arange(-8, 9), 16)
    nn = rng.permutation(levels)
    nn = 800 + (nn - 800) * 50 / np.std(nn, ddof=1)
    tenth = np.diff(np.unique(nn)).min()
    ratio = tenth / (0.2 * np.std(nn, ddof=1))
    alone = entropies(nn, None, 0.2 * ratio)
    more, fewer = entropies(nn, None, 0.2 * ratio * 1.01), entropies(nn, None, 0.2 * ratio * 0.99)
    assert alone == more != fewer


def test_a_long_window_in_blocks_equals_one_of_the_loops() -> None:
    """4,500 intervals are more than go side by side; the loops leave them to NumPy."""
    rr, _, run = beats("any")
    follows = np.append(False, np.diff(run) == 0)
    first, last = np.array([0]), np.array([4500])
    found = window_entropies(rr, follows, first, last)
    compiled.load()
    assert np.array_equal(found, window_entropies(rr, follows, first, last))
    assert np.isfinite(found).all()


def test_dfa_of_loops_equals_its_definition() -> None:
    rr, _, _ = beats("any")
    follows = np.arange(len(rr)) > 0
    compiled.load()
    windows = CorrectedWindows(rr, follows, np.array([17]), np.array([417]))
    for sizes in (ALPHA_1, ALPHA_2):
        plain = plain_dfa(rr[17:417].tolist(), *sizes)
        assert float(dfa_alpha(windows, sizes)[0]) == pytest.approx(plain, rel=1e-8)


def test_without_numba_everything_is_computed_all_the_same() -> None:
    """In a process that has none; and a short series never imports it."""
    code = """
import sys, importlib.util
{hide}
import numpy as np
from analytics.hrv import compiled
from analytics.hrv.engine import window_metrics
rr = 800 + 40 * np.sin(np.arange(2000) * 0.4)
found = window_metrics(rr, np.cumsum(rr) / 1000, np.arange(0, 1200, 300.0), 300)
assert np.isfinite(found.values["sampen"]).all()
assert "numba" not in sys.modules and compiled.load() is {loads}
"""
    hidden = """
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "numba" else find(name)
"""
    for hide, loads in (("", True), (hidden, False)):
        done = subprocess.run(
            [sys.executable, "-c", code.format(hide=hide, loads=loads)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, done.stderr
