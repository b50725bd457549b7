"""Practice by lot in a real browser: proposed, agreed to and stopped; and over a clinic."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from analytics.programme.prompt_plan import DayHours, PromptPlan
from api.services.offers.plans import load_active
from api.services.reminders.plans import change_plan
from ebbtide.settings import Settings
from store import open_stores
from store.models import Programme, Purpose, Role
from tests.support.accounts import PASSWORD
from tests.support.browser import check_width, sign_in, violations, wait_until_drawn
from tests.support.clinic import Clinic, opened_clinic
from tests.support.cohort_clinic import agree_together
from tests.support.offer_trial import MOMENTS, add_trial

pytestmark = pytest.mark.browser
PLAN = PromptPlan((DayHours(480, 1260),) * 7, 2)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """Eight people with trials; Ada, cleared and with reminders, in the care of Tom."""
    with opened_clinic(open_stores(Settings(data_dir=tmp_path_factory.mktemp("offers")))) as opened:
        names = [f"member{number}" for number in range(8)]
        for number, name in enumerate(names):
            opened.add(name, Role.PATIENT)
            add_trial(opened, name, number)
        agree_together(opened, *names, people=8)
        ada = opened.people["ada"]
        opened.stores.programme.put_programme(Programme(ada.id, 1, 1))
        change_plan(opened.stores, ada, lambda _: PLAN)
        opened.agree("ada", Purpose.CARE)
        yield opened


def test_an_analyst_sees_the_split_and_what_it_rests_on(
    context: BrowserContext, pages_url: str
) -> None:
    page = context.new_page()
    sign_in(page, pages_url, "ann@example.org", PASSWORD)
    expect(page.get_by_role("heading", name="Practice by lot, over everybody")).to_be_visible()
    expect(page.get_by_text("After an offer stress was lower than without.")).to_be_visible()
    expect(page.get_by_text("of that on pain: what goes with stress")).to_be_visible()
    expect(page.get_by_text(f"{8 * MOMENTS} moments of 8 people.")).to_be_visible()
    fold = page.get_by_test_id("stExpander").filter(has_text="chance decided the offer")
    fold.locator("summary").click()
    expect(page.get_by_text("chance decided the offer, not the stress").first).to_be_visible()
    assert violations(page) == []
    check_width(page, "offers-analyst")


def test_a_proposal_is_agreed_to_and_stopped(
    context: BrowserContext, pages_url: str, clinic: Clinic
) -> None:
    stores, ada = clinic.stores, clinic.people["ada"]
    proposal = {
        "arms": ["paced breathing", "savouring"],
        "base_probability": 0.6,
        "times_min": [870],
    }
    path = f"/v1/patients/{ada.id}/offers/proposal"
    assert clinic["tom"].put(path, json=proposal).status_code == 200
    page = context.new_page()
    sign_in(page, pages_url, "ada@example.org", PASSWORD)
    expect(page.get_by_text("How is it right now?")).to_be_visible()
    page.goto(f"{pages_url}/offers")
    expect(page.get_by_text("a coin decides")).to_be_visible()
    expect(page.get_by_text("at about 60 of a hundred moments")).to_be_visible()
    expect(page.get_by_text(re.compile("besides your reminders, at .?2:30"))).to_be_visible()
    assert violations(page) == []
    check_width(page, "offers-proposal")
    page.get_by_role("button", name="I agree to that").click()
    expect(page.get_by_text("The first offer can come on")).to_be_visible()
    active = load_active(stores, ada.id)
    assert active is not None and active.base_probability == 0.6
    page.get_by_role("button", name="Nothing for three hours").click()
    expect(page.get_by_text("Nothing is offered until")).to_be_visible()
    wait_until_drawn(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("a coin decides")).to_be_visible()
    assert load_active(stores, ada.id) is None
