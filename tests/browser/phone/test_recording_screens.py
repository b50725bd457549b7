"""The whole app with a strap: paired, seen, kept through a new version, and sent at signing out."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, expect

from api.app import create_app
from api.services.phones import phones
from cli.server.thread import ApiThread
from phone.files import STATIC
from store import Stores
from store.models import Person
from tests.support.accounts import add_account
from tests.support.phone_recording import wait_for
from tests.support.phone_screens import (
    ChangingFiles,
    axe_violations,
    new_code,
    open_view,
    opened_phone,
    remains,
    sign_in_by_code,
    wait_for_worker,
)
from tests.support.played_bluez import PlayedBluez, PlayedStrap

pytestmark = pytest.mark.browser


def pair(page: Page, strap: PlayedStrap) -> None:
    """Press the button, and pick the strap in the browser's chooser."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("DeviceAccess.enable")
    prompts: list[dict[str, Any]] = []

    def note(prompt: dict[str, Any]) -> None:
        if prompt["devices"] and not prompts:
            prompts.append(prompt)

    devtools.on("DeviceAccess.deviceRequestPrompted", note)
    page.get_by_role("button", name="Choose the strap", exact=True).click()
    wait_for(lambda: prompts, page, "the chooser")
    (chosen,) = (device for device in prompts[0]["devices"] if device["name"] == strap.name)
    devtools.send("DeviceAccess.selectPrompt", {"id": prompts[0]["id"], "deviceId": chosen["id"]})


def test_a_strap_is_paired_and_seen_and_its_beats_are_sent(
    playwright: Playwright,
    chromium: str,
    stores: Stores,
    bluez: PlayedBluez,
    strap: PlayedStrap,
    tmp_path: Path,
) -> None:
    ada = add_account(stores, "ada@example.org", zone="Europe/Berlin")
    folder = tmp_path / "static"
    shutil.copytree(STATIC, folder)
    files = ChangingFiles(stores, folder)
    sent: list[int] = []

    def beat(heart_rate: int, *rr: int) -> None:
        assert strap.beat(heart_rate, list(rr))
        sent.extend(rr)

    browser = playwright.chromium.launch(
        executable_path=chromium,
        env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bluez.bus_address},
        args=["--no-sandbox", "--disable-gpu", "--enable-features=WebBluetooth"],
    )
    with ApiThread(files) as api, opened_phone(browser, bypass_csp=True) as context:
        page = context.new_page()
        sign_in_by_code(page, api.url, stores, ada)
        wait_for_worker(page)
        open_view(page, "record")
        pair(page, strap)
        expect(page.get_by_text(strap.name, exact=True)).to_be_visible()
        expect(page.get_by_text("77 %")).to_be_visible()
        wait_for(lambda: strap.notifying, page, "notifications")
        beat(64, 960)
        expect(page.get_by_text("64 a minute")).to_be_visible()
        assert axe_violations(page) == []
        open_view(page, "see")
        expect(page.get_by_text("Recording · heart 64")).to_be_visible()

        # A new version comes: the recording goes on, and the app says that it waits.
        texts = folder / "js" / "locale" / "en.js"
        texts.write_text(texts.read_text().replace('"Two weeks"', '"Fourteen days"'))
        files.load()
        page.evaluate("async () => (await navigator.serviceWorker.ready).update()")
        expect(page.get_by_text("It waits until the recording is stopped.")).to_be_visible()
        expect(page.get_by_role("button", name="Use it now")).to_have_count(0)

        # Another tab takes it: this one is not opened anew.
        page.evaluate("() => { window.isSame = true; }")
        other = context.new_page()
        other.goto(f"{api.url}/app/#see")
        other.get_by_role("button", name="Use it now").click()
        # Chromium lets the former worker end what it began, for up to minutes: end it at once.
        devtools = context.new_cdp_session(other)
        devtools.send("ServiceWorker.enable")
        devtools.send("ServiceWorker.stopAllWorkers")
        expect(other.get_by_role("heading", name="Fourteen days")).to_be_visible()
        beat(65, 930)
        expect(page.get_by_text("Recording · heart 65")).to_be_visible()

        # The phone is signed out from elsewhere, and again in: by the other tab, for both.
        (token,) = phones(stores, ada)
        assert stores.access.revoke_token(ada.id, token.id)
        other.reload()
        for tab in (page, other):
            expect(tab.get_by_text("This phone was signed out from elsewhere")).to_be_visible()
        for k in range(5):
            beat(65, 910 + k)
        sign_in_by_code(other, api.url, stores, ada)
        expect(page.get_by_text("Recording · heart 65")).to_be_visible()
        assert page.evaluate("() => window.isSame")
        other.close()

        # The server is away, and beats wait on the phone.
        context.set_offline(True)
        for k in range(5):
            beat(66, 900 + k, 940 - k)
        open_view(page, "record")
        expect(page.get_by_text("66 a minute")).to_be_visible()
        expect(page.get_by_text(re.compile(r"^[1-9]\d* messages? of the strap$"))).to_be_visible()
        context.set_offline(False)
        open_view(page, "more")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("Nothing of yours is on this phone any more.")).to_be_visible()
        assert remains(page)["databases"] == [] and not remains(page)["local"]
        stored = stores.beats.read(ada.subject_id, 0, 2**62)
        assert stored.rr_ticks.tolist() == sent
        browser.close()


