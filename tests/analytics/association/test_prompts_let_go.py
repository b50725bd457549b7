"""Prompts that are let go when things are bad are found, others are not, and it is said."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.association.prompts_let_go import LetGo, prompts_let_go
from analytics.association.within_person import Association
from analytics.association.wording import association_text


def _tested(seed: int, when_bad: bool, prompts: int = 180) -> LetGo:
    rng = np.random.default_rng(seed)
    days = 738_000 + np.arange(prompts) // 4 + np.tile([0.4, 0.5, 0.65, 0.8], prompts // 4)
    bad = np.zeros(prompts)
    for k in range(1, prompts):
        bad[k] = 0.6 * bad[k - 1] + 0.8 * rng.standard_normal()
    chance = np.where(bad > 0.8, 0.8, 0.1) if when_bad else np.full(prompts, 0.25)
    answered = rng.random(prompts) > chance
    x, y = (bad + 0.5 * rng.standard_normal(prompts) for _ in range(2))
    heart = 70 + 5 * (bad + rng.standard_normal(prompts))
    heart[::7] = np.nan  # the strap was not worn
    at = days[answered] + 0.001
    return prompts_let_go(days, answered, at, x[answered], y[answered], heart)


def test_letting_go_when_things_are_bad_is_found_and_chance_is_not() -> None:
    found = [_tested(seed, True) for seed in range(40)]
    none = [_tested(seed, False) for seed in range(40)]
    assert sum(item.goes_with_heart for item in found) >= 28
    assert sum(item.goes_with_rating for item in found) >= 12
    assert all((item.faster_by or 0) > 0 for item in found if item.goes_with_heart)
    assert sum(item.goes_with_heart or item.goes_with_rating for item in none) <= 6
    few = _tested(1, True, prompts=20)
    assert few.sent == 20 and few.p_rating is None
    with pytest.raises(ValueError, match="one shape"):
        prompts_let_go(np.zeros(3), np.ones(2, bool), np.zeros(1), np.zeros(1), np.zeros(1))


def test_what_letting_go_went_with_is_said_in_the_place_of_a_guess() -> None:
    nothing = np.empty(0)
    link = Association(
        60, 0.3, 0.1, 0.5, 0.01, 0.2, None, nothing, nothing, missing_when_bad_p=0.001
    )
    said = LetGo(90, 60, p_rating=0.3, p_heart=0.01, worse_by=0.1, faster_by=0.7)
    text = " ".join(association_text(link, let_go=said).caveats)
    assert "left more often while the heart was faster than usual" in text
    assert "30 of 90 were left" in text and "seem to be missing" not in text
    quiet = LetGo(90, 60, p_rating=0.3, p_heart=0.4, worse_by=0.1, faster_by=0.2)
    assert "seem to be missing" in " ".join(association_text(link, let_go=quiet).caveats)
