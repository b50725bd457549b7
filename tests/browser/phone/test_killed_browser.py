"""SIGKILL to the browser while it records: what was told as durable is in the store, once.

CI kills six times; the whole:
EBBTIDE_TEST_KILLS=100 uv run --group dev pytest -n 0 -s tests/browser/phone/test_killed_browser.py
"""

from __future__ import annotations

import os
import threading
import time

import pytest
from playwright.sync_api import Playwright

from ebbtide.timestamps import DAY, MILLISECOND
from tests.support.phone_recording import (
    Phone,
    open_page,
    pair,
    running_browser,
    stored_intervals,
    wait_in,
)
from tests.support.played_bluez import PlayedStrap

pytestmark = pytest.mark.browser

_KILLS = int(os.environ.get("EBBTIDE_TEST_KILLS", "6"))
_BASE, _RANGE = 700, 300  # two intervals name a notification: 90,000 of them


def test_kills_lose_and_double_nothing_that_was_told_as_durable(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    time_ms = (phone.stores.now() - 10 * DAY) // MILLISECOND
    sent = 0
    for kill in range(_KILLS):
        address = phone.address(first=kill == 0, clock=str(time_ms))
        with running_browser(phone) as running:
            page = open_page(playwright, running, address)
            pair(page, strap)
            # Killed at a different moment of writing every time.
            ending = threading.Timer(0.4 + 0.013 * (kill % 30), running.kill)
            ending.start()
            while running.process.poll() is None:
                intervals = [_BASE + sent % _RANGE, _BASE + sent // _RANGE]
                if strap.beat(60, intervals):
                    sent += 1
                    time_ms += sum(intervals) * 1000 // 1024
                time.sleep(0.004)
            ending.join()
        strap.lose_link()
        time_ms += 5_000
    with running_browser(phone) as running:
        page = open_page(playwright, running, phone.address(first=False, clock=str(time_ms)))
        wait_in(page, "window.recorder.sendNow()")
    beats = sorted(beat for stream in stored_intervals(phone).values() for beat in stream)
    ticks = [one for _, one in beats]
    stored = [
        first - _BASE + _RANGE * (second - _BASE)
        for first, second in zip(ticks[::2], ticks[1::2], strict=True)
    ]
    told = [
        rr[0] - _BASE + _RANGE * (rr[1] - _BASE) for rr in phone.site.told.values() if len(rr) == 2
    ]
    lost = set(told) - set(stored)
    doubled = len(stored) - len(set(stored))
    print(
        f"{_KILLS} kills: {sent} notifications sent by the strap, {len(told)} told as durable, "
        f"{len(stored)} in the store; {len(lost)} lost, {doubled} doubled"
    )
    assert len(told) > 20 * _KILLS
    assert not lost
    assert not doubled
    assert stored == sorted(stored), "beats are in the order in which the strap sent them"
    assert set(stored) <= set(range(sent))
    (coverage,) = phone.stores.beats.coverage(phone.person.subject_id)
    assert coverage.acknowledged == len(stored), "the numbers of the stream have no hole"
