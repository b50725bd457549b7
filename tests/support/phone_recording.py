"""The phone's recorder in a real Chromium with Web Bluetooth, over the played BlueZ and a real API.

Chromium on Linux reaches Bluetooth through BlueZ on the bus that DBUS_SYSTEM_BUS_ADDRESS names.
The chooser is answered over DevTools: one ``DeviceAccess.selectPrompt`` for the first prompt that
lists the device; a second one ends the browser.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from anyio import to_thread
from playwright.sync_api import Page, Playwright
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from api.services.access_tokens import issue_token
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from store import Stores
from store.models import Person
from tests.support.accounts import add_account
from tests.support.played_bluez import PlayedStrap

ROOT = Path(__file__).resolve().parent.parent.parent
# Two browsers, a server and other tests may share two cores.
PATIENCE_S = 60.0
STORAGE_KEY = bytes(range(32))
_FOLDERS = {
    "/test/js/": ROOT / "phone" / "static" / "js",
    "/test/": ROOT / "tests" / "browser" / "phone",
}
_TYPES = {".js": b"text/javascript", ".html": b"text/html; charset=utf-8"}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-port=0",
    # navigator.bluetooth is off by default on Linux only.
    "--enable-features=WebBluetooth",
)


@dataclass
class Site:
    """The API with the recorder's page beside it, and what the page told of as durable: by stream
    and number, the intervals.
    """

    api: ASGIApp
    told: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the page's files, or hand the request to the API."""
        path = scope.get("path", "")
        if path == "/test/told":
            await self._note(receive, send)
            return
        for prefix, folder in _FOLDERS.items():
            if path.startswith(prefix):
                await _send_file(folder / path.removeprefix(prefix), send)
                return
        await self.api(scope, receive, send)

    async def _note(self, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        said = json.loads(body)
        for sequence, rr in enumerate(said["rr"], said["first"]):
            self.told[said["streamId"], sequence] = rr
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def _send_file(path: Path, send: Send) -> None:
    body = await to_thread.run_sync(lambda: path.read_bytes() if path.is_file() else None)
    headers = [
        (b"content-type", _TYPES.get(path.suffix, b"text/plain")),
        (b"cache-control", b"no-cache"),
    ]
    status = 404 if body is None else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body or b""})


@contextmanager
def opened_site(stores: Stores, settings: Settings | None = None) -> Iterator[Site]:
    """Run the API with the recorder's page."""
    many = {"requests_a_minute": 10**6, "anonymous_requests_a_minute": 10**6}
    site = Site(create_app(stores, (settings or Settings()).model_copy(update=many)))
    with ApiThread(site) as running:
        site.url = running.url
        yield site


@dataclass
class Phone:
    """A person with this page, and the browser's profile."""

    site: Site
    stores: Stores
    person: Person
    token: str
    profile: Path
    bus_address: str
    executable: str

    def address(self, *, first: bool = True, **more: str) -> str:
        """The page's address; ``first``: with the key of a sign-in."""
        query = {"person": self.person.id, "token": self.token, **more}
        if first:
            query["key"] = STORAGE_KEY.hex()
        return f"{self.site.url}/test/recorder_page.html?{urlencode(query)}"


def make_phone(
    site: Site, stores: Stores, profile: Path, bus_address: str, name: str = "ada"
) -> Phone:
    """A patient who agrees to keeping, with a token."""
    person = add_account(stores, f"{name}@example.org", name=name, zone="Europe/Berlin")
    token, _ = issue_token(stores, person)
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or ""
    return Phone(site, stores, person, token, profile, bus_address, executable)


@dataclass
class RunningBrowser:
    """A browser's process, which leads a group of its own, and where its DevTools answer."""

    process: subprocess.Popen[bytes]
    devtools: str

    def kill(self) -> None:
        """SIGKILL to the whole browser: no process of it gets to write anything more."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running_browser(phone: Phone, *flags: str) -> Iterator[RunningBrowser]:
    """Run Chromium with the phone's profile."""
    phone.profile.mkdir(parents=True, exist_ok=True)
    port_file = phone.profile / "DevToolsActivePort"
    port_file.unlink(missing_ok=True)
    command = [phone.executable, *FLAGS, *flags, f"--user-data-dir={phone.profile}", "about:blank"]
    process = subprocess.Popen(
        command,
        env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": phone.bus_address},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    running = RunningBrowser(process, "")
    try:
        until = time.monotonic() + PATIENCE_S
        while not (port_file.exists() and port_file.read_text().count("\n")):
            assert process.poll() is None, "Chromium did not start"
            assert time.monotonic() < until, "Chromium did not start"
            time.sleep(0.05)
        running.devtools = f"http://127.0.0.1:{port_file.read_text().splitlines()[0]}"
        yield running
    finally:
        running.kill()


def open_page(playwright: Playwright, running: RunningBrowser, url: str) -> Page:
    """Open the recorder's page in a tab, and wait until it is ready."""
    # Without Playwright's defaults, which keep every page visible: it could not be frozen.
    browser = playwright.chromium.connect_over_cdp(running.devtools, no_defaults=True)
    page = browser.contexts[0].new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(url)
    wait_in(page, "window.isReady")
    return page


def wait_for(true: Callable[[], object], page: Page, what: str) -> None:
    """Wait in the page's own loop, so that events of the browser are answered meanwhile."""
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until, what
        page.wait_for_timeout(20)


def wait_in(page: Page, expression: str) -> None:
    """Wait until this is true in the page, also a hidden one, which draws no frames."""
    wait_for(lambda: page.evaluate(expression), page, expression)


def stop(page: Page) -> None:
    """End the recording, and upload all that waits."""
    page.evaluate("window.recorder.stop()")
    wait_in(page, "window.recorder.sendNow()")


def pair(page: Page, strap: PlayedStrap) -> None:
    """Click, pick the strap in the browser's chooser, and wait until it sends."""
    choose_strap(page, strap, "#start")
    wait_until_recording(page)


def choose_strap(page: Page, strap: PlayedStrap, button: str) -> None:
    """Click, and pick the strap in the browser's chooser."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("DeviceAccess.enable")
    shown: list[dict[str, object]] = []

    def pick(prompt: dict[str, object]) -> None:
        if shown or not prompt["devices"]:
            return
        shown.append(prompt)

    devtools.on("DeviceAccess.deviceRequestPrompted", pick)
    page.click(button)
    wait_for(lambda: shown, page, "the chooser")
    devices: Sequence[dict[str, str]] = shown[0]["devices"]  # type: ignore[assignment]
    device = next(one["id"] for one in devices if one["name"] == strap.name)
    devtools.send("DeviceAccess.selectPrompt", {"id": shown[0]["id"], "deviceId": device})


def wait_until_recording(page: Page) -> None:
    """Wait until notifications arrive at the page."""
    wait_in(page, "window.recorder.state === 'recording'")


def stored_intervals(phone: Phone) -> dict[str, list[tuple[int, int]]]:
    """What the store has of each stream: (time in ns, ticks) of each beat."""
    found = phone.stores.beats.read(phone.person.subject_id, 0, 2**62)
    streams: dict[str, list[tuple[int, int]]] = {}
    for number, stream in enumerate(found.streams):
        of_stream = found.stream == number
        pairs = zip(found.time_ns[of_stream], found.rr_ticks[of_stream], strict=True)
        streams[stream.id] = [(int(at), int(ticks)) for at, ticks in pairs]
    return streams
