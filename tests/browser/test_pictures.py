"""Pages look as they did: six pictures of an account without data, against those in ``pictures``.

A change that is meant: ``EBBTIDE_PICTURES=new uv run pytest -n 0 tests/browser/test_pictures.py``,
then look at what changed before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.support.accounts import PASSWORD
from tests.support.browser import choose_page, opened_context, sign_in, wait_until_drawn
from tests.support.clinic import Clinic

pytestmark = pytest.mark.browser

PICTURES = Path(__file__).with_name("pictures")
DESK = ViewportSize(width=1000, height=900)
PHONE = ViewportSize(width=360, height=780)
# The pictures are half as large as the page; a block is 8 by 8 pixels of the page. The edges of
# letters differ between machines by a few levels of grey in a block, a date by some blocks.
_HALF, _BLOCK = 2, 4
_LEVELS = 24
MAX_CHANGED = 0.02


def changed_share(seen: Image.Image, known: Image.Image) -> float:
    """Return the share of blocks that differ visibly, of 0 to 1; what one has and the other has
    not, such as a page that became longer, differs.
    """
    size = (max(seen.width, known.width), max(seen.height, known.height))
    one, other = (_blocks(item, size) for item in (seen, known))
    return float(np.mean(np.abs(one - other) > _LEVELS))


def _blocks(picture: Image.Image, size: tuple[int, int]) -> NDArray[np.float64]:
    whole = Image.new("L", size, 128)
    whole.paste(picture.convert("L"))
    return np.asarray(whole.reduce(_BLOCK), dtype=np.float64)


def _shoot(page: Page, folder: Path, name: str) -> float:
    """Take a picture of the main column, and compare it; the share that changed."""
    wait_until_drawn(page)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0)
    page.mouse.move(0, 0)
    page.evaluate("() => document.activeElement?.blur()")
    page.wait_for_timeout(600)
    file = folder / f"{name}.png"
    page.screenshot(path=file, animations="disabled")
    with Image.open(file) as picture:
        small = picture.convert("L").reduce(_HALF)
    small.save(file, optimize=True)
    if os.environ.get("EBBTIDE_PICTURES") == "new":
        small.save(PICTURES / file.name, optimize=True)
    with Image.open(PICTURES / file.name) as known:
        return changed_share(small, known)


def test_pages_look_as_they_did(
    clinic: Clinic, pages_url: str, browser: Browser, tmp_path: Path
) -> None:
    changed: dict[str, float] = {}
    with opened_context(browser, DESK) as context:
        page = context.new_page()
        page.goto(pages_url)
        page.get_by_label("E-mail").wait_for()
        changed["sign-in"] = _shoot(page, tmp_path, "sign-in")
        sign_in(page, pages_url, "ada@example.org", PASSWORD)
        expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()
        changed["today"] = _shoot(page, tmp_path, "today")
        for title in ("Reminders", "My link", "Before you begin"):
            choose_page(page, title)
            expect(page.get_by_role("heading", name=title).first).to_be_visible()
            name = title.lower().replace(" ", "-")
            changed[name] = _shoot(page, tmp_path, name)
        page.set_viewport_size(PHONE)
        page.goto(f"{pages_url}/reminders")
        expect(page.get_by_role("heading", name="Reminders").first).to_be_visible()
        changed["reminders-phone"] = _shoot(page, tmp_path, "reminders-phone")
    print("blocks that changed:", {name: f"{share:.2%}" for name, share in changed.items()})
    assert {name: share for name, share in changed.items() if share > MAX_CHANGED} == {}, (
        f"look at {tmp_path} and {PICTURES}"
    )


@pytest.mark.parametrize("name", ["today", "reminders-phone"])
def test_a_change_would_be_found(name: str) -> None:
    with Image.open(PICTURES / f"{name}.png") as picture:
        known = picture.convert("L")
    softer = known.reduce(2).resize(known.size)  # letters drawn otherwise
    assert changed_share(softer, known) < MAX_CHANGED / 2
    moved = Image.new("L", known.size, 255)
    moved.paste(known, (0, 12))  # all is a line lower
    assert changed_share(moved, known) > MAX_CHANGED
    covered = known.copy()
    ImageDraw.Draw(covered).rectangle((60, 100, 160, 180), fill=200)
    assert changed_share(covered, known) > MAX_CHANGED
