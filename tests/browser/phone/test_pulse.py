"""Pulse intervals of an optical Polar through the browser to the store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright

from ebbtide.beats import Origin
from ebbtide.timestamps import HOUR, MILLISECOND
from tests.support.phone_recording import (
    Phone,
    open_page,
    pair,
    running_browser,
    stop,
    wait_for,
    wait_in,
)
from tests.support.played_bluez import PlayedStrap
from tests.support.played_optical import PlayedOptical

pytestmark = pytest.mark.browser

WORN, BLOCKED = 0x06, 0x07


@pytest.fixture
def strap() -> Iterator[PlayedStrap]:
    yield PlayedOptical("Polar Sense 12345678")


def test_pulse_intervals_are_recorded_and_kept_apart_from_rr(
    playwright: Playwright, phone: Phone, strap: PlayedOptical
) -> None:
    start_ms = (phone.stores.now() - 3 * HOUR) // MILLISECOND
    frames = [[(900 + 5 * frame + beat, WORN) for beat in range(5)] for frame in range(20)]
    frames[12] = [(interval, BLOCKED) for interval, _ in frames[12]]
    frames[15] = [(0, WORN), *frames[15][1:]]  # no beat
    with running_browser(phone) as running:
        page = open_page(playwright, running, phone.address(clock=str(start_ms)))
        page.clock.install()
        pair(page, strap)
        wait_in(page, "window.recorder.message?.key === 'recorder.pulse_begins'")
        page.clock.run_for(30_000)  # it computes, and that is no silence
        assert page.evaluate("window.recorder.state") == "recording"
        assert strap.connections == 1
        for number, frame in enumerate(frames):
            if number == 10:
                page.clock.run_for(15_000)  # now it is one
                wait_for(lambda: strap.connections == 2 and strap.measures, page, "a new link")
            strap.send(65, *frame)
            wait_in(page, f"window.durable === {number + 1}")
        assert page.evaluate("window.recorder.message") is None
        stop(page)
    found = phone.stores.beats.read(phone.person.subject_id, 0, 2**62)
    (stream,) = found.streams
    assert (stream.origin, stream.ticks_per_second) == (Origin.PULSE, 1000)
    sent = [sample for frame in frames for sample in frame if sample[0]]
    assert found.rr_ticks.tolist() == [interval for interval, _ in sent]
    blocked = [
        interval
        for interval, is_worn in zip(found.rr_ticks, found.contact, strict=True)
        if is_worn != 1
    ]
    assert blocked == [interval for interval, flags in sent if flags == BLOCKED]
