"""Prompts in a real browser: from "Remind me" to an answer in six taps, and by mail.

The way through a browser maker's push service is cut in two: what is posted arrives at a push
service here and is decrypted as a browser does; Chromium is given the same by its debugger.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from api.app import create_app
from api.services.reminders.plans import change_plan
from api.services.reminders.push import PushServices, PushWay
from api.services.reminders.scheduler import run_turn
from api.services.reminders.turn import plan_of
from api.services.reminders.ways import Message
from cli.server.thread import ApiThread
from ebbtide.beats import new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import MINUTE
from store import Stores
from store.models import Person, Prompt, ReminderPlan, TurnResult
from tests.support.accounts import add_account
from tests.support.phone_recording import wait_for
from tests.support.phone_screens import axe_violations, choose, sign_in_by_code
from tests.support.push_service import PlayedBrowser, PushServer, running_push_server

pytestmark = pytest.mark.browser
# A zone where it is about noon: prompts come at no other time.
ZONE = f"Etc/GMT{datetime.now(UTC).hour - 12:+}" if datetime.now(UTC).hour != 12 else "Etc/GMT"
# In place of the push service of Chromium's maker, which a test has no business with.
_SUBSCRIBE = """(subscription) => {
  PushManager.prototype.subscribe = async function (options) {
    globalThis.subscribedWith = options;
    return { toJSON: () => subscription };
  };
}"""


@pytest.fixture
def push() -> Iterator[PushServer]:
    with running_push_server() as server:
        yield server


@pytest.fixture
def api(stores: Stores, push: PushServer, settings: Settings) -> Iterator[ApiThread]:
    app = create_app(stores, settings.model_copy(update={"push_services": push.origin}))
    app.state.reminders._run_due = lambda: None  # the test says when
    with ApiThread(app) as running:
        yield running


@pytest.fixture
def ada(stores: Stores) -> Person:
    return add_account(stores, "ada@example.org", zone=ZONE)


def opened(browser: Browser, width: int = 360) -> BrowserContext:
    size = ViewportSize(width=width, height=740)
    context = browser.new_context(
        viewport=size, timezone_id=ZONE, permissions=["notifications"], locale="en-GB"
    )
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    return context


def due_now(stores: Stores, person: Person, asks: str = "both") -> Prompt:
    now = stores.now()
    prompt = Prompt(
        *(new_id(), person.id, new_id(), "random", now, ZONE, 0.01, 0, now, now + 45 * MINUTE)
    )
    plan = stores.prompts.plan(person.id)
    assert plan is not None
    prompt = replace(prompt, plan_version=plan.version, asks=asks)
    stores.prompts.take_turn(now, lambda turn: TurnResult(turn.plan, (prompt,)), person.id)
    return prompt


def deliver(page: Page, url: str, data: str) -> None:
    """Give the service worker a push, as the browser does when one arrives."""
    session = page.context.new_cdp_session(page)
    found: list[str] = []

    def note(event: dict[str, Any]) -> None:
        found.extend(item["registrationId"] for item in event["registrations"])

    session.on("ServiceWorker.workerRegistrationUpdated", note)
    session.send("ServiceWorker.enable")
    wait_for(lambda: found, page, "the registration of the service worker")
    message = {"origin": url, "registrationId": found[-1], "data": data}
    session.send("ServiceWorker.deliverPushMessage", message)
    session.detach()


def test_from_remind_me_to_the_first_answer_in_six_taps(
    browser: Browser, stores: Stores, api: ApiThread, push: PushServer, ada: Person
) -> None:
    played = PlayedBrowser(f"{push.origin}/one")
    context = opened(browser)
    page = context.new_page()
    subscription = json.dumps(played.subscription)
    page.add_init_script(f"({_SUBSCRIBE})({subscription})")
    sign_in_by_code(page, api.url, stores, ada)
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    taps = 0
    page.get_by_role("link", name="More").click()
    taps += 1
    page.get_by_role("button", name="Remind me").click()
    taps += 1
    expect(page.get_by_text("A notification will ask you")).to_be_visible()
    page.screenshot(path="/tmp/p26-app-reminders.png", full_page=True)
    key = page.evaluate("globalThis.subscribedWith.applicationServerKey")
    assert len(key) == 87

    # The first half: posted, and readable for this browser alone.
    prompt = due_now(stores, ada)
    way = PushWay(stores, PushServices((push.origin,)), "mailto:it@clinic.example")
    assert run_turn(stores, [way], ada.id)
    (posted,) = push.posted
    text = played.decrypt(posted.body)
    assert text["id"] == prompt.id

    # The second half: the browser shows it, and a tap on it opens the form.
    deliver(page, api.url, json.dumps(text))
    worker = context.service_workers[0]
    shown = """async () => (await registration.getNotifications()).map(
        (found) => [found.title, found.body, found.tag])"""
    wait_for(lambda: worker.evaluate(shown), page, "the notification")
    (notification,) = worker.evaluate(shown)
    assert notification[2] == prompt.id
    assert "pain" not in " ".join(notification[:2]).lower()
    deliver(page, api.url, json.dumps(text))  # once more: it takes the place of the first
    assert len(worker.evaluate(shown)) == 1
    wait_for(lambda: _stored(stores, prompt).delivered_ns, page, "that it was delivered")
    worker.evaluate("""async () => {
        const [notification] = await registration.getNotifications();
        dispatchEvent(new NotificationEvent("notificationclick", { notification }));
    }""")
    taps += 1
    wait_for(lambda: _stored(stores, prompt).opened_ns, page, "that it was opened")
    expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()
    page.context.set_offline(True)
    choose(page, "Pain", 4)
    choose(page, "Stress", 5)
    taps += 2
    page.get_by_role("button", name="Save", exact=True).click()
    taps += 1
    expect(page.get_by_role("heading", name="Saved")).to_be_visible()
    assert taps == 6
    assert stores.records.ratings(ada.id, 0, 2**62) == []  # it waits on the phone
    page.context.set_offline(False)
    wait_for(lambda: stores.records.ratings(ada.id, 0, 2**62), page, "the answer")
    (rating,) = stores.records.ratings(ada.id, 0, 2**62)
    assert (rating.pain, rating.prompt_id) == (4, prompt.id)
    answered = _stored(stores, prompt)
    assert answered.answered_ns == rating.about_ns
    context.close()


def _stored(stores: Stores, prompt: Prompt) -> Prompt:
    found = stores.prompts.prompt(prompt.person_id, prompt.id)
    assert found is not None
    return found


class _ReceiptWay:
    name = "mail"

    def __init__(self) -> None:
        self.receipts: list[str] = []

    def is_set_up(self, plan: ReminderPlan) -> bool:
        return True

    def send(self, message: Message) -> bool:
        self.receipts.append(message.receipt)
        return True


def test_the_link_of_a_mail_takes_one_answer_and_shows_nothing(
    browser: Browser, stores: Stores, api: ApiThread, ada: Person
) -> None:
    change_plan(stores, ada, lambda plan: plan, mail=True)
    due_now(stores, ada)
    way = _ReceiptWay()
    run_turn(stores, [way], ada.id)
    context = opened(browser)
    page = context.new_page()
    address = f"{api.url}/app/answer.html#{way.receipts[0]}"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()
    assert way.receipts[0] not in page.url
    assert all(way.receipts[0] not in url.partition("#")[0] for url in asked)
    assert "ada" not in page.content().lower()
    page.screenshot(path="/tmp/p26-answer-360.png", full_page=True)
    assert axe_violations(page) == []
    choose(page, "Pain", 3)
    choose(page, "Stress", 2)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. Thank you.")).to_be_visible()
    (rating,) = stores.records.ratings(ada.id, 0, 2**62)
    assert rating.prompt_id is not None
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_text("used already")).to_be_visible()
    assert page.evaluate("indexedDB.databases().then((found) => found.length)") == 0
    context.close()


@pytest.mark.parametrize("width", [360, 1300])
def test_the_link_of_a_mail_asks_for_one_alone(
    browser: Browser, stores: Stores, api: ApiThread, ada: Person, width: int
) -> None:
    change_plan(stores, ada, lambda plan: plan, mail=True)
    due_now(stores, ada, asks="stress")
    way = _ReceiptWay()
    run_turn(stores, [way], ada.id)
    context = opened(browser, width)
    page = context.new_page()
    page.goto(f"{api.url}/app/answer.html#{way.receipts[0]}")
    expect(page.get_by_role("radiogroup", name="Stress")).to_be_visible()
    expect(page.get_by_role("radiogroup", name="Pain")).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Choose a number.")).to_be_visible()
    assert axe_violations(page) == []
    _picture(page, f"apart-answer-{width}")
    choose(page, "Stress", 2)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. Thank you.")).to_be_visible()
    (rating,) = stores.records.ratings(ada.id, 0, 2**62)
    assert (rating.pain, rating.stress, rating.prompt_id is None) == (None, 2, False)
    context.close()


@pytest.mark.parametrize("width", [360, 1300])
def test_the_app_agrees_to_it_and_asks_for_one_alone_without_net_too(
    browser: Browser, stores: Stores, api: ApiThread, ada: Person, width: int
) -> None:
    change_plan(stores, ada, lambda plan: plan, enabled=True)
    context = opened(browser, width)
    page = context.new_page()
    sign_in_by_code(page, api.url, stores, ada)
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    page.get_by_role("link", name="More").click()
    expect(page.get_by_text("A draw decides which comes first")).to_be_visible()
    _picture(page, f"apart-before-{width}")
    page.get_by_role("button", name="Ask pain and stress at different moments").click()
    expect(page.get_by_text("It counts from now on.")).to_be_visible()
    expect(page.get_by_role("button", name="Ask both at one moment again")).to_be_visible()
    stored = stores.prompts.plan(ada.id)
    assert stored is not None and plan_of(stored).asks_apart
    _picture(page, f"apart-more-{width}")
    prompt = due_now(stores, ada, asks="pain")
    run_turn(stores, [_ReceiptWay()], ada.id)
    page.get_by_role("link", name="Rate").click()
    expect(page.get_by_role("radiogroup", name="Stress")).to_be_hidden()
    context.set_offline(True)  # what was asked is known here
    page.get_by_role("link", name="More").click()
    page.get_by_role("link", name="Rate").click()
    expect(page.get_by_role("radiogroup", name="Pain")).to_be_visible()
    expect(page.get_by_role("radiogroup", name="Stress")).to_be_hidden()
    choose(page, "Pain", 4)
    _picture(page, f"apart-rate-{width}")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Saved")).to_be_visible()
    expect(page.get_by_text(re.compile("pain 4$")).first).to_be_visible()
    context.set_offline(False)
    wait_for(lambda: stores.records.ratings(ada.id, 0, 2**62), page, "the answer")
    (rating,) = stores.records.ratings(ada.id, 0, 2**62)
    assert (rating.pain, rating.stress, rating.prompt_id) == (4, None, prompt.id)
    page.goto(f"{api.url}/app/#see")
    expect(page.get_by_text("stress not asked").first).to_be_visible()
    context.close()


def _picture(page: Page, name: str) -> None:
    if folder := os.environ.get("EBBTIDE_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
