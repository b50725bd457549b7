"""``ebbtide start --https`` with a real Chromium as the phone: one that trusts the computer's
authority as a person would have it, and one that does not.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, ViewportSize, expect, sync_playwright

from cli.server.home_authority import HomeAuthority
from tests.conftest import skip_or_fail
from tests.support.assertions import wait_for
from tests.support.browser import check_width, opened_context
from tests.support.ports import free_port
from tests.support.started import first_run, started

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform != "linux", reason="others have no 127.0.0.2"),
]
HOUSE = "127.0.0.2"  # the address that this machine has in its network, for this test
_IN_A_NETWORK = f"""
import cli.server.home_network as network
network.find_home_address = lambda: "{HOUSE}"
from cli.main import main
main()
"""


@dataclass(frozen=True)
class Home:
    """A started Ebbtide of Ada's that phones reach with encryption."""

    data: Path
    api: httpx.Client
    state: dict[str, Any]

    @property
    def plain(self) -> str:
        return str(self.state["trust_url"]).removesuffix("/trust")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder, port = tmp_path_factory.mktemp("home"), free_port()
    program = ("-c", _IN_A_NETWORK)
    with (
        started(folder, port, program, options=("--https",)) as address,
        closing(first_run(address, port)) as api,
    ):
        wait_for(lambda: api.get("/computer").json()["trust_url"], 60)
        yield Home(folder / "data", api, api.get("/computer").json())


@contextmanager
def opened_phone(executable: str, trusted: bytes | None, *arguments: str) -> Iterator[Browser]:
    """A Chromium with a home folder of its own, in whose NSS database is what it trusts."""
    with ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="ebbtide-phone-"))
        if trusted is not None:
            trust(Path(folder), trusted)
        playwright = opened.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-gpu", *arguments],
            env={**os.environ, "HOME": folder},
        )
        opened.callback(browser.close)
        yield browser


def trust(folder: Path, certificate: bytes) -> None:
    """Trust an authority for sites, as the settings of a browser do."""
    certutil = shutil.which("certutil")
    if certutil is None:
        skip_or_fail("no certutil on this machine (Debian: apt install libnss3-tools)")
    database, file = folder / ".pki" / "nssdb", folder / "authority.crt"
    database.mkdir(parents=True)
    file.write_bytes(certificate)
    for words in (
        ["-N", "--empty-password"],
        ["-A", "-t", "C,,", "-n", "Ebbtide at home", "-i", str(file)],
    ):
        subprocess.run([certutil, "-d", f"sql:{database}", *words], check=True, capture_output=True)


def test_a_phone_is_led_to_trust_it_and_gets_the_pages_and_the_app_and_nothing_else(
    home: Home, chromium: str
) -> None:
    certificate = read_plain(home)
    link = home.api.post("/computer/phone").json()
    code = home.api.post("/device-codes").json()["code"]
    size = ViewportSize(width=360, height=740)
    with opened_phone(chromium, certificate) as browser, opened_context(browser, size) as phone:
        page = phone.new_page()
        page.goto(f"{home.plain}/")
        expect(page.get_by_role("heading", name="Let this phone trust")).to_be_visible()
        see(page, "trust")
        assert Axe().run(page).response["violations"] == []
        with page.expect_navigation():
            page.get_by_role("link", name="Done: open the app").click()
        assert page.url == f"{home.state['home_url']}/app/"
        page.goto(f"{link['url']}#{link['token']}")
        assert page.evaluate("isSecureContext && crypto.subtle !== undefined")
        assert page.evaluate("'serviceWorker' in navigator && 'locks' in navigator")
        signed_in = ask(page, "POST", "/v1/devices/sign-in", code=code, device_name="Pixel")
        assert signed_in["status"] == 201
        token = signed_in["body"]["token"]
        assert ask(page, "GET", "/v1/me", token)["body"]["name"] == "Ada"
        for path in ("/v1/tokens", "/v1/export/ratings", "/v1/sign-in", "/v1/computer", "/start"):
            assert ask(page, "GET", path, token)["status"] == 403, path
        # The pages too, with their web socket and cookie.
        page.get_by_role("button", name="Sign in on this phone").click()
        expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()
        (cookie,) = [c for c in phone.cookies() if "session" in c.get("name", "")]
        assert (cookie["name"], cookie["secure"]) == ("__Host-ebbtide_session", True)
        page.goto(f"{home.state['home_url']}/devices")
        expect(page.get_by_text("Pixel")).to_be_visible()
        check_width(page, "devices-phone")
        page.goto(f"{home.state['home_url']}/computer")
        page.get_by_text("Let a phone trust this computer").click()
        expect(page.get_by_text(home.state["fingerprint"][:23])).to_be_visible()
        check_width(page, "computer-https")


