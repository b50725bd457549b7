"""Moments of practice by lot at times that its plan sets, besides the reminders."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import icalendar
import pytest

from analytics.programme.prompt_plan import (
    Burst,
    DayHours,
    Pause,
    PromptPlan,
    draw_day,
    local_date,
    offer_times,
)
from api.services.offers.log import find_problem
from api.services.offers.plans import (
    OfferPlanError,
    OfferWish,
    agree,
    not_now,
    propose,
    stop,
    validate_wish,
)
from api.services.reminders.calendar import calendar_of
from api.services.reminders.plans import change_plan, change_zone, load_waiting
from api.services.reminders.plans import pause as pause_prompts
from api.services.reminders.scheduler import run_due
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store.models import NotAvailable, Prompt, PromptState, SkipReason, TherapySession
from tests.api.services.offers.test_moments import answer, place, points_of
from tests.api.services.reminders.test_scheduler import MONDAY, Place

__all__ = ["place"]

HOURS = (DayHours(480, 1260),) * 7
ONE_A_DAY = PromptPlan(HOURS, 0, (540,))
TIMES = OfferWish(first_days=2, times_min=(720, 960))  # 12:00 and 16:00
WEDNESDAY = MONDAY + 2 * DAY


def at_times(place: Place) -> list[Prompt]:
    return [item for item in place.prompts() if item.reason == "offer-time"]


def clock_of(prompt: Prompt) -> tuple[int, int]:
    """Days since Monday, and minutes after midnight."""
    return divmod((prompt.planned_ns - MONDAY) // MINUTE, 24 * 60)


def test_times_come_after_the_first_days_and_each_is_drawn_once_though_workers_are_killed(
    place: Place,
) -> None:
    change_plan(place.stores, place.ada, lambda _: ONE_A_DAY)
    agree(place.stores, place.ada, TIMES)
    turns = 0
    while place.clock.now_ns < MONDAY + 6 * DAY:
        due = place.stores.prompts.next_turn_ns() or 0
        place.clock.now_ns = max(place.clock.now_ns + SECOND, due)
        turns += 1
        place.way.stops = int(turns % 3 == 0)
        with suppress(KeyboardInterrupt):  # a worker that is killed after it sent
            run_due(place.stores, [place.way])
        waiting = load_waiting(place.stores, place.ada).prompt
        if waiting is not None:
            place.clock.now_ns += 2 * MINUTE
            answer(place, waiting)  # and nobody wakes the worker
    over = [item for item in at_times(place) if item.planned_ns < MONDAY + 6 * DAY]
    assert [clock_of(item) for item in over] == [(d, m) for d in range(2, 6) for m in (720, 960)]
    points = {item.prompt_id: item for item in points_of(place)}
    prompts = {item.id: item for item in place.prompts()}
    for prompt in over:
        point = points[prompt.id]
        assert point.available and point.probability is not None and prompt.chance == 1
        assert point.committed_ns < (point.drawn_ns or 0) <= (prompt.sent_ns or 0)
        after = prompts[point.after_prompt_id or ""]  # in both arms
        assert after.planned_ns == (prompt.answered_ns or 0) + 30 * MINUTE
    assert find_problem(list(points.values())) is None
    assert {points[item.id].offered for item in over} == {True, False}


def test_a_time_near_a_session_or_after_not_now_asks_nothing_and_says_why(place: Place) -> None:
    change_plan(place.stores, place.ada, lambda _: ONE_A_DAY)
    agree(place.stores, place.ada, TIMES)
    held = WEDNESDAY + 11 * HOUR + 30 * MINUTE
    place.stores.records.add_session(TherapySession(new_id(), place.ada.id, 1, held))
    place.run(WEDNESDAY + 14 * HOUR, 5 * MINUTE)
    not_now(place.stores, place.ada.id)
    place.run(WEDNESDAY + 17 * HOUR, 5 * MINUTE)
    today = [item for item in at_times(place) if clock_of(item)[0] == 2]
    assert [(item.sent_ns, item.skip_reason) for item in today] == [
        (None, str(SkipReason.NO_OFFER))
    ] * 2
    said = {item.prompt_id: item.why_not for item in points_of(place)}
    assert [said[item.id] for item in today] == [
        str(NotAvailable.SESSION),
        str(NotAvailable.NOT_NOW),
    ]
    assert not [item for item in place.way.sent if item.prompt.reason == "offer-time"]


@pytest.mark.parametrize("ends", ["stopped", "replaced", "paused", "zone"])
def test_times_that_count_no_more_ask_nothing(place: Place, ends: str) -> None:
    change_plan(place.stores, place.ada, lambda _: ONE_A_DAY)
    agree(place.stores, place.ada, TIMES)
    place.run(WEDNESDAY + 8 * HOUR, HOUR)
    assert len(at_times(place)) == 4  # of today and of tomorrow
    if ends == "stopped":
        stop(place.stores, place.ada.id)
    elif ends == "replaced":
        agree(place.stores, place.ada, replace(TIMES, times_min=(840,), first_days=1))
    elif ends == "paused":
        pause_prompts(place.stores, place.ada, 1)
    else:
        change_zone(place.stores, place.ada, "Etc/GMT-2")  # two hours ahead
    place.run(WEDNESDAY + 20 * HOUR, 10 * MINUTE)
    sent = [item for item in at_times(place) if item.sent_ns is not None]
    if ends == "zone":
        assert [item.planned_ns - WEDNESDAY for item in sent] == [10 * HOUR, 14 * HOUR]
    else:
        assert sent == []
    place.run(WEDNESDAY + DAY + 20 * HOUR, 10 * MINUTE)
    next_day = [item for item in at_times(place) if (item.sent_ns or 0) > WEDNESDAY + DAY]
    expected = {"stopped": [], "replaced": [840], "paused": [720, 960], "zone": [600, 840]}
    assert [clock_of(item)[1] for item in next_day] == expected[ends]
    assert find_problem(points_of(place)) is None


def test_a_service_that_slept_sends_no_time_late(place: Place) -> None:
    change_plan(place.stores, place.ada, lambda _: ONE_A_DAY)
    agree(place.stores, place.ada, TIMES)
    place.run(WEDNESDAY + 8 * HOUR, HOUR)
    place.clock.now_ns = WEDNESDAY + 15 * HOUR  # two hours after 12:00 could be answered
    run_due(place.stores, [place.way])
    noon = next(item for item in at_times(place) if clock_of(item) == (2, 720))
    assert (noon.state, noon.skip_reason) == (PromptState.SKIPPED, str(SkipReason.LATE))


def test_random_moments_keep_away_from_times_and_the_calendar_says_the_same(place: Place) -> None:
    change_plan(place.stores, place.ada, lambda _: PromptPlan(HOURS, 3))
    agree(place.stores, place.ada, TIMES)
    stored = place.stores.prompts.plan(place.ada.id)
    assert stored is not None
    events = icalendar.Calendar.from_ical(calendar_of(place.stores, stored)).walk("VEVENT")
    said = sorted(int(item["dtstart"].dt.timestamp()) * SECOND for item in events)
    place.run(MONDAY + 9 * DAY, HOUR)
    found = sorted(item.planned_ns for item in place.prompts())
    assert found == said[: len(found)] and len(found) >= 9 * 3 + 7 * 2
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert min(gaps) >= HOUR


def test_times_are_left_out_in_pauses_outside_of_the_hours_and_near_fixed_ones() -> None:
    day = local_date(MONDAY, "UTC")
    assert [i.slot for i in offer_times(ONE_A_DAY, (599, 600), day, "UTC")] == ["offer-1000"]
    assert offer_times(ONE_A_DAY, (479, 1260), day, "UTC") == []
    assert offer_times(replace(ONE_A_DAY, hours=(None,) * 7), (720,), day, "UTC") == []
    assert offer_times(replace(ONE_A_DAY, pauses=(Pause(day, day),)), (720,), day, "UTC") == []
    crowded = draw_day(PromptPlan(HOURS, 6), day, "UTC", "s", (), (600, 750, 900, 1050))
    assert len(crowded) <= 6  # a block without room is left out, and none comes within an hour


def test_times_that_cannot_be_are_refused_in_words(place: Place) -> None:
    for times, words in (
        ((600, 700), "150 minutes apart"),
        ((600, 600), "150 minutes apart"),
        ((530,), "At most 4 times a day of its own, each from 09:00 to 20:00"),
        ((1200,), "hours of offers"),
        ((540, 690, 840, 990, 1140), "At most 4 times"),
        ((-1,), "hours of offers"),
    ):
        with pytest.raises(OfferPlanError, match=words):
            validate_wish(OfferWish(times_min=times))
    assert validate_wish(OfferWish(times_min=(900, 600))).times_min == (600, 900)
    for plan, words in (
        (PromptPlan(HOURS, 0, (690,)), "At 11:30 you are asked already"),
        (PromptPlan((DayHours(840, 1260),) * 7, 1), "12:00 lies outside of the hours"),
        (PromptPlan(HOURS, 7), "more than 8 questions"),
        (PromptPlan(HOURS, 1, burst=Burst(1, 7, agreed=True)), "more than 8 questions"),
        (PromptPlan((DayHours(660, 1080),) * 7, 3), "too little room"),
    ):
        change_plan(place.stores, place.ada, lambda _, plan=plan: plan)
        with pytest.raises(OfferPlanError, match=words):
            agree(place.stores, place.ada, TIMES)
    proposed = propose(place.stores, place.ada, "t", TIMES)  # it waits, and is looked at then
    with pytest.raises(OfferPlanError, match="too little room"):
        agree(place.stores, place.ada, proposal=proposed.number)
    change_plan(place.stores, place.ada, lambda _: ONE_A_DAY)
    agreed = agree(place.stores, place.ada, proposal=proposed.number)
    assert agreed.times_min == (720, 960) and agreed.is_active


def test_an_arm_that_an_earlier_version_took_cannot_be_agreed_to(place: Place) -> None:
    change_plan(place.stores, place.ada, lambda _: ONE_A_DAY)
    proposed = propose(place.stores, place.ada, "t", OfferWish())
    place.stores.offers.change_plans(
        place.ada.id, lambda _: [replace(proposed, arms="seated rest")]
    )
    with pytest.raises(OfferPlanError, match="Choose one practice"):
        agree(place.stores, place.ada, proposal=proposed.number)
