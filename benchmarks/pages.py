"""How long a patient with a year of data waits for each page, in a real headless browser.

    uv run python benchmarks/pages.py [--days 365 --rounds 5]

Side by side in one run: an empty Streamlit page ("hello"), which is what any page of this kind
costs at least, and ours: the first page, what comes after signing in, and each page with a year
behind it. ``ebbtide serve`` and the pages on the embedded store; Playwright on Debian's Chromium.
A page is there when its last part is and nothing is being worked out any more.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.children import child
from benchmarks.load import a_year
from benchmarks.soak import answers, free_port
from dashboard.launch import dashboard_command, start_dashboard
from ebbtide.settings import Settings
from store import open_stores
from tests.support.accounts import PASSWORD, add_account
from tests.support.browser import choose_page

EMAIL = "p@example.org"
PAGES = ("Programme", "My trend", "My link", "My course", "Reminders", "My data")


@contextmanager
def empty_page(folder: Path) -> Iterator[str]:
    """A Streamlit that says hello, with our settings."""
    script = folder / "hello.py"
    script.write_text("import streamlit as st\nst.title('hello')\n")
    port = free_port()
    command = [
        str(script) if word.endswith("app.py") else word
        for word in dashboard_command("127.0.0.1", port)
    ]
    with child(command):
        answers(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"


def whole(page: Page) -> None:
    """Nothing is being worked out any more."""
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=60_000
    )
    expect(page.get_by_test_id("stSpinner")).to_have_count(0)


def seconds(what: str, work: Callable[[], None]) -> float:
    """How long it takes. Ends the benchmark, naming the page, where a page is not there in time."""
    began = time.perf_counter()
    try:
        work()
    except (AssertionError, Error) as error:
        waited = time.perf_counter() - began
        raise SystemExit(f"{what}: not whole after {waited:.0f} s. {error}") from error
    return time.perf_counter() - began


def one_round(browser: Browser, url: str, hello: str) -> dict[str, float]:
    """A person who comes anew, as a browser that was never here."""
    found = {}
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()

    def opens(address: str, words: str) -> Callable[[], None]:
        def work() -> None:
            page.goto(address)
            expect(page.get_by_text(words).first).to_be_visible()
            whole(page)

        return work

    found["an empty Streamlit page"] = seconds("an empty Streamlit page", opens(hello, "hello"))
    found["first page (sign in)"] = seconds("first page (sign in)", opens(url, "E-mail"))
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)

    def signs_in() -> None:
        page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
        expect(page.get_by_text("How is it right now?")).to_be_visible()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        whole(page)

    found["Today, after signing in"] = seconds("Today, after signing in", signs_in)
    for again in ("", ", again"):
        for title in PAGES:

            def goes(title: str = title) -> None:
                choose_page(page, title)
                expect(page.get_by_role("heading", name=title).first).to_be_visible()
                whole(page)

            found[title + again] = seconds(title + again, goes)
            if title == "My trend":

                def a_year_of_it() -> None:
                    page.get_by_text("1 year", exact=True).click()
                    words = page.get_by_text(re.compile(r"ratings on \d{3} days"))
                    expect(words).to_be_visible()  # a year has hundreds, four weeks have tens
                    whole(page)

                found["My trend, a year" + again] = seconds(
                    "My trend, a year" + again, a_year_of_it
                )
    context.close()
    return found


def median_and_p95(rounds: list[dict[str, float]], what: str) -> tuple[float, float]:
    """The median and the 95th percentile; the latter, of few rounds, is near the longest."""
    taken = [each[what] for each in rounds]
    return statistics.median(taken), float(np.percentile(taken, 95))


def main() -> None:
    """Fill a store, start the servers, measure, and print JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=365)
    options.add_argument("--rounds", type=int, default=5)
    args = options.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("This needs Debian's chromium.")
    expect.set_options(timeout=60_000)  # a page on a busy machine; its own 5 s end a whole run
    with tempfile.TemporaryDirectory(prefix="ebbtide-pages-") as name:
        folder = Path(name)
        stores = open_stores(Settings(data_dir=folder))
        person = add_account(stores, EMAIL, simulated=True)
        a_year(stores, person, args.days)
        stores.close()
        port = free_port()
        with child(
            [sys.executable, "-m", "ebbtide", "serve", "--port", str(port)],
            {**os.environ, "EBBTIDE_DATA_DIR": str(folder)},
        ):
            answers(f"http://127.0.0.1:{port}/v1/ready")
            with (
                start_dashboard(f"http://127.0.0.1:{port}") as pages,
                empty_page(folder) as hello,
                sync_playwright() as playwright,
            ):
                browser = playwright.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
                )
                rounds = []
                for _ in range(args.rounds):
                    rounds.append(one_round(browser, pages.url, hello))
                    print(json.dumps(rounds[-1]), file=sys.stderr, flush=True)
                browser.close()
    hello_s = median_and_p95(rounds, "an empty Streamlit page")
    print(
        json.dumps(
            {
                "days": args.days,
                "rounds": args.rounds,
                "pages": {
                    what: {
                        "first_s": round(rounds[0][what], 2),
                        "median_s": round(found[0], 2),
                        "p95_s": round(found[1], 2),
                        "median_times_an_empty_page": round(found[0] / hello_s[0], 2),
                        "p95_times_an_empty_page": round(found[1] / hello_s[1], 2),
                    }
                    for what in rounds[0]
                    for found in [median_and_p95(rounds, what)]
                },
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
