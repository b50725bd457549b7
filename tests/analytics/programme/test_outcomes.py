"""The trial of Pain Reprocessing Therapy, to the last digit given; and small cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analytics.programme.outcomes import group_outcome, hedges_g, share
from tests.conftest import SHARED


@pytest.fixture
def trial() -> pd.DataFrame:
    path = SHARED / "trial" / "Ashar2022_outcomes_demographics.csv"
    if not path.is_file():
        pytest.skip("../shared/data/trial is not here")
    table = pd.read_csv(path)
    table = table[(table["is_patient"] == 1) & table["group"].notna()]
    return table.pivot_table(index=["id", "group"], columns="time", values="pain_avg").reset_index()


EXPECTED = {
    1: (50, 44, 3.940, 1.504, 1.182, 1.244, 33, 84.1, 79.5),
    2: (51, 44, 3.804, 1.575, 2.841, 1.642, 10, 50.0, 34.1),
    3: (50, 47, 3.600, 1.443, 3.128, 1.454, 5, 27.7, 17.0),
}


@pytest.mark.parametrize("group", EXPECTED)
def test_the_trials_table(trial: pd.DataFrame, group: int) -> None:
    rows = trial[trial["group"] == group]
    found = group_outcome(rows[1].to_numpy(), rows[2].to_numpy())
    numbers = (found.mean_before, found.sd_before, found.mean_after, found.sd_after)
    assert (
        found.n_baseline,
        found.n_after,
        *(round(value, 3) for value in numbers if value is not None),
        found.pain_free_or_nearly.count,
        round(found.responders_30_percent.percent or 0, 1),
        round(found.responders_50_percent.percent or 0, 1),
    ) == EXPECTED[group]
    assert found.pain_free_or_nearly.of == found.n_baseline


def test_the_trials_effect_sizes(trial: pd.DataFrame) -> None:
    change = {g: (rows[2] - rows[1]).to_numpy() for g, rows in trial.groupby("group")}
    placebo, usual = hedges_g(change[1], change[2]), hedges_g(change[1], change[3])
    assert placebo.g is not None and usual.g is not None
    assert (round(placebo.g, 2), round(usual.g, 2)) == (-1.15, -1.78)
    other = hedges_g(change[2], change[1])
    assert (other.g, other.low, other.high) == pytest.approx(
        (-placebo.g, -(placebo.high or 0), -(placebo.low or 0))
    )


def test_intervals_cover() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(400):
        found = hedges_g(rng.normal(-1, 2, 40), rng.normal(0.6, 2, 45))
        assert found.low is not None and found.high is not None
        inside += found.low <= -0.8 <= found.high
    assert 0.92 <= inside / 400 <= 0.98
    low, high = stats.binomtest(7, 20).proportion_ci(0.95, "wilson")
    seven = share(np.arange(20) < 7)
    assert (seven.percent, seven.low, seven.high) == pytest.approx((35, 100 * low, 100 * high))


def test_thresholds_are_exact_and_the_missing_do_not_count_as_free() -> None:
    before = np.array([10.0, 10, 6, 0, 5, np.nan])
    after = np.array([7.0, 5, np.nan, 0, 1, 2])
    found = group_outcome(before, after)
    assert (found.n_baseline, found.n_after) == (5, 4)
    assert (found.responders_30_percent.count, found.responders_30_percent.of) == (3, 3)
    assert found.responders_50_percent.count == 2
    assert (found.pain_free_or_nearly.count, found.pain_free_or_nearly.of) == (2, 5)


def test_no_subjects_give_no_number() -> None:
    found = group_outcome(np.empty(0), np.empty(0))
    assert (found.mean_before, found.sd_before, found.mean_after) == (None, None, None)
    assert found.responders_30_percent.percent is None
    assert hedges_g(np.array([1.0]), np.zeros(5)).missing_reason is not None
    assert hedges_g(np.zeros(5), np.zeros(5)).missing_reason == "everybody changed by the same"
