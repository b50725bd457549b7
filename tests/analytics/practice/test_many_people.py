"""WCLS and mediated effects: a peer's numbers, a direct solution, and refusals in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analytics.practice import (
    Wcls,
    liao_power,
    liao_sample_size,
    mediated_effects,
    plan_clinic,
    wcls,
)
from tests.conftest import SHARED


def read(name: str) -> Any:
    path = SHARED / "practice" / name
    if not path.exists():
        pytest.skip("../shared/data/practice is not here")
    return pd.read_csv(path)


def fit(data: Any, moderators: list[str], **changed: Any) -> Wcls:
    named = {name: data[name] for name in moderators}
    arguments: dict[str, Any] = {
        "available": data["avail"],
        "numerator": 0.6,
        "controls": {"before": data["logstep_pre30min"]},
        "moderators": named,
    }
    arguments.update(changed)
    return wcls(data["userid"], data["logstep_30min"], data["intervention"], 0.6, **arguments)


def test_wcls_gives_the_published_numbers() -> None:
    """R package MRTAnalysis 0.4.1, to the digits printed."""
    data = read("mimic_heartsteps.csv")
    (effect,) = fit(data, []).effects
    found = (effect.estimate, effect.error, effect.low, effect.high, effect.p_value)
    assert found == pytest.approx((0.1574444, 0.0622207, 0.0309968, 0.2838920, 0.0161901), abs=1e-6)
    first, more = fit(data, ["day_in_study"]).effects
    assert (first.estimate, first.error, first.low, first.high) == pytest.approx(
        (0.6486006, 0.1070740, 0.4304981, 0.8667032), abs=1e-6
    )
    assert (more.estimate, more.error, more.low, more.high) == pytest.approx(
        (-0.0237401, 0.0044426, -0.0327893, -0.0146909), abs=1e-6
    )
    assert (first.p_value, more.p_value) == pytest.approx((9.191e-07, 7.307e-06), rel=1e-3)


def test_wcls_is_a_weighted_gee_and_its_correction_is_mancl_and_derouen() -> None:
    """Weights that vary, missing answers, 60 people and 12: statsmodels, whole hat matrix."""
    rng = np.random.default_rng(4)
    for people, small in ((60, False), (12, True)):
        n = people * 25
        who = rng.permutation(np.repeat(np.arange(people), 25))
        chance, before, hour = rng.uniform(0.3, 0.7, n), rng.standard_normal(n), rng.random(n)
        offered, free = (rng.random(n) < chance) * 1.0, rng.random(n) < 0.8
        y = before + offered * (hour - 0.3) + rng.standard_normal(n) + 0.5 * who / people
        y[rng.random(n) < 0.1] = np.nan
        found = wcls(
            who, y, offered, chance, moderators={"hour": hour}, controls={"before": before},
            available=free, numerator=0.45, drop_missing=True,
        )  # fmt: skip
        use = free & np.isfinite(y)
        assert found.n_rows == use.sum() and found.small_sample is small
        assert found.n_missing_offered + found.n_missing_not == (free & np.isnan(y)).sum()
        centred = offered - 0.45
        x = np.column_stack([np.ones(n), before, hour, centred, centred * hour])[use]
        w = np.where(offered == 1, 0.45 / chance, 0.55 / (1 - chance))[use]
        gee = sm.GEE(y[use], x, groups=who[use], weights=w).fit()
        table = (*found.controls, *found.effects)
        assert [row.estimate for row in table] == pytest.approx(gee.params, abs=1e-9)
        bread = np.linalg.inv((x * w[:, None]).T @ x)
        meat = np.zeros((5, 5))
        for person in range(people):
            rows = who[use] == person
            d, v, r = x[rows], np.diag(w[rows]), y[use][rows] - x[rows] @ gee.params
            hat = d @ bread @ d.T @ v
            left = np.linalg.inv(np.eye(rows.sum()) - hat) if small else np.eye(rows.sum())
            score = d.T @ v @ left @ r
            meat += np.outer(score, score)
        errors = np.sqrt(np.diag(bread @ meat @ bread))
        assert [row.error for row in table] == pytest.approx(errors, rel=1e-9)
        if not small:
            assert errors == pytest.approx(gee.bse, rel=1e-9)
        at_half = found.combine((1, 0.5))
        assert at_half.estimate == pytest.approx(gee.params[3] + 0.5 * gee.params[4])
        only = found.combine((0, 1))
        assert (only.error, only.p_value) == pytest.approx((table[4].error, table[4].p_value))


def test_hotelling_of_one_effect_is_its_t_test() -> None:
    data = read("mimic_heartsteps.csv")
    alone = fit(data, [])
    assert alone.p_value == pytest.approx(alone.effects[0].p_value)
    assert alone.statistic == pytest.approx(
        (alone.effects[0].estimate / alone.effects[0].error) ** 2
    )


def test_bad_input_is_named() -> None:
    rng = np.random.default_rng(1)
    n = 200
    who, y, a, x = np.repeat(np.arange(20), 10), rng.random(n), rng.random(n) < 0.5, rng.random(n)
    hole, two, alone = y.copy(), a * 1.0, np.zeros(n)
    hole[7], two[3], alone[5] = np.nan, 2, 1
    for why, arguments, named in (
        ("outcome of 1 available rows is missing, first in row 8", (who, hole, a, 0.5), {}),
        ("treatment is 2 in row 4", (who, y, two, 0.5), {}),
        ("probability is 1 in row 1", (who, y, a, 1.0), {}),
        ("numerator is 0 in row 1", (who, y, a, 0.5), {"numerator": 0.0}),
        ("control x has shape", (who, y, a, 0.5), {"controls": {"x": x[:5]}}),
        ("moderator x is missing in row 8", (who, y, a, 0.5), {"moderators": {"x": hole}}),
        ("double .*follows from", (who, y, a, 0.5), {"controls": {"x": x, "double": 2 * x}}),
        ("treatment must be numbers", (who, y, ["yes"] * n, 0.5), {}),
        ("at least 3 people", (who // 10, y, a, 0.5), {}),
        ("one person alone", (who, y, a, 0.5), {"controls": {"alone": alone}}),
        ("available is 0.5", (who, y, a, 0.5), {"available": np.full(n, 0.5)}),
        ("no row is available", (who, y, a, 0.5), {"available": np.zeros(n)}),
        ("effect does not vary|effect .*follows", (who, y, a * 0, 0.5), {}),
    ):
        with pytest.raises(ValueError, match=why):
            wcls(*arguments, **named)  # type: ignore[arg-type]
    # What is not available may be unknown in every column.
    free = np.isfinite(hole)
    wcls(who, hole, np.where(free, a, np.nan), np.where(free, 0.5, np.nan), available=free)


def test_mediated_effects_give_the_published_numbers() -> None:
    """R package MRTAnalysis 0.4.1, adjusted for dp, M and X."""
    data = read("mediator.csv")
    arguments: dict[str, Any] = {
        "available": data["I"],
        "controls": {"dp": data["dp"], "X": data["X"]},
    }
    given = (data["id"], data["Y"], data["A"], data["M"], data["p_A"])
    found = mediated_effects(*given, **arguments)
    direct, indirect = found.direct[0], found.indirect[0]
    assert (direct.estimate, direct.error, direct.low, direct.high) == pytest.approx(
        (0.1979867, 0.1018323, -0.0067608, 0.4027342), abs=1e-6
    )
    assert (indirect.estimate, indirect.error, indirect.low, indirect.high) == pytest.approx(
        (0.048070, 0.037819, -0.027970, 0.124111), abs=1e-5
    )
    assert direct.df == 48
    # Over time: a mean of the row effects is the constant one, whatever the basis is scaled by.
    over_time = mediated_effects(*given, **arguments, time_basis={"dp": data["dp"]})
    scaled = mediated_effects(*given, **arguments, time_basis={"dp": 10.0 * data["dp"]})
    assert over_time.direct[1].estimate == pytest.approx(10 * scaled.direct[1].estimate)
    middle = over_time.direct[0].estimate + over_time.direct[1].estimate * data["dp"].mean()
    assert middle == pytest.approx(direct.estimate)
    with pytest.raises(ValueError, match="varies within a person"):
        mediated_effects(data["id"], data["M"], *given[2:], **arguments)
    with pytest.raises(ValueError, match="without error"):
        mediated_effects(*given[:3], data["A"] + 0.0, data["p_A"], **arguments)


def test_sample_sizes_are_those_of_liao_and_of_simulation() -> None:
    """The documented example of R package MRTSampleSize 0.1.0: 46 people; of 40, 0.73155686."""
    day = np.arange(42.0)

    def curve(initial: float, mean: float, peak: int) -> Any:
        system = [[1, 2 * (peak - 1)], [day.sum(), (day**2).sum()]]
        slope, bend = np.linalg.solve(system, [0, (mean - initial) * 42])
        return np.repeat(initial + slope * day + bend * day**2, 5)

    effect, there = curve(0, 0.1, 28), 1 - curve(0.3, 0.5, 42)
    basis = np.repeat(np.column_stack([day**0, day, day**2]), 5, axis=0)
    assert liao_sample_size(effect, there, 0.4, basis=basis) == 46
    assert liao_power(40, effect, there, 0.4, basis=basis) == pytest.approx(0.73155686, abs=1e-6)
    plan = plan_clinic(0.4, 7, 3, replicates=150)
    assert abs(plan.simulated_power - plan.formula_power) < 3 * plan.error + 0.02
    with pytest.raises(ValueError, match="too long"):
        plan_clinic(0.01, 100, 10, replicates=2000)
