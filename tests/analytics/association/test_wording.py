"""What is found, and the sentence that a person reads: one table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analytics.association.within_person import Association, within_person_link
from analytics.association.wording import STRESS, Comparison, Verdict, association_text
from tests.support.signals import CAUSAL

CLEAR = Association(
    60, 0.42, 0.2, 0.64, 0.001, 0.4, None, np.zeros(60), np.zeros(60), changes=55,
    robustness=0.31, day_share=0.08,
)  # fmt: skip
OPEN = replace(CLEAR, estimate=0.1, low=-0.2, high=0.4, p_value=0.4, robustness=0.0)
BEFORE = Comparison(
    "stress at the rating before", "one point", "one point more stress at the rating before",
    temporal_order_text="rated stress came before rated pain",
)  # fmt: skip
MOMENT = 1_790_000_000_000_000_000
WITHOUT = {"outlying_ns": MOMENT, "without_outlying": (0.1, -0.1, 0.3)}
FEW = {"few_moments": 5, "without_few": (0.05, -0.15, 0.25)}

TABLE: list[tuple[Association, dict[str, Any], str]] = [
    (CLEAR, {}, "Rated pain and rated stress moved together: with one point more stress"),
    (CLEAR, {}, "A way of filling in the form that moves both would look the same."),
    (CLEAR, {}, "Something else that explains 31% of what is left of both"),
    (CLEAR, {}, "the time of day explains 8% at most"),
    (CLEAR, {"day_share": 0.001}, "the time of day explains next to nothing."),
    (CLEAR, {"estimate": -0.4, "low": -0.6, "high": -0.2}, "moved opposite ways"),
    (CLEAR, {"reliability": 0.7}, "the slope would be about +0.60."),
    (CLEAR, {}, "A rating is only roughly right, so a link looks weaker than it is."),
    (CLEAR, WITHOUT, "One moment carries this: 21 September 2026, 14:13 UTC. Without it we could"),
    (CLEAR, {**WITHOUT, "clear_without_outlying": True}, "One moment stands out: 21 September"),
    (CLEAR, FEW, "A few moments carry this: 5 at which both were far from the ratings"),
    (CLEAR, FEW, "Without them we could not tell: +0.05 (95% interval \u22120.15 to +0.25)."),
    (OPEN, {}, "From 60 ratings we cannot tell whether pain moved with stress"),
    (OPEN, WITHOUT, "With it or without it we cannot tell: +0.10 (95% interval"),
    (OPEN, {**WITHOUT, "clear_without_outlying": True}, "One moment hides it: 21 September"),
    (OPEN, {"held_back_for": ("weekday",)}, "Both follow the weekday. Without taking that out"),
    (OPEN, {"held_back_for": ("time of day",)}, "Both follow the time of day."),
    (OPEN, {"held_back_for": ("rhythm of a few days",)}, "Both follow the rhythm of a few days."),
    (OPEN, {"held_back_for": ("weekday", "time of day")}, "Both follow the weekday and the time"),
    (OPEN, {"missing_when_bad_p": 0.01}, "Ratings seem to be missing when things were bad."),
    (CLEAR, {"missing_when_bad_p": 0.01}, "Ratings seem to be missing when things were bad."),
    (OPEN, {"changes": 12}, "(12 of 59 differ). An answer needs ups and downs."),
    (OPEN, {"copies": 1}, "1 row was the same as another of the same moment, and left out."),
    (OPEN, {"copies": 5}, "5 rows were the same as another of the same moment, and left out."),
]  # fmt: skip


@pytest.mark.parametrize(("base", "found", "said"), TABLE)
def test_what_is_found_has_its_sentence(
    base: Association, found: dict[str, Any], said: str
) -> None:
    words = association_text(replace(base, **found), STRESS)
    whole = " ".join((words.sentence, *words.caveats))
    assert said in whole
    assert not any(word in whole.lower() for word in CAUSAL)


@pytest.mark.parametrize(
    "found", [{}, {"missing_when_bad_p": 0.3}, {"changes": 40}, {"order_p": None}, FEW]
)
def test_nothing_is_said_of_what_is_as_it_should_be(found: dict[str, Any]) -> None:
    words = association_text(replace(OPEN, **found), STRESS)
    assert len(words.caveats) == 2
    assert words.verdict is Verdict.UNCLEAR


def test_an_order_that_cannot_be_told_is_said_so() -> None:
    alike = replace(CLEAR, p_value=0.3, order_p=0.3)
    assert "cannot tell which of them comes first" in association_text(alike, BEFORE).sentence
    first = replace(CLEAR, p_value=0.01, order_p=0.01)
    assert association_text(first, BEFORE).verdict is Verdict.CAME_BEFORE


def test_a_heart_is_no_rating() -> None:
    words = association_text(CLEAR, Comparison("heart rate", "ten beats a minute", "ten more"))
    assert words.sentence.startswith("Pain and heart rate moved together")
    assert not any("form" in caveat for caveat in words.caveats)


def test_a_small_clear_slope_is_not_the_same() -> None:
    small = replace(CLEAR, estimate=0.03, low=0.01, high=0.05)
    assert "pain was about 0.03 points higher (95%" in association_text(small).sentence
    narrow = replace(OPEN, estimate=0.0, low=-0.02, high=0.03)
    words = association_text(narrow).sentence
    assert "anything from 0.02 points lower to 0.03 points higher." in words


def test_an_interval_beside_zero_that_is_not_clear_among_several_says_why() -> None:
    link = replace(CLEAR, p_value=0.03)
    found = association_text(link, STRESS, 0.06)
    assert found.verdict is Verdict.UNCLEAR
    assert any("leaves out zero, but among several looks" in words for words in found.caveats)
    for p_adjusted in (0.03, 0.04):
        caveats = association_text(link, STRESS, p_adjusted).caveats
        assert not any("leaves out zero" in words for words in caveats)


def test_what_goes_opposite_ways_does_not_go_together() -> None:
    down = replace(CLEAR, estimate=-0.3, low=-0.5, high=-0.1, p_value=0.4, order_p=0.4)
    assert "go opposite ways, but" in association_text(down, BEFORE, 0.4).sentence
    up = replace(down, estimate=0.3, low=0.1, high=0.5)
    assert "go together, but" in association_text(up, BEFORE, 0.4).sentence


def test_days_that_are_missing_and_days_that_are_there_make_a_week() -> None:
    rng = np.random.default_rng(4)
    for per_day, words in (
        (4.2, "the ratings span 6 of at least 7 days; 1 more is needed"),
        (5.5, "the ratings span 5 of at least 7 days; 2 more are needed"),
    ):
        time_ns = np.round(np.arange(30) / per_day * 86_400e9).astype(np.int64)
        found = within_person_link(time_ns, *rng.normal(5, 1, (2, 30)))
        assert found.missing_reason == words


def test_changes_from_day_to_day_are_called_so() -> None:
    day = Comparison("stress", "one point", "one point more", counted="changes from day to day")
    assert "0.64; 60 changes from day to day)" in association_text(CLEAR, day).sentence
    assert "From 60 changes from day to day we cannot" in association_text(OPEN, day).sentence
