"""What a recording costs the page of a phone: CPU time and memory of its process, unthrottled.

    uv run --group dev python -m benchmarks.phone_recording --minutes 10

A played strap sends once a second to the recorder in a headless Chromium, which stores, encrypts
and uploads to a running API.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from ebbtide.settings import Settings
from store import open_stores
from tests.support.phone_recording import (
    make_phone,
    open_page,
    opened_site,
    pair,
    running_browser,
    stop,
    wait_in,
)
from tests.support.played_bluez import PlayedBluez, PlayedStrap


def _processes(pid: int) -> dict[str, list[psutil.Process]]:
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.Process(pid).children(recursive=True):
        kinds = [part for part in process.cmdline() if part.startswith("--type=")]
        found.setdefault(kinds[0] if kinds else "browser", []).append(process)
    return found


def main(minutes: float) -> None:
    """Record for this long and print what it cost."""
    chance = random.Random(25)
    strap = PlayedStrap("Polar H10 8C4CAD25")
    with (
        tempfile.TemporaryDirectory() as folder,
        PlayedBluez(strap) as bluez,
        sync_playwright() as playwright,
    ):
        stores = open_stores(Settings(data_dir=Path(folder, "data")))
        with opened_site(stores) as site:
            phone = make_phone(site, stores, Path(folder, "profile"), bluez.bus_address)
            with running_browser(phone) as running:
                page = open_page(playwright, running, phone.address())
                pair(page, strap)
                usage = "navigator.storage.estimate().then(({usage}) => usage)"
                stored_before = page.evaluate(usage)
                renderers = _processes(running.process.pid)["--type=renderer"]
                before = {one.pid: sum(one.cpu_times()[:2]) for one in renderers}
                begin = time.monotonic()
                sent = 0
                while time.monotonic() < begin + minutes * 60:
                    strap.beat(60, [chance.randrange(960, 1090)])
                    sent += 1
                    page.wait_for_timeout(max(0.0, (begin + sent - time.monotonic()) * 1000))
                passed = time.monotonic() - begin
                costs = {one: sum(one.cpu_times()[:2]) - before[one.pid] for one in renderers}
                busiest = max(costs, key=lambda one: costs[one])
                wait_in(page, f"window.durable === {sent}")
                memory = busiest.memory_full_info()
                heap = page.evaluate("performance.memory.usedJSHeapSize")
                stored = page.evaluate(usage) - stored_before
                print(
                    f"{passed:.0f} s, {sent} notifications: "
                    f"CPU of the page's process {100 * costs[busiest] / passed:.2f}%, "
                    f"its own memory {memory.uss / 1e6:.0f} MB, "
                    f"JavaScript heap {heap / 1e6:.1f} MB, "
                    f"storage {stored} bytes, {stored / sent:.0f} a notification"
                )
                stop(page)
        stores.beats.close()
        stores.records.close()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=10)
    main(asked.parse_args().minutes)
