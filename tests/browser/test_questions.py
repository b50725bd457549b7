"""A patient answers the questions of the programme; their therapist sees what needs care."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from ebbtide.questionnaires import load_library
from store.models import Purpose
from tests.support.accounts import PASSWORD
from tests.support.browser import check_width, sign_in, violations
from tests.support.clinic import Clinic

pytestmark = pytest.mark.browser


def look_at(page: Page, name: str) -> None:
    """Check a page against WCAG and its width."""
    assert violations(page) == []
    check_width(page, name)


def choose(page: Page, question: str, words: str) -> None:
    """Choose an answer, not one of the question before, which is still fading."""
    group = page.get_by_role("radiogroup", name=question)
    group.get_by_text(words, exact=True).click()
    expect(group.get_by_role("radio", name=words)).to_be_checked()


def answer_all(page: Page, name: str, words: list[str]) -> None:
    found = load_library().find(name)
    assert found is not None
    short_name = found.short_name
    for number, (item, answer) in enumerate(zip(found.items, words, strict=True), 1):
        expect(page.get_by_text(f"{short_name}: question {number} of {len(words)}")).to_be_visible()
        choose(page, item.text["en"], answer)
        last = number == len(words)
        button = page.get_by_role("button", name="Save" if last else "Next", exact=True)
        expect(button).to_be_visible()
        if last and short_name == "PHQ-9":
            expect(page.get_by_text("116 123")).to_be_visible()
            look_at(page, "ninth-question")
        button.click()
    expect(page.get_by_text("Saved. Thank you.")).to_be_visible()


def test_questions_are_answered_and_the_therapist_sees_them(
    context: BrowserContext, clinic: Clinic, pages_url: str
) -> None:
    clinic.agree("eve", Purpose.CARE)
    for item in clinic.stores.programme.responses(clinic.id("eve")):
        clinic["eve"].delete(f"/v1/questionnaires/responses/{item.id}", params={"version": 1})
    page = context.new_page()
    sign_in(page, pages_url, clinic.people["eve"].email, PASSWORD)
    expect(page.get_by_text("16 questions of the programme are open")).to_be_visible()
    look_at(page, "today")
    page.get_by_role("link", name="Answer a few questions").click()
    expect(page.get_by_role("heading", name="Questions")).to_be_visible()
    expect(page.get_by_role("button", name="Leave out")).to_be_visible()
    look_at(page, "question")
    answer_all(page, "gad7", ["Several days"] * 7)
    page.get_by_role("button", name="Go on").click()
    answer_all(page, "phq9", ["Not at all"] * 8 + ["Several days"])
    expect(page.get_by_text("116 123")).to_be_visible()
    look_at(page, "saved")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Nothing is open now.")).to_be_visible()
    found = {
        item.questionnaire: item for item in clinic.stores.programme.responses(clinic.id("eve"))
    }
    assert found["gad7"].values == {str(item): 1 for item in range(1, 8)}
    assert found["phq9"].values["9"] == 1
    assert {item.occasion for item in found.values()} == {"before"}
    seen = context.browser.new_context(viewport=page.viewport_size).new_page()
    sign_in(seen, pages_url, clinic.people["tom"].email, PASSWORD)
    expect(seen.get_by_role("heading", name="Caseload")).to_be_visible()
    seen.goto(f"{pages_url}/patient")
    expect(seen.get_by_text("Please ask about this.")).to_be_visible()
    look_at(seen, "therapist")
    seen.context.close()
