"""The app itself with a strap: sign in by a code, choose the strap, record; then sign out."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from playwright.sync_api import Playwright, expect

from tests.support.accounts import add_account, answer_on_keeping
from tests.support.phone_recording import (
    Phone,
    choose_strap,
    running_browser,
    stored_intervals,
    wait_for,
)
from tests.support.phone_screens import open_view, sign_in_by_code
from tests.support.played_bluez import PlayedStrap

pytestmark = pytest.mark.browser


def test_a_person_signs_in_agrees_chooses_the_strap_and_their_beats_are_at_the_server(
    playwright: Playwright, phone: Phone, strap: PlayedStrap
) -> None:
    grace = add_account(phone.stores, "grace@example.org", zone="Europe/Berlin", agrees=False)
    phone = replace(phone, person=grace)
    with running_browser(phone) as running:
        browser = playwright.chromium.connect_over_cdp(running.devtools)
        page = browser.contexts[0].new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        sign_in_by_code(page, phone.site.url, phone.stores, phone.person)
        open_view(page, "record")
        expect(page.get_by_role("link", name="Read and decide")).to_be_visible()
        expect(page.get_by_role("button", name="Choose the strap")).to_have_count(0)
        answer_on_keeping(phone.stores, grace)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.get_by_role("button", name="Choose the strap", exact=True)).to_be_visible()
        choose_strap(page, strap, "button.main:visible")
        wait_for(lambda: strap.notifying, page, "the strap's link")
        for _ in range(5):
            strap.beat(60, [1024])
            time.sleep(1)
        expect(page.get_by_text("60", exact=True)).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        wait_for(lambda: stored_intervals(phone), page, "the beats at the server")
        wait_for(
            lambda: sum(map(len, stored_intervals(phone).values())) == 5, page, "all of the beats"
        )
        assert not errors
