"""A notification that came twice is a duplicate; two that are only alike are not."""

from __future__ import annotations

import math
import random

import pytest

from ebbtide.timestamps import MILLISECOND, SECOND
from ingest.timing.duplicates import DuplicateFilter

START = 1_790_000_000 * SECOND


class Link:
    """Arrivals in ms, which go through the filter in order."""

    def __init__(self) -> None:
        self.filter = DuplicateFilter(1024)

    def hears(self, at_ms: int, *rr: int) -> bool:
        payload = b"".join(ticks.to_bytes(2, "little") for ticks in rr)
        return self.filter.is_duplicate(payload, rr, START + at_ms * MILLISECOND)


def late_now_and_then(seed: int, on_time_s: float) -> list[tuple[int, tuple[int, ...]]]:
    """Arrivals in ms of 120 beats that hardly vary, one or a second's worth in each notification,
    on a link that is late by up to 1.5 s for 3 to 25 s at a time, but not before ``on_time_s``.
    """
    chance = random.Random(seed)
    mean, spread = chance.choice((700, 850, 1000, 1300)), chance.choice((0, 0, 1, 3, 10))
    per_second = chance.random() < 0.5
    sent: dict[float, tuple[int, ...]] = {}
    beat_s = 0.0
    for _ in range(120):
        ticks = round(mean + chance.gauss(0, spread))
        beat_s += ticks / 1024
        at = float(math.ceil(beat_s)) if per_second else beat_s
        sent[at] = (*sent.get(at, ()), ticks)
    found, late_s, until, heard_ms = [], 0.0, 0.0, 0
    for at, rr in sent.items():
        if at > until:
            until = at + chance.uniform(3, 25)
            late_s = 0.0 if chance.random() < 0.5 else chance.choice((0.3, 0.6, 0.9, 1.5))
        due_s = at + (late_s if at >= on_time_s else 0) + chance.uniform(0, 0.03)
        heard_ms = max(heard_ms + 2, round(due_s * 1000))
        found.append((heard_ms, rr))
    return found


def test_a_stack_that_subscribed_twice() -> None:
    link = Link()
    heard = [link.hears(second * 1000 + late, 870) for second in range(1, 9) for late in (0, 4)]
    assert heard == [False, True] * 8


def test_a_copy_that_a_busy_computer_brings_late() -> None:
    link = Link()
    heard = [link.hears(beat * 850 + late, 870) for beat in range(1, 9) for late in (0, 330)]
    assert heard == [False, True] * 8


def test_a_link_that_is_late_no_more_brings_equal_ones_close_together() -> None:
    link = Link()
    for second in range(1, 9):
        link.hears(second * 1000, 1024)
    # The same link, 0.6 s behind for twenty beats and then no more.
    late = [second * 1000 + 600 for second in range(9, 29)]
    assert not any(link.hears(at, 1024) for at in (*late, 29_000, 30_000))


def test_a_copy_at_once_is_known_while_the_link_is_late() -> None:
    """By 0.5 and 0.65 s, where an interval is 0.85 s; a beat in five has a copy."""
    for late_ms in (0, 500, 650):
        link = Link()
        heard = [link.hears(beat * 850, 870) for beat in range(1, 11)]
        for beat in range(11, 31):
            at = beat * 850 + late_ms
            heard.append(link.hears(at, 870))
            if beat % 5 == 0:
                assert link.hears(at + 20, 870), (late_ms, beat)
        assert not any(heard), late_ms


def test_a_link_that_is_late_now_and_then_loses_nothing() -> None:
    """Once a few beats came on time, the smallest delay is known."""
    for seed in range(150):
        link, notifications = Link(), late_now_and_then(seed, on_time_s=5)
        dropped = [at for at, rr in notifications if link.hears(at, *rr)]
        assert not dropped, (seed, dropped)


