"""Many people: published correlations, shared falls, random slopes, shrinkage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.association.group import GroupVerdict, group_link
from analytics.association.own_effects import find_own_effects
from analytics.association.rmcorr import repeated_measures_correlation
from tests.conftest import SHARED
from tests.support.signals import clinic, ups_and_downs


def published(name: str, subject: str, x: str, y: str) -> tuple[np.ndarray, ...]:
    path = SHARED / "rmcorr" / f"{name}.csv"
    if not path.is_file():
        pytest.skip("../shared/data/rmcorr is not here")
    table = pd.read_csv(path)
    return pd.factorize(table[subject])[0], table[x].to_numpy(float), table[y].to_numpy(float)


@pytest.mark.parametrize(
    ("columns", "r", "dof", "p", "low", "high"),
    [
        (("bland1995", "Subject", "PaCO2", "pH"), -0.5068, 38, 0.000847, -0.71, -0.23),
        (("gilden2010", "sub", "rt", "acc"), -0.4061, 32, 0.01717, -0.65, -0.08),
    ],
)
def test_published_repeated_measures_correlations(
    columns: tuple[str, str, str, str], r: float, dof: int, p: float, low: float, high: float
) -> None:
    found = repeated_measures_correlation(*published(*columns))
    assert found.r is not None and found.low is not None and found.high is not None
    assert round(found.r, 4) == r
    assert found.dof == dof
    assert found.p_value == pytest.approx(p, rel=5e-4)
    assert (round(found.low, 2), round(found.high, 2)) == (low, high)


def test_a_shared_fall_fools_the_plain_form_and_not_ours() -> None:
    rng = np.random.default_rng(1)
    plain = turned = mean = 0
    for _ in range(20):
        who, day, x, y, _ = clinic(rng, 12, 45, 0.0)
        found = group_link(who, day, x, y, resamples=500)
        assert found.rmcorr.p_value is not None and found.detrended_rmcorr.p_value is not None
        assert found.p_value is not None
        plain += found.rmcorr.p_value < 0.05
        turned += found.detrended_rmcorr.p_value < 0.05
        mean += found.p_value < 0.05
    assert plain == 20
    assert turned <= 4 and mean <= 4


def test_random_slopes_and_shrinkage() -> None:
    rng = np.random.default_rng(2)
    covered, gain = 0, []
    for _ in range(15):
        who, day, x, y, own = clinic(rng, 20, 45, 0.3, 0.25)
        found = group_link(who, day, x, y, resamples=200)
        assert found.low is not None and found.high is not None and found.spread is not None
        covered += found.low <= 0.3 <= found.high
        raw = np.array([person.slope for person in found.people])
        shrunk = np.array([person.shrunk for person in found.people])
        gain.append(np.mean((shrunk - own) ** 2) / np.mean((raw - own) ** 2))
        assert np.std(shrunk) < np.std(raw)
    assert covered >= 12
    assert np.mean(gain) < 0.95  # nearer to the truth


def test_differences_between_people_never_enter() -> None:
    """Who has more stress has more pain; within each person nothing moves together."""
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(15), 40)
    level = np.linspace(1, 9, 15)[who]
    x, y = level + rng.standard_normal(600), level + rng.standard_normal(600)
    found = group_link(who, np.tile(np.arange(40.0), 15), x, y, resamples=500)
    assert np.corrcoef(x, y)[0, 1] > 0.8
    assert found.estimate is not None and abs(found.estimate) < 0.12
    shifted = group_link(who, np.tile(np.arange(40.0), 15), x - 3 * level, y, resamples=500)
    assert shifted.estimate == pytest.approx(found.estimate, abs=1e-9)


def test_rows_may_come_in_any_order_and_with_holes() -> None:
    rng = np.random.default_rng(4)
    who, day, x, y, _ = clinic(rng, 8, 40, 0.5)
    x[::17] = np.nan
    mixed = rng.permutation(len(who))
    one = group_link(who, day, x, y, resamples=300)
    two = group_link(who[mixed], day[mixed], x[mixed], y[mixed], resamples=300)
    assert one.n_pairs == int(np.isfinite(x).sum())
    assert one.estimate == pytest.approx(two.estimate, abs=1e-12)
    assert one.detrended_rmcorr == two.detrended_rmcorr


def test_too_little_gives_reasons() -> None:
    empty = group_link(np.empty(0, int), np.empty(0), np.empty(0), np.empty(0))
    assert (
        empty.missing_reason
        and empty.rmcorr.missing_reason
        and empty.detrended_rmcorr.missing_reason
    )
    rng = np.random.default_rng(5)
    who, day, x, y, _ = clinic(rng, 4, 40, 0.5)
    few = group_link(who, day, x, y, resamples=100)
    assert (
        few.estimate is None
        and few.missing_reason is not None
        and "4 of at least 5" in few.missing_reason
    )
    assert few.detrended_rmcorr.r is not None
    same = group_link(who, day, np.ones(160), y, resamples=100)
    assert same.estimate is None
    assert same.rmcorr.missing_reason is not None and "never changes" in same.rmcorr.missing_reason
    with pytest.raises(ValueError, match="shape"):
        group_link(who, day, x[:3], y)


def two_steps(rng: np.random.Generator, people: int, n: int) -> tuple[np.ndarray, ...]:
    """Each one's stress and pain have two steps of 3 at dates of their own, and nothing else."""
    level = np.concatenate(
        [
            7 - 3 * np.sum(np.arange(n) >= rng.integers(5, n - 5, 2)[:, None], axis=0)
            for _ in range(people)
        ]
    )
    x, y = (
        level + 1.3 * np.concatenate([ups_and_downs(n, 0.4, rng) for _ in range(people)])
        for _ in "xy"
    )
    return np.repeat(np.arange(people), n), np.tile(np.arange(n) / 2, people), x, y


