"""``ebbtide start``: one process at one address, and who comes in."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from cli.credentials import CredentialFile
from ebbtide.settings import Settings
from tests.conftest import skip_or_fail
from tests.support.command_line import run_ebbtide, served
from tests.support.ports import free_port
from tests.support.started import started

ADA = {"name": "Ada", "zone": "Europe/Berlin"}
_ASK_AS_NOBODY = """
import os, socket, sys
from urllib.parse import urlsplit
address = urlsplit(sys.argv[1])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)  # here, since nobody may not run this interpreter
with socket.socket() as connection:
    connection.connect((address.hostname, address.port))
    target = f"{address.path}?{address.query}"
    head = f"GET {target} HTTP/1.1\\r\\nHost: {address.netloc}\\r\\n"
    connection.sendall(f"{head}Connection: close\\r\\n\\r\\n".encode())
    while part := connection.recv(65536):
        sys.stdout.write(part.decode())
"""
_REPLACED_AT_ONCE = """
import api.services.erasure_watch as watch
watch.MIN_AGE_S = 0.0  # else a process is five minutes old before another takes its place
from cli.main import main
main()
"""
SESSIONS = 30  # of a page at once, in the process that answers them


@dataclass(frozen=True)
class Home:
    """A started Ebbtide of Ada's, who has no password."""

    folder: Path
    url: str
    token: str

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder / "data")

    @property
    def pages(self) -> str:
        """Where people open it."""
        return f"http://localhost:{urlsplit(self.url).port}"

    @property
    def environment(self) -> dict[str, str]:
        port = str(urlsplit(self.url).port)
        return {"EBBTIDE_DATA_DIR": str(self.folder / "data"), "EBBTIDE_API_PORT": port}

    def new_address(self) -> str:
        """What another ``ebbtide start`` opens."""
        done = run_ebbtide("start", "--no-browser", environment=self.environment)
        assert done.returncode == 0, done.stderr
        first, second = done.stdout.splitlines()
        assert first == f"Ebbtide runs already, at {self.pages}: that one is opened."
        return second.split()[1]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder, port = tmp_path_factory.mktemp("home"), free_port()
    with started(folder, port) as address:
        url = f"http://127.0.0.1:{port}"
        assert address.startswith(f"http://localhost:{port}/start?first=")
        with httpx.Client() as browser:
            entered = browser.get(address)
            assert (entered.status_code, entered.headers["location"]) == (303, "/")
            (cookie,) = browser.cookies.jar
            assert cookie.name == f"ebbtide_first_run_{port}"
            body = {"secret": cookie.value, **ADA}
            answer = browser.post(f"{url}/v1/first-run", json=body, timeout=60)
        assert answer.status_code == 201
        yield Home(folder, url, answer.json()["token"])


def test_pages_and_api_are_at_one_address_and_keep_to_themselves(home: Home) -> None:
    statuses = {
        path: httpx.get(home.url + path).status_code
        for path in ("/", "/today", "/_stcore/health", "/v1/health", "/v1/ready", "/v1/nothing")
    }
    assert statuses.pop("/v1/nothing") == 404
    assert set(statuses.values()) == {200}
    problem = httpx.get(f"{home.url}/v1/nothing").headers["content-type"]
    assert problem == "application/problem+json"
    policy = httpx.get(f"{home.url}/v1/health").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    # A body without a type, of 3 MB: the API's limits are not the pages'.
    upload = httpx.put(f"{home.url}/_stcore/upload_file/x/y", content=b"x" * 3_000_000)
    assert upload.status_code not in (408, 413, 415, 429)
    assert "x-request-id" not in upload.headers
    assert httpx.post(f"{home.url}/v1/sign-in", content=b"x" * 3_000_000).status_code in (413, 415)


def test_pages_do_not_wait_for_the_process_that_serves_them(home: Home) -> None:
    """Each page asks the API, in the same process: with more pages at once than it has threads for
    requests of the API, none waits for ever.
    """
    with ThreadPoolExecutor(SESSIONS) as many:
        runs = [many.submit(run_page, home, home.token) for _ in range(SESSIONS)]
        healthy = httpx.get(f"{home.url}/v1/health", timeout=60)
        texts = [run.result(timeout=240) for run in runs]
    assert healthy.status_code == 200
    assert all("One question first" in text for text in texts)


