"""Ratings of different moments: paired with the nearest, and answered without the form's habit."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.association.asked_apart import apart_link, pair_apart
from analytics.association.within_person import within_person_link
from analytics.association.wording import ASKED_APART, Verdict, association_text

MINUTE_NS = 60_000_000_000
minutes = st.lists(st.integers(0, 3000), max_size=25)


@given(minutes, minutes)
@settings(max_examples=200, deadline=None)
def test_each_is_paired_once_with_the_nearest_that_is_left(x: list[int], y: list[int]) -> None:
    pairs = pair_apart(np.array(x, np.int64) * MINUTE_NS, np.array(y, np.int64) * MINUTE_NS)
    assert len({*pairs.x_index.tolist()}) == len({*pairs.y_index.tolist()}) == len(pairs.time_ns)
    # Plainly: of all that may be paired the nearest two, again and again.
    gaps = sorted(
        abs(a - b) for i, a in enumerate(x) for j, b in enumerate(y) if 30 <= abs(a - b) <= 240
    )
    found = sorted(np.abs(pairs.gap_min).tolist())
    assert found[:1] == gaps[:1]
    assert all(30 <= gap <= 240 for gap in found)
    left_x = [a for i, a in enumerate(x) if i not in pairs.x_index]
    left_y = [b for j, b in enumerate(y) if j not in pairs.y_index]
    assert not any(30 <= abs(a - b) <= 240 for a in left_x for b in left_y)
    assert np.all(np.diff(pairs.time_ns) >= 0)


def test_thousands_within_hours_are_not_all_compared() -> None:
    minute = np.arange(0, 240, 0.05)
    times = np.round(minute * MINUTE_NS).astype(np.int64)
    tracemalloc.start()
    pairs = pair_apart(times, times)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(pairs.time_ns) > 1000
    assert peak < 100e6  # all 16 million pairs would take ten times as much


def _asked(habit: float, link: float, days: int = 50) -> tuple[np.ndarray, ...]:
    """A day has two moments two hours apart; each has a habit that moves what is rated then."""
    rng = np.random.default_rng(7)
    day = np.arange(days)
    x_ns = (day * 1440 + 600) * MINUTE_NS
    y_ns = (day * 1440 + np.where(rng.random(days) < 0.5, 480, 720)) * MINUTE_NS
    stress, own = rng.normal(0, 1.3, (2, days))
    at_x, at_y = habit * rng.normal(size=(2, days))
    return x_ns, y_ns, 5 + stress + at_x, 5 + link * stress + 0.6 * own + at_y, at_x


def test_a_habit_of_the_moment_makes_a_link_of_one_form_and_none_when_asked_apart() -> None:
    x_ns, y_ns, stress, pain, habit = _asked(habit=2.0, link=0.0)
    hour = np.full(len(x_ns), 10.0)
    together = within_person_link(x_ns, stress, pain + habit, hour)
    apart = apart_link(x_ns, stress, hour, y_ns, pain)
    assert together.clear and not apart.clear
    assert apart.n == 50


def test_a_link_is_found_and_its_words_say_what_cannot_have_made_it() -> None:
    x_ns, y_ns, stress, pain, _ = _asked(habit=0.0, link=0.8)
    found = apart_link(x_ns, stress, np.full(len(x_ns), 10.0), y_ns, pain)
    assert found.clear and found.estimate is not None and 0.5 < found.estimate < 1.1
    words = association_text(found, ASKED_APART)
    assert words.verdict is Verdict.TOGETHER and "50 pairs of ratings" in words.sentence
    caveats = " ".join(words.caveats)
    assert "a habit of one moment cannot make this" in caveats
    assert "A mood that lasts for hours still could" in caveats
    assert "one form" not in caveats


def test_too_few_pairs_give_no_number() -> None:
    x_ns, y_ns, stress, pain, _ = _asked(habit=0.0, link=0.8, days=29)
    found = apart_link(x_ns, stress, np.full(29, 10.0), y_ns, pain)
    assert (found.estimate, found.n) == (None, 29)
    assert found.missing_reason is not None and "29 of at least 30 pairs" in found.missing_reason
