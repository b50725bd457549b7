"""``ebbtide serve``."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from cli.server import serve
from ebbtide.settings import Settings
from store import Stores
from tests.support.accounts import PASSWORD
from tests.support.command_line import run_ebbtide, served
from tests.support.ports import free_port


def test_a_data_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    environment = {"EBBTIDE_DATA_DIR": str(tmp_path / "file")}
    done = run_ebbtide("serve", environment=environment)
    assert done.returncode == 1
    assert "EBBTIDE_DATA_DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_pages_say_no_address_that_another_program_has(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_ebbtide(
            "dashboard", "--port", str(port), environment={"EBBTIDE_DATA_DIR": str(tmp_path)}
        )
    assert done.returncode == 1
    assert f"Port {port} cannot be used" in done.stderr
    assert "The pages:" not in done.stderr


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_a_process_that_is_stopped_while_it_is_replaced_is_not_begun_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, is_interrupted: bool
) -> None:
    replace: list[Callable[[], None]] = []

    def create(stores: Stores, *arguments: Any) -> FastAPI:
        stores.close()
        replace.append(arguments[-1])
        return FastAPI()

    def run(_: uvicorn.Server, sockets: list[socket.socket]) -> None:
        replace[0]()
        sockets[0].close()
        if is_interrupted:
            raise KeyboardInterrupt

    monkeypatch.setattr("api.app.create_app", create)
    monkeypatch.setattr(uvicorn.Server, "run", run)
    listener = serve._serve(settings, "127.0.0.1", 0, 1)
    assert (listener is None) == is_interrupted
    if listener is not None:
        listener.close()


def test_several_workers_answer_as_one_and_a_killed_one_is_begun_anew(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "EBBTIDE_DATA_DIR": str(tmp_path / "data"),
        "EBBTIDE_API_URL": f"http://127.0.0.1:{port}",
        "EBBTIDE_API_WORKERS": "2",
    }
    account = [
        "add-patient",
        "ada@example.org",
        "--name",
        "Ada",
        "--zone",
        "Europe/Berlin",
        "--agree",
    ]
    run_ebbtide(*account, environment=environment, typed=f"{PASSWORD}\n{PASSWORD}\n")
    with served(environment, port) as url:
        workers = _workers_of(port)
        assert len(workers) >= 2
        login = {"email": "ada@example.org", "password": PASSWORD}
        token = httpx.post(f"{url}/v1/sign-in", json=login).json()["token"]
        headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        stored: list[str] = []
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
            stored.append(answer.json()["id"])
        assert len(stored) >= 58
        page = httpx.get(f"{url}/v1/ratings?limit=500", headers=headers).json()["ratings"]
        assert set(stored) <= {rating["id"] for rating in page}
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
