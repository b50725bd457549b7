"""The other commands, as a user types them."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.conftest import PASSWORD


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ebbtide(
    *arguments: str, environment: dict[str, str], typed: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ebbtide", *arguments],
        env={**os.environ, **environment},
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def served(environment: dict[str, str], port: int) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "ebbtide", "serve", "--port", str(port)],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                if httpx.get(f"{url}/v1/ready").is_success:
                    break
            except httpx.ConnectError:
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) in (0, -signal.SIGINT, 130)


def test_from_an_account_to_a_sign_in_of_this_machine(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "EBBTIDE_DATA_DIR": str(tmp_path / "data"),
        "EBBTIDE_API_URL": f"http://127.0.0.1:{port}",
    }
    account = ["add-patient", "ada@example.org", "--name", "Ada", "--zone", "Europe/Berlin"]
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    made = ebbtide(*account, environment=environment, typed=typed)
    assert made.returncode == 0, made.stderr
    assert PASSWORD not in made.stdout + made.stderr
    again = ebbtide(*account, environment=environment, typed=typed)
    assert again.returncode == 1
    assert "has an account already" in again.stderr

    away = ebbtide("sign-in", "ada@example.org", environment=environment, typed=f"{PASSWORD}\n")
    assert away.returncode == 1
    assert "ebbtide serve" in " ".join(away.stderr.split())

    with served(environment, port) as url:
        wrong = ebbtide("sign-in", "ada@example.org", environment=environment, typed="nonsense\n")
        assert wrong.returncode == 1
        assert "password is not right" in " ".join(wrong.stderr.split())
        right = ebbtide(
            "sign-in", "ada@example.org", environment=environment, typed=f"{PASSWORD}\n"
        )
        assert right.returncode == 0, right.stderr
        path = tmp_path / "data" / "sign-ins.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        (kept,) = json.loads(path.read_text())["sign_ins"]
        assert (kept["email"], kept["zone"]) == ("ada@example.org", "Europe/Berlin")
        headers = {"Authorization": f"Bearer {kept['token']}"}
        assert httpx.get(f"{url}/v1/me", headers=headers).json()["id"] == kept["account"]


def test_bad_accounts_are_refused_with_words(tmp_path: Path) -> None:
    environment = {"EBBTIDE_DATA_DIR": str(tmp_path)}
    for email, zone, password, why in [
        ("nobody", "Europe/Berlin", PASSWORD, "not an e-mail address"),
        ("a@b.example", "Mars", PASSWORD, "not a time zone"),
        ("a@b.example", "Europe/Berlin", "short", "too short"),
    ]:
        command = ["add-patient", email, "--name", "Ada", "--zone", zone]
        done = ebbtide(*command, environment=environment, typed=f"{password}\n{password}\n")
        assert done.returncode == 1
        assert why in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr


def test_recording_needs_a_sign_in(tmp_path: Path) -> None:
    done = ebbtide("record", "00:11:22:33:44:55", environment={"EBBTIDE_DATA_DIR": str(tmp_path)})
    assert done.returncode == 1
    assert "ebbtide sign-in" in done.stderr


def test_a_data_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    environment = {"EBBTIDE_DATA_DIR": str(tmp_path / "file")}
    done = ebbtide("serve", environment=environment)
    assert done.returncode == 1
    assert "EBBTIDE_DATA_DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_version_and_help() -> None:
    assert ebbtide("--version", environment={}).stdout.startswith("ebbtide 0.")
    text = ebbtide("--help", environment={}).stdout
    for command in ("demo", "serve", "dashboard", "add-patient", "sign-in", "scan", "record"):
        assert command in text


def test_an_interrupted_demo_says_so_by_its_status(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ebbtide", "demo", "--once", "--json"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    # Once it is at work, however long Python took to load it.
    while not list(tmp_path.iterdir()):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (130, b"")


def test_several_workers_answer_as_one_and_a_killed_one_is_begun_anew(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "EBBTIDE_DATA_DIR": str(tmp_path / "data"),
        "EBBTIDE_API_URL": f"http://127.0.0.1:{port}",
        "EBBTIDE_API_WORKERS": "2",
    }
    account = ["add-patient", "ada@example.org", "--name", "Ada", "--zone", "Europe/Berlin"]
    ebbtide(*account, environment=environment, typed=f"{PASSWORD}\n{PASSWORD}\n")
    with served(environment, port) as url:
        workers = _workers_of(port)
        assert len(workers) >= 2
        login = {"email": "ada@example.org", "password": PASSWORD}
        token = httpx.post(f"{url}/v1/sign-in", json=login).json()["token"]
        headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        kept: list[str] = []
        for turn in range(60):
            if turn == 20:
                os.kill(workers[0], signal.SIGKILL)
            try:
                answer = httpx.post(
                    f"{url}/v1/ratings", json={"pain": turn % 11, "stress": 4}, headers=headers
                )
            except httpx.TransportError:  # it was being answered by the one that was killed
                continue
            assert answer.status_code == 201
            kept.append(answer.json()["id"])
        assert len(kept) >= 58
        page = httpx.get(f"{url}/v1/ratings?limit=500", headers=headers).json()["ratings"]
        assert set(kept) <= {rating["id"] for rating in page}
        for _ in range(100):
            if len(_workers_of(port)) >= 2:
                break
            time.sleep(0.1)
        assert workers[0] not in _workers_of(port)
        assert len(_workers_of(port)) >= 2


def _workers_of(port: int) -> list[int]:
    """The processes that answer, below the one that was started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        ours = f"EBBTIDE_API_URL=http://127.0.0.1:{port}".encode() in environment
        if ours and any(b"spawn_main" in word for word in words):
            found.append(int(folder.name))
    return found