@pytest.mark.parametrize(("share", "most_kept"), [(0.05, 0.30), (1.0, 0.05)])
def test_most_copies_at_once_are_known_on_a_link_that_is_late_now_and_then(
    share: float, most_kept: float
) -> None:
    """Of hearts that hardly vary; what is kept too often came of beats a whole interval late."""
    copies = kept = 0
    for seed in range(150):
        link, chance, heard_ms = Link(), random.Random(seed), 0
        for at, rr in late_now_and_then(seed, on_time_s=5):
            heard_ms = max(at, heard_ms + 2)
            link.hears(heard_ms, *rr)
            if chance.random() < share:
                heard_ms += chance.randint(1, 140)
                copies += 1
                kept += not link.hears(heard_ms, *rr)
    assert kept < most_kept * copies, (kept, copies)


def test_three_copies() -> None:
    link = Link()
    link.hears(1000, 870)
    assert [link.hears(2000 + late, 870) for late in (0, 3, 6)] == [False, True, True]


def test_a_constant_heart_is_no_repetition() -> None:
    link = Link()
    assert not any(link.hears(second * 1000, 1024) for second in range(1, 60))


def test_equal_delayed_notifications_are_both_accepted() -> None:
    link = Link()
    link.hears(1000, 870)
    link.hears(2000, 870)
    # The link stood still from 2 to 5 s; three notifications arrive together.
    assert [link.hears(5000 + late, 870) for late in (0, 10, 20)] == [False, False, False]


def test_more_intervals_than_time_are_accepted_when_they_are_new() -> None:
    # NeuroKit.py issue 39: 3.5 s of RR in 1.95 s.
    link = Link()
    link.hears(1000, 896)
    assert not link.hears(2950, 896, 896, 896, 897)


def test_beats_sent_again_after_a_reconnect() -> None:
    link = Link()
    link.hears(1000, 901)
    link.hears(2000, 880)
    link.hears(3000, 912)
    link.filter.interrupt()
    assert link.hears(3200, 912)  # 0.9 s of heart in 0.2 s
    assert link.hears(9000, 901, 880, 912)  # the same three in the same order
    assert not link.hears(10_000, 899)


def test_new_equal_beats_after_a_reconnect_are_accepted() -> None:
    link = Link()
    for second in range(1, 8):
        link.hears(second * 1000, 1024)
    link.filter.interrupt()
    assert not link.hears(12_000, 1024, 1024, 1024)


def test_an_arrival_shows_that_the_connection_was_not_delayed() -> None:
    link = Link()
    link.hears(1000, 870)
    link.hears(2000)  # heart rate alone, or bytes that could not be read
    assert not link.hears(3000, 870)
    assert link.hears(3010, 870)


def test_no_beat_of_a_link_that_was_held_up_is_taken_for_a_copy() -> None:
    """A calm heart gives equal intervals, and a held-up link brings many of them at once."""
    chance = random.Random(1)
    for hold_up_s in (3, 6, 12, 40):
        for spread in (0, 1, 3, 10):
            link = Link()
            sent, at = [], 0.0
            for _ in range(150):
                ticks = round(850 + chance.gauss(0, spread))
                at += ticks / 1024
                sent.append((at, ticks))
            heard_ms = 0
            for at, ticks in sent:
                into = (at - 20) % 60  # the first 20 s are on time; then every minute it stands
                due = at - into + hold_up_s if at > 20 and into < hold_up_s else at
                heard_ms = max(heard_ms + chance.choice((1, 4, 30)), round(due * 1000))
                assert not link.hears(heard_ms, ticks), (hold_up_s, spread, at)


def test_a_second_delivery_is_known_also_where_the_link_is_held_up() -> None:
    link = Link()
    chance = random.Random(2)
    dropped, at, heard_ms = 0, 0.0, 0
    arrivals = []
    for _ in range(100):
        ticks = round(850 + chance.gauss(0, 20))
        at += ticks / 1024
        due = at - at % 30 + 5 if at % 30 < 5 else at
        arrivals += [(round(due * 1000), ticks), (round(due * 1000) + 700, ticks)]
    for due_ms, ticks in sorted(arrivals, key=lambda one: one[0]):
        heard_ms = max(heard_ms + 1, due_ms)
        dropped += link.hears(heard_ms, ticks)
    assert 85 <= dropped <= 100
