"""How strong a shared cause would have to be; and reliability from ratings given twice."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.association.detrending import constant_basis
from analytics.association.sensitivity import (
    reliability_from_repeats,
    robustness_value,
    share_of_day,
)


def test_robustness_value_of_the_paper() -> None:
    """Cinelli and Hazlett 2020, table 1: 0.097 (0.023), 783 degrees of freedom: 7.6% at 5%."""
    limit = 1.963
    low, high = 0.0973 - limit * 0.02326, 0.0973 + limit * 0.02326
    assert robustness_value(0.0973, low, high, 783) == pytest.approx(0.076, abs=0.002)
    assert robustness_value(0.1, -0.1, 0.3, 50) == 0.0


def test_share_of_the_day() -> None:
    rng = np.random.default_rng(1)
    hours = rng.uniform(7, 22, 400)
    wave = np.cos(2 * np.pi * hours / 24)
    wave = wave / np.std(wave)
    x, y = wave + rng.standard_normal(400), rng.standard_normal(400)
    assert share_of_day(hours, x, y, constant_basis(400)) == pytest.approx(0.5, abs=0.08)
    assert share_of_day(np.full(400, 9.0), x, y, constant_basis(400)) == 0.0


def test_reliability_from_ratings_given_again() -> None:
    rng = np.random.default_rng(2)
    truth = np.repeat(rng.standard_normal(300), 2)
    days = np.arange(300)[:, None] + np.array([0.0, 0.25 / 24])
    rated = truth + 0.5 * rng.standard_normal(600)
    found = reliability_from_repeats(days.ravel(), rated, rated - np.mean(rated))
    assert found == pytest.approx(0.8, abs=0.05)
    assert reliability_from_repeats(np.arange(600.0), rated, rated) is None