def test_a_page_without_or_with_a_made_up_cookie_is_signed_out(home: Home) -> None:
    for token in (None, "made-up"):
        text = run_page(home, token)
        assert "start Ebbtide again, and it opens signed in" in text
        assert "One question first" not in text


@pytest.mark.parametrize("origin", ["http://127.0.0.1:9", "https://evil.example", None])
def test_no_other_page_gets_a_web_socket(home: Home, origin: str | None) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        run_page(home, home.token, origin)


def test_another_start_opens_the_one_that_runs_signed_in(home: Home) -> None:
    address = home.new_address()
    with httpx.Client() as browser:
        entered = browser.get(address)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        (cookie,) = browser.cookies.jar
        assert cookie.value is not None
        headers = {"Authorization": f"Bearer {cookie.value}"}
        assert httpx.get(f"{home.url}/v1/me", headers=headers).json()["name"] == "Ada"
    with httpx.Client() as another:
        assert another.get(address).status_code == 303  # good once
        assert list(another.cookies.jar) == []


def test_whoever_is_signed_in_stays_so_and_the_link_is_not_used(home: Home) -> None:
    address = home.new_address()
    name = f"ebbtide_session_{urlsplit(home.url).port}"
    answer = httpx.get(address, headers={"Cookie": f"{name}={home.token}"})
    assert "set-cookie" not in answer.headers
    assert "set-cookie" in httpx.get(address).headers


def test_another_user_of_the_machine_comes_in_by_no_link(home: Home) -> None:
    """They may read the browser's command line, and be faster than it."""
    if not sys.platform.startswith("linux") or os.getuid() != 0:
        skip_or_fail("only root can become another user here")
    address = home.new_address()
    other = subprocess.run(
        [sys.executable, "-c", _ASK_AS_NOBODY, address],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert other.stdout.startswith("HTTP/1.1 403 ")
    assert "set-cookie" not in other.stdout
    assert "set-cookie" in httpx.get(address).headers  # still good for its owner


def test_the_address_is_given_to_nobody_without_the_mark(home: Home) -> None:
    for headers in ({}, {"Authorization": "Bearer made-up"}):
        answer = httpx.post(f"{home.url}/start/address", headers=headers)
        assert answer.status_code == 403
        assert "start?" not in answer.text


def test_this_machine_can_record_for_the_first_account(home: Home) -> None:
    (credentials,) = CredentialFile(home.settings.sign_ins_file).all()
    assert (credentials.email, credentials.zone) == ("ada@localhost", "Europe/Berlin")
    assert credentials.api_url == home.url
    headers = {"Authorization": f"Bearer {credentials.token}"}
    assert httpx.get(f"{home.url}/v1/me", headers=headers).json()["id"] == credentials.account
    assert httpx.get(f"{home.url}/v1/ratings", headers=headers).status_code == 403


def test_a_copy_of_another_folder_is_not_opened(home: Home, tmp_path: Path) -> None:
    environment = {**home.environment, "EBBTIDE_DATA_DIR": str(tmp_path / "other")}
    done = run_ebbtide("start", "--no-browser", environment=environment)
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert f"Another Ebbtide runs at {home.url}" in said
    assert "ebbtide start --port" in said
    assert not (tmp_path / "other").exists()


def test_an_api_without_pages_is_not_opened(tmp_path: Path) -> None:
    port = free_port()
    environment = {"EBBTIDE_DATA_DIR": str(tmp_path), "EBBTIDE_API_PORT": str(port)}
    with served(environment, port) as url:
        done = run_ebbtide("start", "--no-browser", environment=environment)
    assert done.returncode == 1
    assert f"Another Ebbtide runs at {url}" in " ".join(done.stderr.split())


def test_after_an_erasure_it_goes_on_with_an_empty_memory_and_no_second_window(
    tmp_path: Path,
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        started(tmp_path, port, ("-c", _REPLACED_AT_ONCE)) as address,
        httpx.Client(base_url=url, timeout=60) as browser,
    ):
        browser.get(address)
        (cookie,) = browser.cookies.jar
        body = {"secret": cookie.value, **ADA}
        token = browser.post("/v1/first-run", json=body).json()["token"]
        erased = browser.post(
            "/v1/me/erase", json={"password": ""}, headers={"Authorization": f"Bearer {token}"}
        )
        assert erased.status_code == 200
        (output,) = tmp_path.glob("output-*")
        deadline = time.monotonic() + 120
        while not is_restarted(port):
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.2)
        assert httpx.get(f"{url}/v1/sign-in/ways", timeout=120).json()["first_run"] is True
        assert output.read_text().count("Open  ") == 1
        environment = {"EBBTIDE_DATA_DIR": str(tmp_path / "data"), "EBBTIDE_API_PORT": str(port)}
        again = run_ebbtide("start", "--no-browser", environment=environment)
        assert f"http://localhost:{port}/start?first=" in again.stdout, again.stderr


