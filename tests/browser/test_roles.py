"""Each role's main tasks in a real browser, against a live API; accessibility with axe; a phone.

EBBTIDE_SCREENSHOTS=FOLDER saves a screenshot of every page.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from ebbtide.settings import Settings
from store.factory import open_stores
from tests.support.accounts import PASSWORD
from tests.support.browser import choose_page, contrast_violations, sign_in, violations
from tests.support.clinic import Clinic
from tests.support.page_access import enlarged_text_faults, keyboard_faults
from tests.support.played_clinic import played_clinic

pytestmark = pytest.mark.browser

DESK: ViewportSize = {"width": 1000, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 780}
PAGES = {
    "ada": {
        "Today": "How is it right now?",
        "Programme": "Programme",
        "Questions": "Questions",
        "Reminders": "Reminders",
        "My trend": "My trend",
        "My link": "My link",
        "My course": "My course",
        "My devices": "My devices",
        "Bring in a file": "Bring in a file",
        "My data": "My data",
        "Consents": "Consents",
        "Before you begin": "Before you begin",
        "Signing in": "Signing in",
    },
    "tom": {"Caseload": "Caseload", "Patient": "The name of"},
    "ann": {"Research": "Research"},
    "adam": {"People": "People", "Running it": "Running it"},
}
_IS_DARK = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const colours = getComputedStyle(app).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number);
  return Math.max(...colours) < 100;
}"""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    stores = open_stores(Settings(data_dir=tmp_path_factory.mktemp("played")))
    with played_clinic(stores) as opened:
        yield opened


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport=DESK)
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


def opened(context: BrowserContext, url: str, who: str) -> Page:
    page = context.new_page()
    sign_in(page, url, f"{who}@example.org", PASSWORD)
    expect(page.get_by_role("heading", name=next(iter(PAGES[who].values())))).to_be_visible()
    settle(page)  # Streamlit discards input while a page is still being rendered
    return page


def go_to(page: Page, title: str, heading: str) -> None:
    choose_page(page, title)
    expect(page.get_by_role("heading", name=heading).first).to_be_visible()
    settle(page)


def settle(page: Page) -> None:
    """Wait until no spinner is left and the page is rendered."""
    page.wait_for_timeout(300)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0)
    page.wait_for_timeout(500)


def screenshot(page: Page, name: str) -> None:
    folder = os.environ.get("EBBTIDE_SCREENSHOTS")
    if folder:
        main = page.get_by_test_id("stMainBlockContainer")
        size = page.viewport_size
        assert size is not None
        height = main.evaluate("element => element.scrollHeight") + 10
        page.set_viewport_size({"width": size["width"], "height": min(max(height, 600), 2400)})
        page.wait_for_timeout(900)
        page.screenshot(path=Path(folder) / f"{name}.png")
        page.set_viewport_size(size)


def named(title: str) -> str:
    return title.lower().replace("my ", "").replace(" begun", "-begun").split()[0]


def look_at(page: Page, title: str) -> list[str]:
    """What is wrong with a page: for axe, of which only contrast depends on the colours, in both
    schemes and with more contrast, for a keyboard alone, with text of twice the size, and on a
    phone.
    """
    found = [f"{title} (light): {words}" for words in violations(page)]
    screenshot(page, named(title))
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(_IS_DARK)
    found += [f"{title} (dark): {words}" for words in contrast_violations(page)]
    screenshot(page, named(title) + "-dark")
    page.emulate_media(color_scheme="dark", contrast="more")
    found += [f"{title} (more contrast): {words}" for words in contrast_violations(page)]
    page.emulate_media(color_scheme="light", contrast="no-preference")
    found += [f"{title}: {words}" for words in keyboard_faults(page)]
    found += [f"{title}: {words}" for words in enlarged_text_faults(page)]
    page.set_viewport_size(PHONE)
    settle(page)
    main = page.get_by_test_id("stMain")
    wide = main.evaluate("element => element.scrollWidth - element.clientWidth")
    found += [f"{title} is {wide} pixels too wide for a phone"] if wide > 1 else []
    screenshot(page, named(title) + "-phone")
    page.set_viewport_size(DESK)
    return found


@pytest.mark.parametrize("who", list(PAGES))
def test_every_page_is_accessible_and_fits_a_phone(
    browser: Browser, pages_url: str, who: str
) -> None:
    context = browser.new_context(viewport=DESK, color_scheme="light")
    context.set_default_timeout(30_000)
    page = opened(context, pages_url, who)
    found = []
    for title, heading in PAGES[who].items():
        if len(PAGES[who]) > 1:
            go_to(page, title, heading)
        found += look_at(page, title)
        if title == "Reminders":  # another page, once they are begun
            begin = page.get_by_role("button", name="Remind me")
            if begin.is_visible():  # they are begun where this test is tried again
                begin.click()
            page.get_by_text("Hours of each weekday").click()
            found += look_at(page, "Reminders begun")
    context.close()
    assert found == []


