"""New passwords, proposed care and known devices in a real browser, at 1300 and 360 px."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Cookie, Page, expect

from api.services import lockout
from tests.support.accounts import PASSWORD
from tests.support.assertions import wait_for
from tests.support.browser import check_width, choose_page, sign_in
from tests.support.clinic import Clinic

pytestmark = pytest.mark.browser
NEW = "two ducks on a slow river"


def test_care_is_proposed_on_one_page_and_agreed_to_on_another(
    clinic: Clinic, context: BrowserContext, pages_url: str
) -> None:
    for therapist in ("tom", "tess"):
        clinic.stores.access.end_care(clinic.id(therapist), clinic.id("ada"))
    page = signed_in(context, pages_url, "adam")
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    page.get_by_text("Who is in whose care").click()
    page.get_by_text("in the care of The name of tess").click()
    expect(page.get_by_text("in the care of The name of tess, once they agree")).to_be_visible()
    page.get_by_role("button", name="New password link").click()
    expect(
        page.get_by_text("Hand this over in person. It is good once, for 8 hours:")
    ).to_be_visible()
    check_width(page, "people")
    page.close()

    context.clear_cookies()
    page = signed_in(context, pages_url, "ada")
    expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()

    def devices() -> list[Cookie]:
        return [cookie for cookie in context.cookies() if "ebbtide_device" in cookie["name"]]

    wait_for(devices)  # the page fetches it after it is displayed
    (device,) = devices()
    assert device["sameSite"] == "Strict"
    found = clinic.stores.access.find_known_device(
        lockout.token_hash(device["value"]), clinic.stores.now()
    )
    assert found == clinic.id("ada")
    open_page(page, "My data")
    expect(page.get_by_text("asks whether The name of tess may have you")).to_be_visible()
    page.get_by_text("Who looked", exact=True).click()
    expect(page.get_by_text("made a code for a new password").first).to_be_visible()
    check_width(page, "my-data")
    page.get_by_role("button", name="I agree").click()
    expect(page.get_by_text("In the care of The name of tess.")).to_be_visible()
    assert clinic.stores.access.therapists_of(clinic.id("ada")) == [clinic.id("tess")]


def test_a_mailed_link_opens_the_form_and_leaves_the_address(
    clinic: Clinic, context: BrowserContext, pages_url: str
) -> None:
    path = f"/v1/accounts/{clinic.id('eve')}/password-link"
    token = clinic["adam"].post(path).json()["token"]
    page = context.new_page()
    page.goto(f"{pages_url}/?reset={token}")
    expect(page.get_by_label("The link's words")).to_have_value(token)
    page.wait_for_url(lambda address: "reset" not in address)
    page.get_by_label("A new password (10 characters or more)").fill(NEW)
    page.get_by_role("button", name="Set it").click()
    expect(page.get_by_text("Done. Sign in above.")).to_be_visible()
    check_width(page, "new-password")


def test_a_reload_stays_signed_in_where_pages_and_api_are_apart(
    clinic: Clinic, context: BrowserContext, pages_url: str
) -> None:
    before = clinic.stores.access.tokens(clinic.id("tess"))
    page = signed_in(context, pages_url, "tess")
    expect(page.get_by_role("heading", name="Caseload")).to_be_visible()

    def cookies() -> list[Cookie]:
        return [c for c in context.cookies() if c["name"].startswith("ebbtide_session")]

    wait_for(cookies)  # the page fetches it after it is displayed
    (cookie,) = cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert cookie["expires"] == -1  # with the browser: "my own computer" was not ticked
    page.reload()
    expect(page.get_by_role("heading", name="Caseload")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("E-mail")).to_be_visible()
    assert clinic.stores.access.tokens(clinic.id("tess")) == before
    page.reload()
    expect(page.get_by_label("E-mail")).to_be_visible()


def signed_in(context: BrowserContext, url: str, who: str) -> Page:
    page = context.new_page()
    sign_in(page, url, f"{who}@example.org", PASSWORD)
    return page


def open_page(page: Page, title: str) -> None:
    page.wait_for_timeout(800)
    choose_page(page, title)
    expect(page.get_by_role("heading", name=title).first).to_be_visible()
