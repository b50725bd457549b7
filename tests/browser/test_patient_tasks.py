"""What a patient does, on a phone, in clicks and seconds; and how long each page is.

The table in docs/evidence/pages.md is what these tests print:

    uv run pytest -n 0 -s tests/browser/test_patient_tasks.py
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from pypdf import PdfReader

from ebbtide.settings import Settings
from store.factory import open_stores
from tests.support.accounts import PASSWORD
from tests.support.browser import choose_page, opened_context, sign_in, wait_until_drawn
from tests.support.clinic import Clinic
from tests.support.played_clinic import played_clinic

pytestmark = pytest.mark.browser

SCREEN = 800  # pixels of a phone's height
SLUGS = (
    *("", "programme", "questions", "trend", "link", "course", "nights", "devices"),
    *("reminders", "offers", "files", "data", "consents", "before", "signing_in"),
)
VOICES = """
window.said = [];
const voice = { lang: "en-GB", localService: true, name: "a voice of this device" };
const far = { lang: "en-GB", localService: false, name: "a voice of a maker" };
window.SpeechSynthesisUtterance = function (words) { this.text = words; };
Object.defineProperty(window, "speechSynthesis", { value: {
  getVoices: () => [far, voice], addEventListener() {}, cancel() {},
  speak(speech) {
    window.said.push([speech.text, speech.rate, speech.voice.name]);
    setTimeout(() => speech.onend?.(), 300);
  },
} });
"""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    stores = open_stores(Settings(data_dir=tmp_path_factory.mktemp("played")))
    with played_clinic(stores) as opened:
        opened["ada"].put(
            "/v1/programme", json={"physical_cause_ruled_out": True, "started": True}
        ).raise_for_status()
        yield opened


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    with opened_context(browser, {"width": 360, "height": SCREEN}) as opened:
        yield opened


class Task:
    """Counts the clicks of a task and its seconds."""

    def __init__(self, name: str) -> None:
        self.name, self.clicks, self.began = name, 0, time.monotonic()

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def end(self) -> float:
        took = time.monotonic() - self.began
        print(f"| {self.name} | {self.clicks} | {took:.1f} |")
        return took


def signed_in(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    sign_in(page, url, "ada@example.org", PASSWORD)
    expect(page.get_by_text("How is it right now?")).to_be_visible()
    wait_until_drawn(page)
    return page


def step(page: Page, title: str, number: int) -> Locator:
    group = page.get_by_role("radiogroup", name=title, exact=True)
    return group.get_by_role("radio", name=str(number), exact=True)


def tab(page: Page, title: str) -> Locator:
    """A page at the lower edge of a phone."""
    return page.locator(".st-key-phone_tabs").get_by_text(title, exact=True)


def test_tasks_take_few_clicks_on_a_phone(
    phone: BrowserContext, pages_url: str, clinic: Clinic
) -> None:
    page = signed_in(phone, pages_url)
    task = Task("Rate pain and stress")
    task.click(step(page, "Pain", 3))
    task.click(step(page, "Stress", 10))
    task.click(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Saved. Thank you.")).to_be_visible()
    assert task.end() < 20 and task.clicks == 3

    page.reload()  # as after a new sign-in: nothing of the form is left
    expect(page.get_by_text("pain 3, stress 10.")).to_be_visible()
    wait_until_drawn(page)
    task = Task("Correct the rating of this hour")
    task.click(page.get_by_role("button", name="Correct this rating"))
    expect(page.get_by_text("Change your rating")).to_be_visible()
    task.click(step(page, "Stress", 6))
    task.click(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("pain 3, stress 6").first).to_be_visible()
    task.end()
    newest = clinic["ada"].get("/v1/ratings", params={"limit": 1000}).json()["ratings"][-1]
    assert (newest["pain"], newest["stress"], newest["version"]) == (3, 6, 2)

    task = Task("Practise: begin somatic tracking")
    task.click(tab(page, "Programme"))
    task.click(page.get_by_text("Somatic tracking", exact=True).first)
    task.click(page.get_by_role("button", name="Begin"))
    expect(page.get_by_text("Arriving")).to_be_visible()
    task.end()
    assert task.clicks == 3
    page.get_by_role("button", name="End here").click()
    page.get_by_role("button", name="Keep it", exact=True).click()
    expect(page.get_by_role("button", name="Begin")).to_be_visible()

    task = Task("What to bring to the next meeting, as PDF")
    task.click(tab(page, "My course"))
    with page.expect_download() as download:
        task.click(page.get_by_role("button", name="What to bring to the next meeting"))
    task.end()
    (sheet,) = PdfReader(BytesIO(Path(download.value.path()).read_bytes())).pages
    assert "The name of ada" in sheet.extract_text()
    assert task.clicks == 2


def test_no_page_of_a_patient_is_longer_than_three_screens_or_wider_than_a_phone(
    phone: BrowserContext, pages_url: str
) -> None:
    page = signed_in(phone, pages_url)
    heights = {}
    for slug in SLUGS:
        page.goto(f"{pages_url}/{slug}")
        expect(page.get_by_text("not a medical device")).to_be_visible()
        wait_until_drawn(page)
        main = page.get_by_test_id("stMainBlockContainer")
        heights[slug or "today"] = main.evaluate("element => element.scrollHeight")
        assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 1, slug
    print(heights)
    assert {slug: pixels for slug, pixels in heights.items() if pixels > 3 * SCREEN} == {}


@pytest.mark.parametrize("width", [360, 768, 1300])
def test_a_scale_is_one_row_of_eleven_equal_steps(
    browser: Browser, pages_url: str, width: int
) -> None:
    with opened_context(browser, {"width": width, "height": SCREEN}) as context:
        page = signed_in(context, pages_url)
        boxes = [step(page, "Pain", number).bounding_box() for number in range(11)]
        assert len({round(box["y"]) for box in boxes if box}) == 1
        widths = [box["width"] for box in boxes if box]
        assert len(widths) == 11 and max(widths) - min(widths) < 1.5
        # WCAG 2.2, 2.5.8 wants 24 pixels; 44 is what a thumb likes, and eleven do not fit.
        assert min(widths) >= 24 and min(box["height"] for box in boxes if box) >= 44


def test_the_drawer_of_a_phone_covers_no_page_and_not_the_form_of_sign_in(
    phone: BrowserContext, pages_url: str
) -> None:
    page = signed_in(phone, pages_url)
    choose_page(page, "Consents")  # which waits until the drawer is closed
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("button", name="Sign out").evaluate("button => button.click()")
    expect(page.get_by_label("E-mail")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")


@pytest.mark.parametrize("has_voice", [True, False])
def test_readings_are_read_out_or_marked_in_silence(
    phone: BrowserContext, pages_url: str, has_voice: bool
) -> None:
    if has_voice:
        phone.add_init_script(VOICES)
    page = signed_in(phone, pages_url)
    tab(page, "Programme").click()
    page.get_by_role("button", name="Read it to me").first.click()
    marked = page.locator(".ebbtide-reader .now")
    expect(marked).to_have_count(1)
    first = marked.inner_text()
    expect(marked).not_to_have_text(first)  # it goes on
    page.get_by_role("button", name="Slower").first.click()
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Pause").first.click()
    held = marked.inner_text()
    page.wait_for_timeout(1500)
    assert marked.inner_text() == held
    note = page.locator(".ebbtide-reader .note").first
    if has_voice:
        said = page.evaluate("window.said")
        assert said[0][0] == first and said[-1][1] < said[0][1]
        assert {voice for _words, _rate, voice in said} == {"a voice of this device"}
        expect(note).to_have_text("")
    else:
        expect(note).to_contain_text("no voice for this language")
    page.get_by_role("button", name="Stop").first.click()
    expect(marked).to_have_count(0)


def test_the_words_of_somatic_tracking_are_said_once_and_not_in_a_pause(
    phone: BrowserContext, pages_url: str
) -> None:
    phone.add_init_script(VOICES)
    page = signed_in(phone, pages_url)
    tab(page, "Programme").click()
    page.get_by_text("Somatic tracking", exact=True).first.click()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_function("() => window.said.length === 1")
    page.wait_for_timeout(4500)  # the page draws itself anew twice
    assert [words for words, *_more in page.evaluate("window.said")] == [
        "Sit or lie as you like. Nothing has to happen now."
    ]
    page.get_by_role("button", name="Smaller").click()
    page.wait_for_function("() => window.said.length === 2")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused")).to_be_visible()
    page.get_by_role("button", name="End here").click()
