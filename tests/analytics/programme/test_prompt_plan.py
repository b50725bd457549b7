"""Every day of every valid plan: enough, never at night, never within an hour, repeatable."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.programme.prompt_plan import (
    Asks,
    Burst,
    DayHours,
    Pause,
    PlanError,
    PlannedPrompt,
    PromptPlan,
    PromptReason,
    draw_day,
    draw_number,
    follow_up,
    is_night,
    local_date,
    plan_from_json,
    plan_to_json,
    validate_plan,
)

HOUR_NS = 3_600_000_000_000
# Clocks change by an hour, by half an hour, and (Cairo) at midnight.
ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo")
YEAR = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


@st.composite
def plans(draw: st.DrawFn) -> PromptPlan:
    """Valid plans of many kinds: what does not fit is not one, and is left out."""
    hours = []
    for _ in range(7):
        begin = draw(st.integers(7 * 60, 18 * 60))
        end = draw(st.integers(begin + 1, 22 * 60))
        hours.append(draw(st.sampled_from([None, DayHours(begin, end), DayHours(420, 1320)])))
    plan = PromptPlan(
        tuple(hours),
        random_a_day=draw(st.integers(0, 8)),
        fixed_min=tuple(draw(st.lists(st.integers(0, 1439), max_size=3))),
        burst=draw(st.sampled_from([None, Burst(1, 3, True), Burst(2, 5, False)])),
        pauses=draw(st.sampled_from([(), (Pause(date(2026, 3, 28), date(2026, 4, 2)),)])),
    )
    while True:
        try:
            return validate_plan(plan)
        except PlanError:
            if plan.random_a_day:
                plan = replace(plan, random_a_day=plan.random_a_day - 1)
            elif plan.burst is not None:
                plan = replace(plan, burst=None)
            else:
                plan = replace(plan, fixed_min=plan.fixed_min[:-1])


@settings(max_examples=25, deadline=None)
@given(plan=plans(), zone=st.sampled_from(ZONES), seed=st.text(min_size=1, max_size=8))
def test_draw_day_keeps_every_rule_over_a_year_with_clock_changes(
    plan: PromptPlan, zone: str, seed: str
) -> None:
    sessions = (date(2026, 3, 29), date(2026, 10, 25))
    last = 0
    for day in YEAR:
        prompts = draw_day(plan, day, zone, seed, sessions)
        assert prompts == draw_day(plan, day, zone, seed, sessions)
        hours = plan.hours[day.weekday()]
        paused = any(pause.first <= day <= pause.last for pause in plan.pauses)
        if hours is None or paused:
            assert prompts == []
            continue
        fixed = [m for m in plan.fixed_min if hours.start_min <= m < hours.end_min]
        in_burst = (
            plan.burst is not None
            and plan.burst.agreed
            and any(abs((day - held).days) <= plan.burst.days for held in sessions)
        )
        wanted = plan.burst.a_day if in_burst and plan.burst else plan.random_a_day
        assert len(prompts) == len(fixed) + wanted
        assert len({item.slot for item in prompts}) == len(prompts)
        for item in prompts:
            local = datetime.fromtimestamp(item.at_ns / 1e9, UTC).astimezone(ZoneInfo(zone))
            assert local.date() == day == local_date(item.at_ns, zone)
            assert hours.start_min <= local.hour * 60 + local.minute < hours.end_min
            assert 7 <= local.hour < 22
            assert not is_night(item.at_ns, zone)
            assert item.at_ns - last >= HOUR_NS
            assert 0 < item.chance <= 1
            last = item.at_ns


def test_draw_day_draws_every_free_minute_equally_often() -> None:
    plan = PromptPlan((DayHours(540, 660),) * 7, random_a_day=1)
    minutes = Counter(_minute(draw_day(plan, YEAR[0], "UTC", str(i))[0]) for i in range(24_000))
    assert set(minutes) == set(range(540, 660))
    expected = 24_000 / 120
    chi_square = sum((count - expected) ** 2 / expected for count in minutes.values())
    assert chi_square < 180  # 119 degrees of freedom: p = 0.0003


def test_draw_day_says_with_which_chance_each_minute_was_drawn() -> None:
    plan = PromptPlan((DayHours(540, 780),) * 7, random_a_day=2)  # blocks of two hours
    for number in range(200):
        first, second = draw_day(plan, YEAR[0], "UTC", str(number))
        assert first.chance == 1 / 120
        shut = max(0, _minute(first) + 60 - 660)
        assert second.chance == pytest.approx(1 / (120 - shut))


def test_draw_day_keeps_the_clock_on_the_wall_over_changes() -> None:
    plan = PromptPlan(random_a_day=0, fixed_min=(540,))
    moments = [draw_day(plan, day, "Europe/Berlin", "s")[0].at_ns for day in YEAR]
    steps = Counter(b - a for a, b in pairwise(moments))
    assert steps == {24 * HOUR_NS: 362, 23 * HOUR_NS: 1, 25 * HOUR_NS: 1}


def test_draw_day_follows_the_person_into_another_zone() -> None:
    plan = PromptPlan(random_a_day=3)
    day = date(2026, 6, 1)
    here = draw_day(plan, day, "Europe/Berlin", "s")
    there = draw_day(plan, day, "America/New_York", "s")
    assert [b.at_ns - a.at_ns for a, b in zip(here, there, strict=True)] == [6 * HOUR_NS] * 3


def test_follow_up_comes_when_agreed_and_never_at_night_or_in_a_pause() -> None:
    noon = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()) * 10**9
    plan = PromptPlan(follow_up_min=20)
    found = follow_up(plan, "p1", noon, "UTC")
    assert found is not None
    assert (found.at_ns - noon, found.reason) == (HOUR_NS // 3, PromptReason.FOLLOW_UP)
    assert follow_up(PromptPlan(), "p1", noon, "UTC") is None
    assert follow_up(plan, "p1", noon + 10 * HOUR_NS, "UTC") is None  # 22:20
    assert follow_up(plan, "p1", noon, "Pacific/Auckland") is None  # 00:20 there
    paused = replace(plan, pauses=(Pause(date(2026, 6, 1), date(2026, 6, 1)),))
    assert follow_up(paused, "p1", noon, "UTC") is None


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (PromptPlan((DayHours(400, 600),) * 7), "07:00"),
        (PromptPlan((DayHours(1200, 1321),) * 7), "22:00"),
        (PromptPlan((DayHours(600, 600),) * 7), "07:00"),
        (PromptPlan((None,) * 6), "seven"),
        (PromptPlan(fixed_min=(540, 599)), "hour apart"),
        (PromptPlan(random_a_day=9), "from 0 to 8"),
        (PromptPlan((DayHours(540, 660),) * 7, random_a_day=2), "do not fit"),
        (PromptPlan((DayHours(540, 720),) * 7, random_a_day=1, fixed_min=(600, 660)), "beside 2"),
        (PromptPlan(burst=Burst(2, 8)), None),
        (PromptPlan((DayHours(540, 840),) * 7, burst=Burst(2, 8)), "8 random"),
        (PromptPlan(window_min=61), "from 10 to 60"),
        (PromptPlan(put_off_min=45), "putting off"),
        (PromptPlan(pauses=(Pause(YEAR[3], YEAR[2]),)), "before it begins"),
        (PromptPlan(pauses=(Pause(YEAR[3], YEAR[3]),) * 51), "50"),
        (PromptPlan(follow_up_min=2), "after a practice"),
    ],
)
def test_validate_plan_refuses_what_cannot_be_kept(plan: PromptPlan, says: str | None) -> None:
    if says is None:
        assert validate_plan(plan) == plan
        return
    with pytest.raises(PlanError, match=says):
        validate_plan(plan)


@given(plan=plans())
@settings(max_examples=50, deadline=None)
def test_plan_from_json_gives_the_plan_back(plan: PromptPlan) -> None:
    assert plan_from_json(json.loads(json.dumps(plan_to_json(plan)))) == plan


def test_draw_number_is_the_same_in_every_version() -> None:
    # Written down: stored prompts are checked against their draw years later.
    assert [draw_number(f"seed/{number}", 1000) for number in range(5)] == EXPECTED


EXPECTED = [579, 520, 987, 463, 935]


def _minute(prompt: PlannedPrompt) -> int:
    return prompt.at_ns // 60_000_000_000 % 1440


def test_pain_and_stress_are_asked_apart_one_to_three_hours_in_either_order() -> None:
    plan = validate_plan(PromptPlan(random_a_day=5, asks_apart=True))
    first, gaps = Counter[str](), []
    for number in range(200):
        day = draw_day(plan, date(2026, 1, 5) + timedelta(days=number), "UTC", "seed")
        assert [item.slot for item in day] == [f"random-{k}-of-5" for k in range(1, 6)]
        assert day[4].asks is Asks.BOTH  # the odd one out
        for one, other in (day[:2], day[2:4]):
            assert {one.asks, other.asks} == {Asks.PAIN, Asks.STRESS}
            first[str(one.asks)] += 1
            gaps.append((other.at_ns - one.at_ns) // 60_000_000_000)
        assert all(b.at_ns - a.at_ns >= 3_600_000_000_000 for a, b in pairwise(day))
    assert 60 <= min(gaps) < 65 and 130 < max(gaps) <= 180
    assert 160 < first["pain"] < 240  # 200 of 400, four standard errors of 10


def test_asking_apart_wants_two_random_ones_and_room_for_them() -> None:
    with pytest.raises(PlanError, match="at least two a day"):
        validate_plan(PromptPlan(random_a_day=1, asks_apart=True))
    short = (DayHours(540, 650),) * 7
    with pytest.raises(PlanError, match="do not fit an hour apart"):
        validate_plan(PromptPlan(random_a_day=2, hours=short, asks_apart=True))


def test_what_is_asked_for_is_kept_with_the_plan() -> None:
    plan = PromptPlan(asks_apart=True)
    assert plan_from_json(json.loads(json.dumps(plan_to_json(plan)))) == plan
    before = {key: value for key, value in plan_to_json(plan).items() if key != "asks_apart"}
    assert not plan_from_json(before).asks_apart  # plans of the version before
