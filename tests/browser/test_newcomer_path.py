"""A newcomer without a terminal, in a real browser: from the first start to an answer's page.

A strap is played on a private D-Bus. Clicks are counted; so are the words on the pages until the
first rating (``pytest -s`` prints both).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from typer.testing import CliRunner

from cli.main import app
from ebbtide.beats import Origin
from ebbtide.settings import Settings
from store import open_stores
from tests.conftest import skip_or_fail
from tests.support.browser import opened_context
from tests.support.played_bluez import PlayedBluez, PlayedStrap, has_dbus
from tests.support.ports import free_port
from tests.support.started import started
from tests.support.wearer import Wearer

pytestmark = pytest.mark.browser
MAX_CLICKS = 12  # to the first rating
RECORDED_BEATS = 12


class Newcomer:
    """Clicks and reads, and counts both."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.words = page, 0, 0

    def click(self, target: Locator) -> None:
        """Click once, when the page is drawn: while it is, what was there before is there too."""
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-script-state", "notRunning")
        target.click()
        self.clicks += 1

    def press(self, name: str) -> None:
        """Click the button of this name."""
        self.click(self.page.get_by_role("button", name=name))

    def read(self, heading: str) -> None:
        """Wait for a page by its heading, and read it whole."""
        expect(self.page.get_by_role("heading", name=heading)).to_be_visible()
        main = self.page.get_by_test_id("stMainBlockContainer")
        self.words += len(main.inner_text().split())

    def open(self, name: str) -> None:
        """Choose a page in the navigation, which a menu of it may hold."""
        link = self.page.get_by_test_id("stTopNavLink").filter(has_text=name).first
        if link.count() == 0:  # in one of its two groups
            titles = self.page.get_by_test_id("stTopNavSection")
            self.click(titles.filter(has_text="Looking back" if name == "My link" else "More"))
            link = self.page.get_by_test_id("stTopNavDropdownLink").filter(has_text=name)
        self.click(link)


@pytest.fixture
def strap(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedStrap]:
    if not has_dbus():
        skip_or_fail("dbus-daemon is not installed")
    worn = PlayedStrap("Polar H10 8C4CAD25", "C0:00:00:00:00:01")
    with PlayedBluez(worn) as bluez:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bluez.bus_address)
        yield worn


def test_a_newcomer_gets_from_nothing_to_the_page_of_the_answer(
    tmp_path: Path, browser: Browser, strap: PlayedStrap
) -> None:
    sample = CliRunner().invoke(app, ["sample", str(tmp_path / "sample")])
    assert sample.exit_code == 0, sample.output
    port, wearer = free_port(), Wearer(strap)
    with opened_context(browser, {"width": 1300, "height": 900}) as context:
        page = context.new_page()
        newcomer = Newcomer(page)
        with started(tmp_path, port) as address:
            page.goto(address)
            newcomer.read("Welcome")
            page.get_by_label("What may Ebbtide call you?").fill("Ada")
            newcomer.press("Go on")
            newcomer.read("First, about your data")
            newcomer.press("Yes, I agree")
            newcomer.read("What do you have?")
            newcomer.click(page.get_by_text("A chest strap"))
            newcomer.press("Begin")
            newcomer.read("How is it right now?")
            for scale, number in (("Pain", "4"), ("Stress", "3")):
                row = page.get_by_role("radiogroup", name=scale)
                newcomer.click(row.get_by_text(number, exact=True))
            newcomer.press("Save")
            expect(page.get_by_role("heading", name="Saved. Thank you.")).to_be_visible()
            print(f"first rating: {newcomer.clicks} clicks, {newcomer.words} words on the pages")
            assert newcomer.clicks <= MAX_CLICKS

            main = page.get_by_test_id("stMainBlockContainer")
            newcomer.click(main.get_by_role("link", name="My devices"))
            newcomer.press("Look for my strap")
            expect(page.get_by_text("Polar H10 8C4CAD25")).to_be_visible()
            newcomer.press("This is mine")
            expect(page.get_by_text("a minute. It records, and all is well.")).to_be_visible()
            wait_for(wearer, wearer.beats + RECORDED_BEATS)
        # The program is ended and started again: the same data, the same session, the same strap.
        with started(tmp_path, port):
            page.goto(f"http://localhost:{port}")
            expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()
            newcomer.click(main.get_by_role("link", name="My devices"))
            expect(page.get_by_text("a minute. It records, and all is well.")).to_be_visible()
            wait_for(wearer, wearer.beats + RECORDED_BEATS)

            newcomer.open("Bring in a file")
            expect(page).to_have_url(re.compile("/files$"))
            page.locator("input[type=file]").set_input_files(tmp_path / "sample" / "walk.hrm")
            newcomer.press("Keep these")
            expect(page.get_by_text(re.compile(r"Kept: [\d,]+ heartbeats"))).to_be_visible()

            newcomer.open("My link")
            expect(page.get_by_text("1 of 30 ratings of pain and stress")).to_be_visible()
            print(f"the page of the answer: {newcomer.clicks} clicks")
    wearer.end()
    with closing(open_stores(Settings(data_dir=tmp_path / "data"))) as stores:
        (ada,) = stores.records.people()
        assert len(stores.records.ratings(ada.id, 0, 2**62)) == 1
        streams = stores.beats.coverage(ada.subject_id)
    beats = {item.stream.origin: 0 for item in streams}
    for item in streams:
        beats[item.stream.origin] += item.beats
    assert beats.keys() == {Origin.STRAP, Origin.FILE}
    assert 2 * RECORDED_BEATS - 4 <= beats[Origin.STRAP] <= wearer.beats
    assert beats[Origin.FILE] > 500


def wait_for(wearer: Wearer, beats: int) -> None:
    """Wear the strap until so many beats are sent."""
    deadline = time.monotonic() + 60
    while wearer.beats < beats:
        assert time.monotonic() < deadline
        time.sleep(0.2)
