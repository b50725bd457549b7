"""The first question, and a withdrawal, in a real browser, at 1300 and 360 px."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from ebbtide.beats import new_id
from store.models import Role
from tests.support.accounts import PASSWORD
from tests.support.browser import check_width, choose_page, sign_in
from tests.support.clinic import Clinic, fill

pytestmark = pytest.mark.browser


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def test_the_first_question_is_asked_in_place_and_a_withdrawal_is_shown(
    clinic: Clinic, page: Page, pages_url: str
) -> None:
    width = width_of(page)
    name = f"ida{width}-{new_id()[:8]}"  # another where this test is tried again
    clinic.add(name, Role.PATIENT, agrees=False)
    sign_in(page, pages_url, f"{name}@example.org", PASSWORD)
    expect(page.get_by_role("heading", name="One question first")).to_be_visible()
    expect(page.get_by_text("How is it right now?")).to_have_count(0)
    expect(page.get_by_text("May Ebbtide keep your heartbeats")).to_be_visible()
    check_width(page, "consent-question")
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_text("That is fine. Nothing is kept")).to_be_visible()
    page.get_by_role("button", name="Yes, I agree").click()
    expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()
    answers = clinic[name].get("/v1/consents").json()
    assert answers["holds"]["keeping"]

    fill(clinic.stores, clinic.people[name], days=1)
    open_page(page, "Consents")
    page.get_by_text("Ebbtide keeps my heartbeats, ratings and notes").click()
    expect(page.get_by_text("What was kept is erased on").first).to_be_visible()
    check_width(page, "consent-withdrawn")
    open_page(page, "My data")
    expect(page.get_by_text("What was kept is erased on").first).to_be_visible()
    check_width(page, "consent-my-data")


def test_a_therapist_reads_who_has_not_agreed(clinic: Clinic, page: Page, pages_url: str) -> None:
    name = f"una{width_of(page)}-{new_id()[:8]}"
    clinic.add(name, Role.PATIENT, agrees=False)
    clinic.stores.access.put_care(clinic.id("tom"), clinic.id(name), clinic.stores.now())
    sign_in(page, pages_url, "tom@example.org", PASSWORD)
    expect(page.get_by_text("Has not agreed yet that Ebbtide keeps").first).to_be_visible()
    check_width(page, "consent-caseload")


def width_of(page: Page) -> int:
    size = page.viewport_size
    assert size is not None
    return size["width"]


def open_page(page: Page, title: str) -> None:
    """Open a page by its title, from the menu of narrow screens too."""
    choose_page(page, title)
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
