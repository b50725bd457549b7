"""The computer that runs ``ebbtide start``: its address, its owner, phones, its end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from api.app import create_app
from api.services.access_tokens import find_caller, issue_token
from api.services.local_computer import issue_phone_link
from cli.server.home_network import HomeNetwork
from cli.server.thread import ApiThread
from ebbtide.timestamps import MINUTE
from store import Stores
from tests.support.accounts import PASSWORD, add_account
from tests.support.assertions import assert_problem
from tests.support.clock import Clock
from tests.support.command_line import run_ebbtide
from tests.support.ports import free_port
from tests.support.started import started

# The address that this machine has in its network, for this test: another of loopback's.
HOUSE = "127.0.0.2"
_IN_A_NETWORK = f"""
import cli.server.home_network as network
network.find_home_address = lambda: "{HOUSE}"
from cli.main import main
main()
"""
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="others have no 127.0.0.2")


@dataclass(frozen=True)
class Started:
    """A started Ebbtide of Ada's, who is signed in."""

    folder: Path
    port: int
    token: str

    def ask(self, method: str, path: str, **more: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"http://localhost:{self.port}/v1/{path}"
        return httpx.request(method, url, headers=headers, timeout=60, **more)  # type: ignore[arg-type]

    @property
    def phone(self) -> str:
        return f"http://{HOUSE}:{self.port}"


def begin(address: str, port: int) -> tuple[str, httpx.Cookies]:
    """Make Ada's account as a browser at ``localhost`` does: her token, and the cookies."""
    assert address.startswith(f"http://localhost:{port}/start?first=")
    with httpx.Client() as browser:
        assert browser.get(address).status_code == 303
        (cookie,) = browser.cookies.jar
        assert cookie.domain.startswith("localhost")
        body = {"secret": cookie.value, "name": "Ada", "zone": "Europe/Berlin"}
        answer = browser.post(f"http://localhost:{port}/v1/first-run", json=body, timeout=60)
        assert answer.status_code == 201
        return str(answer.json()["token"]), browser.cookies


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder, port = tmp_path_factory.mktemp("home"), free_port()
    with started(folder, port, ("-c", _IN_A_NETWORK)) as address:
        yield Started(folder, port, begin(address, port)[0])


@pytest.fixture
def open_home(home: Started) -> Iterator[Started]:
    answer = home.ask("PUT", "computer/home", json={"open": True})
    assert (answer.status_code, answer.json()["home_url"]) == (200, home.phone)
    yield home
    assert home.ask("PUT", "computer/home", json={"open": False}).json()["home_url"] is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_localhost_and_both_addresses_lead_to_pages_api_and_web_sockets(
    home: Started, host: str
) -> None:
    url = f"http://{host}:{home.port}"
    assert httpx.get(f"{url}/v1/health").status_code == 200
    assert httpx.get(url).status_code == 200
    for origin, is_taken in ((url, True), (f"http://127.0.0.3:{home.port}", False)):
        try:
            with connect(
                f"ws://{host}:{home.port}/_stcore/stream",
                subprotocols=["streamlit"],  # type: ignore[list-item]
                origin=origin,  # type: ignore[arg-type]
            ):
                pass
        except InvalidStatus:
            assert not is_taken
        else:
            assert is_taken


def test_its_owner_alone_asks_how_it_runs(home: Started) -> None:
    state = home.ask("GET", "computer").json()
    assert state == {
        **{"starts_at_login": False, "home_url": None, "encrypted": False},
        **{"trust_url": None, "fingerprint": None},
    }
    without = httpx.get(f"http://localhost:{home.port}/v1/computer")
    assert_problem(without, 401)


def test_checks_are_those_of_doctor(home: Started) -> None:
    checks = {check["about"]: check for check in home.ask("POST", "computer/check").json()}
    assert checks["Disk"]["finding"] in ("fine", "worth a look")
    assert str(home.folder) in checks["Disk"]["what"]
    server = checks[f"Server http://127.0.0.1:{home.port} for ada@localhost"]
    # She has not answered on keeping.
    assert "waits for consent" in server["what"]


@linux_only
def test_phones_get_nothing_before_it_is_open_and_the_pages_alone_then(
    home: Started,
) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(home.phone)
    assert_problem(home.ask("POST", "computer/phone"), 409, "closed to phones")
    home.ask("PUT", "computer/home", json={"open": True})
    try:
        assert httpx.get(home.phone).status_code == 200
        for path in ("/v1/health", "/v1", "/openapi.json", "/start", "/start/proof"):
            assert httpx.get(home.phone + path).status_code == 403
        for host in ("evil.example", f"evil.example:{home.port}", "localhost", "192.168.1.9"):
            assert httpx.get(home.phone, headers={"Host": host}).status_code == 421
        url = f"ws://{HOUSE}:{home.port}/_stcore/stream"
        with pytest.raises(InvalidStatus, match="403"):
            connect(url, subprotocols=["streamlit"], origin="http://evil.example")  # type: ignore[list-item, arg-type]
        page = connect(url, subprotocols=["streamlit"], origin=home.phone)  # type: ignore[list-item, arg-type]
    finally:
        home.ask("PUT", "computer/home", json={"open": False})
    with page, pytest.raises(ConnectionClosed):
        page.recv(timeout=30)  # who was there is out, too
    with pytest.raises(httpx.ConnectError):
        httpx.get(home.phone)


@linux_only
def test_a_code_signs_one_phone_in_once(open_home: Started) -> None:
    made = open_home.ask("POST", "computer/phone").json()
    assert made["url"] == f"{open_home.phone}/phone"
    token = made["token"]
    for _ in range(2):  # a preview of the address uses nothing up
        assert token not in httpx.get(made["url"]).text
    assert enter(open_home, token, origin="http://evil.example").status_code == 403
    first = enter(open_home, token)
    assert first.status_code == 204
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"ebbtide_session_{open_home.port}=")
    assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    session = cookie.partition("=")[2].partition(";")[0]
    me = httpx.get(
        f"http://localhost:{open_home.port}/v1/me", headers={"Authorization": f"Bearer {session}"}
    )
    assert me.json()["name"] == "Ada"
    stolen = enter(open_home, token)
    assert stolen.status_code == 404
    assert "used already" in stolen.text
    assert "set-cookie" not in stolen.headers


