"""What Streamlit itself says and draws: in the language of the reader, whole, wide enough."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from ebbtide.beats import new_id
from ebbtide.timestamps import DAY
from store.models import Rating
from tests.support.accounts import PASSWORD
from tests.support.clinic import Clinic

pytestmark = pytest.mark.browser

# Of Streamlit's own words; none of them is a word of German.
_ENGLISH = re.compile(
    r"\b(Show|Download|Choose|Open|Close|Remove|Clear|Help|Search|Fullscreen|Increment|Decrement"
    r"|Hide|Copy|Link to|Selected|start|end|Expand|Collapse|Main|App pages)\b"
)
_SAID = """() => [...document.querySelectorAll('[aria-label], [title]')]
  .filter(each => each.checkVisibility())
  .flatMap(each => [each.getAttribute('aria-label'), each.getAttribute('title')])
  .filter(words => words)"""
_SMALL = """() => [...document.querySelectorAll(
    '[data-testid="stFileUploader"] button, [data-testid="stNumberInput"] button, ' +
    '[data-baseweb="select"] > div, [data-baseweb="input"]')]
  .filter(each => each.checkVisibility())
  .map(each => [each.getBoundingClientRect(), each.outerHTML.slice(0, 120)])
  .filter(([box]) => box.height < 43.5 || box.width < 43.5)
  .map(([box, what]) => `${box.width} x ${box.height}: ${what}`)"""
_CUT = """() => [...document.querySelectorAll('[data-testid="stPageLink"] p')]
  .filter(each => each.scrollWidth > each.clientWidth + 1)
  .map(each => each.innerText)"""


@pytest.fixture(scope="module")
def rated(clinic: Clinic) -> Clinic:
    person, now = clinic.people["ada"], clinic.stores.now()
    for day in range(3):
        at = now - day * DAY - 1
        clinic.stores.records.add_rating(
            Rating(new_id(), 1, person.id, at, at, person.zone, 2, 5, None, False)
        )
    return clinic


@pytest.fixture
def page(browser: Browser, rated: Clinic, pages_url: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 360, "height": 800}, locale="de-DE")
    context.set_default_timeout(60_000)
    opened = context.new_page()
    opened.goto(f"{pages_url}/trend")
    opened.get_by_test_id("stForm").locator("input").first.fill("ada@example.org")
    opened.get_by_label("Passwort", exact=True).first.fill(PASSWORD)
    opened.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
    expect(opened.get_by_role("heading", name="Meine Kurven")).to_be_visible()
    yield opened
    context.close()


def settle(page: Page) -> None:
    expect(page.get_by_test_id("stSpinner")).to_have_count(0)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=60_000
    )
    page.wait_for_timeout(1500)


def test_nothing_that_streamlit_says_is_english_cut_or_too_small_on_a_german_phone(
    page: Page, pages_url: str
) -> None:
    page.locator("canvas, svg.marks").first.wait_for()  # the buttons over a chart are there, too
    found = []
    for slug in ("trend", "course", "reminders", "data", "files"):
        if slug != "trend":
            page.goto(f"{pages_url}/{slug}")
            page.get_by_role("heading", level=1).wait_for()
        settle(page)
        said = page.evaluate(_SAID)
        assert said, slug
        found += [f"{slug}: {words}" for words in said if _ENGLISH.search(words)]
        found += [f"{slug}, small: {words}" for words in page.evaluate(_SMALL)]
        found += [f"{slug}, cut: {words}" for words in page.evaluate(_CUT)]
    assert found == []


def test_a_first_page_and_one_of_another_role_open_the_first_page(
    page: Page, pages_url: str
) -> None:
    for slug in ("today", "caseload"):
        page.goto(f"{pages_url}/{slug}")
        expect(page.get_by_role("heading", name="Wie ist es gerade jetzt?")).to_be_visible()
        settle(page)
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_text("Page not found")).to_have_count(0)