def test_what_waits_of_one_person_outlives_another_who_signs_in(
    playwright: Playwright,
    chromium: str,
    stores: Stores,
    bluez: PlayedBluez,
    strap: PlayedStrap,
    tmp_path: Path,
) -> None:
    ada = add_account(stores, "ada@example.org", name="Ada", zone="Europe/Berlin")
    eve = add_account(stores, "eve@example.org", name="Eve", zone="Europe/Berlin")
    sent = [910, 920, 930, 940]
    browser = playwright.chromium.launch(
        executable_path=chromium,
        env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bluez.bus_address},
        args=["--no-sandbox", "--disable-gpu", "--enable-features=WebBluetooth"],
    )

    def sign_in(page: Page, person: Person) -> None:
        """On the same page: what waits in its memory is not lost."""
        page.get_by_label("Code", exact=True).fill(new_code(api.url, stores, person))
        page.get_by_role("button", name="Sign in with the code").click()
        expect(page.get_by_role("link", name="More", exact=True)).to_be_visible()

    with ApiThread(create_app(stores)) as api, opened_phone(browser) as context:
        page = context.new_page()
        sign_in_by_code(page, api.url, stores, ada)
        open_view(page, "record")
        pair(page, strap)
        wait_for(lambda: strap.notifying, page, "notifications")
        assert strap.beat(64, sent[:1])
        expect(page.get_by_text("64 a minute")).to_be_visible()
        (token,) = phones(stores, ada)
        assert stores.access.revoke_token(ada.id, token.id)
        open_view(page, "see")  # asks the server
        expect(page.get_by_text("This phone was signed out from elsewhere")).to_be_visible()
        for interval in sent[1:]:
            assert strap.beat(65, [interval])
        words = page.get_by_text("3 messages of the strap of Ada wait in this page alone.")
        expect(words).to_be_visible()

        sign_in(page, eve)
        expect(words).to_be_visible()
        wait_for(lambda: not strap.notifying, page, "the end of Ada's recording")
        open_view(page, "more")
        expect(page.get_by_text("Of somebody who was signed in here before")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("Nothing of yours is on this phone any more.")).to_be_visible()
        expect(words).to_be_visible()

        sign_in(page, ada)
        expect(words).to_have_count(0)
        open_view(page, "more")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("Nothing of yours is on this phone any more.")).to_be_visible()
        assert stores.beats.read(ada.subject_id, 0, 2**62).rr_ticks.tolist() == sent
        assert stores.beats.coverage(eve.subject_id) == []
        browser.close()
