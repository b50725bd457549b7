"""The page *This computer* in a real browser: checks and report, a phone, the end."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.browser.test_start import begin
from tests.support.browser import check_width, opened_context, violations
from tests.support.ports import free_port
from tests.support.started import started

pytestmark = pytest.mark.browser
HOUSE = "127.0.0.2"
_IN_A_NETWORK = f"""
import cli.server.home_network as network
network.find_home_address = lambda: "{HOUSE}"
from cli.main import main
main()
"""


@pytest.fixture
def desk(browser: Browser) -> Iterator[BrowserContext]:
    size = ViewportSize(width=1300, height=900)
    with opened_context(browser, size, timezone_id="Europe/Lisbon") as opened:
        yield opened


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    size = ViewportSize(width=360, height=780)
    with opened_context(browser, size, timezone_id="Europe/Lisbon") as opened:
        yield opened


def test_checks_a_report_a_phone_that_signs_in_once_and_the_end(
    tmp_path: Path, desk: BrowserContext, phone: BrowserContext
) -> None:
    port, page = free_port(), desk.new_page()
    with started(tmp_path, port, ("-c", _IN_A_NETWORK), end=None) as address:
        begin(page, address)
        page.goto(f"http://localhost:{port}/computer")
        check_it(page, tmp_path)
        link = let_phone_in(page)
        small = phone.new_page()
        small.goto(link)
        expect(small.get_by_role("heading", name="Ebbtide on this phone")).to_be_visible()
        assert "#" not in small.url
        picture(small, "phone-entry")
        small.get_by_role("button", name="Sign in on this phone").click()
        expect(small.get_by_role("heading", name="How is it right now?")).to_be_visible()
        assert small.url.startswith(f"http://{HOUSE}:{port}/")
        small.reload()
        expect(small.get_by_text("Signed in as Ada")).to_be_visible()
        check_width(small, "phone-today")
        small.goto(f"http://{HOUSE}:{port}/computer")
        expect(small.get_by_role("heading", name="This computer", exact=True)).to_be_visible()
        check_width(small, "computer-phone")
        small.get_by_role("button", name="Sign out").click()
        expect(small.get_by_label("Password", exact=True)).to_be_visible()
        small.goto(link)  # once
        small.get_by_role("button", name="Sign in on this phone").click()
        expect(small.get_by_text("used already")).to_be_visible()
        end_it(page, port)


def check_it(page: Page, folder: Path) -> None:
    check_width(page, "computer")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("What works")).to_be_visible()
    check_width(page, "computer-checked")
    with page.expect_download() as downloaded:
        page.get_by_role("button", name="A report for whoever helps me").click()
    file = folder / "report.json"
    downloaded.value.save_as(file)
    report = json.loads(file.read_text())
    assert {"Disk", "Outbox", "Server"} <= {item["check"] for item in report["checks"]}
    assert "ada@" not in file.read_text().lower()
    assert "Ada" not in file.read_text()
    assert str(folder) not in file.read_text()


def let_phone_in(page: Page) -> str:
    """Open it to phones, and read the address under the code."""
    expect(page.get_by_text("could read along")).to_be_visible()
    expect(page.get_by_text("https")).to_be_visible()
    page.get_by_role("button", name="let my phone in").click()
    page.get_by_role("button", name="Show a code for my phone").click()
    expect(page.get_by_text("It signs one phone in, once")).to_be_visible()
    check_width(page, "computer-code")
    assert violations(page) == []
    page.get_by_text("The camera finds nothing?").click()
    code = page.get_by_test_id("stCode")
    expect(code).to_contain_text("/phone#")
    return code.inner_text().strip()


def end_it(page: Page, port: int) -> None:
    page.get_by_role("button", name="End Ebbtide ...").click()
    expect(page.get_by_text("recording of straps stops")).to_be_visible()
    check_width(page, "computer-end")
    page.get_by_role("button", name="No, let it run").click()
    expect(page.get_by_role("button", name="Yes, end it")).to_have_count(0)
    page.get_by_role("button", name="End Ebbtide ...").click()
    page.get_by_role("button", name="Yes, end it").click()
    expect(page.get_by_role("heading", name="Ebbtide has ended")).to_be_visible()
    expect(page.get_by_text("ebbtide start")).to_be_visible()
    picture(page, "computer-ended")
    deadline = time.monotonic() + 30
    while is_running(port):
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)
    # The page stays where nothing serves it any more.
    expect(page.get_by_role("heading", name="Ebbtide has ended")).to_be_visible()


def is_running(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/v1/health")
    except httpx.TransportError:
        return False
    return True


def picture(page: Page, name: str) -> None:
    """A page without Streamlit fits too; with EBBTIDE_SCREENSHOTS, a picture of it."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    folder = os.environ.get("EBBTIDE_SCREENSHOTS")
    if folder:
        size = page.viewport_size
        assert size is not None
        page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png")