def test_moments_that_people_share_are_not_called_a_link() -> None:
    rng = np.random.default_rng(11)
    verdicts = [group_link(*two_steps(rng, 20, 56), resamples=300).verdict for _ in range(8)]
    assert GroupVerdict.TOGETHER not in verdicts
    assert GroupVerdict.SHARED_MOMENTS in verdicts


def test_a_true_link_of_a_clinic_passes_the_second_look() -> None:
    rng = np.random.default_rng(12)
    who, day, x, y, _ = clinic(rng, 20, 56, 0.45)
    found = group_link(who, day, x, y, resamples=300)
    assert found.verdict is GroupVerdict.TOGETHER
    assert found.second_look is not None and found.second_look.n_subjects == 20
    assert found.second_look.estimate == pytest.approx(0.45, abs=0.15)


def test_slopes_of_both_signs_make_no_common_correlation() -> None:
    """Fisher's interval and its p value are one, and own slopes are counted as scatter."""
    rng = np.random.default_rng(13)
    alarms = 0
    for _ in range(15):
        who, day, x, y, _ = clinic(rng, 12, 45, 0.0, 0.6)
        found = group_link(who, day, x, y, resamples=300).detrended_rmcorr
        assert found.p_value is not None and found.low is not None and found.high is not None
        assert (found.p_value < 0.05) == (not found.low <= 0 <= found.high)
        alarms += found.p_value < 0.05
    assert alarms <= 3


def test_a_cycle_of_days_of_each_ones_own_is_no_link() -> None:
    """Medication every three days: 24 of 25 such clinics were called linked without the cycle."""
    rng = np.random.default_rng(18)
    day = np.tile(np.arange(56) / 2, 20)
    verdicts = []
    for _ in range(3):
        phase = np.repeat(rng.integers(3, size=20), 56)
        shared = np.array([0.0, 0.8, 2.5])[(np.floor(day).astype(int) + phase) % 3]
        x, y = (
            shared + np.concatenate([1.3 * ups_and_downs(56, 0.4, rng) for _ in range(20)])
            for _ in "xy"
        )
        found = group_link(np.repeat(np.arange(20), 56), day, x, y, resamples=300)
        verdicts.append(found.verdict)
    assert GroupVerdict.TOGETHER not in verdicts


def test_a_cycle_of_ones_own_is_found() -> None:
    rng = np.random.default_rng(19)
    days = np.arange(56) / 2
    bad = 2.0 * (np.floor(days) % 4 == 1)
    values = [bad + ups_and_downs(56, 0.3, rng) for _ in range(2)]
    levels = np.floor(days)[:, None] % 4 == np.arange(3)
    assert np.array_equal(find_own_effects(days, *values)[:, :3], levels)
    assert find_own_effects(days[:20], values[0][:20], values[1][:20]).shape == (20, 0)
    assert find_own_effects(days, np.ones(56), values[1]).shape == (56, 0)


def test_known_sessions_are_taken_out() -> None:
    rng = np.random.default_rng(14)
    who, day, x, y, _ = clinic(rng, 10, 84, 0.0)
    at = np.tile(np.arange(2.0, 26.0, 3.5), 10)
    whose = np.repeat(np.arange(10), 7)
    for one, when in zip(whose, at, strict=True):
        after = (who == one) & (day >= when) & (day <= when + 2)
        x[after] -= 4
        y[after] -= 4
    without = group_link(who, day, x, y, resamples=300)
    known = group_link(who, day, x, y, resamples=300, sessions=(whose, at))
    assert without.estimate is not None and known.estimate is not None
    assert without.estimate > 0.15 > abs(known.estimate)


def test_a_clinic_that_leaves_out_bad_moments_is_warned_of() -> None:
    rng = np.random.default_rng(15)
    rows = []
    slot = np.arange(112)
    days = slot // 2 + np.array([9.0, 20.0])[slot % 2] / 24
    for one in range(20):
        x, y = ups_and_downs(112, 0.6, rng), ups_and_downs(112, 0.6, rng)
        kept = np.flatnonzero(rng.random(112) > np.where(x + y > 0.8, 0.8, 0.1))
        rows.append((np.full(len(kept), one), days[kept], x[kept], y[kept]))
    found = group_link(*(np.concatenate(part) for part in zip(*rows, strict=True)), resamples=200)
    assert found.missing_when_bad_p is not None and found.missing_when_bad_p < 0.01


def test_rows_given_twice_count_once_in_a_clinic() -> None:
    rng = np.random.default_rng(16)
    who, day, x, y, _ = clinic(rng, 6, 40, 0.3)
    once = group_link(who, day, x, y, resamples=200)
    twice = group_link(*(np.repeat(v, 2) for v in (who, day, x, y)), resamples=200)
    assert twice.n_pairs == once.n_pairs == 240
    assert (twice.estimate, twice.p_value) == (once.estimate, once.p_value)
