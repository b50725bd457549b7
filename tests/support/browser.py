"""A headless Chromium, and signing in with it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

# Servers, browsers and other tests share two cores: what is there within it is there.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def opened_browsers(executable: str) -> Iterator[Callable[[], Browser]]:
    """Run a headless Chromium until the context ends; another where that one is gone."""
    with sync_playwright() as playwright, ExitStack() as opened:
        browser: Browser | None = None

        def newest() -> Browser:
            nonlocal browser
            if browser is None or not browser.is_connected():
                browser = playwright.chromium.launch(
                    executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
                )
                opened.callback(browser.close)
            return browser

        yield newest


@contextmanager
def opened_context(
    browser: Browser, size: ViewportSize, timezone_id: str | None = None
) -> Iterator[BrowserContext]:
    """A window of this size, in which everything has time: two browsers and a server may share two
    cores.
    """
    opened = browser.new_context(viewport=size, timezone_id=timezone_id)
    opened.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    try:
        yield opened
    finally:
        expect.set_options(timeout=PATIENCE_MS)
        opened.close()


def sign_in(page: Page, url: str, email: str, password: str) -> None:
    """Fill in the form of the sign-in page and submit it."""
    page.goto(url)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()


def choose_page(page: Page, title: str) -> None:
    """Choose a page in the navigation: in its group, behind "2 more" where there is no room for it,
    or in the drawer of a narrow window, which closes by itself.
    """
    size = page.viewport_size
    assert size is not None
    if size["width"] < 768:
        page.get_by_test_id("stExpandSidebarButton").click()
        page.get_by_test_id("stSidebarNavLink").filter(has_text=title).click()
        expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
        return
    # Who has just signed in still has the navigation of before for a moment.
    for _ in range(20):
        if _choose_in_navigation(page, title):
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"no page {title} in the navigation")


def _choose_in_navigation(page: Page, title: str) -> bool:
    expect(page.get_by_test_id("stTopNavLink").first).to_be_visible()
    link = page.get_by_test_id("stTopNavLink").filter(has_text=title)
    if link.count() > 0:
        if link.first.evaluate("link => link.closest('[inert]') !== null"):
            page.get_by_text(re.compile(r"^\d+ more$")).click()
            link = page.get_by_test_id("stTopNavDropdownLink").filter(has_text=title)
        link.first.click()
        return True
    link = page.get_by_test_id("stTopNavDropdownLink").filter(has_text=title)
    for group in page.get_by_test_id("stTopNavSection").all():
        group.click()
        page.get_by_test_id("stTopNavPopover").wait_for()
        if link.count() > 0:
            link.click()
            return True
        page.keyboard.press("Escape")
    return False


def check_width(page: Page, name: str) -> None:
    """Nothing is wider than the window; with EBBTIDE_SCREENSHOTS, a picture of the page."""
    page.wait_for_timeout(500)
    size = page.viewport_size
    assert size is not None
    main = page.get_by_test_id("stMainBlockContainer")
    assert main.evaluate("element => element.scrollWidth <= element.clientWidth")
    folder = os.environ.get("EBBTIDE_SCREENSHOTS")
    if folder:
        height = main.evaluate("element => element.scrollHeight") + 10
        page.set_viewport_size({"width": size["width"], "height": min(height, 2600)})
        page.wait_for_timeout(600)
        page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png")
        page.set_viewport_size(size)


def wait_until_drawn(page: Page) -> None:
    """Wait until the page's script has ended, and what it replaced has faded."""
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning")
    page.wait_for_timeout(400)
    expect(app).to_have_attribute("data-test-script-state", "notRunning")


_IS_IN_DRAWER = "target => !!document.querySelector(target)?.closest('[data-testid=\"stSidebar\"]')"


def violations(page: Page) -> list[str]:
    """Return what axe reports against WCAG 2.2 AA, once the page is drawn: Streamlit fades what is
    being drawn anew. Left out is the list of Streamlit's own menu, which holds groups of pages
    that are no list items: nothing of it can be set from here.
    """
    wait_until_drawn(page)
    return axe_violations(page)


def contrast_violations(page: Page) -> list[str]:
    """Return the texts of a drawn page that have too little contrast (WCAG 1.4.3)."""
    wait_until_drawn(page)
    return _axe(page, {"type": "rule", "values": ["color-contrast"]})


def axe_violations(page: Page) -> list[str]:
    """``violations`` of a page as it is now."""
    return _axe(page, ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"])


def _axe(page: Page, run_only: Any) -> list[str]:
    result = Axe().run(page, options={"runOnly": run_only})
    found = []
    for broken in result.response["violations"]:
        nodes = [
            str(node["html"])[:160]
            for node in broken["nodes"]
            if broken["id"] not in ("list", "listitem")
            or not page.evaluate(_IS_IN_DRAWER, str(node["target"][0]))
        ]
        if nodes:
            found.append(f"{broken['id']}: {broken['help']}: " + "; ".join(nodes[:3]))
    return found
