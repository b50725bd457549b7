"""The link must not be fooled by a shared fall, and must find what is there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics._types import FloatArray
from analytics.association.calendar_effects import calendar_sets, local_calendar
from analytics.association.missing_when_bad import missing_when_bad
from analytics.association.within_person import day_to_day_link, lagged_link, within_person_link
from analytics.association.wording import Verdict, association_text
from tests.support.signals import CAUSAL, times, ups_and_downs

FALLS = {
    "none": lambda u: 0 * u,
    "linear": lambda u: -4 * u,
    "curved": lambda u: -4 * (1 - np.exp(-4 * u)),
    "step": lambda u: -4.0 * (u > 0.45),
}


@pytest.mark.parametrize("fall", FALLS)
@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_unrelated_series_that_both_fall_are_not_linked(fall: str, rho: float) -> None:
    """A sample of ``python -m benchmarks.false_alarms``: 15 draws tell 5% from 72%."""
    rng = np.random.default_rng(7)
    n, draws = 60, 15
    course = 6 + FALLS[fall](np.linspace(0, 1, n))
    hours = (np.arange(n) * 8) % 24.0
    alarms = covered = 0
    for _ in range(draws):
        stress = np.clip(np.round(course + 1.3 * ups_and_downs(n, rho, rng)), 0, 10)
        pain = np.clip(np.round(course + 1.3 * ups_and_downs(n, rho, rng)), 0, 10)
        link = within_person_link(times(n), stress, pain, hours)
        assert link.low is not None and link.high is not None
        alarms += link.clear
        covered += link.low <= 0 <= link.high
    assert alarms + covered == draws  # p value and interval agree, always
    assert alarms <= 4  # of 15 at 5%, more than 4 in 1 of 10,000


def test_a_link_that_is_there_is_found_beneath_the_fall() -> None:
    rng = np.random.default_rng(8)
    found, estimates = 0, []
    for _ in range(25):
        fall = -4 * np.linspace(0, 1, 84)
        mood = 1.3 * ups_and_downs(84, 0.4, rng)
        stress = 6 + fall + mood
        pain = 6 + fall + 0.5 * mood + 0.8 * ups_and_downs(84, 0.4, rng)
        link = within_person_link(times(84), stress, pain)
        assert link.estimate is not None
        found += link.clear
        estimates.append(link.estimate)
    assert found >= 22
    assert np.mean(estimates) == pytest.approx(0.5, abs=0.08)


def test_a_negative_link_has_its_own_verdict() -> None:
    rng = np.random.default_rng(9)
    stress = rng.normal(5, 1.5, 60)
    pain = 8 - 0.8 * stress + rng.normal(0, 0.5, 60)
    link = within_person_link(times(60), stress, pain)
    words = association_text(link)
    assert words.verdict is Verdict.OPPOSITE
    assert "lower" in words.sentence


def pair(n: int, seed: int = 3) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 11, n).astype(float), rng.integers(0, 11, n).astype(float)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 29])
def test_thin_data_give_no_number_but_what_is_missing(n: int) -> None:
    stress, pain = pair(n)
    link = within_person_link(times(n), stress, pain)
    words = association_text(link)
    assert (link.estimate, link.low, link.high, link.p_value) == (None, None, None, None)
    assert words.verdict is Verdict.NOT_ENOUGH
    assert f"{30 - n} more {'is' if n == 29 else 'are'} needed" in words.sentence


def test_many_ratings_in_few_days_are_not_enough() -> None:
    stress, pain = pair(40)
    link = within_person_link(times(40, every_h=2), stress, pain)
    assert link.estimate is None
    assert link.missing_reason is not None and "4 more are needed" in link.missing_reason


def test_what_never_changes_cannot_move_with_anything() -> None:
    _, pain = pair(40)
    link = within_person_link(times(40), np.full(40, 3.0), pain)
    assert (
        link.missing_reason == "stress was the same at every rating, so nothing could move with it"
    )


def test_a_course_without_ups_and_downs_gives_no_number() -> None:
    _, pain = pair(40)
    link = within_person_link(times(40), np.linspace(8, 2, 40), pain)
    assert link.missing_reason is not None and "no ups and downs" in link.missing_reason


def test_missing_values_are_left_out() -> None:
    stress, pain = pair(50)
    holes = stress.copy()
    holes[::5] = np.nan
    link = within_person_link(times(50), holes, pain)
    present = np.isfinite(holes)
    same = within_person_link(times(50)[present], stress[present], pain[present])
    assert link.n == 40
    assert link.estimate == same.estimate


@settings(deadline=None, max_examples=8)
@given(st.randoms(use_true_random=False), st.integers(30, 80))
def test_order_of_rows_does_not_matter(random: object, n: int) -> None:
    stress, pain = pair(n, 11)
    order = np.array(random.sample(range(n), n))  # type: ignore[attr-defined]
    straight = within_person_link(times(n), stress, pain)
    mixed = within_person_link(times(n)[order], stress[order], pain[order])
    assert straight.estimate == mixed.estimate
    assert straight.p_value == mixed.p_value


@given(st.floats(0.1, 50), st.floats(-20, 20))
@settings(deadline=None, max_examples=8)
def test_units_and_levels_do_not_matter(scale: float, level: float) -> None:
    stress, pain = pair(60, 12)
    plain = within_person_link(times(60), stress, pain)
    other = within_person_link(times(60), stress * scale + level, pain - level)
    assert plain.estimate is not None and other.estimate is not None
    assert other.estimate * scale == pytest.approx(plain.estimate, rel=1e-6, abs=1e-9)
    assert other.p_value == pytest.approx(plain.p_value, rel=1e-5)


def test_a_daily_rhythm_of_both_is_no_link() -> None:
    rng = np.random.default_rng(5)
    hours = (np.arange(84) * 8) % 24.0
    wave = 2 * np.cos(2 * np.pi * hours / 24)
    alarms = sum(
        within_person_link(
            times(84), wave + rng.standard_normal(84), wave + rng.standard_normal(84), hours
        ).clear
        for _ in range(25)
    )
    assert alarms <= 5  # 5% of 25 is 1.3 with a standard deviation of 1.1


def test_words_claim_no_cause_and_match_the_numbers() -> None:
    rng = np.random.default_rng(2)
    for strength in (-1.0, 0.0, 0.02, 0.3, 1.0):
        stress = rng.normal(5, 1.5, 60)
        pain = 3 + strength * stress + rng.normal(0, 1, 60)
        link = within_person_link(times(60), stress, pain)
        words = association_text(link)
        for text in (words.sentence, *words.caveats):
            assert not any(word in text.lower() for word in CAUSAL)
        assert (words.verdict is Verdict.UNCLEAR) == (not link.clear)
        assert "60 ratings" in words.sentence


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="shape"):
        within_person_link(times(3), np.zeros(3), np.zeros(4))


def test_earlier_stress_is_distinguished_from_stress_at_the_same_moment() -> None:
    """Stress lingers. Linked at the same moment only, it must not seem to come before."""
    rng = np.random.default_rng(3)
    same = later = 0
    for _ in range(15):
        mood = 1.3 * ups_and_downs(84, 0.7, rng)
        fall = -3 * np.linspace(0, 1, 84)
        pain = 6 + fall + 0.6 * mood + 0.7 * rng.standard_normal(84)
        same += lagged_link(times(84), 6 + fall + mood, pain).clear
        delayed = 6 + fall + 0.6 * np.append(0, mood[:-1]) + 0.7 * rng.standard_normal(84)
        later += lagged_link(times(84), 6 + fall + mood, delayed).clear
    assert same <= 3
    assert later >= 12


def test_pairs_of_ratings_far_apart_have_no_earlier() -> None:
    rng = np.random.default_rng(4)
    link = lagged_link(times(40, every_h=48), rng.normal(5, 1, 40), rng.normal(5, 1, 40))
    assert link.missing_reason is not None and link.n == 0


def test_day_to_day_changes_are_linked_and_a_shared_step_is_no_link() -> None:
    rng = np.random.default_rng(5)
    n = 180
    day = np.arange(n) // 3
    alarms = found = 0
    for _ in range(20):
        step = -4.0 * (np.arange(n) > 100)
        stress, pain = step + rng.standard_normal(n), step + rng.standard_normal(n)
        alarms += day_to_day_link(day, stress, pain).clear
        found += day_to_day_link(day, stress, pain + 0.8 * (stress - step)).clear
    assert alarms <= 4
    assert found >= 16
    few = day_to_day_link(day[:30], stress[:30], pain[:30])
    assert few.missing_reason is not None and "more days are needed" in few.missing_reason


def test_what_is_held_still_is_no_link() -> None:
    """Walking raises both; without it as a covariate that is taken for a link."""
    rng = np.random.default_rng(6)
    alarms = held = 0
    for _ in range(15):
        motion = rng.standard_normal(60)
        x, y = motion + rng.standard_normal(60), motion + rng.standard_normal(60)
        alarms += within_person_link(times(60), x, y).clear
        held += within_person_link(times(60), x, y, covariates=motion).clear
    assert alarms >= 9
    assert held <= 3
    x[:30] = np.nan  # order and gaps are kept together
    motion[:40] = np.nan
    assert within_person_link(times(60), x, y, covariates=motion).n == 30


def test_the_missing_reason_counts_days_at_the_persons_own_pace() -> None:
    stress, pain = pair(12)
    three_a_day = within_person_link(times(12), stress, pain).missing_reason
    one_a_day = within_person_link(times(12, every_h=24), stress, pain).missing_reason
    none_yet = within_person_link(times(0), stress[:0], pain[:0]).missing_reason
    assert three_a_day is not None and "about 6 more days at 3 ratings a day" in three_a_day
    assert one_a_day is not None and "about 18 more days at one rating a day" in one_a_day
    assert none_yet is not None and "about 15 more days at 2 ratings a day" in none_yet


WEEKS = {
    "weekend": lambda d: -2.5 * (np.floor(d) % 7 >= 5),
    "two days off": lambda d: -2.5 * np.isin(np.floor(d) % 7, (2, 3)),
    "from Monday to Sunday": lambda d: -0.5 * (np.floor(d) % 7),
    "medication every three days": lambda d: np.array([0, 0.8, 2.5])[np.floor(d).astype(int) % 3],
    "office hours": lambda d: 2.5 * (d % 1 * 24 < 17),
    "one moment": lambda d: 7.0 * (np.arange(len(d)) == 31),
    "two steps": lambda d: -3.0 * (d > 9) - 3.0 * (d > 20),
}


@pytest.mark.parametrize("week", WEEKS)
def test_what_a_week_does_to_both_is_no_link(week: str) -> None:
    """A sample of ``python -m benchmarks.weeks``; without the effects these are 30 to 100%."""
    rng = np.random.default_rng(17)
    slot = np.arange(60)
    days = slot // 2 + np.array([9.0, 20.0])[slot % 2] / 24
    monday = 1_790_553_600_000_000_000
    ns = monday + (days * 86_400e9).astype(np.int64)
    shared = 6 + WEEKS[week](days)
    alarms = sum(
        within_person_link(
            ns,
            shared + 1.3 * ups_and_downs(60, 0.4, rng),
            shared + 1.3 * ups_and_downs(60, 0.4, rng),
            days % 1 * 24,
        ).clear
        for _ in range(15)
    )
    assert alarms <= 4


def test_weekdays_follow_from_the_local_hour() -> None:
    """23:30 on Sunday in New York is Monday in UTC, and 7:00 on Monday in Auckland is Sunday."""
    sunday_evening_utc = np.array([1_790_566_200_000_000_000])  # Monday 28 September 2026, 03:30
    _, weekday = local_calendar(sunday_evening_utc, np.array([23.5]))
    assert weekday.tolist() == [6]
    sunday_utc = np.array([1_790_553_600_000_000_000 - 6 * 3_600_000_000_000])
    assert local_calendar(sunday_utc, np.array([7.0]))[1].tolist() == [0]
    assert local_calendar(sunday_utc, None)[1].tolist() == [6]


def test_rows_given_twice_count_once() -> None:
    stress, pain = pair(40)
    once = within_person_link(times(40), stress, pain)
    twice = within_person_link(np.repeat(times(40), 2), np.repeat(stress, 2), np.repeat(pain, 2))
    assert (twice.n, twice.copies) == (40, 40)
    assert twice.estimate == once.estimate and once.copies == 0


def test_the_moment_that_carries_a_link_is_named() -> None:
    rng = np.random.default_rng(21)
    stress, pain = rng.normal(5, 1, (2, 60))
    stress[30] += 12
    pain[30] += 12
    link = within_person_link(times(60), stress, pain)
    assert link.outlying_ns == times(60)[30]
    assert link.without_outlying is not None and not link.clear_without_outlying
    assert "One moment" in " ".join(association_text(link).caveats)


def test_a_moment_that_was_set_aside_is_not_drawn() -> None:
    """Nothing is left of it, so it would lie at zero, where no rating was."""
    rng = np.random.default_rng(22)
    stress, pain = (5 + 1.3 * ups_and_downs(60, 0.4, rng) for _ in "xy")
    whole = within_person_link(times(60), stress, pain)
    assert len(whole.x_residual) == len(whole.y_residual) == 60
    stress[[20, 40]] += 9
    pain[[20, 40]] += 9
    link = within_person_link(times(60), stress, pain)
    assert link.n == 60 and len(link.x_residual) == len(link.y_residual) == 58
    assert np.min(np.abs(link.x_residual) + np.abs(link.y_residual)) > 1e-6


def test_few_moments_that_carry_a_link_are_counted() -> None:
    rng = np.random.default_rng(31)
    stress, pain = (5 + 1.3 * ups_and_downs(60, 0.4, rng) for _ in "xy")
    for values in (stress, pain):
        values[[8, 19, 28, 39, 50]] += 3.5
    link = within_person_link(times(60), stress, pain)
    assert link.clear and link.few_moments == 5 and link.without_few is not None
    assert link.without_few[1] < 0 < link.without_few[2]
    assert "A few moments carry this: 5" in " ".join(association_text(link).caveats)
    mood = rng.normal(size=60)  # a link at all moments rests on no few
    found = within_person_link(times(60), 5 + mood, 5 + mood + 0.5 * rng.normal(size=60))
    assert found.clear and found.few_moments == 0 and found.without_few is None


def test_a_bad_time_of_day_may_begin_at_any_full_hour() -> None:
    rng = np.random.default_rng(32)
    hours = rng.uniform(7, 23, 60)
    since_seven = (hours >= 19).astype(float)
    columns = calendar_sets(hours, np.zeros(60), 5.0, np.full((60, 1), 60**-0.5)).columns
    net = since_seven - np.mean(since_seven)
    assert np.max(np.abs(columns.T @ net)) == pytest.approx(np.linalg.norm(net))


def test_ten_thousand_ratings_are_linear_work() -> None:
    """The columns do not grow with the ratings, and steps are looked for at as many places."""
    rng = np.random.default_rng(22)
    link = within_person_link(times(10_000, every_h=6), *rng.standard_normal((2, 10_000)))
    assert link.n == 10_000 and not link.clear
    assert abs(link.estimate or 1.0) < 0.05


def test_neither_comes_first_where_a_hidden_mood_moves_both() -> None:
    """A sample of ``python -m benchmarks.temporal_order``."""
    rng = np.random.default_rng(23)
    said = wrong = right = 0
    for _ in range(12):
        mood = 1.3 * ups_and_downs(84, 0.7, rng)
        x, y = (mood + rng.standard_normal(84) for _ in "xy")
        said += lagged_link(times(84), x, y).clear
        pain = 1.3 * ups_and_downs(84, 0.6, rng)
        stress = 0.7 * np.append(0, pain[:-1]) + 0.7 * rng.standard_normal(84)
        wrong += lagged_link(times(84), stress, pain).clear
        right += lagged_link(times(84), pain, stress).clear
    assert said <= 3 and wrong <= 3
    assert right >= 9


def test_ratings_that_are_missing_when_bad_are_warned_of() -> None:
    rng = np.random.default_rng(24)
    warned = alarms = 0
    slot = np.arange(240)
    days = slot // 2 + np.array([9.0, 20.0])[slot % 2] / 24
    for _ in range(30):
        x, y = ups_and_downs(240, 0.6, rng), ups_and_downs(240, 0.6, rng)
        kept = np.flatnonzero(rng.random(240) > np.where(x + y > 0.8, 0.8, 0.1))
        p_value = missing_when_bad(days[kept], x[kept], y[kept])
        warned += p_value is not None and p_value < 0.05
        kept = np.flatnonzero(rng.random(240) > 0.4)
        p_value = missing_when_bad(days[kept], x[kept], y[kept])
        alarms += p_value is not None and p_value < 0.05
    assert warned >= 20 and alarms <= 5


def test_missing_hours_are_taken_as_utc() -> None:
    stress, pain = pair(60)
    hours = (times(60) / 3_600e9) % 24
    some = hours.copy()
    some[::2] = np.nan
    for estimate in (within_person_link, lagged_link):
        found = estimate(times(60), stress, pain, some).p_value
        assert found == pytest.approx(estimate(times(60), stress, pain, hours).p_value, rel=1e-6)


def test_three_bad_moments_are_no_link() -> None:
    rng = np.random.default_rng(25)
    alarms = 0
    for _ in range(12):
        stress, pain = (5 + 1.3 * ups_and_downs(60, 0.4, rng) for _ in "xy")
        for values in (stress, pain):
            values[[11, 29, 48]] += 6
        alarms += within_person_link(times(60), stress, pain).clear
    assert alarms <= 3
