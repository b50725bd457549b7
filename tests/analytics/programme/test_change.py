"""Change, sessions, onset, missing ratings, and the report that holds them."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.association.hrv_before_rating import without_beats
from analytics.association.missingness import missing_pattern, what_if_worse
from analytics.association.wording import Verdict
from analytics.programme.change import around_sessions, change_between, onset, trend
from analytics.report import RatedHrv, Report, associations_report, holm
from tests.support.signals import CAUSAL, times, ups_and_downs

DAYS = np.arange(84) / 3


def test_no_change_is_not_called_one_and_a_real_one_is_covered() -> None:
    rng = np.random.default_rng(1)
    alarms = covered = 0
    for _ in range(150):
        noise = 1.3 * ups_and_downs(84, 0.5, rng)
        alarms += change_between(DAYS, 5 + noise, (0, 7), (21, 28)).reliable
        found = change_between(DAYS, 5 + noise - 2 * (DAYS > 14), (0, 7), (21, 28))
        assert found.low is not None and found.high is not None and found.change is not None
        covered += found.low <= -2 <= found.high
    assert alarms / 150 < 0.11
    assert covered / 150 > 0.88


def test_change_with_little_or_no_variation() -> None:
    few = change_between(DAYS, np.full(84, 3.0), (0, 1), (21, 28))
    assert (
        few.change is None
        and few.missing_reason is not None
        and "3 ratings before" in few.missing_reason
    )
    flat = change_between(DAYS, np.full(84, 1.0), (0, 7), (21, 28))
    assert (flat.change, flat.reliable, flat.nearly_free) == (0, False, True)
    zero = change_between(DAYS, (DAYS > 10) * 2.0, (0, 7), (21, 28))
    assert zero.percent is None  # of nothing


def test_each_session_has_its_before_and_after() -> None:
    rng = np.random.default_rng(2)
    pain = 7 - 3 * (DAYS >= 10) + 0.3 * rng.standard_normal(84)
    first, second = around_sessions(DAYS, pain, [10.0, 27.9])
    assert first.change.change == pytest.approx(-3, abs=0.5)
    assert first.change.reliable
    assert first.trend_before is not None and abs(first.trend_before.slope) < 0.5
    assert second.change.missing_reason is not None
    assert trend(DAYS, pain, 40, 50) is None


def test_onset_is_found_where_it_is_and_not_where_none_is() -> None:
    rng = np.random.default_rng(3)
    alarms, inside, reported = 0, 0, 0
    for _ in range(60):
        noise = ups_and_downs(84, 0.5, rng)
        alarms += onset(DAYS, 5 + noise).day is not None
        found = onset(DAYS, 8 - 0.3 * np.clip(DAYS - 9, 0, None) + noise)
        if found.day is not None and found.low is not None and found.high is not None:
            reported += 1
            inside += found.low <= 9 <= found.high
            assert found.slope is not None and found.slope < 0
    assert alarms <= 6
    assert reported > 40
    assert inside / reported > 0.85
    assert onset(DAYS[:10], np.arange(10.0)).missing_reason is not None
    assert onset(DAYS, np.full(84, 2.0)).missing_reason == "the ratings were always the same"


def test_the_pattern_of_missing_ratings() -> None:
    day = np.repeat(np.arange(20), 3)
    present = np.ones(60, bool)
    present[[4, 30, 31, 32, 33, 34, 35]] = False
    found = missing_pattern(day[present])
    assert (found.given, found.days, found.with_ratings) == (53, 20, 18)
    assert (found.a_day, found.expected, found.missing, found.longest_pause) == (3, 60, 7, 2)
    assert missing_pattern(np.empty(0, int)).missing == 0


def test_worse_moments_move_the_answer_both_ways() -> None:
    rng = np.random.default_rng(5)
    n = 84
    stress = np.round(5 + 1.5 * rng.standard_normal(n))
    pain = np.round(4 + 0.4 * (stress - 5) + rng.standard_normal(n))
    present = rng.random(n) > 0.2
    day, hour = np.arange(n) // 3, (np.arange(n) * 8) % 24.0
    args = times(n)[present], day[present], stress[present], pain[present], hour[present]
    found = what_if_worse(*args)
    assert found.filled > 5
    assert found.both_worse is not None and found.pain_worse is not None
    assert found.both_worse > found.pain_worse
    whole = what_if_worse(times(n), day, stress, pain, hour)
    assert (whole.filled, whole.both_worse) == (0, None)


def rated(n: int, seed: int = 1, link: float = 0.6) -> RatedHrv:
    rng = np.random.default_rng(seed)
    mood, fall = 1.3 * ups_and_downs(n, 0.4, rng), -3 * np.linspace(0, 1, n)
    nothing = np.full(n, np.nan)
    return RatedHrv(
        time_ns=times(n),
        day=np.arange(n) // 3,
        hour=(np.arange(n) * 8) % 24.0,
        pain=np.clip(np.round(6 + fall + link * mood + 0.7 * rng.standard_normal(n)), 0, 10),
        stress=np.clip(np.round(6 + fall + mood), 0, 10),
        ln_rmssd=3.4 - 0.2 * mood + 0.1 * rng.standard_normal(n),
        heart_rate=nothing,
        stress_index=nothing,
        motion_mg=nothing,
    )


def report_of(one: RatedHrv) -> Report:
    return associations_report(one, without_beats(len(one.time_ns)))


def test_a_report_says_everything_in_words_that_claim_no_cause() -> None:
    report = report_of(rated(110))
    by_key = {one.key: one for one in report.statements}
    assert report.statements[0].key == "same_moment"
    assert by_key["same_moment"].words.verdict is Verdict.TOGETHER
    assert by_key["rmssd"].words.verdict is Verdict.OPPOSITE
    assert by_key["heart_rate"].words.verdict is Verdict.NOT_ENOUGH
    assert by_key["stress_before"].words.verdict in (Verdict.UNCLEAR, Verdict.CAME_BEFORE)
    assert report.pain.reliable and report.stress.reliable
    for one in report.statements:
        assert not any(word in one.words.sentence.lower() for word in CAUSAL)
        if one.found.estimate is None:
            assert one.found.missing_reason and one.p_adjusted is None
        else:
            assert one.words.caveats
            assert str(one.found.n) in one.words.sentence


@pytest.mark.parametrize("n", [0, 1, 5, 29])
def test_a_thin_report_has_no_number(n: int) -> None:
    report = report_of(rated(n))
    for one in report.statements:
        assert (one.found.estimate, one.found.low, one.found.p_value) == (None, None, None)
        assert one.words.verdict is Verdict.NOT_ENOUGH


def test_weekends_of_both_are_no_link() -> None:
    rng = np.random.default_rng(8)
    alarms = 0
    for _ in range(60):
        n = 84
        day = 739_000 + np.arange(n) // 3
        weekend = 3.0 * ((day - 1) % 7 >= 5)
        nothing = np.full(n, np.nan)
        one = RatedHrv(
            time_ns=times(n),
            day=day,
            hour=(np.arange(n) * 8) % 24.0,
            pain=3 + weekend + rng.standard_normal(n),
            stress=3 + weekend + rng.standard_normal(n),
            ln_rmssd=nothing,
            heart_rate=nothing,
            stress_index=nothing,
            motion_mg=nothing,
        )
        alarms += report_of(one).statements[0].found.clear
    assert alarms <= 8


def test_several_comparisons_are_corrected() -> None:
    found = holm({"a": 0.01, "b": 0.04, "c": None, "d": 0.03})
    assert found == {"a": pytest.approx(0.03), "b": pytest.approx(0.06), "c": None, "d": 0.06}
    alarms = 0
    for seed in range(60):
        report = report_of(rated(60, seed, link=0.0))
        looks = [one for one in report.statements if one.key in ("stress_before", "pain_before")]
        alarms += any(one.words.verdict is Verdict.CAME_BEFORE for one in looks)
    assert alarms <= 7
