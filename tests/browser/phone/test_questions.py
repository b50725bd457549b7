"""The questionnaires of the programme in the app: one question at a time, without a net too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.server.thread import ApiThread
from ebbtide.questionnaires import load_library
from store import Stores
from store.models import Person
from tests.support.accounts import add_account
from tests.support.phone_recording import wait_for
from tests.support.phone_screens import (
    axe_violations,
    open_view,
    opened_phone,
    overflow,
    sign_in_by_code,
    wait_for_worker,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(stores: Stores) -> Person:
    return add_account(stores, "ada@example.org", name="Ada Example", zone="Europe/Berlin")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened_phone(browser) as context:
        yield context.new_page()


def answer_all(page: Page, name: str, words: list[str]) -> None:
    found = load_library().find(name)
    assert found is not None
    for number, (item, answer) in enumerate(zip(found.items, words, strict=True), 1):
        place = f"{found.short_name}: question {number} of {len(words)}"
        expect(page.get_by_text(place)).to_be_visible()
        expect(page.get_by_role("heading", name=item.text["en"])).to_be_focused()
        page.get_by_role("radio", name=answer, exact=True).check()
        assert overflow(page) == 0
        is_last = number == len(words)
        if is_last and name == "phq9":
            expect(page.locator("#view").get_by_text("116 123")).to_be_in_viewport()
            expect(page.locator("#view").get_by_text("112 in the EU")).to_be_in_viewport()
            page.evaluate("() => scrollTo(0, document.body.scrollHeight)")  # no button is half seen
            assert axe_violations(page) == []
        page.get_by_role("button", name="Save" if is_last else "Next", exact=True).click()
    expect(page.get_by_role("heading", name="Saved. Thank you.")).to_be_visible()


def test_questions_are_answered_with_and_without_a_net(
    page: Page, api: ApiThread, stores: Stores, ada: Person
) -> None:
    sign_in_by_code(page, api.url, stores, ada)
    wait_for_worker(page)
    expect(page.get_by_text("16 questions of the programme are open")).to_be_visible()
    assert axe_violations(page) == []
    page.get_by_role("link", name="Answer a few questions").click()
    expect(page.get_by_role("button", name="Leave out")).to_be_visible()
    assert axe_violations(page) == []
    answer_all(page, "gad7", ["Several days"] * 7)
    wait_for(lambda: stores.programme.responses(ada.id), page, "answers at the server")
    (gad7,) = stores.programme.responses(ada.id)
    assert gad7.values == {str(item): 1 for item in range(1, 8)}
    assert (gad7.occasion, gad7.zone, gad7.language) == ("before", "Europe/Berlin", "en")

    # Without a net the rest is asked from what the phone has, and the words of help are there.
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("PHQ-9: question 1 of 9")).to_be_visible()
    open_view(page, "rate")
    expect(page.get_by_text("9 questions of the programme are open")).to_be_visible()
    open_questions(page)
    answer_all(page, "phq9", ["Not at all"] * 8 + ["Several days"])
    expect(page.locator("#view").get_by_text("116 123")).to_be_visible()
    expect(page.get_by_text("It waits here")).to_be_visible()
    assert len(stores.programme.responses(ada.id)) == 1
    open_view(page, "rate")
    expect(page.get_by_text("questions of the programme")).to_be_hidden()
    open_questions(page)
    expect(page.get_by_text("Nothing is open now.")).to_be_visible()
    page.context.set_offline(False)
    wait_for(lambda: len(stores.programme.responses(ada.id)) == 2, page, "answers at the server")
    phq9 = next(item for item in stores.programme.responses(ada.id) if item.id != gad7.id)
    assert phq9.values["9"] == 1 and phq9.occasion == "before"
    page.wait_for_timeout(1000)
    assert len(stores.programme.responses(ada.id)) == 2  # sent once


def test_answers_that_the_server_does_not_take_are_said_and_can_be_let_go(
    page: Page, api: ApiThread, stores: Stores, ada: Person
) -> None:
    sign_in_by_code(page, api.url, stores, ada)
    page.route(
        "**/v1/questionnaires/responses",
        lambda route: route.fulfill(
            status=422,
            content_type="application/problem+json",
            json={"title": "Invalid", "detail": "The file of this version is gone."},
        ),
    )
    open_questions(page)
    answer_all(page, "gad7", ["Not at all"] * 7)
    expect(page.get_by_text("Some of it was not taken. See Rate.")).to_be_visible()
    open_view(page, "rate")
    page.get_by_role("link", name="Answer a few questions").click()
    expect(page.get_by_text("These answers were not taken: The file of this")).to_be_visible()
    page.get_by_role("button", name="Let them go").click()
    # They can be given again.
    expect(page.get_by_text("GAD-7: question 1 of 7")).to_be_visible()
    assert stores.programme.responses(ada.id) == []


def open_questions(page: Page) -> None:
    page.evaluate("() => { location.hash = '#more'; location.hash = '#questions'; }")