def read_plain(home: Home) -> bytes:
    """Without encryption there is the page and the certificate, and nothing else: the certificate,
    which is the one whose fingerprint the computer shows.
    """
    with httpx.Client(base_url=home.plain, timeout=60) as plain:
        for path in ("/today", "/v1/me", "/app/", "/phone", "/start", "/_stcore/health"):
            assert plain.get(path).status_code == 403, path
        assert plain.get("/").headers["Location"] == "/trust"
        page = plain.get("/trust").text
        answer = plain.get("/trust/ebbtide-at-home.crt")
    assert answer.headers["Content-Type"] == "application/x-x509-ca-cert"
    printed = ":".join(f"{byte:02X}" for byte in hashlib.sha256(answer.content).digest())
    assert printed == home.state["fingerprint"]
    assert printed[:23] in page
    with pytest.raises(httpx.TransportError):
        httpx.get(str(home.state["home_url"]).replace("https", "http"), timeout=60)
    return answer.content


def ask(page: Page, method: str, path: str, token: str = "", **body: str) -> dict[str, Any]:
    """Ask as a script of the app does."""
    found: dict[str, Any] = page.evaluate(
        """async ({method, path, token, body}) => {
          const headers = token ? {Authorization: `Bearer ${token}`} : {};
          if (body) headers['Content-Type'] = 'application/json';
          const answer = await fetch(path, {method, headers, body});
          const text = await answer.text();
          let content = null;
          try { content = JSON.parse(text); } catch { }
          return {status: answer.status, body: content};
        }""",
        {
            "method": method,
            "path": path,
            "token": token,
            "body": json.dumps(body) if body else None,
        },
    )
    return found


def see(page: Page, name: str) -> None:
    """A page without Streamlit fits too; with EBBTIDE_SCREENSHOTS, a picture of it."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    folder = os.environ.get("EBBTIDE_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}-360.png", full_page=True)


def test_a_phone_that_does_not_trust_it_does_not_open_it(home: Home, chromium: str) -> None:
    with (
        opened_phone(chromium, None) as browser,
        closing(browser.new_context()) as context,
        pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"),
    ):
        context.new_page().goto(str(home.state["home_url"]))


def test_with_its_key_no_site_of_the_world_can_be_played_to_the_phone(
    chromium: str, tmp_path: Path
) -> None:
    """Chromium keeps to the name constraints of the authority that it trusts."""
    authority = HomeAuthority.open(tmp_path)
    rules = "--host-resolver-rules=MAP bank.example 127.0.0.1,MAP desk.local 127.0.0.1"
    with (
        opened_phone(chromium, authority.certificate_der, rules) as browser,
        closing(browser.new_context()) as context,
    ):
        page = context.new_page()
        for name, words in (("desk.local", None), ("bank.example", "ERR_CERT")):
            with served(authority.server_context(name, tmp_path)) as port:
                if words is None:
                    answer = page.goto(f"https://{name}:{port}/")
                    assert answer is not None and answer.text() == "here"
                else:
                    with pytest.raises(Error, match=words):
                        page.goto(f"https://{name}:{port}/")


@contextmanager
def served(context: ssl.SSLContext) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"here")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(30)