def test_navigation_works_on_a_phone(browser: Browser, pages_url: str) -> None:
    context = browser.new_context(viewport=PHONE)
    context.set_default_timeout(30_000)
    page = opened(context, pages_url, "ada")
    for title in ("My course", "Today"):
        go_to(page, title, PAGES["ada"][title])
    context.close()


def test_a_rating_by_keyboard_alone_takes_few_presses(
    context: BrowserContext, pages_url: str, clinic: Clinic
) -> None:
    page = opened(context, pages_url, "ada")
    before = len(clinic["ada"].get("/v1/ratings", params={"limit": 1000}).json()["ratings"])
    presses = 0

    def press(key: str) -> None:
        nonlocal presses
        page.keyboard.press(key)
        presses += 1

    began = time.monotonic()
    # Tab from the start of the page to the first row.
    for _ in range(40):
        if page.evaluate("document.activeElement?.getAttribute('role')") == "radio":
            break
        press("Tab")
    for row in range(2):
        for _ in range(3 + row):
            press("ArrowRight")
        press("Space")
        page.wait_for_timeout(400)
        if row == 0:
            press("Tab")
    expect(page.get_by_role("button", name="Save")).to_be_enabled()
    for _ in range(40):
        if page.evaluate("document.activeElement?.innerText") == "Save":
            break
        press("Tab")
    press("Enter")
    expect(page.get_by_text("Saved. Thank you.")).to_be_visible()
    took = time.monotonic() - began
    print(f"a rating by keyboard: {presses} presses, {took:.1f} s")
    assert presses <= 45
    assert took < 20
    after = len(clinic["ada"].get("/v1/ratings", params={"limit": 1000}).json()["ratings"])
    assert after == before + 1


def test_a_patient_practises_and_collects(
    context: BrowserContext, pages_url: str, clinic: Clinic
) -> None:
    page = opened(context, pages_url, "ada")
    go_to(page, "Programme", "Programme")
    page.get_by_text("Somatic tracking", exact=True).first.click()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Arriving")).to_be_visible()
    page.get_by_role("button", name="End here").click()
    expect(page.get_by_text("Whatever happened was fine")).to_be_visible()
    page.get_by_role("button", name="Keep it", exact=True).click()
    page.get_by_text("Pleasant sensations", exact=True).first.click()
    page.get_by_role("textbox", name="Something pleasant").fill("the first snow")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_text("the first snow").first).to_be_visible()
    page.get_by_text("Lowering stress", exact=True).first.click()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("img", name=re.compile("Breathe in for"))).to_be_visible()
    page.get_by_role("button", name="End", exact=True).click()
    notes = clinic["ada"].get("/v1/notes", params={"kind": "pleasant"}).json()
    assert "the first snow" in [note["words"] for note in notes]


def test_a_therapist_is_ready_in_two_minutes(context: BrowserContext, pages_url: str) -> None:
    page = opened(context, pages_url, "tom")
    began = time.monotonic()
    expect(page.get_by_text("Meeting 8 on")).to_be_visible()
    page.get_by_test_id("stButton").get_by_text("Open").first.click()
    expect(page.get_by_role("heading", name="Since the last meeting")).to_be_visible()
    expect(page.get_by_text("95% interval").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Print this page (PDF)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    print(f"from caseload to the printed page: {time.monotonic() - began:.1f} s")


def test_an_analyst_builds_an_export(context: BrowserContext, pages_url: str) -> None:
    page = opened(context, pages_url, "ann")
    expect(page.get_by_text("5 people agreed to research")).to_be_visible()
    expect(page.get_by_text("pd.read_csv(address")).to_be_visible()
    expect(page.get_by_text("It rests on").first).to_be_visible()


def test_an_administrator_invites_and_the_invited_signs_in(
    context: BrowserContext, pages_url: str
) -> None:
    page = opened(context, pages_url, "adam")
    page.get_by_text("Invite somebody").click()
    page.get_by_label("E-mail", exact=True).fill("noor@example.org")
    page.get_by_label("Name", exact=True).fill("Noor")
    page.get_by_role("button", name="Invite").click()
    token = page.get_by_test_id("stCode").first.inner_text().strip()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("I was invited").click()
    page.get_by_label("What you were given").fill(token)
    page.get_by_label("Choose a password").fill("three owls in an old barn")
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_text("Sign in above as noor@example.org")).to_be_visible()
    page.get_by_label("E-mail").fill("noor@example.org")
    page.get_by_label("Password", exact=True).fill("three owls in an old barn")
    page.get_by_test_id("stFormSubmitButton").get_by_role("button", name="Sign in").first.click()
    page.get_by_role("button", name="Yes, I agree").click()
    expect(page.get_by_text("How is it right now?")).to_be_visible()
