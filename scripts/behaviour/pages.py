"""Texts of the pages, read in a browser."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Any

from clinic import PASSWORD, WRONG, open_clinic
from normalising import write
from product import Product, free_port

_LABELS = """() => [...document.querySelectorAll(
  '[data-testid=stMain] [aria-label], [data-testid=stMain] img[alt], [data-testid=stMain] [title],'
  + '[data-testid=stMain] [placeholder]')].map(e => [e.tagName.toLowerCase(),
  e.getAttribute('aria-label') || e.getAttribute('alt') || e.getAttribute('title') || '',
  e.getAttribute('placeholder') || '', e.value || ''].join(' | '))"""
_OPEN_ALL = """() => document.querySelectorAll('[data-testid=stMain] details:not([open]) summary')
  .forEach(summary => summary.click())"""
_BUSY = (
    "[data-test-script-state]:not([data-test-script-state=notRunning]), [data-stale=true],"
    " [data-testid=stSpinner], [data-testid=stSkeleton],"
    " [data-testid=stVegaLiteChart]:not(:has(svg, canvas))"
)
_CHOICES = (
    "[data-testid=stMain] [role=tab], [data-testid=stMain] [role=radio],"
    " [data-testid=stMain] [data-testid=stButtonGroup] button:not([role=radio]),"
    " [data-testid=stMain] [data-testid=stRadio] label:has(input)"
)
_MOST_CHOICES = 8


class Screen:
    """A page of a browser, and what can be read on it."""

    def __init__(self, page: Any, product: Product, out: Path) -> None:
        self.page, self.product, self.out = page, product, out

    def settled(self) -> str:
        """The text, once it has stayed the same for a while and nothing is being worked out."""
        before, same = "", 0
        deadline = time.monotonic() + 25
        while time.monotonic() < deadline and same < 3:
            self.page.wait_for_timeout(200)
            busy = self.page.locator(_BUSY).count()
            now = self.page.get_by_test_id("stMain").inner_text()
            same = same + 1 if now == before and now.strip() and not busy else 0
            before = now
        return before

    def put(self, name: str, text: str) -> None:
        """Record what there is."""
        labels = "\n".join(self.page.evaluate(_LABELS))
        words = f"{text}\n--- labels and values\n{labels}"
        words = re.sub(r"\n{3,}", "\n\n", words)
        made = re.sub(r"\W+", "-", name.lower()).strip("-")
        write(self.out, f"{made}.txt", self.product.normalise(words, clock=True))

    def dump(self, name: str) -> None:
        """Record the page with everything folded out, then once more for each choice on it."""
        self.settled()
        self.page.evaluate(_OPEN_ALL)
        self.put(name, self.settled())
        for k in range(min(self.page.locator(_CHOICES).count(), _MOST_CHOICES)):
            choice = self.page.locator(_CHOICES).nth(k)
            if k >= self.page.locator(_CHOICES).count() or not choice.is_visible():
                continue
            words = choice.inner_text().strip().split("\n")[0]
            if words.isdigit():  # a rating, which is of no page but the first
                break
            choice.click()
            self.put(f"{name} choice {k + 1} {words}", self.settled())

    def sign_in(self, url: str, email: str, password: str) -> None:
        """Fill the form in."""
        self.page.goto(url)
        self.page.get_by_label("E-mail").first.fill(email)
        self.page.get_by_label("Password", exact=True).first.fill(password)
        self.page.get_by_test_id("stFormSubmitButton").get_by_role("button").first.click()
        self.page.wait_for_timeout(1500)


def record_pages(product: Product, out: Path) -> None:
    """Texts of every page of the navigation, as every role."""
    from playwright.sync_api import sync_playwright

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    words = ("dashboard", "--port", str(port))
    flags = ["--no-sandbox", "--disable-gpu", "--headless", "--disable-background-networking"]
    with (
        open_clinic(product),
        product.background(url, "/_stcore/health", *words),
        sync_playwright() as playwright,
    ):
        found = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        for who in ("nobody", "ada", "eve", "tom", "ann", "adam"):
            context = browser.new_context(
                viewport={"width": 1600, "height": 1000},
                locale="en-GB",
                timezone_id="Europe/Berlin",
                color_scheme="light",
            )
            context.set_default_timeout(20_000)
            screen = Screen(context.new_page(), product, out)
            try:
                pages_of(screen, url, who)
            except Exception as error:
                write(out, f"{who}-failed.txt", product.normalise(str(error)))
            context.close()
        browser.close()


def pages_of(screen: Screen, url: str, who: str) -> None:
    """All pages of one person."""
    page = screen.page
    if who == "nobody":
        page.goto(url)
        page.get_by_label("E-mail").first.wait_for()
        screen.dump("nobody sign in")
        screen.sign_in(url, "ada@example.org", WRONG)
        screen.put("nobody wrong password", screen.settled())
    else:
        screen.sign_in(url, f"{who}@example.org", PASSWORD)
    screen.settled()
    pages = navigation_of(page)
    titles = [title for title, _ in pages]
    screen.put(f"{who} first page", screen.settled() + "\n--- navigation\n" + "\n".join(titles))
    for k, (title, address) in enumerate(pages or [("only page", page.url)]):
        try:
            if pages:
                page.goto(address)
                page.wait_for_timeout(500)
            screen.dump(f"{who} {k + 1} {title}")
        except Exception as error:
            words = screen.product.normalise(str(error))
            write(screen.out, f"{who}-{k + 1}-failed.txt", words)


def navigation_of(page: Any) -> list[tuple[str, str]]:
    """Title and address of each page of the navigation, those in its groups too."""
    found = _titles_and_addresses(page.get_by_test_id("stTopNavLink"))
    for group in page.get_by_test_id("stTopNavSection").all():
        group.click()
        page.get_by_test_id("stTopNavPopover").wait_for()
        found += _titles_and_addresses(page.get_by_test_id("stTopNavDropdownLink"))
        page.keyboard.press("Escape")
    return found


def _titles_and_addresses(links: Any) -> list[tuple[str, str]]:
    return [
        (link.inner_text().strip().split("\n")[-1], str(link.evaluate("link => link.href")))
        for link in links.all()
    ]
