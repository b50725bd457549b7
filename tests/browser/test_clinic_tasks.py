"""What therapist, analyst and administrator come for, in a real browser: clicks and seconds.

EBBTIDE_TASKS=FILE adds a line of JSON for each task (docs/evidence/pages-clinic.md).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect
from pypdf import PdfReader

from dashboard import start_dashboard
from ebbtide.beats import new_id
from ebbtide.settings import Settings
from store.factory import open_stores
from store.models import Role
from tests.support.accounts import PASSWORD
from tests.support.browser import (
    check_width,
    choose_page,
    opened_context,
    sign_in,
    wait_until_drawn,
)
from tests.support.clinic import Clinic, fill
from tests.support.played_clinic import played_clinic

pytestmark = pytest.mark.browser


class Task:
    """A task that is measured: what is pressed and typed, and how long it takes."""

    def __init__(self, name: str) -> None:
        self.name, self.clicks, self.typed, self.began = name, 0, 0, time.monotonic()

    def click(self, place: Locator) -> None:
        place.click()
        self.clicks += 1

    def type(self, place: Locator, words: str) -> None:
        place.fill(words)
        self.typed += 1

    def done(self, at_most_s: float) -> None:
        took = time.monotonic() - self.began
        line = {"task": self.name, "clicks": self.clicks, "fields": self.typed, "s": round(took, 1)}
        print(json.dumps(line))
        if file := os.environ.get("EBBTIDE_TASKS"):
            with Path(file).open("a") as out:
                out.write(json.dumps(line) + "\n")
        assert took < at_most_s, line


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    stores = open_stores(Settings(data_dir=tmp_path_factory.mktemp("played")))
    with played_clinic(stores) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages_url(clinic: Clinic) -> Iterator[str]:
    with start_dashboard(clinic.url) as running:
        yield running.url


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with opened_context(browser, {"width": 1300, "height": 900}) as opened:
        yield opened


def signed_in(context: BrowserContext, url: str, who: str) -> Page:
    page = context.new_page()
    sign_in(page, url, f"{who}@example.org", PASSWORD)
    return page


SCREENS = 3  # of a phone: no page is longer without a fold
DESK, PHONE = ViewportSize(width=1300, height=900), ViewportSize(width=360, height=780)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_therapist_finds_five_facts_in_two_minutes(
    context: BrowserContext, pages_url: str, size: ViewportSize
) -> None:
    page = signed_in(context, pages_url, "tom")
    page.set_viewport_size(size)
    expect(page.get_by_role("heading", name="Caseload")).to_be_visible()
    wait_until_drawn(page)
    task = Task(f"therapist: five facts, {size['width']} px wide")
    expect(page.get_by_text("have a reason for a word today")).to_be_visible()
    expect(page.get_by_text("Meeting 8 on").first).to_be_visible()  # 1: why a word today
    task.click(page.get_by_test_id("stButton").get_by_text("Open").first)
    expect(page.get_by_role("heading", name="Since the last meeting")).to_be_visible()
    facts = [
        page.get_by_text("in the week before it").first,  # 2: what changed
        page.get_by_text("Meeting 8 on").first,  # 3: the next meeting
        page.get_by_text("After meeting").first,  # 4: homework, and what became of it
        page.get_by_text("Rated pain and rated stress").first,  # 5: pain and stress, how sure
    ]
    for fact in facts:
        expect(fact).to_be_visible()
    expect(page.get_by_text("95% interval").first).to_be_visible()
    task.done(120)
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    wait_until_drawn(page)
    # Visible says Playwright of what is in a closed fold and of what is far below, too.
    for fact in facts:
        assert fact.evaluate("element => element.closest('details') === null")
    height = page.get_by_test_id("stMainBlockContainer").evaluate("element => element.scrollHeight")
    assert height <= SCREENS * PHONE["height"], f"{height} px"
    check_width(page, "patient")
    with page.expect_download() as download:
        page.get_by_role("button", name="Print this page (PDF)").click()
    sheet = PdfReader(download.value.path())
    assert len(sheet.pages) == 1
    assert sheet.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = sheet.pages[0].extract_text()
    assert "Next meeting" in text and "Homework" in text


def test_notes_save_themselves_and_a_message_is_read(
    context: BrowserContext, pages_url: str, clinic: Clinic
) -> None:
    page = signed_in(context, pages_url, "tom")
    expect(page.get_by_role("heading", name="Caseload")).to_be_visible()
    wait_until_drawn(page)
    page.get_by_test_id("stButton").get_by_text("Open").first.click()
    expect(page.get_by_text("Notes and homework")).to_be_visible()
    wait_until_drawn(page)
    task = Task("therapist: a note and a message")
    task.click(page.get_by_text("Notes and homework"))
    task.type(page.get_by_role("textbox", name="Notes, for you"), "less afraid of stairs")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Saved at")).to_be_visible()
    wait_until_drawn(page)
    task.click(page.get_by_text("Write to them"))
    task.type(page.get_by_label("Message"), "On Thursday we meet in room 12.")
    task.click(page.get_by_role("button", name="Write", exact=True))
    expect(page.get_by_text("not read yet")).to_be_visible()
    task.done(120)
    name = page.get_by_role("heading", level=1).inner_text().strip().rpartition(" ")[2]
    page.close()
    context.clear_cookies()
    patient = signed_in(context, pages_url, name)
    expect(patient.get_by_text("On Thursday we meet in room 12.")).to_be_visible()
    expect(patient.get_by_text("You cannot answer here")).to_be_visible()
    wait_until_drawn(patient)
    patient.get_by_role("button", name="I have read it").click()
    expect(patient.get_by_text("On Thursday we meet in room 12.")).not_to_be_visible()
    (message,) = clinic["tom"].get(f"/v1/patients/{clinic.id(name)}/messages").json()
    assert message["seen"] is not None


def test_an_analyst_has_a_table_in_pandas_in_three_minutes(
    context: BrowserContext, pages_url: str
) -> None:
    task = Task("analyst: a table in pandas, from sign-in")
    page = signed_in(context, pages_url, "ann")
    task.clicks, task.typed = 1, 2
    expect(page.get_by_role("heading", name="Research")).to_be_visible()
    task.type(page.get_by_label("What for"), "a notebook")
    task.click(page.get_by_role("button", name="Make a token"))
    expect(page.get_by_text("Here it is, shown only now")).to_be_visible()
    codes = [item.inner_text() for item in page.get_by_test_id("stCode").all()]
    token = next(code.strip() for code in codes if " " not in code.strip())
    python = next(code for code in codes if "import pandas" in code)
    environment = {**os.environ, "EBBTIDE_TOKEN": token}
    done = subprocess.run(
        [sys.executable, "-c", python + "\nprint(*ratings.columns)"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    # Rows come weeks after they were given; the columns are there from the first day.
    assert {"person", "pain", "stress"} <= set(done.stdout.splitlines()[-1].split())
    task.done(180)
    wait_until_drawn(page)
    check_width(page, "research")
    page.get_by_role("tab", name="R", exact=True).click()
    r = page.get_by_test_id("stCode").filter(has_text="read.csv").inner_text()
    if program := shutil.which("Rscript"):
        done = subprocess.run(
            [program, "-e", r + "\ncat(ncol(ratings) > 5)"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip().endswith("TRUE")
    page.get_by_role("button", name="Show the first rows").click()
    # This clinic has people and no ratings.
    expect(page.get_by_text("There is nothing in this table yet.")).to_be_visible()
    wait_until_drawn(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download ratings.parquet").click()
    assert Path(download.value.path()).read_bytes().startswith(b"PAR1")
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("button", name="Revoke")).to_have_count(0)
    failed = subprocess.run([sys.executable, "-c", python], env=environment, capture_output=True)
    assert failed.returncode != 0 and b"401" in failed.stderr


def test_an_administrator_erases_an_account_and_sees_the_proof(
    context: BrowserContext, pages_url: str, clinic: Clinic
) -> None:
    name = f"gone-{new_id()[:8]}"  # another where this test is tried again
    fill(clinic.stores, clinic.add(name, Role.PATIENT), days=1)
    page = signed_in(context, pages_url, "adam")
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    wait_until_drawn(page)
    task = Task("administrator: an erasure with its proof")
    task.type(page.get_by_label("Search by name, address or role"), f"{name}@example.org")
    page.keyboard.press("Enter")
    wait_until_drawn(page)
    task.click(page.get_by_text("Erase this account"))
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    task.type(page.get_by_label("Type their address"), f"{name}@example.org")
    task.type(page.get_by_label("Your own password"), PASSWORD)
    task.click(page.get_by_role("button", name="Erase for good"))
    expect(page.get_by_text(f"The name of {name} is erased.")).to_be_visible()
    expect(page.get_by_text("nothing is left in the store")).to_be_visible()
    task.done(120)
    check_width(page, "people")
    assert clinic.stores.records.person(clinic.id(name)) is None
    choose_page(page, "Running it")
    expect(page.get_by_text("To look at:")).to_be_visible()
    wait_until_drawn(page)
    check_width(page, "operation")
    for part in ("Consents", "Who looked", "Kept and erased"):
        page.get_by_role("radio", name=part).or_(
            page.get_by_role("button", name=part, exact=True)
        ).first.click()
        wait_until_drawn(page)
        expect(page.get_by_test_id("stDataFrame").filter(visible=True).first).to_be_visible()
    expect(page.get_by_text("The ledger has no names")).to_be_visible()
