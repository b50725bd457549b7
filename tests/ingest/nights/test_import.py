"""Nights of files through the command, the watched folder and the page, into the store: once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.credentials import CredentialFile, Credentials
from cli.server.thread import ApiThread
from ingest.files.import_worker import answer_request

EXAMPLES = Path(__file__).parent / "examples"
ALL = (
    *("takeout.zip", "health_connect.zip", "oura_sleep.json", "physiological_cycles.csv"),
    "samsunghealth.zip",
)


class Machine:
    """A computer that is signed in."""

    def __init__(self, folder: Path, api: ApiThread, client: httpx.Client) -> None:
        me = client.get("/v1/me").json()
        token = client.headers["Authorization"].removeprefix("Bearer ")
        self.client = client
        self.env = {**os.environ, "EBBTIDE_DATA_DIR": str(folder)}
        CredentialFile(folder / "sign-ins.json").put(
            Credentials(me["email"], api.url, token, me["id"], me["zone"])
        )
        self.page = {
            "api_url": api.url,
            "token": token,
            "account": me["id"],
            "zone": me["zone"],
            "folder": str(folder),
        }

    def command(self, *words: object) -> list[str]:
        return [sys.executable, "-m", "ebbtide", "import", *map(str, words)]

    def run(self, *words: object) -> tuple[int, list[dict[str, Any]]]:
        done = subprocess.run(
            self.command(*words, "--json"),
            env=self.env,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        files: list[dict[str, Any]] = json.loads(done.stdout)["files"]
        return done.returncode, files

    def stored(self) -> list[dict[str, Any]]:
        nights: list[dict[str, Any]] = self.client.get("/v1/nights").json()["nights"]
        return nights


@pytest.fixture
def machine(tmp_path: Path, api: ApiThread, client: httpx.Client) -> Machine:
    folder = tmp_path / "machine"
    folder.mkdir()
    return Machine(folder, api, client)


def test_all_five_at_once_and_again(machine: Machine) -> None:
    status, files = machine.run(*(EXAMPLES / name for name in ALL))
    assert (status, [one["error"] for one in files]) == (0, [None] * 5)
    assert [one["nights"]["new"] for one in files] == [25, 25, 25, 27, 25]
    assert files[3]["nights"]["unworn"] == 2
    before = machine.stored()
    assert len(before) == 127
    status, files = machine.run(*(EXAMPLES / name for name in ALL))
    assert [one["nights"]["known"] for one in files] == [25, 25, 25, 27, 25]
    assert machine.stored() == before


def test_an_export_that_has_grown_adds_what_is_new(machine: Machine, tmp_path: Path) -> None:
    """A first export ends within a night; the next overlaps it and goes on."""
    rows = (EXAMPLES / "physiological_cycles.csv").read_text().splitlines()
    whole = json.loads((EXAMPLES / "oura_sleep.json").read_text())["data"]
    cut = json.loads(json.dumps(whole[:9]))
    for key in ("hrv", "heart_rate"):
        cut[-1][key]["items"] = cut[-1][key]["items"][:50]
    (tmp_path / "first.json").write_text(json.dumps({"data": cut}))
    (tmp_path / "then.json").write_text(json.dumps({"data": whole[5:]}))
    (tmp_path / "first.csv").write_text("\n".join(rows[:15]))
    (tmp_path / "then.csv").write_text("\n".join([rows[0], *rows[8:]]))
    _, files = machine.run(tmp_path / "first.json", tmp_path / "first.csv")
    assert [one["nights"]["new"] for one in files] == [9, 14]
    _, files = machine.run(tmp_path / "then.json", tmp_path / "then.csv")
    counts = [(one["nights"]["new"], one["nights"]["known"]) for one in files]
    assert counts == [(16, 3), (13, 7)] and files[0]["nights"]["grown"] == 1
    days = [(night["source"], night["day"]) for night in machine.stored()]
    assert len(days) == len(set(days)) == 52


def test_a_folder_with_nights_and_beats_and_a_bad_file(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    with zipfile.ZipFile(EXAMPLES / "samsunghealth.zip") as archive:
        archive.extractall(folder)
    (folder / "2026-11-20 07-00-00.txt").write_text(
        "\n".join(str(800 + 7 * (k % 9)) for k in range(300))
    )
    status, files = machine.run(folder)
    assert status == 0
    by_format = {one["format"]: one for one in files}
    assert by_format["Samsung Health"]["nights"]["new"] == 25
    assert by_format["RR intervals"]["new_beats"] == 300
    bad = tmp_path / "physiological_cycles.csv"
    bad.write_text("Cycle start time,Heart rate variability (ms)\n2026-10-24 23:30:00,41\n")
    status, (one,) = machine.run(bad)
    assert status == 1 and "Cycle timezone" in one["error"]


def test_a_watched_folder_takes_what_is_put_there(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    folder.mkdir()
    shutil.copy(EXAMPLES / "oura_sleep.json", folder)
    with subprocess.Popen(
        machine.command(folder, "--watch"),
        env=machine.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            _wait(lambda: len(machine.stored()) == 25)
            shutil.copy(EXAMPLES / "physiological_cycles.csv", folder)
            _wait(lambda: len(machine.stored()) == 52)
        finally:
            process.terminate()
    refused = subprocess.run(
        machine.command(folder / "oura_sleep.json", "--watch"),
        env=machine.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1 and "is no folder" in refused.stderr


def _wait(is_there: Any) -> None:
    until = time.monotonic() + 120
    while not is_there():
        assert time.monotonic() < until, "not within two minutes"
        time.sleep(0.5)


def test_the_page_reads_the_zip_and_keeps_it_when_asked(machine: Machine) -> None:
    items = [{"path": str(EXAMPLES / name), "name": name} for name in ALL[:2]]
    progress: list[dict[str, Any]] = []

    def ask(action: str) -> dict[str, Any]:
        found: dict[str, Any] = answer_request(
            {**machine.page, "action": action, "items": items}, progress.append
        )
        return found

    fitbit, connect = ask("read")["files"]
    assert (fitbit["nights"], fitbit["new_nights"], fitbit["what"]) == (25, 25, None)
    assert (connect["format"], connect["beats"], connect["zone"]) == (
        *("Health Connect", 0, "Europe/Berlin"),
    )
    assert machine.stored() == []
    kept = ask("keep")
    assert (kept["nights"], kept["new_nights"], kept["new_beats"]) == (50, 50, 0)
    assert len(machine.stored()) == 50
    assert [one["new_nights"] for one in ask("read")["files"]] == [0, 0]
