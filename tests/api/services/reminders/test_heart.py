"""Prompts by the heart: marked, few, far from others, beside random ones; the answer omits them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from analytics.programme.prompt_plan import PlanError, PromptPlan, validate_plan
from api.services.prompted import split_ratings
from api.services.reminders.heart import HeartWatch
from api.services.reminders.plans import change_plan
from api.services.reminders.scheduler import run_due
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store import Stores
from store.models import Person, Practice, PracticeKind, Rating
from tests.support.accounts import add_account
from tests.support.clock import Clock

MONDAY = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()) * SECOND


def add_beats(stores: Stores, person: Person, start: int, end: int, bpm: float) -> None:
    """Beats of a steady heart with a little breath in it."""
    count = round((end - start) / MINUTE * bpm)
    ticks = np.round((60_000 / bpm + 15 * np.sin(np.arange(count) / 4)) * 1.024).astype(int)
    at = start + np.cumsum(ticks) * SECOND // 1024
    stream = new_id()
    stores.beats.put_stream(person.subject_id, Stream(stream, Origin.STRAP, "a strap", start))
    stores.beats.append(
        person.subject_id,
        stream,
        [
            Notification(number + 1, int(time), round(bpm), (int(tick),), (int(time),))
            for number, (time, tick) in enumerate(zip(at, ticks, strict=True))
        ],
    )


def test_the_heart_adds_few_marked_prompts_that_the_answer_leaves_out(stores: Stores) -> None:
    ada = add_account(stores, "ada@example.org", zone="UTC")
    clock = Clock(stores)
    stores = replace(stores, now=clock)
    for day in range(1, 6):  # what is usual: 50 bpm
        midnight = MONDAY + day * DAY
        add_beats(stores, ada, midnight + 10 * HOUR, midnight + 14 * HOUR, 50)
    today = MONDAY + 6 * DAY
    clock.now_ns = today + HOUR
    wished = PromptPlan(random_a_day=2, by_heart=True)
    change_plan(stores, ada, lambda _: replace(wished, by_heart=False))
    watch = HeartWatch()
    assert watch.run(stores) == 0  # nobody has wished it
    change_plan(stores, ada, lambda _: wished)
    run_due(stores, [])
    add_beats(stores, ada, today + 9 * HOUR, today + 15 * HOUR, 70)
    for minute in range(9 * 60, 21 * 60, 15):
        clock.now_ns = today + minute * MINUTE
        watch.run(stores)
        run_due(stores, [])
    found = stores.prompts.prompts(ada.id, today, today + DAY)
    hearts = [item for item in found if item.reason == "heart"]
    assert 1 <= len(hearts) <= 2
    assert all("heart-fast" in item.slot and item.sent_ns is not None for item in hearts)
    others = [item for item in found if item.reason == "random"]
    assert len(others) == 2 and all(item.skip_reason is None for item in others)
    times = sorted(item.sent_ns or 0 for item in found)
    assert all(later - earlier >= HOUR for earlier, later in pairwise(times))
    ratings = [
        stores.records.add_rating(
            Rating(
                *(new_id(), 1, ada.id, item.sent_ns or 0, clock.now_ns, "UTC", 3, 4, None, False),
                prompt_id=item.id,
            )
        )
        for item in found
    ]
    split = split_ratings(stores, ada, ratings)
    assert (len(split.ratings), split.left_out) == (2, len(hearts))
    assert {item.id for item in split.prompts} <= {item.id for item in others}


def test_calm_counts_after_a_practice_alone_and_old_beats_do_not(stores: Stores) -> None:
    ada = add_account(stores, "ada@example.org", zone="UTC")
    clock = Clock(stores)
    stores = replace(stores, now=clock)
    for day in range(1, 6):
        midnight = MONDAY + day * DAY
        add_beats(stores, ada, midnight + 10 * HOUR, midnight + 14 * HOUR, 75)
    today = MONDAY + 6 * DAY
    clock.now_ns = today + 7 * HOUR
    change_plan(stores, ada, lambda _: PromptPlan(random_a_day=1, by_heart=True))
    run_due(stores, [])
    (planned,) = [item for item in stores.prompts.prompts(ada.id, today, today + DAY)]
    # Far enough from the random one.
    at = next(
        today + hour * HOUR
        for hour in (10, 14)
        if abs(planned.planned_ns - today - hour * HOUR) > 100 * MINUTE
    )
    add_beats(stores, ada, at - 10 * MINUTE, at, 55)
    watch = HeartWatch()
    clock.now_ns = at
    assert watch.run(stores) == 0
    stores.programme.put_practice(
        Practice(new_id(), ada.id, PracticeKind.BREATHING, at - 20 * MINUTE, at - 9 * MINUTE)
    )
    clock.now_ns = at + 5 * MINUTE
    assert watch.run(stores) == 0  # beats of five minutes ago say nothing of now
    clock.now_ns = at
    assert watch.run(stores) == 1
    assert watch.run(stores) == 0
    with pytest.raises(PlanError, match="beside random ones"):
        validate_plan(PromptPlan(random_a_day=0, fixed_min=(600,), by_heart=True))
