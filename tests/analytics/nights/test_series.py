"""One series of nights a person, and how far devices agree."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.nights import calmer_than, device_agreement, night_series

RNG = np.random.default_rng(5)


def test_agreement_is_bland_and_altman_s() -> None:
    first, second = RNG.normal(60, 4, 40), RNG.normal(57, 5, 40)
    second[7] = np.nan
    found = device_agreement(first, second, is_ratio=False)
    gap = np.delete(first - second, 7)
    sd = np.std(gap, ddof=1)
    assert found.n == 39 and found.missing_reason is None
    assert found.bias == pytest.approx(np.mean(gap))
    assert (found.low, found.high) == pytest.approx(
        (np.mean(gap) - 1.96 * sd, np.mean(gap) + 1.96 * sd)
    )
    interval = stats.ttest_1samp(gap, 0).confidence_interval(0.95)
    assert (found.bias_low, found.bias_high) == pytest.approx(tuple(interval))
    # Of the paper: about the square root of 3/n of a standard deviation, each side of the limit.
    assert found.low is not None and found.low_outer is not None
    width = found.low - found.low_outer
    assert width == pytest.approx(2.02 * sd * np.sqrt(3 / 39), rel=0.05)


def test_ratios_and_too_few_nights() -> None:
    second = np.exp(RNG.normal(3.7, 0.2, 30))
    found = device_agreement(1.25 * second, second, is_ratio=True)
    assert found.bias == pytest.approx(1.25) and found.high == pytest.approx(1.25)
    few = device_agreement(second[:13], second[:13], is_ratio=True)
    assert (few.bias, few.missing_reason) == (None, "13 of at least 14 nights that both measured")
    with pytest.raises(ValueError, match="above 0"):
        device_agreement(np.zeros(20), second[:20], is_ratio=True)
    with pytest.raises(ValueError, match="one value a night"):
        device_agreement(second[:20], second[:19], is_ratio=True)


def test_devices_that_overlap_share_a_level_and_others_have_their_own() -> None:
    ring = np.exp(RNG.normal(3.7, 0.2, 60))
    days = np.arange(60)
    # The strap: 40% more, on the last 20 nights of the ring and 30 more; the watch: later, alone.
    strap_days, watch_days = np.arange(40, 90), np.arange(90, 120)
    strap = np.r_[1.4 * ring[40:], np.exp(RNG.normal(3.7, 0.2, 30)) * 1.4]
    watch = np.exp(RNG.normal(4.5, 0.2, 30))
    names = ["ring"] * 60 + ["strap"] * 50 + ["watch"] * 30
    series = night_series(np.r_[days, strap_days, watch_days], names, np.r_[ring, strap, watch])
    assert len(series.days) == 120
    assert series.level.tolist() == [0] * 90 + [1] * 30
    assert series.log_value[:60] == pytest.approx(np.log(ring))
    assert series.shift[series.devices.index("strap")] == pytest.approx(np.log(1.4))
    assert series.log_value[60:90] == pytest.approx(np.log(strap[20:] / 1.4))


def test_with_13_common_nights_the_levels_stay_apart() -> None:
    values = np.full(40, 40.0)
    days = np.r_[np.arange(20), np.arange(7, 27)]
    series = night_series(days, ["a"] * 20 + ["b"] * 20, values)
    assert set(series.level.tolist()) == {0, 1}
    assert len(series.days) == 27  # each day once
    empty = night_series(np.array([], dtype=np.int64), [], np.array([]))
    assert len(empty.days) == 0 and empty.devices == ()
    with pytest.raises(ValueError, match="one entry a night"):
        night_series(days, ["a"], values)
    with pytest.raises(ValueError, match="above 0"):
        night_series(days[:1], ["a"], np.array([0.0]))


def test_a_night_is_compared_with_those_before_on_its_level() -> None:
    values = np.r_[np.arange(30.0, 50.0), 90.0, np.arange(100.0, 120.0), 109.5]
    names = ["a"] * 21 + ["b"] * 21
    series = night_series(np.arange(42), names, values)
    assert calmer_than(series, 20) == (100.0, 20)
    assert calmer_than(series, 41) == (50.0, 20)
    assert calmer_than(series, 13) == (None, 13)
    assert calmer_than(series, 30) == (None, 9)  # of the other device there are others
    assert calmer_than(series, 99) == (None, 0)
