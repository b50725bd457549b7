"""The page of nights, and a therapist's view of them, in a browser at two widths."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from store.models.records import Purpose
from tests.support.accounts import PASSWORD
from tests.support.browser import check_width, choose_page, sign_in, violations, wait_until_drawn
from tests.support.clinic import Clinic
from tests.support.nights import put_nights

pytestmark = pytest.mark.browser

SCREEN = 800  # pixels of a phone's height
CHART = "stVegaLiteChart"


def test_nights_are_accessible_and_no_wider_than_the_window(
    context: BrowserContext, pages_url: str, clinic: Clinic
) -> None:
    put_nights(clinic["ada"], 340, left_out=(100, 101, 102, 200))
    page = context.new_page()
    sign_in(page, pages_url, "ada@example.org", PASSWORD)
    expect(page.get_by_text("How is it right now?")).to_be_visible()
    wait_until_drawn(page)
    choose_page(page, "Nights")
    expect(page.get_by_role("heading", name="Nights and days")).to_be_visible()
    expect(page.get_by_text("This night was calmer than")).to_be_visible()
    expect(page.get_by_test_id(CHART).filter(visible=True)).to_have_count(2)
    wait_until_drawn(page)
    main = page.get_by_test_id("stMainBlockContainer")
    assert main.evaluate("element => element.scrollHeight") <= 3 * SCREEN
    check_width(page, "nights")
    assert violations(page) == []
    page.get_by_text("The numbers, and why nights are missing").click()
    expect(page.get_by_text("4 days: no night in the export")).to_be_visible()
    page.get_by_text("More of this night").click()
    expect(page.get_by_test_id(CHART).filter(visible=True)).to_have_count(3)
    check_width(page, "nights-open")
    assert violations(page) == []


def test_a_therapist_has_a_small_picture(
    context: BrowserContext, pages_url: str, clinic: Clinic
) -> None:
    put_nights(clinic["ada"], 27)
    clinic.agree("ada", Purpose.CARE)
    page = context.new_page()
    sign_in(page, pages_url, "tom@example.org", PASSWORD)
    expect(page.get_by_role("heading", name="Caseload")).to_be_visible()
    wait_until_drawn(page)
    choose_page(page, "Patient")
    page.get_by_text("of the last 28 measured").click()
    expect(page.get_by_text("in the middle of")).to_be_visible()
    expect(page.get_by_test_id(CHART).filter(visible=True)).to_have_count(1)
    check_width(page, "patient-nights")
    assert violations(page) == []
