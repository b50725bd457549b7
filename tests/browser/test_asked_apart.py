"""Pain and stress asked for at different moments, in a real browser: agreed to, rated, answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, expect

from analytics.programme.prompt_plan import DayHours, PromptPlan
from api.services.reminders.plans import change_plan
from api.services.reminders.turn import plan_of
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE
from store.models import Prompt, PromptState, Rating, TurnResult
from tests.support.accounts import PASSWORD
from tests.support.browser import check_width, sign_in, violations
from tests.support.clinic import Clinic
from tests.support.phone_recording import wait_for

pytestmark = pytest.mark.browser
PLAN = PromptPlan((DayHours(480, 1260),) * 7, 2)


def _add_pairs(clinic: Clinic, name: str, days: int = 45) -> None:
    """Ratings of stress, and of pain two hours before or after, which moves with it."""
    person, rng = clinic.people[name], np.random.default_rng(3)
    begin = clinic.stores.now() // DAY * DAY - (days + 1) * DAY + 12 * HOUR
    for day in range(days):
        stress = int(rng.integers(2, 9))
        pain = int(np.clip(stress + rng.integers(-1, 2), 0, 10))
        at = begin + day * DAY
        for values, about in (
            ((None, stress), at),
            ((pain, None), at + (2 - 4 * (day % 2)) * HOUR),
        ):
            rating = Rating(
                *(new_id(), 1, person.id, about, about, person.zone, *values, None, False)
            )
            clinic.stores.records.add_rating(rating)


def _ask_for_pain(clinic: Clinic, name: str) -> Prompt:
    stores, person = clinic.stores, clinic.people[name]
    now = stores.now()
    prompt = Prompt(
        *(new_id(), person.id, new_id(), "random", now, person.zone, 0.01, 0, now),
        *(now + 45 * MINUTE, PromptState.SENT),
        sent_ns=now,
        asks="pain",
    )
    stores.prompts.take_turn(now, lambda turn: TurnResult(turn.plan, (prompt,)), person.id)
    return replace(prompt)


def test_asking_apart_is_agreed_to_rated_and_answered(
    context: BrowserContext, pages_url: str, clinic: Clinic
) -> None:
    stores, ada = clinic.stores, clinic.people["ada"]
    change_plan(stores, ada, lambda _: PLAN, enabled=True)
    page = context.new_page()
    sign_in(page, pages_url, "ada@example.org", PASSWORD)
    expect(page.get_by_text("How is it right now?")).to_be_visible()
    page.goto(f"{pages_url}/reminders")
    agree = page.get_by_text("Ask for pain and stress at different moments")
    expect(agree).to_be_visible()
    agree.click()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("On: 2 a day")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Ask for pain and stress")).to_be_checked()

    def agreed() -> bool:
        plan = stores.prompts.plan(ada.id)
        return plan is not None and plan_of(plan).asks_apart

    wait_for(agreed, page, "that the plan asks apart")
    assert violations(page) == []
    check_width(page, "apart-reminders")

    _ask_for_pain(clinic, "ada")
    page.goto(pages_url)
    expect(page.get_by_text("You wished to be asked.")).to_be_visible()
    expect(page.get_by_text("Choose a number.")).to_be_visible()
    expect(page.locator(".st-key-scale-pain")).to_be_visible()
    expect(page.locator(".st-key-scale-stress")).to_have_count(0)
    check_width(page, "apart-today")

    _add_pairs(clinic, "ada")
    page.goto(f"{pages_url}/link")
    # The answer that there is stands first, and not that another one has no ratings.
    expect(page.get_by_role("heading", name="Rated pain and rated stress moved")).to_be_visible()
    expect(page.get_by_text("Not enough yet to say whether pain moved with stress")).to_have_count(
        0
    )
    expect(page.get_by_text("And the heart")).to_be_visible()
    expect(page.get_by_text("a habit of one moment cannot make this").first).to_be_visible()
    assert violations(page) == []
    expect(page.get_by_text("encountered an error")).to_have_count(0)
    check_width(page, "apart-link")
