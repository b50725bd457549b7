"""What the browser gives and takes: the strap after a reload, its permission, the screen."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Playwright

from ebbtide.beats import GapReason
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
from tests.support.played_bluez import PlayedStrap

pytestmark = pytest.mark.browser

# Behind a flag in Chromium 156: getDevices, and forget. The last flag of a name holds.
KEEPS_DEVICES = "--enable-features=WebBluetooth,WebBluetoothNewPermissionsBackend"


def test_after_a_reload_it_goes_on_without_the_chooser_where_the_browser_allows_that(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    with running_browser(phone, KEEPS_DEVICES) as running:
        page = open_page(playwright, running, phone.address())
        assert page.evaluate("typeof navigator.bluetooth.getDevices") == "function"
        pair(page, strap)
        assert strap.beat(60, [1000])
        wait_in(page, "window.durable === 1")
        page.reload()
        wait_until_recording(page)
        wait_for(lambda: strap.notifying, page, "notifications")
        assert strap.beat(60, [1001])
        wait_in(page, "window.durable === 1")
        assert "recorder.needs_choice" not in page.evaluate("window.messages")
        stop(page)
    (beats,) = stored_intervals(phone).values()
    assert [ticks for _, ticks in beats] == [1000, 1001]


def test_a_permission_that_is_gone_ends_the_recording_and_says_what_to_do(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    with running_browser(phone, KEEPS_DEVICES) as running:
        page = open_page(playwright, running, phone.address())
        pair(page, strap)
        assert strap.beat(60, [1000])
        wait_in(page, "window.durable === 1")
        page.evaluate("async () => { await (await navigator.bluetooth.getDevices())[0].forget(); }")
        strap.lose_link()
        wait_in(page, "window.recorder.message?.key === 'recorder.permission'")
        # So that the button that chooses the strap is there again.
        wait_in(page, "window.recorder.state === 'blocked'")
        pair(page, strap)
        assert strap.beat(60, [1001])
        wait_in(page, "window.durable === 2")
        stop(page)
    (beats,) = stored_intervals(phone).values()
    assert [ticks for _, ticks in beats] == [1000, 1001]
    (gap,) = phone.stores.beats.gaps(phone.person.subject_id, 0, 2**62)
    assert gap.gap.reason is GapReason.PERMISSION_LOST
    headers = {"Authorization": f"Bearer {phone.token}"}
    told = httpx.get(f"{phone.site.url}/v1/gaps", headers=headers, timeout=60).json()
    assert [one["reason"] for one in told] == ["permission taken away"]


def test_the_screen_is_kept_on_again_when_the_page_is_seen_again(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    with running_browser(phone) as running:
        page = open_page(playwright, running, phone.address())
        page.evaluate(
            """() => {
              window.wakeLocks = [];
              const request = navigator.wakeLock.request.bind(navigator.wakeLock);
              navigator.wakeLock.request = async (kind) => {
                const lock = await request(kind);
                window.wakeLocks.push(lock);
                return lock;
              };
            }"""
        )
        pair(page, strap)
        wait_in(page, "window.wakeLocks.length === 1 && !window.wakeLocks[0].released")
        other = page.context.new_page()
        other.bring_to_front()
        wait_in(page, "document.visibilityState === 'hidden' && window.wakeLocks[0].released")
        assert strap.beat(60, [1000])
        wait_in(page, "window.durable === 1")
        page.bring_to_front()
        wait_in(page, "window.wakeLocks.length === 2 && !window.wakeLocks[1].released")
        stop(page)
        wait_in(page, "window.wakeLocks[1].released")
        other.bring_to_front()
        page.bring_to_front()
        assert page.evaluate("window.wakeLocks.length") == 2, "not while nothing is recorded"
