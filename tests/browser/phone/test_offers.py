"""Practice by lot in the app: a proposal is agreed to, an offer comes after a rating, stop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from analytics.programme.prompt_plan import DayHours, PromptPlan
from api.app import create_app
from api.services.offers.plans import OfferWish, load_active, propose
from api.services.reminders.plans import change_plan
from cli.server.thread import ApiThread
from ebbtide.beats import new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import MINUTE
from store import Stores
from store.models import DecisionPoint, Person, Programme, Prompt, PromptState, TurnResult
from tests.support.accounts import add_account
from tests.support.phone_recording import wait_for
from tests.support.phone_screens import (
    axe_violations,
    choose,
    open_view,
    opened_phone,
    overflow,
    sign_in_by_code,
)

pytestmark = pytest.mark.browser
ZONE = f"Etc/GMT{datetime.now(UTC).hour - 12:+}" if datetime.now(UTC).hour != 12 else "Etc/GMT"
PLAN = PromptPlan((DayHours(480, 1260),) * 7, 2)


@pytest.fixture
def ada(stores: Stores) -> Person:
    person = add_account(stores, "ada@example.org", zone=ZONE)
    stores.programme.put_programme(Programme(person.id, 1, 1))
    return person


@pytest.fixture
def api(stores: Stores, settings: Settings) -> Iterator[ApiThread]:
    app = create_app(stores, settings)
    app.state.reminders._run_due = lambda: None  # the test says when
    with ApiThread(app) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened_phone(browser) as context:
        yield context.new_page()


def an_offered_moment(stores: Stores, person: Person) -> DecisionPoint:
    """A question that waits, of a moment at which breathing is offered."""
    now = stores.now()
    prompt = Prompt(
        *(new_id(), person.id, new_id(), "random", now, ZONE, 0.01, 1, now, now + 45 * MINUTE),
        state=PromptState.SENT,
        sent_ns=now,
    )
    stores.prompts.take_turn(now, lambda turn: TurnResult(turn.plan, (prompt,)), person.id)
    point = DecisionPoint(
        *(new_id(), person.id, 1, prompt.id, now, ZONE, "1/0 morning", 0.5, "paced breathing", 30),
        *("c" * 64, now - MINUTE, True, None, "a" * 64, 0.5, True, "paced breathing", now),
    )
    stores.offers.put_points([point])
    return point


def stored(stores: Stores, point: DecisionPoint) -> DecisionPoint:
    found = stores.offers.points(point.person_id, 0, 2**62)
    return next(item for item in found if item.id == point.id)


def test_a_proposal_an_offer_and_the_end_of_offers(
    page: Page, api: ApiThread, stores: Stores, ada: Person
) -> None:
    sign_in_by_code(page, api.url, stores, ada)
    open_view(page, "more")
    place = page.locator("section", has=page.get_by_role("heading", name="Practice by lot"))
    expect(place.get_by_text("a coin decides")).to_be_visible()
    place.get_by_role("button", name="Begin with breathing").click()
    expect(place.get_by_role("status")).to_contain_text("Turn reminders on first")
    assert load_active(stores, ada.id) is None

    change_plan(stores, ada, lambda _: PLAN)
    propose(stores, ada, "t", OfferWish(("paced breathing", "savouring"), 0.6, times_min=(870,)))
    open_view(page, "see")
    open_view(page, "more")
    expect(
        place.get_by_text("breathing, noticing something pleasant, at about 60 of a hundred")
    ).to_be_visible()
    expect(place.get_by_text(re.compile("besides your reminders, at .?2:30"))).to_be_visible()
    assert overflow(page) == 0
    assert axe_violations(page) == []
    place.get_by_role("button", name="I agree to that").click()
    expect(place.get_by_text("On: breathing, noticing something pleasant")).to_be_visible()
    active = load_active(stores, ada.id)
    assert active is not None and (active.number, active.base_probability) == (1, 0.6)

    point = an_offered_moment(stores, ada)
    open_view(page, "rate")
    choose(page, "Pain", 3)
    choose(page, "Stress", 4)
    page.get_by_role("button", name="Save", exact=True).click()
    question = page.get_by_text("Would a few minutes of breathing suit now?")
    expect(question).to_be_visible()
    assert overflow(page) == 0
    assert axe_violations(page) == []
    wait_for(lambda: stored(stores, point).shown_ns is not None, page, "that it was displayed")
    page.get_by_role("button", name="Not now", exact=True).click()
    expect(question).to_be_hidden()
    wait_for(lambda: stored(stores, point).declined_ns is not None, page, "the answer")
    declined = load_active(stores, ada.id)
    assert declined is not None and declined.quiet_until_ns > stores.now()

    # A practice that one begins oneself is always there.
    open_view(page, "practise")
    expect(page.get_by_role("link", name="Breathing").first).to_be_visible()
    page.get_by_role("link", name="Noticing something pleasant").click()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Nothing has to happen now.")).to_be_visible()
    assert overflow(page) == 0
    assert axe_violations(page) == []
    expect(page.get_by_role("button", name="Smaller")).to_have_count(0)
    page.get_by_role("button", name="End", exact=True).click()
    page.get_by_role("button", name="Keep it", exact=True).click()
    wait_for(lambda: stores.programme.practices(ada.id), page, "the practice")
    assert [item.kind for item in stores.programme.practices(ada.id)] == ["savouring"]
    open_view(page, "more")
    place.get_by_role("button", name="Stop", exact=True).click()
    expect(place.get_by_role("status")).to_contain_text("Stopped.")
    assert load_active(stores, ada.id) is None
    plans = stores.offers.plans(ada.id)
    harm = replace(plans[0], ended_why="stress was higher after offers")
    stores.offers.change_plans(ada.id, lambda _: [harm])
    open_view(page, "see")
    open_view(page, "more")
    expect(place.get_by_text("nobody's fault")).to_be_visible()
