"""Every view of the app for people who see little, use a keyboard, or have a small phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.server.thread import ApiThread
from ebbtide.timestamps import HOUR
from store import Stores
from store.models import Person, Rating
from tests.support.accounts import add_account
from tests.support.phone_screens import (
    VIEWS,
    axe_violations,
    choose,
    open_view,
    opened_phone,
    overflow,
    sign_in_by_code,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(stores: Stores) -> Person:
    """A patient with ratings of some days."""
    person = add_account(stores, "ada@example.org", name="Ada", zone="Europe/Berlin")
    for k in range(8):
        about = (stores.now() - 17 * k * HOUR) // 1000 * 1000
        stores.records.add_rating(
            Rating(
                id=f"00000000-0000-4000-8000-{k:012}",
                version=1,
                person_id=person.id,
                about_ns=about,
                entered_ns=about,
                zone="Europe/Berlin",
                pain=3 + k % 4,
                stress=2 + k % 5,
                pleasant=k,
                simulated=False,
            )
        )
    return person


@pytest.fixture
def large_text(browser: Browser, chromium: str) -> Iterator[Browser]:
    """A browser whose text is set to twice its size."""
    # By the other one's Playwright: there may be one only.
    opened = browser.browser_type.launch(
        executable_path=chromium,
        args=["--no-sandbox", "--disable-gpu", "--blink-settings=defaultFontSize=32"],
    )
    yield opened
    opened.close()


def begin(page: Page, practice: str) -> None:
    open_view(page, practice)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_axe_finds_nothing_in_any_view_in_light_and_dark(
    browser: Browser, api: ApiThread, stores: Stores, ada: Person
) -> None:
    # Axe is put into the page; high enough that the navigation covers nothing meanwhile.
    with opened_phone(browser, height=1800, bypass_csp=True) as context:
        page = context.new_page()
        found: list[str] = []

        def check(name: str) -> None:
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                found.extend(f"{name}, {scheme}: {words}" for words in axe_violations(page))

        page.goto(f"{api.url}/app/")
        page.get_by_text("With e-mail and password").click()
        check("sign in")
        sign_in_by_code(page, api.url, stores, ada)
        for view in VIEWS:
            open_view(page, view)
            for summary in page.locator("summary:visible").all():
                summary.click()
            check(view)
        begin(page, "practise/breathing")
        check("breathing")
        page.get_by_role("button", name="End").click()
        begin(page, "practise/tracking")
        check("tracking")
        page.get_by_role("button", name="End").click()
        check("after tracking")
        open_view(page, "rate")
        choose(page, "Pain", 4)
        choose(page, "Stress", 4)
        choose(page, "Something pleasant", 4)
        check("rate, filled in")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Saved. Thank you.")).to_be_visible()
        check("saved")
        page.get_by_role("link", name="Change").first.click()
        expect(page.get_by_role("heading", name="Change a rating")).to_be_visible()
        check("change")
        assert found == []


def test_at_320_pixels_nothing_overflows_and_the_steps_of_a_scale_are_equal(
    browser: Browser, api: ApiThread, stores: Stores, ada: Person
) -> None:
    with opened_phone(browser, width=320, height=568) as context:
        page = context.new_page()
        sign_in_by_code(page, api.url, stores, ada)
        pain = page.get_by_role("radiogroup", name="Pain", exact=True)
        boxes = [label.bounding_box() for label in pain.locator("label").all()]
        assert len(boxes) == 11
        assert len({round(box["y"]) for box in boxes if box}) == 1  # one row
        widths = [box["width"] for box in boxes if box]
        assert max(widths) - min(widths) < 0.5 and min(widths) >= 24  # WCAG 2.5.8
        assert all(box["height"] >= 44 for box in boxes if box)
        # A finger that slides along the row chooses what is under it.
        last = boxes[9]
        assert boxes[1] is not None and last is not None
        page.mouse.move(boxes[1]["x"] + 5, boxes[1]["y"] + 20)
        page.mouse.down()
        page.mouse.move(last["x"] + 5, last["y"] + 20, steps=5)
        page.mouse.up()
        expect(pain.get_by_role("radio", name="9", exact=True)).to_be_checked()
        for view in VIEWS:
            open_view(page, view)
            assert overflow(page) <= 0, view
            small = page.locator(
                "button:visible, nav a, select:visible, summary:visible"
            ).evaluate_all(
                "all => all.filter((e) => e.getBoundingClientRect().height < 43.5)"
                ".map((e) => e.outerHTML)"
            )
            assert small == [], view
        begin(page, "practise/breathing")
        assert overflow(page) <= 0


def test_text_of_twice_the_size_fits_and_hides_nothing(
    large_text: Browser, api: ApiThread, stores: Stores, ada: Person
) -> None:
    with opened_phone(large_text) as context:
        page = context.new_page()
        sign_in_by_code(page, api.url, stores, ada)
        size = page.evaluate("() => parseFloat(getComputedStyle(document.body).fontSize)")
        assert size >= 32
        for view in VIEWS:
            open_view(page, view)
            for summary in page.locator("summary:visible").all():
                summary.click()
            assert overflow(page) <= 0, view
            # Nothing is cut off, and the navigation does not cover what it belongs to.
            cut = page.evaluate(
                """() => [...document.querySelectorAll('main *, nav *')]
                  .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0
                    && getComputedStyle(e).display !== 'inline')
                  .map((e) => e.outerHTML.slice(0, 120))"""
            )
            assert cut == [], view
            assert page.evaluate(
                "() => getComputedStyle(document.querySelector('nav')).position"
            ) == ("static")


def test_the_keyboard_alone_rates_changes_view_and_pauses_a_practice(
    browser: Browser, api: ApiThread, stores: Stores, ada: Person
) -> None:
    with opened_phone(browser, reduced_motion="reduce") as context:
        page = context.new_page()
        sign_in_by_code(page, api.url, stores, ada)
        expect(page.get_by_role("heading", name=VIEWS["rate"])).to_be_focused()
        keyboard = page.keyboard
        keyboard.press("Tab")
        keyboard.press("Space")
        for _ in range(4):
            keyboard.press("ArrowRight")
        keyboard.press("Tab")
        keyboard.press("ArrowLeft")  # from 0 around to 10
        for title, number in (("Pain", "4"), ("Stress", "10")):
            group = page.get_by_role("radiogroup", name=title, exact=True)
            expect(group.get_by_role("radio", name=number, exact=True)).to_be_checked()
        _tab_to(page, "Save")
        keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Saved. Thank you.")).to_be_focused()
        _tab_to(page, "Practise")
        keyboard.press("Enter")
        expect(page.get_by_role("heading", name=VIEWS["practise"])).to_be_focused()
        _tab_to(page, "Slow breathing")
        keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Slow breathing")).to_be_focused()
        _tab_to(page, "Begin")
        keyboard.press("Enter")
        expect(page.get_by_role("button", name="Pause")).to_be_focused()
        # With reduced motion the words change, and nothing moves.
        assert page.evaluate("() => document.getAnimations().length") == 0
        keyboard.press("Enter")
        expect(page.get_by_role("button", name="Go on")).to_be_focused()
        _tab_to(page, "End")
        keyboard.press("Enter")
        expect(page.get_by_text("not kept")).to_be_visible()
        person_ratings = stores.records.ratings(ada.id, 0, 2**62)
        assert (person_ratings[-1].pain, person_ratings[-1].stress) == (4, 10)


def _tab_to(page: Page, words: str) -> None:
    """Press Tab until what has these words has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.evaluate("() => document.activeElement.textContent.trim()")
        if str(focused).startswith(words):
            return
    raise AssertionError(f"{words} is not reached with Tab")
