"""A file is dropped, read, kept, listed and taken out in a real browser, at 1300 and 360 px."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from ebbtide.beats import new_id
from store.models import Role
from tests.support.accounts import PASSWORD
from tests.support.browser import check_width, choose_page, sign_in, violations
from tests.support.clinic import Clinic

pytestmark = pytest.mark.browser


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def test_a_file_is_read_asked_about_kept_listed_and_taken_out(
    clinic: Clinic, page: Page, pages_url: str, tmp_path: Path
) -> None:
    size = page.viewport_size
    assert size is not None
    name = f"ida{size['width']}-{new_id()[:8]}"  # another where this test is tried again
    clinic.add(name, Role.PATIENT, agrees=False)
    sign_in(page, pages_url, f"{name}@example.org", PASSWORD)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    open_page(page)

    # Nothing can be dropped before keeping is agreed to, which is asked in place.
    expect(page.get_by_text("May Ebbtide keep your heartbeats")).to_be_visible()
    expect(page.get_by_test_id("stFileUploader")).to_have_count(0)
    page.get_by_role("button", name="Yes, I agree").click()
    expect(page.get_by_role("heading", name="Bring in a file")).to_be_visible()
    check_width(page, "files-choose")
    assert violations(page) == []

    # Numbers around 250 are milliseconds or 1/256 s: it is asked in words.
    rng = np.random.default_rng(1)
    rr = 250 + rng.normal(0, 8, 400).round().astype(int)
    night = tmp_path / "morning 2026-11-24 08-30-00.txt"
    night.write_text("\n".join(map(str, rr)))
    page.locator("input[type=file]").set_input_files(night)
    expect(page.get_by_text("may be milliseconds")).to_be_visible()
    check_width(page, "files-question")
    assert violations(page) == []
    assert clinic[name].get("/v1/streams").json()["streams"] == []
    page.get_by_text("1/256 of a second").click()
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_text("November 24, 2026, 8:30").first).to_be_visible()
    expect(page.get_by_role("cell", name="400")).to_be_visible()
    check_width(page, "files-read")
    assert violations(page) == []
    assert clinic[name].get("/v1/streams").json()["streams"] == []
    page.get_by_role("button", name="Keep these").click()
    expect(page.get_by_text("Kept: 400 heartbeats")).to_be_visible()
    expect(page.get_by_role("heading", name="Brought in")).to_be_visible()
    check_width(page, "files-kept")
    assert violations(page) == []
    (stream,) = clinic[name].get("/v1/streams").json()["streams"]
    assert (stream["beats"], stream["origin"]) == (400, "file")

    page.get_by_role("button", name="Take out").click()
    expect(page.get_by_text("with all that was computed from it?")).to_be_visible()
    check_width(page, "files-take-out")
    page.get_by_role("button", name="Yes, take it out").click()
    expect(page.get_by_text("is taken out")).to_be_visible()
    assert clinic[name].get("/v1/streams").json()["streams"] == []


def open_page(page: Page) -> None:
    choose_page(page, "Bring in a file")
    # Today asks the same question: what is answered before the page has changed is answered there.
    expect(page).to_have_url(re.compile("/files$"))
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
