"""``ebbtide start`` in a real browser: from nothing to a rating, and what stays signed in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.support.browser import check_width, opened_context, violations
from tests.support.ports import free_port
from tests.support.started import started

pytestmark = pytest.mark.browser
ZONE = "Europe/Lisbon"


@pytest.fixture(params=[1300, 360])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    size = ViewportSize(width=request.param, height=900)
    with opened_context(browser, size, timezone_id=ZONE) as opened:
        yield opened


def test_from_nothing_to_a_rating_and_signed_in_until_one_signs_out(
    tmp_path: Path, context: BrowserContext
) -> None:
    port, page = free_port(), context.new_page()
    with started(tmp_path, port) as address:
        begin(page, address)
        rate(page)
        page.reload()
        expect_today(page)
        # A reload would have found no session without the cookie: it is there.
        (cookie,) = [c for c in context.cookies() if c["name"] == f"ebbtide_session_{port}"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert cookie["expires"] > time.time() + 80 * 86_400
        tab = context.new_page()
        tab.goto(f"http://localhost:{port}")
        expect_today(tab)
        tab.close()
    with started(tmp_path, port) as address:  # the same data, and the cookie of before
        page.goto(f"http://localhost:{port}")
        expect_today(page)
        sign_out(page)
        expect(page.get_by_text("start Ebbtide again, and it opens signed in")).to_be_visible()
        check_width(page, "start-signed-out")
        wait_for_no_cookie(context, port)
        for path in ("", "/data"):  # of a bookmarked page, too
            page.goto(f"http://localhost:{port}{path}")
            expect(page.get_by_text("start Ebbtide again, and it opens signed in")).to_be_visible()
            expect(page.get_by_text("Page not found")).to_have_count(0)
            assert page.url.endswith(path or "/")
        page.goto(address)
        expect_today(page)
        assert "link=" not in page.url
        context.clear_cookies()
        page.goto(address)  # good once
        expect(page.get_by_text("start Ebbtide again, and it opens signed in")).to_be_visible()


def begin(page: Page, address: str) -> None:
    """Answer the first questions: ada, alone at this computer, with nothing yet."""
    page.goto(address)
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    assert "first=" not in page.url
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    assert page.get_by_label("Your time zone").input_value() == ZONE
    check_width(page, "first-run")
    assert violations(page) == []
    page.get_by_label("What may Ebbtide call you?").fill("Ada")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="First, about your data")).to_be_visible()
    check_width(page, "first-run-keeping")
    assert violations(page) == []
    page.get_by_role("button", name="Yes, I agree").click()
    expect(page.get_by_role("heading", name="What do you have?")).to_be_visible()
    page.get_by_text("Nothing yet").click()
    expect(page.get_by_text("Ratings need nothing but you")).to_be_visible()
    check_width(page, "first-run-beginning")
    assert violations(page) == []
    page.get_by_role("button", name="Begin").click()
    expect_today(page)
    expect(page.get_by_text("Signed in as Ada")).to_be_visible()
    expect(page.get_by_text("Now: your first rating")).to_be_visible()
    check_width(page, "first-run-today")
    assert violations(page) == []


def expect_today(page: Page) -> None:
    expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()


def rate(page: Page) -> None:
    for scale, number in (("Pain", "4"), ("Stress", "3")):
        page.get_by_role("radiogroup", name=scale).get_by_text(number, exact=True).click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Saved. Thank you.")).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()


def wait_for_no_cookie(context: BrowserContext, port: int) -> None:
    deadline = time.monotonic() + 30
    while any(cookie["name"] == f"ebbtide_session_{port}" for cookie in context.cookies()):
        assert time.monotonic() < deadline
        context.pages[0].wait_for_timeout(100)