def is_restarted(port: int) -> bool:
    """Whether the process on the port has the place of another: its own environment says so."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"EBBTIDE_API_URL=http://127.0.0.1:{port}".encode() in environment:
            return True
    return False


class _Impostor(BaseHTTPRequestHandler):
    """Says that it is an Ebbtide, and writes down what it is sent."""

    sent: list[str]

    def _answer(self) -> None:
        self.sent.append(f"{self.path} {self.headers}")
        body = b'{"status": "ok", "version": "1", "address": "http://evil.example"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_program_that_says_it_is_ebbtide_is_not_opened_and_gets_no_secret(tmp_path: Path) -> None:
    sent: list[str] = []
    handler = type("Handler", (_Impostor,), {"sent": sent})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.server_port
        (tmp_path / "start.json").write_text(
            f'{{"url": "http://127.0.0.1:{port}", "mark": "the-mark"}}'
        )
        environment = {"EBBTIDE_DATA_DIR": str(tmp_path), "EBBTIDE_API_PORT": str(port)}
        done = run_ebbtide("start", "--no-browser", environment=environment)
        server.shutdown()
        thread.join()
    assert done.returncode == 1
    assert "evil" not in done.stdout
    assert len(sent) == 2  # its health, and the proof
    assert "the-mark" not in "".join(sent)


def test_another_program_on_the_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        taken.listen()
        closing = threading.Thread(target=lambda: taken.accept()[0].close())
        closing.start()
        environment = {"EBBTIDE_DATA_DIR": str(tmp_path), "EBBTIDE_API_PORT": str(port)}
        done = run_ebbtide("start", "--no-browser", environment=environment)
        closing.join()
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert said == (
        f"ebbtide: Another program uses port {port}. "
        f"End it, or choose another: ebbtide start --port {port + 10}"
    )


def test_the_secret_is_in_the_address_alone(home: Home) -> None:
    """Neither in the file that finds a running copy, nor readable in the store."""
    query = parse_qs(urlsplit(home.new_address()).query)
    (link,) = query["link"]
    for file in (home.folder / "data").iterdir():
        assert link.encode() not in file.read_bytes(), file
        assert file.stat().st_mode & 0o077 == 0, file


def run_page(home: Home, token: str | None, origin: str | None = "own") -> str:
    """Run the first page in a session of its own, as the browser does; return what it sent."""
    address = urlsplit(home.url)
    headers = {} if token is None else {"Cookie": f"ebbtide_session_{address.port}={token}"}
    with connect(
        f"ws://{address.netloc}/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        origin=home.url if origin == "own" else origin,  # type: ignore[arg-type]
        additional_headers=headers,
        max_size=None,
    ) as page:
        asked = BackMsg()
        asked.rerun_script.query_string = ""
        page.send(asked.SerializeToString())
        sent = b""
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline:
            message = page.recv(timeout=200)
            assert isinstance(message, bytes)
            sent += message
            found = ForwardMsg()
            found.ParseFromString(message)
            if found.WhichOneof("type") == "script_finished":
                return sent.decode(errors="replace")
    raise AssertionError(sent.decode(errors="replace")[-2000:])
