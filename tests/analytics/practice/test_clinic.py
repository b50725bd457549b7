"""Offers over a clinic: effects put in are covered; few people or moments give no number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.practice import ClinicMoments, clinic_effects


def a_clinic(people: int, moments: int, seed: int = 1, carried: float = 0.5) -> ClinicMoments:
    """Offers lower stress by a point, which lowers pain by ``carried``; half a point goes past."""
    rng = np.random.default_rng(seed)
    n = people * moments
    offered = rng.random(n) < 0.5
    before = 5 + rng.standard_normal((2, n))
    stress = before[0] - 1.0 * offered + rng.standard_normal(n)
    pain = before[1] + carried * (stress - before[0]) - 0.5 * offered + rng.standard_normal(n)
    moment = np.tile(np.arange(moments), people)
    return ClinicMoments(
        *(np.repeat(np.arange(people), moments), offered, np.full(n, 0.5), before[0], before[1]),
        *(stress, pain, 9.0 + 4 * (moment % 3), moment // 3 * 1.0),
    )


def test_what_was_put_in_is_covered_and_the_split_adds_up() -> None:
    found = clinic_effects(a_clinic(12, 60))
    assert (found.people, found.moments, found.missing_reason) == (12, 720, None)
    truths = ((found.stress, -1), (found.pain, -1), (found.indirect, -0.5), (found.direct, -0.5))
    for effect, truth in truths:
        assert effect is not None
        assert effect.low < truth < effect.high < 0
    assert found.direct is not None and found.indirect is not None and found.pain is not None
    total = found.direct.estimate + found.indirect.estimate
    assert total == pytest.approx(found.pain.estimate, abs=0.05)


def test_what_stress_does_not_carry_is_not_said_to_go_with_it() -> None:
    found = clinic_effects(a_clinic(12, 60, seed=2, carried=0.0))
    assert found.indirect is not None and found.direct is not None
    assert found.indirect.low < 0 < found.indirect.high
    assert found.direct.high < 0


def test_few_people_or_moments_give_a_reason_and_no_number() -> None:
    few = clinic_effects(a_clinic(7, 60))
    assert few.missing_reason == (
        "7 people have 10 moments with all ratings; at least 8 are needed"
    )
    assert few.stress is few.pain is few.indirect is few.direct is None
    short = a_clinic(9, 12)
    gone = np.where(np.arange(108) < 36, np.nan, short.pain_after)  # of three people all
    found = clinic_effects(replace(short, pain_after=gone))
    assert (found.people, found.people_left_out, found.moments_left_out) == (6, 3, 0)
    nobody = clinic_effects(a_clinic(0, 0))
    assert (nobody.people, nobody.missing_reason) == (
        0,
        "0 people have 10 moments with all ratings; at least 8 are needed",
    )


def test_missing_ratings_are_counted_by_arm_and_what_does_not_vary_is_no_control() -> None:
    whole = a_clinic(10, 40)
    lost = whole.offered & (np.arange(400) % 4 == 0)
    found = clinic_effects(
        replace(
            whole,
            stress_after=np.where(lost, np.nan, whole.stress_after),
            hour=np.full(400, 12.0),
        )
    )
    assert found.missing_reason is None
    assert found.moments + found.moments_left_out == 400
    assert found.left_out_not == 0.0
    assert found.left_out_offered == pytest.approx(lost.sum() / whole.offered.sum())
    with pytest.raises(ValueError, match="differ in length"):
        clinic_effects(replace(whole, hour=np.zeros(3)))
    # Where stress tells the arms apart without error, no part can be said to go with it.
    apart = replace(whole, stress_after=np.where(whole.offered, 1.0, 9.0))
    found = clinic_effects(apart)
    assert "do not overlap" in str(found.split_missing_reason)
    assert found.pain is not None and found.indirect is None
