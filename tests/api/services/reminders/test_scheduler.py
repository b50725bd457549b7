"""Whoever is to be asked is, once; whoever is not, for a reason that is stored."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from analytics.programme.prompt_plan import Burst, DayHours, PromptPlan
from api.services.reminders.plans import (
    change_plan,
    change_zone,
    let_go,
    load_waiting,
    note_receipt,
    pause,
    put_off,
)
from api.services.reminders.scheduler import run_due
from api.services.reminders.ways import Message
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store import Stores
from store.models import (
    Consent,
    Person,
    Practice,
    PracticeKind,
    Prompt,
    PromptState,
    Purpose,
    Rating,
    ReminderPlan,
    SkipReason,
    TherapySession,
)
from tests.support.accounts import add_account
from tests.support.clock import Clock

MONDAY = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()) * SECOND
FIXED = PromptPlan(random_a_day=0, fixed_min=(540, 720, 900))


@dataclass
class PlayedWay:
    """A way that notes what it is given; it fails, or stops the worker, where it is told to."""

    name: str = "push"
    fails: int = 0
    stops: int = 0
    sent: list[Message] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)

    def is_set_up(self, plan: ReminderPlan) -> bool:
        return True

    def send(self, message: Message) -> bool:
        if self.fails:
            self.fails -= 1
            return False
        self.sent.append(message)
        self.receipts.append(message.receipt)
        if self.stops:
            self.stops -= 1
            raise KeyboardInterrupt
        return True


@dataclass
class Place:
    stores: Stores
    clock: Clock
    ada: Person
    way: PlayedWay = field(default_factory=PlayedWay)

    def plan(self, plan: PromptPlan = FIXED, **ways: object) -> None:
        change_plan(self.stores, self.ada, lambda _: plan, **ways)

    def run(self, until_ns: int, step_ns: int = MINUTE) -> None:
        while self.clock.now_ns < until_ns:
            self.clock.now_ns += step_ns
            run_due(self.stores, [self.way])

    def prompts(self) -> list[Prompt]:
        return self.stores.prompts.prompts(self.ada.id, 0, 2**62)

    def states(self) -> list[str]:
        return [item.skip_reason or str(item.state) for item in self.prompts()]


@pytest.fixture
def place(stores: Stores) -> Place:
    ada = add_account(stores, "ada@example.org", zone="UTC")
    clock = Clock(stores)
    clock.now_ns = MONDAY
    return Place(replace(stores, now=clock), clock, ada)


def test_each_prompt_is_sent_once_within_a_minute(place: Place) -> None:
    place.plan()
    place.run(MONDAY + 2 * DAY)
    sent = [item for item in place.prompts() if item.state is PromptState.SENT]
    assert len(sent) == len(place.way.sent) == 6
    assert all(0 <= (item.sent_ns or 0) - item.planned_ns <= MINUTE for item in sent)
    assert {item.ways for item in sent} == {"push"}
    assert len({message.prompt.id for message in place.way.sent}) == 6


def test_after_a_sleep_of_the_computer_one_comes_late_and_the_others_say_why(place: Place) -> None:
    hours = (DayHours(480, 1200),) * 7
    place.plan(PromptPlan(hours, 0, (480, 540, 600, 660, 720)))
    place.run(MONDAY + 7 * HOUR)
    place.clock.now_ns = MONDAY + 15 * HOUR
    place.run(MONDAY + 15 * HOUR + 5 * MINUTE)
    assert place.states()[:5] == [str(SkipReason.REPLACED)] * 4 + ["sent"]
    (message,) = place.way.sent
    assert message.prompt.planned_ns == MONDAY + 12 * HOUR
    (late,) = [item for item in place.prompts() if item.state is PromptState.SENT]
    assert late.sent_ns == MONDAY + 15 * HOUR + MINUTE
    assert late.expires_ns == late.sent_ns + 45 * MINUTE  # as much time as ever


def test_after_days_of_sleep_every_prompt_of_them_says_why(place: Place) -> None:
    place.plan()
    place.run(MONDAY + HOUR)
    place.clock.now_ns = MONDAY + 5 * DAY + 3 * HOUR  # at night
    place.run(MONDAY + 5 * DAY + 8 * HOUR)
    states = Counter(place.states())
    assert states[str(SkipReason.LATE)] + states[str(SkipReason.NIGHT)] == 15
    assert states["planned"] == 6
    assert place.way.sent == []


def test_none_comes_within_an_hour_of_a_late_one(place: Place) -> None:
    place.plan(replace(FIXED, fixed_min=(540, 600)))
    place.run(MONDAY + 8 * HOUR)
    place.clock.now_ns = MONDAY + 9 * HOUR + 20 * MINUTE  # the first, 21 minutes late
    place.run(MONDAY + 11 * HOUR)
    assert place.states()[:2] == ["sent", str(SkipReason.TOO_SOON)]


def test_two_workers_send_nothing_twice(place: Place) -> None:
    people = [add_account(place.stores, f"{n}@example.org", zone="UTC") for n in range(10)]
    for person in people:
        change_plan(place.stores, person, lambda _: FIXED)
    for hour in range(24):
        place.clock.now_ns = MONDAY + hour * HOUR
        threads = [
            threading.Thread(target=run_due, args=(place.stores, [place.way])) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert Counter(Counter(m.prompt.id for m in place.way.sent).values()) == {1: 30}


@pytest.mark.parametrize("name", ["push", "mail"])
def test_a_worker_that_was_stopped_while_sending_is_followed(place: Place, name: str) -> None:
    """A push is tried again, as the second takes the place of the first; a mail is not."""
    place.way.name = name
    place.plan()
    place.way.stops = 1
    with pytest.raises(KeyboardInterrupt):
        place.run(MONDAY + 10 * HOUR)
    place.run(MONDAY + 9 * HOUR + 20 * MINUTE)
    if name == "push":
        assert place.states()[0] == "sent"
        assert len(place.way.sent) == 2
        assert len({message.prompt.id for message in place.way.sent}) == 1
    else:
        assert place.states()[0] == str(SkipReason.INTERRUPTED)
        assert len(place.way.sent) == 1
        # It may have arrived: its answer counts.
        (prompt, *_) = place.prompts()
        rating = answer(place, prompt.id)
        assert rating.prompt_id == prompt.id
        assert place.states()[0] == "sent"


def answer(place: Place, prompt_id: str) -> Rating:
    now = place.clock.now_ns
    rating = Rating(
        *(new_id(), 1, place.ada.id, now, now, "UTC", 4, 5, None, False), prompt_id=prompt_id
    )
    return place.stores.records.add_rating(rating)


def test_what_fails_is_tried_again_five_times_and_then_said(place: Place) -> None:
    place.plan()
    place.way.fails = 4
    place.run(MONDAY + 10 * HOUR)
    (first, *_) = place.prompts()
    assert (first.attempts, first.state, place.way.fails) == (5, PromptState.SENT, 0)
    assert (first.sent_ns or 0) - first.planned_ns == 15 * MINUTE
    place.way.fails = 1000
    place.run(MONDAY + 14 * HOUR)
    assert place.states()[1] == str(SkipReason.FAILED)
    assert place.way.fails == 995


def test_one_that_is_put_off_comes_again_once_within_its_window(place: Place) -> None:
    place.plan()
    place.run(MONDAY + 9 * HOUR + 5 * MINUTE)
    (message,) = place.way.sent
    later = put_off(place.stores, place.ada.id, message.prompt.id)
    assert later is not None and later.due_ns == place.clock.now_ns + 15 * MINUTE
    place.run(MONDAY + 9 * HOUR + 25 * MINUTE)
    assert [item.prompt.id for item in place.way.sent] == [message.prompt.id] * 2
    stored = place.prompts()[0]
    assert stored.expires_ns == MONDAY + 9 * HOUR + 45 * MINUTE
    again = put_off(place.stores, place.ada.id, message.prompt.id)
    assert again == stored  # once
    assert answer(place, stored.id).prompt_id == stored.id
    place.run(MONDAY + 11 * HOUR)
    assert len(place.way.sent) == 2


def test_a_pause_of_today_ends_tomorrow(place: Place) -> None:
    place.plan()
    place.run(MONDAY + 10 * HOUR)
    pause(place.stores, place.ada, 1)
    place.run(MONDAY + 2 * DAY)
    assert [m.prompt.planned_ns for m in place.way.sent] == [
        *(MONDAY + 9 * HOUR, MONDAY + DAY + 9 * HOUR),
        *(MONDAY + DAY + 12 * HOUR, MONDAY + DAY + 15 * HOUR),
    ]
    pause(place.stores, place.ada, 3)
    pause(place.stores, place.ada, 0)
    place.run(MONDAY + 3 * DAY)
    assert len(place.way.sent) == 7


def test_prompts_follow_the_person_into_another_zone(place: Place) -> None:
    place.plan()
    place.run(MONDAY + 10 * HOUR)
    change_zone(place.stores, place.ada, "America/New_York")  # 06:00 there
    place.run(MONDAY + 24 * HOUR)
    times = [(m.prompt.planned_ns - MONDAY) / HOUR for m in place.way.sent]
    assert times == [9, 13, 16, 19]  # 09:00 here; 09:00, 12:00 and 15:00 there
    assert str(SkipReason.ZONE_CHANGED) in place.states()


def test_a_clock_that_is_set_back_stops_nothing(place: Place) -> None:
    place.plan()
    place.run(MONDAY + 10 * HOUR)
    place.clock.now_ns = MONDAY + 400 * DAY + 9 * HOUR + MINUTE  # wrong, for a moment
    run_due(place.stores, [place.way])
    place.clock.now_ns = MONDAY + 10 * HOUR
    place.run(MONDAY + 16 * HOUR)
    hours = [(m.prompt.planned_ns - MONDAY) / HOUR for m in place.way.sent]
    assert hours[-2:] == [12, 15]
    assert Counter(m.prompt.id for m in place.way.sent).most_common(1)[0][1] == 1


def test_who_does_not_agree_any_more_is_not_asked(place: Place) -> None:
    place.plan()
    place.run(MONDAY + 10 * HOUR)
    taken_back = Consent(place.ada.id, Purpose.KEEPING, False, "1", place.clock.now_ns)
    place.stores.records.add_consent(taken_back)
    place.run(MONDAY + DAY)
    assert len(place.way.sent) == 1
    assert place.states()[1] == str(SkipReason.NO_CONSENT)
    place.plan(enabled=False)
    place.run(MONDAY + 2 * DAY, HOUR)
    assert len(place.way.sent) == 1


def test_a_follow_up_comes_after_a_practice_though_another_was_just_sent(place: Place) -> None:
    place.plan(replace(FIXED, follow_up_min=20))
    place.run(MONDAY + 9 * HOUR + 2 * MINUTE)
    end = place.clock.now_ns
    practice = Practice(new_id(), place.ada.id, PracticeKind.BREATHING, end - 5 * MINUTE, end)
    place.stores.programme.put_practice(practice)
    place.stores.prompts.wake(place.ada.id, end)
    place.run(MONDAY + 10 * HOUR)
    assert [m.prompt.reason for m in place.way.sent] == ["fixed", "follow-up"]
    assert place.way.sent[1].prompt.due_ns == end + 20 * MINUTE
    place.run(MONDAY + 13 * HOUR)
    assert len(place.way.sent) == 3  # once


def test_a_burst_is_around_sessions_and_only_when_agreed(place: Place) -> None:
    held = TherapySession(new_id(), place.ada.id, 1, MONDAY + DAY + 10 * HOUR)
    place.stores.records.add_session(held)
    hours = (DayHours(480, 1200),) * 7
    place.plan(PromptPlan(hours, random_a_day=1, burst=Burst(0, 5)))
    place.run(MONDAY + DAY)
    place.plan(PromptPlan(hours, random_a_day=1, burst=Burst(0, 5, agreed=True)))
    place.run(MONDAY + 3 * DAY)
    days = Counter((m.prompt.planned_ns - MONDAY) // DAY for m in place.way.sent)
    assert days == {0: 1, 1: 5, 2: 1}


def test_the_words_are_neutral_unless_the_person_wants_more(place: Place) -> None:
    place.plan()
    place.run(MONDAY + 9 * HOUR + MINUTE)
    place.plan(shows_words=True)
    place.run(MONDAY + 12 * HOUR + MINUTE)
    first, second = (f"{m.title} {m.text}".lower() for m in place.way.sent)
    assert not {"pain", "stress", "rating", "therapy"} & set(first.replace("?", "").split())
    assert "pain" in second


def test_what_waits_and_what_was_missed_is_told(place: Place) -> None:
    place.plan()
    place.run(MONDAY + 9 * HOUR + 10 * MINUTE)
    waiting = load_waiting(place.stores, place.ada)
    assert waiting.prompt is not None and waiting.missed is None
    place.run(MONDAY + 10 * HOUR)
    missed = load_waiting(place.stores, place.ada)
    assert missed.prompt is None and missed.missed is not None
    place.run(MONDAY + 12 * HOUR + MINUTE)
    waiting = load_waiting(place.stores, place.ada)
    assert waiting.prompt is not None
    gone = let_go(place.stores, place.ada.id, waiting.prompt.id)
    assert gone is not None and gone.let_go_ns == place.clock.now_ns
    assert load_waiting(place.stores, place.ada) == type(waiting)(None, None)
    assert answer(place, waiting.prompt.id).prompt_id is None


def test_a_receipt_is_good_for_its_prompt_alone(place: Place) -> None:
    place.plan()
    place.run(MONDAY + 9 * HOUR + MINUTE)
    (receipt,) = place.way.receipts
    assert note_receipt(place.stores, "x" * 32, opened=False) is None
    delivered = note_receipt(place.stores, receipt, opened=False)
    assert delivered is not None and delivered.delivered_ns == place.clock.now_ns
    assert delivered.opened_ns is None
    place.clock.now_ns += SECOND
    opened = note_receipt(place.stores, receipt, opened=True)
    assert opened is not None and opened.opened_ns == place.clock.now_ns
    place.clock.now_ns += SECOND
    assert note_receipt(place.stores, receipt, opened=True) == opened
