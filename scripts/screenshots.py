"""Take the screenshots of the README and the guides from a running demo.

    uv run python scripts/screenshots.py [--app | --collect FOLDER]

``--app``: only those of the app for phones. ``--collect``: of the pictures that
``tests/browser/test_roles.py`` left in a folder, take those that the documentation has. Otherwise
starts ``ebbtide demo``, signs in with a headless Chromium, and writes docs/images/*.png.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, TimeoutError, expect, sync_playwright

from ebbtide.client import Client

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
_TITLES = {
    "trend": "My trend",
    "link": "My link",
    "course": "My course",
    "before": "Before you begin",
}
_COLOURS = 256
_MAX_FILL_S = 1800.0
_MIN_SPAN_S = 80 * 86400.0
_MAX_ANSWER_MS = 300_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def collect(folder: Path) -> None:
    """Replace the pictures of the documentation that are in ``folder``, except the demo's."""
    for path in sorted(IMAGES.glob("*.png")):
        made = folder / path.name
        if made.is_file() and path.stem.removesuffix("-phone") not in _TITLES:
            path.write_bytes(made.read_bytes())
            shrink(path)


def shrink(path: Path) -> None:
    """Give a picture a palette: a page has few colours, and takes a third of the bytes then."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def main() -> None:
    """Start a demo, take a screenshot of each page, stop the demo."""
    if sys.argv[1:2] == ["--collect"]:
        collect(Path(sys.argv[2]))
        return
    IMAGES.mkdir(exist_ok=True)
    demo = subprocess.Popen(
        [sys.executable, "-m", "ebbtide", "demo"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "EBBTIDE_LANGUAGE": "en"},  # its words are read below
    )
    try:
        words = _invitation(demo)
        _wait_until_filled(words)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=["--no-sandbox", "--disable-gpu", "--enable-features=WebBluetooth"],
            )
            if "--app" not in sys.argv:
                wide = browser.new_page(viewport={"width": 1000, "height": 820})
                _pages(wide, words, "")
                narrow = browser.new_page(viewport={"width": 400, "height": 820})
                _pages(narrow, words, "-phone")
            _app(browser.new_page(viewport={"width": 360, "height": 740}), words)
            browser.close()
    finally:
        demo.terminate()  # SIGINT is ignored where this runs in the background
        demo.wait(timeout=30)
    for path in IMAGES.glob("*.png"):
        shrink(path)


def _invitation(demo: subprocess.Popen[str]) -> dict[str, str]:
    words = {}
    assert demo.stdout is not None
    for line in demo.stdout:
        found = re.match(r"(The pages|Sign in with|Password)\s+(\S+)$", line.strip())
        if found:
            words[found[1]] = found[2]
        if len(words) == 3:
            return words
    raise SystemExit("the demo did not start")


def _wait_until_filled(words: dict[str, str]) -> None:
    """Wait until the demo has the patient's first week of beats, which it stores last: some
    minutes, more where others compute too. Pages before that have no answer.
    """
    end = time.monotonic() + _MAX_FILL_S
    with Client.sign_in(words["The pages"], words["Sign in with"], words["Password"]) as api:
        while time.time() - min(_first_beats(api)) < _MIN_SPAN_S:
            if time.monotonic() > end:
                raise SystemExit(f"the demo is not filled after {_MAX_FILL_S:.0f} s")
            time.sleep(5)


def _first_beats(api: Client) -> list[float]:
    return [
        item["first_beat_ns"] / 1e9 for item in api.streams()["streams"] if item["first_beat_ns"]
    ]


def _pages(page: Page, words: dict[str, str], suffix: str) -> None:
    page.goto(words["The pages"])
    page.get_by_label("E-mail").wait_for()
    page.get_by_text("not a medical device").wait_for()
    _shoot(page, f"sign-in{suffix}")
    page.get_by_label("E-mail").fill(words["Sign in with"])
    page.get_by_label("Password", exact=True).fill(words["Password"])
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
    page.get_by_text("How is it right now?").wait_for()
    for title, number in (("Pain", "3"), ("Stress", "4"), ("Something pleasant", "5")):
        group = page.get_by_role("radiogroup", name=title, exact=True)
        group.get_by_role("radio", name=number, exact=True).click()
    page.wait_for_timeout(1000)
    for name, title in _TITLES.items():
        page.goto(f"{words['The pages']}/{name}")
        page.get_by_role("heading", name=title).wait_for()
        page.wait_for_timeout(1000)
        expect(page.get_by_test_id("stSpinner")).to_have_count(0, timeout=_MAX_ANSWER_MS)
        page.wait_for_timeout(3000)
        _shoot(page, f"{name}{suffix}")


def _app(page: Page, words: dict[str, str]) -> None:
    """The views of the app for phones, each as one screen."""
    page.goto(f"{words['The pages']}/app/")
    page.get_by_text("With e-mail and password").click()
    page.get_by_label("E-mail").fill(words["Sign in with"])
    page.get_by_label("Password").fill(words["Password"])
    page.get_by_role("button", name="Sign in with the password").click()
    page.get_by_text("How is it right now?").wait_for()
    for title, number in (("Pain", "3"), ("Stress", "4"), ("Something pleasant", "5")):
        group = page.get_by_role("radiogroup", name=title, exact=True)
        group.get_by_role("radio", name=number, exact=True).check()
    _shoot_app(page, "rate")
    for view in ("record", "practise", "see"):
        page.evaluate("view => { location.hash = `#${view}`; }", view)
        if view == "see":
            _wait_for_answer(page)
        page.wait_for_timeout(1000)
        _shoot_app(page, view)
    page.evaluate("() => { location.hash = '#practise/breathing'; }")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_timeout(3500)
    _shoot_app(page, "breathing")


def _wait_for_answer(page: Page) -> None:
    """Open the view anew until it has the answer: the demo writes its weeks for a minute or two."""
    for _ in range(40):
        try:
            page.get_by_text("95% interval").first.wait_for(timeout=6_000)
        except TimeoutError:
            page.evaluate("() => { location.hash = '#more'; }")
            page.get_by_role("heading", name="More", exact=True).wait_for()
            page.evaluate("() => { location.hash = '#see'; }")
        else:
            return
    raise SystemExit("the demo has no answer yet")


def _shoot_app(page: Page, name: str) -> None:
    page.evaluate("() => document.activeElement?.blur()")
    page.screenshot(path=IMAGES / f"app-{name}.png")


def _shoot(page: Page, name: str) -> None:
    main = page.get_by_test_id("stMainBlockContainer")
    page.wait_for_timeout(500)
    height = main.evaluate("element => element.scrollHeight")
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], height + 10)})
    page.wait_for_timeout(700)
    page.screenshot(path=IMAGES / f"{name}.png")
    page.set_viewport_size(size)


main()
