"""The spline through beats, beside SciPy's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from analytics.hrv import compiled
from analytics.hrv.spline import WORTH_SCIPY, BeatSpline, fit_spline


@pytest.fixture(params=["numpy", "compiled"], scope="module", autouse=True)
def _loops(request: pytest.FixtureRequest) -> Iterator[None]:
    before = compiled.loops() is not None
    compiled.unload()
    if request.param == "compiled" and not compiled.load():
        pytest.skip("Numba is not installed")
    yield
    compiled.unload()
    if before:
        compiled.load()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(200, 3000), st.floats(200, 3000)), min_size=4, max_size=200),
    st.integers(0, 2**32 - 1),
)
def test_it_is_scipys_spline(beats: list[tuple[float, float]], seed: int) -> None:
    steps, y = np.array(beats).T
    x = np.cumsum(steps) / 1000
    at = np.linspace(x[0] - 1, x[-1] + 1, 300)
    np.random.default_rng(seed).shuffle(at[100:])  # in any order
    expected = CubicSpline(x, y)(at)
    # Beyond its ends it is steep: relative to the largest number in reach.
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(BeatSpline(x, y)(at), expected, rtol=0, atol=1e-11 * scale)


@pytest.mark.parametrize("many", [4, 5, 6, WORTH_SCIPY, WORTH_SCIPY + 1, 20_000])
def test_it_is_the_same_on_either_side_of_what_is_worth_scipy(many: int) -> None:
    rng = np.random.default_rng(many)
    y = 800 + 60 * rng.standard_normal(many)
    x = np.cumsum(y) / 1000
    at = np.arange(x[0], x[-1], 0.25)
    found = fit_spline(x, y)
    np.testing.assert_array_equal(found.x, x)
    np.testing.assert_allclose(found(at), CubicSpline(x, y)(at), rtol=1e-11, atol=1e-9)


def test_it_goes_through_its_beats_and_a_straight_line_stays_straight() -> None:
    x = np.array([0.0, 0.7, 1.9, 2.2, 5.0])
    np.testing.assert_allclose(BeatSpline(x, x**2)(x), x**2, atol=1e-12)
    np.testing.assert_allclose(BeatSpline(x, 3 * x - 1)(x + 0.3), 3 * (x + 0.3) - 1, atol=1e-12)


def test_fewer_than_four_beats_are_refused() -> None:
    with pytest.raises(ValueError, match="4 beats"):
        BeatSpline(np.arange(3.0), np.arange(3.0))
