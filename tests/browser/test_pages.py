"""The pages in a real headless browser, as a patient uses them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from api.app import create_app
from cli.server.thread import ApiThread
from dashboard import start_dashboard
from store import Stores
from tests.support.accounts import PASSWORD
from tests.support.browser import choose_page, sign_in
from tests.support.running_demo import RunningDemo

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser) -> Page:
    opened = browser.new_page(viewport={"width": 1000, "height": 900})
    opened.set_default_timeout(20_000)
    return opened


@pytest.fixture
def pages_url(stores: Stores) -> Iterator[str]:
    with ApiThread(create_app(stores)) as api, start_dashboard(api.url) as running:
        yield running.url


def choose(page: Page, title: str, number: int) -> None:
    group = page.get_by_role("radiogroup", name=title, exact=True)
    group.get_by_role("radio", name=str(number), exact=True).click()


def go_to(page: Page, title: str) -> None:
    choose_page(page, title)
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_a_patient_signs_in_rates_and_corrects(
    page: Page, pages_url: str, stores: Stores, patient: Callable[..., str]
) -> None:
    email = patient()
    sign_in(page, pages_url, email, PASSWORD)
    expect(page.get_by_text("How is it right now?")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    began = time.monotonic()
    choose(page, "Pain", 3)
    choose(page, "Stress", 10)
    choose(page, "Something pleasant", 5)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Thank you.")).to_be_visible()
    assert time.monotonic() - began < 20  # the page's own part of the 20 s that a rating may take
    person = stores.records.person_by_email(email)
    assert person is not None
    (rating,) = stores.records.ratings(person.id, 0, 2**62)
    assert (rating.pain, rating.stress, rating.pleasant, rating.version) == (3, 10, 5, 1)
    assert rating.zone == "Europe/Berlin"
    assert not rating.simulated
    page.get_by_role("button", name="Change it").click()
    choose(page, "Pain", 2)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("pain 2, stress 10, something pleasant 5")).to_be_visible()
    (corrected,) = stores.records.ratings(person.id, 0, 2**62)
    assert (corrected.id, corrected.pain, corrected.version) == (rating.id, 2, 2)
    expect(page.get_by_text("Simulated.")).to_have_count(0)
    # With one rating there is no number; the page says how many are missing.
    go_to(page, "My link")
    expect(page.get_by_text("29 more are needed")).to_be_visible()
    expect(page.locator("[data-testid=stVegaLiteChart]")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("E-mail")).to_be_visible()


def test_a_wrong_password_is_explained(
    page: Page, pages_url: str, patient: Callable[..., str]
) -> None:
    sign_in(page, pages_url, patient(), "not this one")
    expect(page.get_by_text("The address or the password is not right.")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_be_visible()


def test_a_new_patient_sees_an_invitation_and_no_empty_chart(
    page: Page, pages_url: str, patient: Callable[..., str]
) -> None:
    sign_in(page, pages_url, patient(), PASSWORD)
    go_to(page, "My trend")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()


def test_warning_signs_are_there_before_any_sign_in(page: Page, pages_url: str) -> None:
    page.goto(pages_url)
    page.get_by_test_id("stTopNavLink").filter(has_text="Before you begin").click()
    expect(page.get_by_text("Has one ruled out a physical cause?")).to_be_visible()
    expect(page.get_by_text("call your emergency number now")).to_be_visible()


def test_the_sample_patient_is_marked_on_every_page(page: Page) -> None:
    with RunningDemo() as demo:
        roles = f"{demo.words['The pages']}/demo"
        page.goto(roles)
        page.get_by_role("button", name=re.compile("^Patient")).click()
        # The rest of the clinic is being filled beside it.
        expect(page.get_by_text("How is it right now?")).to_be_visible(timeout=30_000)
        mark = page.get_by_text("Simulated.", exact=True)
        expect(mark).to_be_visible()
        go_to(page, "My trend")
        expect(page.get_by_text(re.compile(r"\d+ ratings on \d+ days"))).to_be_visible()
        # Ratings, stress index, gaps; heart rate and RMSSD are folded.
        expect(page.get_by_test_id("stVegaLiteChart").filter(visible=True)).to_have_count(3)
        expect(mark).to_be_visible()
        go_to(page, "My link")
        expect(page.get_by_text("Rated pain and rated stress moved together").first).to_be_visible()
        page.get_by_text("How sure is that?").first.click()
        expect(page.get_by_text("95% interval").first).to_be_visible()
        expect(mark).to_be_visible()
        text = page.get_by_test_id("stMain").inner_text().lower()
        for word in ("because", "caused by", "leads to"):
            assert word not in text
        go_to(page, "My course")
        expect(page.get_by_text("in the first week and").first).to_be_visible()
        page.get_by_text("Beside the trial").click()
        expect(page.get_by_text("One person is not an arm of a trial")).to_be_visible()
        expect(mark).to_be_visible()
        text = page.get_by_test_id("stMain").inner_text().lower()
        for word in ("because", "caused by", "leads to", "alarm", "failed", "catastroph"):
            assert word not in text
        go_to(page, "Before you begin")
        expect(mark).to_be_visible()
        page.goto(roles)
        page.get_by_role("button", name=re.compile("^Therapist")).click()
        expect(page.get_by_role("heading", name="Caseload")).to_be_visible(timeout=30_000)
        expect(
            page.get_by_text(re.compile(r"of 12.* have a reason for a word today"))
        ).to_be_visible(timeout=30_000)
        expect(mark).to_be_visible()
        page.goto(roles)
        page.get_by_role("button", name=re.compile("^Analyst")).click()
        expect(page.get_by_text("Signed in as Analyst")).to_be_visible(timeout=30_000)
        page.goto(roles)
        page.get_by_role("button", name=re.compile("^Administrator")).click()
        expect(page.get_by_text("Signed in as Admin")).to_be_visible(timeout=30_000)


def test_the_pages_say_so_when_the_api_is_unavailable(
    page: Page, stores: Stores, patient: Callable[..., str]
) -> None:
    email = patient()
    api = ApiThread(create_app(stores))
    with api, start_dashboard(api.url) as running:
        sign_in(page, running.url, email, PASSWORD)
        expect(page.get_by_text("How is it right now?")).to_be_visible()
        api.__exit__(None, None, None)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{api.url}/v1/health")
        choose(page, "Pain", 3)
        choose(page, "Stress", 4)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("does not answer just now")).to_be_visible()
        expect(page.get_by_text("How is it right now?")).to_be_visible()
