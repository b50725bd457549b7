"""The app on a phone: the person's way through it, without a net too, and what stays afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from api.services.erasure import erase_people
from api.services.phones import phones
from cli.server.thread import ApiThread
from phone.files import STATIC
from store import Stores
from store.models import Person
from tests.support.accounts import PASSWORD, add_account, answer_on_keeping
from tests.support.phone_recording import wait_for
from tests.support.phone_screens import (
    ChangingFiles,
    choose,
    open_view,
    opened_phone,
    rate,
    remains,
    sign_in_by_code,
    wait_for_worker,
)

pytestmark = pytest.mark.browser
EVER = (0, 2**62)
EMAIL = "ada@example.org"


@pytest.fixture
def ada(stores: Stores) -> Person:
    return add_account(stores, EMAIL, name="Ada Example", zone="Europe/Berlin")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened_phone(browser) as context:
        yield context.new_page()


def pains(stores: Stores, person: Person) -> list[tuple[int, int, int]]:
    """Pain, stress and version of the ratings that count."""
    found = stores.records.ratings(person.id, *EVER)
    return [(item.pain, item.stress, item.version) for item in found if not item.withdrawn]


def wait_until_sent(page: Page, is_stored: Callable[[], object] = lambda: True) -> None:
    """Wait until it is stored, and the page says no more that something waits.

    A page that was just loaded says nothing yet.
    """
    wait_for(is_stored, page, "what was sent at the server")
    page.wait_for_function("() => !/waits? (here )?to be sent/.test(document.body.innerText)")


def test_a_person_signs_in_rates_practises_reads_and_signs_out_and_nothing_stays(
    page: Page, api: ApiThread, stores: Stores, ada: Person
) -> None:
    sign_in_by_code(page, api.url, stores, ada)
    assert "code" not in page.url
    page.clock.install()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Choose a number for pain and one for stress.")).to_be_visible()
    for title, number in (("Pain", 3), ("Stress", 10), ("Something pleasant", 5)):
        choose(page, title, number)
    page.get_by_text("A word, if you like").click()
    page.get_by_label("What was going on?").fill("<b>a walk</b>")
    # Two taps are one rating.
    page.get_by_role("button", name="Save").evaluate("save => { save.click(); save.click(); }")
    expect(page.get_by_text("pain 3, stress 10, something pleasant 5").first).to_be_visible()
    page.clock.run_for(1000)
    wait_until_sent(page, lambda: pains(stores, ada))
    (stored,) = stores.records.ratings(ada.id, *EVER)
    assert (stored.pain, stored.stress, stored.pleasant, stored.version) == (3, 10, 5, 1)
    assert (stored.zone, stored.note) == ("Europe/Berlin", "<b>a walk</b>")

    page.get_by_role("link", name="Change").click()
    choose(page, "Pain", 2)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("pain 2, stress 10").first).to_be_visible()
    page.clock.run_for(1000)
    wait_until_sent(page, lambda: pains(stores, ada) == [(2, 10, 2)])
    (corrected,) = stores.records.ratings(ada.id, *EVER)
    assert corrected.about_ns // 10**6 == stored.about_ns // 10**6  # the moment stays

    open_view(page, "practise/breathing")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    page.clock.run_for(1000)
    page.get_by_role("button", name="Slower").click()
    expect(page.get_by_text("5.5 breaths a minute").first).to_be_visible()
    page.clock.run_for(34_000)
    page.get_by_role("button", name="End").click()
    expect(page.get_by_text("Kept.")).to_be_visible()
    page.clock.run_for(1000)
    wait_until_sent(page, lambda: stores.programme.practices(ada.id))
    (practice,) = stores.programme.practices(ada.id)
    assert (practice.kind, practice.breaths_per_min) == ("paced breathing", 5.5)

    open_view(page, "practise/tracking")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Nothing has to happen now.")).to_be_visible()
    page.clock.run_for(90_000)
    expect(page.get_by_role("heading", name="Mindfulness: just looking")).to_be_visible()
    page.get_by_role("button", name="End").click()
    choose(page, "Pain now (if you like)", 1)
    page.get_by_role("button", name="Do not keep it").click()

    open_view(page, "see")
    page.clock.run_for(3000)
    expect(page.get_by_text("1 rating on 1 day in the last two weeks.")).to_be_visible()
    expect(page.get_by_text("29 more are needed")).to_be_visible()
    page.get_by_text("The numbers").click()
    expect(page.get_by_role("cell", name="10", exact=True)).to_be_visible()

    open_view(page, "more")
    expect(page.get_by_text("Signed in as Ada Example")).to_be_visible()
    wait_for_worker(page)
    before = remains(page)
    assert before["databases"] and before["local"]
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Nothing of yours is on this phone any more.")).to_be_visible()
    after = remains(page)
    assert after["databases"] == after["local"] == after["session"] == []
    assert after["cookies"] == ""
    (cached,) = after["cached"]
    assert cached and all(path.startswith("/app/") for path in cached)


def test_without_a_net_the_app_opens_rates_changes_and_deletes_and_sends_once_later(
    page: Page, api: ApiThread, stores: Stores, ada: Person
) -> None:
    sign_in_by_code(page, api.url, stores, ada)
    wait_for_worker(page)
    rate(page, 7, 7)
    wait_until_sent(page, lambda: pains(stores, ada) == [(7, 7, 1)])
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("No internet. What you enter is kept here")).to_be_visible()
    page.get_by_role("link", name="Change").click()
    choose(page, "Pain", 6)
    # Whoever goes on before it is on the disk stays where they went.
    page.get_by_role("button", name="Save").evaluate(
        "save => { save.click(); location.hash = '#see'; }"
    )
    expect(page.get_by_text("1 entry waits here")).to_be_visible()
    expect(page.get_by_role("heading", name="Two weeks")).to_be_visible()
    rate(page, 4, 1)
    rate(page, 9, 9)
    page.get_by_role("link", name="Change").first.click()
    page.get_by_role("button", name="Delete it").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("link", name="Change")).to_have_count(2)
    page.reload()  # the browser may end at any time
    expect(page.get_by_text("pain 6, stress 7")).to_be_visible()
    expect(page.get_by_text("pain 4, stress 1")).to_be_visible()
    expect(page.get_by_text("2 entries wait here")).to_be_visible()
    assert pains(stores, ada) == [(7, 7, 1)]
    # Encrypted at rest: neither the numbers' names nor the words can be read.
    raw = page.evaluate(
        """async () => {
          const [{ name }] = await indexedDB.databases();
          const db = await new Promise((resolve) => {
            const opening = indexedDB.open(name);
            opening.onsuccess = () => resolve(opening.result);
          });
          const rows = await new Promise((resolve) => {
            const asking = db.transaction('entries').objectStore('entries').getAll();
            asking.onsuccess = () => resolve(asking.result);
          });
          db.close();
          return rows.map((row) => new TextDecoder('latin1').decode(row));
        }"""
    )
    assert len(raw) == 2 and not any("stress" in row or "pain" in row for row in raw)
    page.context.set_offline(False)
    page.reload()
    wait_until_sent(page, lambda: pains(stores, ada) == [(6, 7, 2), (4, 1, 1)])
    page.reload()
    wait_until_sent(page, lambda: pains(stores, ada) == [(6, 7, 2), (4, 1, 1)])


def test_signing_out_without_a_net_asks_before_anything_is_lost(
    page: Page, api: ApiThread, stores: Stores, ada: Person
) -> None:
    sign_in_by_code(page, api.url, stores, ada)
    wait_for_worker(page)
    page.context.set_offline(True)
    rate(page, 5, 5)
    open_view(page, "more")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("1 entry waits here to be sent. If you sign out now")).to_be_visible()
    page.get_by_role("button", name="Stay signed in").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign out and delete it").click()
    expect(page.get_by_text("The server could not be told")).to_be_visible()
    assert remains(page)["databases"] == []


def test_a_revoked_phone_keeps_its_rows_locked_until_the_same_person_signs_in(
    page: Page, api: ApiThread, stores: Stores, ada: Person
) -> None:
    sign_in_by_code(page, api.url, stores, ada)
    wait_for_worker(page)
    page.context.set_offline(True)
    rate(page, 8, 2)
    (phone,) = phones(stores, ada)
    assert stores.access.revoke_token(ada.id, phone.id)
    page.context.set_offline(False)
    page.reload()
    expect(page.get_by_text("This phone was signed out from elsewhere")).to_be_visible()
    assert remains(page)["databases"] and not remains(page)["local"]
    assert pains(stores, ada) == []
    page.get_by_text("With e-mail and password").click()
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in with the password").click()
    expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()
    wait_until_sent(page, lambda: pains(stores, ada) == [(8, 2, 1)])
    erase_people(stores, [ada])
    page.reload()
    expect(page.get_by_text("The account was erased.")).to_be_visible()
    assert remains(page)["databases"] == [] and not remains(page)["local"]


def test_nothing_is_sent_before_keeping_is_agreed_to_and_the_way_there_is_shown(
    page: Page, api: ApiThread, stores: Stores
) -> None:
    eve = add_account(stores, "eve@example.org", agrees=False)
    sign_in_by_code(page, api.url, stores, eve)
    rate(page, 5, 5)
    expect(page.get_by_text("Nothing is kept before you agree.")).to_be_visible()
    link = page.get_by_role("link", name="Read and decide")
    expect(link).to_have_attribute("href", "/consents")
    assert pains(stores, eve) == []
    answer_on_keeping(stores, eve)
    page.reload()
    wait_until_sent(page, lambda: pains(stores, eve) == [(5, 5, 1)])


def test_a_new_version_waits_for_a_word_and_then_replaces_every_file(
    page: Page, stores: Stores, ada: Person, tmp_path: Path
) -> None:
    folder = tmp_path / "static"
    shutil.copytree(STATIC, folder)
    files = ChangingFiles(stores, folder)
    with ApiThread(files) as api:
        sign_in_by_code(page, api.url, stores, ada)
        wait_for_worker(page)
        (before,) = page.evaluate("() => caches.keys()")
        texts = folder / "js" / "locale" / "en.js"
        texts.write_text(texts.read_text().replace("How is it right now?", "How are things?"))
        files.load()
        page.reload()
        expect(page.get_by_text("A new version is ready.")).to_be_visible()
        expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()
        page.get_by_role("button", name="Use it now").click()
        expect(page.get_by_role("heading", name="How are things?")).to_be_visible()
        page.wait_for_function("async () => (await caches.keys()).length === 1")
        assert page.evaluate("() => caches.keys()") != [before]
        page.context.set_offline(True)
        page.reload()
        expect(page.get_by_role("heading", name="How are things?")).to_be_visible()
