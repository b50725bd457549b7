"""The phone's recorder: pair, record, lose the link, and what the store has in the end."""

from __future__ import annotations

import random
import time

import pytest
from playwright.sync_api import Playwright

from ebbtide.timestamps import HOUR, MILLISECOND, SECOND
from tests.support.phone_recording import (
    Phone,
    open_page,
    pair,
    running_browser,
    stop,
    stored_intervals,
    wait_for,
    wait_in,
    wait_until_recording,
)
from tests.support.played_bluez import PlayedBluez, PlayedStrap

pytestmark = pytest.mark.browser


def test_an_hour_is_recorded_through_lost_links_and_refused_connects(
    playwright: Playwright, phone: Phone, strap: PlayedStrap, bluez: PlayedBluez
) -> None:
    """The page's clock passes by what the strap sends: an hour takes seconds."""
    chance = random.Random(25)
    start_ms = (phone.stores.now() - 3 * HOUR) // MILLISECOND
    sent: list[int] = []
    notifications = 0
    with running_browser(phone) as running:
        page = open_page(playwright, running, phone.address(clock=str(start_ms)))
        pair(page, strap)
        wait_in(page, "window.recorder.battery === 77")

        def play(seconds: int) -> None:
            nonlocal notifications
            before = sum(sent)
            while sum(sent) - before < seconds * 1024:
                rr = [chance.randrange(700, 1000) for _ in range(chance.choice((0, 1, 1, 1, 2)))]
                assert strap.beat(70, rr)
                sent.extend(rr)
                notifications += 1
                if notifications % 50 == 0:  # with many more the bus is full and closes
                    wait_until_durable()
            wait_until_durable()

        def wait_until_durable() -> None:
            wait_in(page, f"window.durable === {notifications}")

        play(1200)
        strap.notify(b"\x01\x40")  # cut off
        play(60)
        strap.lose_link(refuse=2)
        wait_for(lambda: strap.notifying, page, "a new link")
        wait_until_recording(page)
        assert strap.refused == 2
        play(1200)
        bluez.power(False)
        # Chromium says that Bluetooth is available while the adapter is off.
        wait_in(page, "window.recorder.message?.key === 'recorder.not_found'")
        bluez.power(True)
        wait_for(lambda: strap.notifying, page, "a link after power")
        wait_until_recording(page)
        play(1200)
        stop(page)
        assert page.evaluate("window.recorder.malformed") == 1
        assert page.evaluate("window.recorder.repeated") == 0
    (beats,) = stored_intervals(phone).values()
    assert [ticks for _, ticks in beats] == sent
    assert abs(beats[-1][0] - beats[0][0] - (sum(sent) - sent[0]) * SECOND // 1024) < 4 * SECOND
    gaps = phone.stores.beats.gaps(phone.person.subject_id, 0, 2**62)
    assert [str(gap.gap.reason) for gap in gaps] == ["no RR sent", *["link lost"] * 2]


def test_a_frozen_page_places_late_beats_by_the_ticks_and_says_so(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    """Real time: ten seconds of beats arrive at the thaw, all at once."""
    with running_browser(phone) as running:
        page = open_page(playwright, running, phone.address())
        pair(page, strap)
        beats = _Beats(strap)
        beats.play(4)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
        beats.play(10)
        devtools.send("Page.setWebLifecycleState", {"state": "active"})
        beats.play(3)
        wait_in(page, f"window.durable === {len(beats.times)}")
        assert page.evaluate("window.messages").count("recorder.late") == 1
        stop(page)
    (stored,) = stored_intervals(phone).values()
    assert [ticks for _, ticks in stored] == [beats.TICKS] * len(beats.times)
    assert not phone.stores.beats.gaps(phone.person.subject_id, 0, 2**62)
    # Each is where the strap sent it, and not at the thaw: the delay of a loaded machine is less.
    late = [(at - sent) / SECOND for (at, _), sent in zip(stored, beats.times, strict=True)]
    assert max(late) - min(late) < 2.0


def test_beats_that_are_missing_after_a_thaw_are_a_gap(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    with running_browser(phone) as running:
        page = open_page(playwright, running, phone.address())
        pair(page, strap)
        beats = _Beats(strap)
        beats.play(4)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
        beats.play(3)
        time.sleep(9)
        beats.play(3)
        devtools.send("Page.setWebLifecycleState", {"state": "active"})
        beats.play(3)
        wait_in(page, f"window.durable === {len(beats.times)}")
        assert "recorder.late_unclear" in page.evaluate("window.messages")
        stop(page)
    (stored,) = stored_intervals(phone).values()
    (gap,) = phone.stores.beats.gaps(phone.person.subject_id, 0, 2**62)
    assert str(gap.gap.reason) == "link lost"
    assert gap.gap.end_ns - gap.gap.start_ns > 12 * SECOND
    # Four beats before the gap, three after it; those between had several readings.
    assert len(stored) == 7


def test_a_clock_that_is_set_back_begins_a_stream(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    with running_browser(phone) as running:
        page = open_page(playwright, running, phone.address())
        pair(page, strap)
        beats = _Beats(strap)
        beats.play(3)
        page.evaluate("window.wallSetBy = -3_600_000")
        beats.play(3)
        wait_in(page, f"window.durable === {len(beats.times)}")
        assert page.evaluate("window.recorder.message.key") == "recorder.clock_set"
        stop(page)
    streams = list(stored_intervals(phone).values())
    assert [len(stream) for stream in streams] == [3, 3]
    assert streams[1][-1][0] - streams[0][-1][0] < -3500 * SECOND or (
        streams[0][-1][0] - streams[1][-1][0] < -3500 * SECOND
    )


class _Beats:
    """Plays a beat a second, in real time; ``times`` is when each was sent."""

    TICKS = 1024

    def __init__(self, strap: PlayedStrap) -> None:
        self._strap = strap
        self._next = time.monotonic()
        self.times: list[int] = []

    def play(self, seconds: int) -> None:
        self._next = max(self._next, time.monotonic() - 1)
        for _ in range(seconds):
            time.sleep(max(0.0, self._next - time.monotonic()))
            self._next += 1
            self.times.append(time.time_ns())
            assert self._strap.beat(60, [self.TICKS])