def enter(home: Started, token: str, origin: str | None = None) -> httpx.Response:
    headers = {"Origin": origin or home.phone}
    return httpx.post(f"{home.phone}/phone", content=token, headers=headers, timeout=60)


@linux_only
def test_the_choice_holds_after_a_restart_and_no_home_takes_it_back(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://{HOUSE}:{port}"
    with started(tmp_path, port, ("-c", _IN_A_NETWORK)) as address:
        home = Started(tmp_path, port, begin(address, port)[0])
        home.ask("PUT", "computer/home", json={"open": True})
    with started(tmp_path, port, ("-c", _IN_A_NETWORK)):
        wait_for(url)
        assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 421


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(url, timeout=30)
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_a_code_is_for_its_purpose_five_minutes_and_the_session_that_made_it(
    stores: Stores,
) -> None:
    clock = Clock(stores)
    stores = replace(stores, now=clock)
    ada = add_account(stores, "ada@example.org")
    with ApiThread(create_app(stores)) as api:

        def use(path: str, token: str) -> httpx.Response:
            return httpx.post(f"{api.url}/v1/{path}", json={"secret": token}, timeout=60)

        def make() -> tuple[str, str]:
            session, _ = issue_token(stores, ada)
            caller = find_caller(stores, session)
            assert caller is not None
            return session, issue_phone_link(stores, caller)[0]

        _, token = make()
        for other in ("sign-in/link", "first-run/check"):
            assert_problem(use(other, token), 404)
        clock.now_ns += 4 * MINUTE
        assert use("sign-in/phone", token).status_code == 200
        _, late = make()
        clock.now_ns += 5 * MINUTE
        assert_problem(use("sign-in/phone", late), 404, "five minutes")
        session, token = make()
        headers = {"Authorization": f"Bearer {session}"}
        assert httpx.post(f"{api.url}/v1/sign-out", headers=headers).status_code == 204
        assert_problem(use("sign-in/phone", token), 404)
        _, token = make()
        stores.access.set_password(ada.id, ada.password_hash)
        assert_problem(use("sign-in/phone", token), 404)


def test_no_page_of_a_server_ends_it(stores: Stores) -> None:
    """``ebbtide serve`` has no such computer, whoever asks."""
    ada = add_account(stores, "ada@example.org")
    token, _ = issue_token(stores, ada)
    headers = {"Authorization": f"Bearer {token}"}
    with ApiThread(create_app(stores)) as api:
        for method, path in (
            *(("GET", ""), ("POST", "/check"), ("POST", "/report"), ("POST", "/end")),
            *(("POST", "/phone"),),
        ):
            answer = httpx.request(method, f"{api.url}/v1/computer{path}", headers=headers)
            assert_problem(answer, 404, "ebbtide start")


def test_a_second_account_ends_nothing(tmp_path: Path) -> None:
    port = free_port()
    with started(tmp_path, port, end=None) as address:
        home = Started(tmp_path, port, begin(address, port)[0])
        environment = {"EBBTIDE_DATA_DIR": str(tmp_path / "data")}
        words = ("add-patient", "eve@example.org", "--name", "Eve", "--zone", "Europe/Berlin")
        made = run_ebbtide(*words, environment=environment, typed=f"{PASSWORD}\n{PASSWORD}\n")
        assert made.returncode == 0, made.stderr
        eve = httpx.post(
            f"http://localhost:{port}/v1/sign-in",
            json={"email": "eve@example.org", "password": PASSWORD},
            timeout=60,
        ).json()["token"]
        other = replace(home, token=eve)
        assert_problem(other.ask("POST", "computer/end"), 403, "who set Ebbtide up")
        assert_problem(other.ask("GET", "computer"), 403)
        running = httpx.get(f"http://localhost:{port}/ended")
        assert "Ebbtide runs" in running.text  # fetched by anybody, it ends nothing
        assert home.ask("POST", "computer/end").status_code == 204
        ended = httpx.get(f"http://localhost:{port}/ended")
        assert "Ebbtide has ended" in ended.text
        assert "ebbtide start" in ended.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order_and_a_kill_leaves_nothing_in_the_way(
    tmp_path: Path, number: signal.Signals
) -> None:
    port, data = free_port(), tmp_path / "data"
    program = [sys.executable, "-m", "ebbtide", "start", "--no-browser", "--port", str(port)]
    process = subprocess.Popen([*program, "--data-dir", str(data)], stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/v1/health")
        assert (data / "start.json").exists()
    finally:
        process.kill()
        process.wait(timeout=30)
    assert (data / "start.json").exists()  # of a process that is no more
    with started(tmp_path, port, end=number) as address:
        assert urlsplit(address).port == port


def test_the_choice_holds_at_the_address_at_which_it_was_made(tmp_path: Path) -> None:
    file = tmp_path / "home.json"
    cases: tuple[tuple[object, str | None, bool], ...] = (
        ({"open": True, "address": "192.168.1.20"}, "192.168.1.20", True),
        ({"open": True, "address": "192.168.1.20"}, "10.3.0.7", False),  # in a café
        ({"open": True, "address": "192.168.1.20"}, None, False),
        ({"open": True}, "192.168.1.20", False),
        (["open"], "192.168.1.20", False),
    )
    for written, address, is_wanted in cases:
        file.write_text(json.dumps(written))
        assert HomeNetwork(8420, file, partial(_given, address)).is_wanted is is_wanted
    file.unlink()
    assert not HomeNetwork(8420, file, lambda: "192.168.1.20").is_wanted


def _given(address: str | None) -> str | None:
    return address
