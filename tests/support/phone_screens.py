"""The app in a headless Chromium, as on a phone, signed in by a code of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect
from starlette.types import Receive, Scope, Send

from api.app import create_app
from api.middleware.phone_files import PhoneFilesMiddleware
from api.services.access_tokens import issue_token
from store import Stores
from store.models import Person

VIEWS = {
    "rate": "How is it right now?",
    "practise": "A little practice",
    "practise/breathing": "Slow breathing",
    "practise/tracking": "Somatic tracking",
    "record": "Record",
    "see": "Two weeks",
    "more": "More",
}
# Everything that a browser keeps for an address, as text; the databases by name.
_REMAINS = """async () => ({
  databases: (await indexedDB.databases()).map((found) => found.name),
  local: Object.entries(localStorage),
  session: Object.entries(sessionStorage),
  cookies: document.cookie,
  cached: await Promise.all((await caches.keys()).map(async (name) =>
    (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname))),
})"""


class ChangingFiles:
    """The API with files of the app that change while it runs, as after an upgrade."""

    def __init__(self, stores: Stores, folder: Path) -> None:
        self._api = create_app(stores)
        self._folder = folder
        self.load()

    def load(self) -> None:
        self._current = PhoneFilesMiddleware(self._api, self._folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._current(scope, receive, send)


@contextmanager
def opened_phone(
    browser: Browser, *, width: int = 360, height: int = 740, **options: Any
) -> Iterator[BrowserContext]:
    """Open a browser context of a phone's size, in Berlin."""
    size = ViewportSize(width=width, height=height)
    context = browser.new_context(viewport=size, timezone_id="Europe/Berlin", **options)
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    try:
        yield context
    finally:
        context.close()


def new_code(url: str, stores: Stores, person: Person) -> str:
    """A code for a phone, as the person's pages show it."""
    token, _ = issue_token(stores, person)
    answer = httpx.post(
        f"{url}/v1/device-codes", headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    return str(answer.raise_for_status().json()["code"])


def sign_in_by_code(page: Page, url: str, stores: Stores, person: Person) -> None:
    """Open the address that the pages show as a picture, and sign in."""
    page.goto(f"{url}/app#code={new_code(url, stores, person)}")
    page.get_by_role("button", name="Sign in with the code").click()
    expect(page.get_by_role("heading", name=VIEWS["rate"])).to_be_visible()


def wait_for_worker(page: Page) -> None:
    """Wait until the service worker has all files, and answers for this page."""
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")


def choose(page: Page, title: str, number: int) -> None:
    """Choose a number of a scale, as a finger does."""
    group = page.get_by_role("radiogroup", name=title, exact=True)
    group.get_by_role("radio", name=str(number), exact=True).check()


def rate(page: Page, pain: int, stress: int) -> None:
    """Open the form anew, and save a rating."""
    page.evaluate("() => { location.hash = '#more'; location.hash = '#rate'; }")
    expect(page.get_by_role("heading", name=VIEWS["rate"])).to_be_visible()
    choose(page, "Pain", pain)
    choose(page, "Stress", stress)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Saved. Thank you.")).to_be_visible()


def open_view(page: Page, name: str) -> None:
    """Open a view by its address."""
    page.evaluate("name => { location.hash = `#${name}`; }", name)
    expect(page.get_by_role("heading", name=VIEWS[name], level=1)).to_be_visible()


def remains(page: Page) -> dict[str, Any]:
    """What the browser keeps for this address."""
    found: dict[str, Any] = page.evaluate(_REMAINS)
    return found


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - innerWidth"))


def axe_violations(page: Page) -> list[str]:
    """What axe reports against WCAG 2.2 AA.

    A button that the scrolled page has half below the bar of views is no small target: it counts
    where it is still small in the middle of the screen.
    """
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}
    found = Axe().run(page, options=options).response["violations"]
    small = [n["target"][0] for item in found if item["id"] == "target-size" for n in item["nodes"]]
    for target in small:
        page.locator(target).evaluate("element => element.scrollIntoView({block: 'center'})")
        again = Axe().run(page, target, {"runOnly": {"type": "rule", "values": ["target-size"]}})
        if again.response["violations"]:
            break
    else:
        found = [item for item in found if item["id"] != "target-size"]
    return [
        f"{item['id']}: {item['help']}: {str(item['nodes'][0]['html'])[:160]}" for item in found
    ]
