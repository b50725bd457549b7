"""How soon the app on a phone is seen, and how long a rating takes to be on the disk.

    uv run --group dev python -m benchmarks.phone_screens

A real Chromium with its CPU slowed 4 times and a slow 3G line (DevTools), the app from the cache of
its service worker, a running API. Prints the median and the largest of 20 in milliseconds, and the
size of all files.
"""

from __future__ import annotations

import gzip
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from api.app import create_app
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from phone.files import load_files
from store import open_stores
from tests.support.accounts import add_account
from tests.support.phone_screens import choose, opened_phone, sign_in_by_code, wait_for_worker

TIMES = 20
CPU_SLOWDOWN = 4
# DevTools' "Slow 3G": 400 kbit/s each way, 2 s of latency.
SLOW_3G = {"latency": 2000, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
_FIRST_PAINT = """() => new Promise((resolve) => new PerformanceObserver((list) => {
  const paint = list.getEntriesByName('first-contentful-paint')[0];
  if (paint) resolve(paint.startTime);
}).observe({ type: 'paint', buffered: true }))"""
_VIEW = """new MutationObserver((_, observer) => {
  if (!document.querySelector('.scale')) return;
  observer.disconnect();
  window.viewAt = performance.now();
}).observe(document, { childList: true, subtree: true })"""
# From the press until the row is on the disk (the transaction of IndexedDB, strict, has completed),
# and until the view says so: it is laid out then, and is painted with the next frame.
_SAVE = """() => new Promise((resolve) => {
  const begin = IDBDatabase.prototype.transaction;
  let kept;
  IDBDatabase.prototype.transaction = function (stores, mode, how) {
    const made = begin.call(this, stores, mode, how);
    if (mode === 'readwrite' && [stores].flat().includes('entries')) {
      made.addEventListener('complete', () => (kept ??= performance.now() - began));
    }
    return made;
  };
  const button = [...document.querySelectorAll('button')].find((b) => b.textContent === 'Save');
  const began = performance.now();
  new MutationObserver((_, observer) => {
    if (document.querySelector('h1').textContent !== 'Saved. Thank you.') return;
    observer.disconnect();
    IDBDatabase.prototype.transaction = begin;
    resolve([kept, performance.now() - began]);
  }).observe(document.getElementById('view'), { childList: true });
  button.click();
})"""


def main() -> None:
    """Measure, and print."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        stores = open_stores(Settings(data_dir=Path(folder)))
        ada = add_account(stores, "ada@example.org", zone="Europe/Berlin")
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        with ApiThread(create_app(stores)) as api, opened_phone(browser) as context:
            page = context.new_page()
            sign_in_by_code(page, api.url, stores, ada)
            wait_for_worker(page)
            devtools = context.new_cdp_session(page)
            devtools.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWDOWN})
            devtools.send("Network.enable")
            devtools.send("Network.emulateNetworkConditions", {"offline": False, **SLOW_3G})
            page.add_init_script(_VIEW)
            starts = [measure_start(page) for _ in range(TIMES)]
            report("first paint", [paint for paint, _ in starts])
            report("form of a rating", [view for _, view in starts])
            saved = [measure_save(page) for _ in range(TIMES)]
            report("rating on the disk", [kept for kept, _ in saved])
            report("rating said to be saved", [said for _, said in saved])
        browser.close()
    files = load_files().files.values()
    size = sum(len(gzip.compress(file.content)) for file in files)
    print(f"{len(files)} files, {size / 1000:.1f} kB compressed (gzip)")


def measure_start(page: Page) -> tuple[float, float]:
    """Open the app anew; first contentful paint, and when the form of a rating is there, in ms."""
    page.reload()
    page.get_by_role("button", name="Save").wait_for()
    return float(page.evaluate(_FIRST_PAINT)), float(page.evaluate("() => window.viewAt"))


def measure_save(page: Page) -> tuple[float, float]:
    """Rate; from the press on Save until it is on the disk, and until it is said to be, in ms."""
    page.evaluate("() => { location.hash = '#more'; location.hash = '#rate'; }")
    expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()
    choose(page, "Pain", 3)
    choose(page, "Stress", 4)
    kept, said = page.evaluate(_SAVE)
    return float(kept), float(said)


def report(name: str, values: list[float]) -> None:
    """Print the median and the largest."""
    print(f"{name}: median {statistics.median(values):.0f} ms, largest {max(values):.0f} ms")


main()
