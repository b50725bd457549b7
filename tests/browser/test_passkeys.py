"""Passkeys with Chromium's virtual authenticator, and codes of an app, at 1300 and 360 px."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from api.app import create_app
from cli.server.thread import ApiThread
from dashboard import start_dashboard
from ebbtide.settings import Settings
from store import Stores, open_stores
from store.models import Role
from tests.support.accounts import PASSWORD, add_account
from tests.support.assertions import wait_for
from tests.support.browser import axe_violations, opened_context, sign_in
from tests.support.ports import free_port

pytestmark = pytest.mark.browser
ADA, TOM = "ada@example.org", "tom@example.org"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with opened_context(browser, ViewportSize(width=1300, height=900)) as opened:
        yield opened


class Place:
    """Pages and API as two processes, as a clinic splits them; staff need a second factor."""

    def __init__(self, stores: Stores, port: int) -> None:
        self.stores = stores
        self.numbers, self.url = f"http://127.0.0.1:{port}", f"http://localhost:{port}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("passkeys"))
    stores, port = open_stores(settings), free_port()
    opened = Place(stores, port)
    more = {"dashboard_url": opened.numbers, "staff_second_factor": "required"}
    add_account(stores, ADA, name="Ada")
    add_account(stores, TOM, name="Tom", role=Role.THERAPIST)
    with (
        ApiThread(create_app(stores, settings.model_copy(update=more))) as api,
        start_dashboard(api.url, port),
    ):
        yield opened


def test_a_passkey_is_added_signs_in_and_is_removed(place: Place, context: BrowserContext) -> None:
    ada = place.stores.records.person_by_email(ADA)
    assert ada is not None
    for left in place.stores.access.passkeys(ada.id):  # by a first try of this test
        place.stores.access.remove_passkey(ada.id, left.id)
    page = context.new_page()
    attach_authenticator(page)
    sign_in(page, place.numbers, ADA, PASSWORD)
    expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()
    wait_for(lambda: [c for c in context.cookies() if c["name"].startswith("ebbtide_session")])
    page.goto(f"{place.numbers}/signing_in")
    expect(page.get_by_role("heading", name="Passkeys")).to_be_visible()
    expect(page.get_by_role("button", name="Set up codes of an app")).to_be_visible()
    check_pages(page, "signing-in")
    page.get_by_role("link", name="Add a passkey for this device").click()
    # At an address of numbers: on to localhost, signed in there too.
    expect(page.get_by_text("this address has only numbers")).to_be_visible()
    check_page(page, "passkey-numbers")
    page.get_by_role("link", name="Go on at localhost").click()
    page.wait_for_url(f"{place.url}/account/passkeys")
    check_page(page, "passkey-add")
    page.get_by_label("A name, to know it by").fill("Ada's <laptop>")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("Added. Next time choose")).to_be_visible()
    check_page(page, "passkey-added")
    page.get_by_role("link", name="Back to Ebbtide").click()
    expect(page.get_by_text("Ada's <laptop>")).to_be_visible()
    check_pages(page, "signing-in-passkey")
    sign_out(page)
    check_pages(page, "sign-in")

    page.get_by_role("link", name="Sign in with a passkey").click()
    expect(page.get_by_role("button", name="Use my passkey")).to_be_focused()
    check_page(page, "passkey-sign-in")
    page.get_by_label("This is my own computer").check()
    page.get_by_role("button", name="Use my passkey").click()
    page.wait_for_url(f"{place.url}/")
    expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()
    (cookie,) = [c for c in context.cookies() if is_session(c, "localhost")]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert cookie["expires"] > 0  # the own computer: longer than the browser is open

    page.goto(f"{place.url}/signing_in")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Ada's <laptop>")).not_to_be_attached()
    sign_out(page)
    page.goto(f"{place.url}/sign-in/passkey")
    page.get_by_role("button", name="Use my passkey").click()
    expect(page.get_by_text("This passkey was not accepted")).to_be_visible()
    check_page(page, "passkey-refused")


def test_staff_set_up_codes_first_and_sign_in_with_one(
    place: Place, context: BrowserContext
) -> None:
    tom = place.stores.records.person_by_email(TOM)
    assert tom is not None
    place.stores.access.remove_second_factors(tom.id)
    page = context.new_page()
    sign_in(page, place.url, TOM, PASSWORD)
    expect(page.get_by_text("Here staff need more than a password")).to_be_visible()
    expect(page.get_by_text("Caseload")).not_to_be_attached()
    check_pages(page, "second-factor-required")
    page.get_by_role("button", name="Set up codes of an app").click()
    expect(page.get_by_role("img", name="A code to scan")).to_be_visible()
    check_pages(page, "app-setup")
    secret = page.get_by_test_id("stCode").inner_text().replace(" ", "").strip()
    digits = page.get_by_label("The six digits that the app shows now")
    digits.fill("000000")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("is not the code that the app shows now")).to_be_visible()
    totp = pyotp.TOTP(secret)
    digits.fill(totp.at(place.stores.now() // 10**9))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    check_pages(page, "recovery-codes")
    codes = re.findall(r"[a-z2-9]{5}-[a-z2-9]{5}", page.get_by_test_id("stCode").inner_text())
    assert len(codes) == 10
    page.get_by_role("button", name="I have them. Go on").click()
    expect(page.get_by_role("heading", name="Caseload")).to_be_visible()
    page.get_by_test_id("stTopNavLink").filter(has_text="Signing in").click()
    expect(page.get_by_text("Recovery codes left: 10")).to_be_visible()
    sign_out(page)

    sign_in(page, place.url, TOM, PASSWORD)
    expect(page.get_by_text("Now the six digits that your app shows")).to_be_visible()
    check_pages(page, "sign-in-code")
    page.get_by_label("Code", exact=True).fill(codes[3])
    submit(page)
    expect(page.get_by_role("heading", name="Caseload")).to_be_visible()
    sign_out(page)
    sign_in(page, place.url, TOM, PASSWORD)
    page.get_by_label("Code", exact=True).fill(codes[3])
    submit(page)
    expect(page.get_by_text("This code is not right, or was used already")).to_be_visible()


def attach_authenticator(page: Page) -> None:
    """A device in the browser that holds passkeys, and whose person is always there."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        **{"protocol": "ctap2", "transport": "internal", "hasResidentKey": True},
        **{"hasUserVerification": True, "isUserVerified": True},
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def is_session(cookie: object, domain: str) -> bool:
    assert isinstance(cookie, dict)
    return cookie["name"].startswith("ebbtide_session") and cookie["domain"] == domain


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("I was invited")).to_be_visible()
    cookies = page.context.cookies
    wait_for(lambda: not [c for c in cookies() if is_session(c, "localhost")])


def submit(page: Page) -> None:
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").first.click()


def check_pages(page: Page, name: str) -> None:
    """A page of Streamlit, as ``check_page``, once nothing of it is faded, as is what a run of the
    script has yet to replace.
    """
    page.wait_for_function(
        "[...document.querySelectorAll('[data-stale]')].every("
        "item => item.dataset.stale === 'false' && getComputedStyle(item).opacity === '1')"
    )
    check_page(page, name)


def check_page(page: Page, name: str) -> None:
    """At both widths axe finds nothing, and nothing is wider than the window. With
    EBBTIDE_SCREENSHOTS, a picture.
    """
    folder = os.environ.get("EBBTIDE_SCREENSHOTS")
    for width in (360, 1300):
        page.set_viewport_size({"width": width, "height": 900})
        assert axe_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        if folder:
            page.wait_for_timeout(500)
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
