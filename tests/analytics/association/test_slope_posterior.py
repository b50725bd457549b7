"""The posterior of a slope, against the same worked out step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.association.detrending import (
    constant_basis,
    detrend,
    step_places,
    steps_at,
    trend_basis,
)
from analytics.association.slope_posterior import slope_posterior


def draw(seed: int, n: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    days = np.sort(rng.uniform(0, 28, n))
    x = rng.standard_normal(n) - 3 * (np.arange(n) > n // 2)
    return days, x, 0.4 * x + rng.standard_normal(n), trend_basis(days)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(25, 90))
def test_sums_from_the_end_equal_the_steps_themselves(seed: int, n: int) -> None:
    days, x, y, basis = draw(seed, n)
    at = step_places(basis)
    fast = slope_posterior(detrend(days, x, y, basis))
    slow = slope_posterior(detrend(days, x, y, basis, step_columns=steps_at(at, n)))
    assert fast.mean == pytest.approx(slow.mean, rel=1e-6, abs=1e-9)
    assert fast.quantile(0.975) == pytest.approx(slow.quantile(0.975), rel=1e-6, abs=1e-9)
    assert fast.rho == pytest.approx(slow.rho, abs=1e-6)


def test_without_doubts_it_is_ordinary_least_squares() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 40))
    series = detrend(np.arange(40.0), x, y, constant_basis(40), with_steps=False)
    found = slope_posterior(series, rhos=np.array([0.0]))
    from scipy import stats

    plain = stats.linregress(x, y)
    assert found.mean == pytest.approx(plain.slope)
    assert found.p_value == pytest.approx(plain.pvalue)
    reach = stats.t.ppf(0.975, 38) * plain.stderr
    assert found.quantile(0.975) == pytest.approx(plain.slope + reach, rel=1e-6)


def test_interval_and_p_value_agree_and_few_ratings_are_refused() -> None:
    for seed in range(20):
        days, x, y, basis = draw(seed, 40)
        found = slope_posterior(detrend(days, x, y, basis))
        outside = not found.quantile(0.025) <= 0 <= found.quantile(0.975)
        assert outside == (found.p_value < 0.05)
        assert found.sd > 0
    with pytest.raises(ValueError, match="too few"):
        slope_posterior(detrend(days[:6], x[:6], y[:6], np.eye(6)[:, :5], with_steps=False))


def test_the_likeliest_step_is_where_it_was_put() -> None:
    days, x, y, basis = draw(3, 60)
    there = np.arange(60) > 30
    step = detrend(days, x - 9 * there, y - 9 * there, basis).likeliest_step()
    assert step is not None
    assert abs(int(np.argmax(step)) - 31) <= 1
