"""``ebbtide import`` of intervals that are there already, and ``ebbtide recordings``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.credentials import CredentialFile, Credentials
from cli.main import app
from cli.server.thread import ApiThread
from cli.straps import doctor
from ebbtide.settings import Settings
from ingest.outbox.outbox import Outbox
from store import Stores
from tests.support.accounts import PASSWORD, add_account

EMAIL = "ada@example.org"


class Machine:
    """A machine on which Ada is signed in to upload; commands run in this process."""

    def __init__(self, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder)
        self._monkeypatch = monkeypatch
        body = {"email": EMAIL, "password": PASSWORD, "device": "a machine"}
        token = httpx.post(f"{url}/v1/sign-in", json=body).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        account = httpx.get(f"{url}/v1/me", headers=headers).json()["id"]
        CredentialFile(self.settings.sign_ins_file).put(Credentials(EMAIL, url, token, account))

    def run(self, *arguments: str, typed: str = "", fails: bool = False) -> str:
        self._monkeypatch.setenv("EBBTIDE_DATA_DIR", str(self.folder))
        done = CliRunner().invoke(app, list(arguments), input=typed)
        assert (done.exit_code != 0) is fails, (done.output, done.exception)
        return done.output + str(done.exception or "")

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def imported(self, *arguments: str) -> dict[str, Any]:
        (found,) = self.json("import", *arguments)["files"]
        assert isinstance(found, dict)
        return found


@pytest.fixture
def machine(
    tmp_path: Path, stores: Stores, api: ApiThread, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    add_account(stores, EMAIL)
    return Machine(tmp_path / "one", api.url, monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "rest.txt"
    path.write_text("".join(f"{790 + 17 * (k % 23) + k % 3}\n" for k in range(910)))
    return str(path)


START = ("--start", "2026-11-20T08:00:00")
LATER = ("--start", "2026-11-21T08:00:00")


def test_the_same_intervals_at_another_time_are_refused_without_again(
    machine: Machine, file: str, tmp_path: Path, api: ApiThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine.imported(file, *START)["new_beats"] == 910
    again = machine.imported(file, *START)
    assert (again["new_beats"], again["known_beats"], again["stored_beats"]) == (0, 910, 910)
    said = machine.run("import", file, *LATER, fails=True)
    assert "the very same intervals are there already from rest.txt, 1 day earlier." in said
    assert "--again" in said
    # A part of it too, and on another machine the whole.
    part = tmp_path / "part.txt"
    part.write_text("".join(Path(file).read_text().splitlines(keepends=True)[200:700]))
    assert "--again" in machine.run("import", str(part), *LATER, fails=True)
    other = Machine(tmp_path / "other", api.url, monkeypatch)
    assert "--again" in other.run("import", file, *LATER, fails=True)
    assert other.imported(file, *LATER, "--again")["new_beats"] == 910
    assert [row["beats"] for row in machine.json("recordings")["recordings"]] == [910, 910]


def test_another_recording_is_no_question(machine: Machine, file: str, tmp_path: Path) -> None:
    machine.imported(file, *START)
    for number, name in enumerate(("a.txt", "b.txt")):
        other = tmp_path / name
        other.write_text("".join(f"{801 + (k * k * (number + 3)) % 97}\n" for k in range(910)))
        found = machine.imported(str(other), "--start", f"2026-11-2{number}T18:00:00")
        assert found["new_beats"] == 910


def test_a_start_in_the_future_is_refused(machine: Machine, file: str) -> None:
    said = machine.run("import", file, "--start", "2031-01-01T08:00:00", fails=True)
    assert "would end in the future, at 2031-01-01" in said
    assert machine.json("recordings") == {"recordings": []}


def test_a_recording_is_listed_removed_and_imported_again(
    machine: Machine, file: str, tmp_path: Path, api: ApiThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Machine(tmp_path / "other", api.url, monkeypatch)
    machine.imported(file, *START)
    other.imported(file, *START)
    (row,) = machine.json("recordings")["recordings"]
    assert (row["origin"], row["beats"], row["file"]) == ("file", 910, "rest.txt")
    assert row["begin"].startswith("2026-11-20T08:00:00")
    assert f"{row['id']}  " in machine.run("recordings")
    assert "Remove rest.txt" in machine.run(
        "recordings", "remove", row["id"], typed="n\n", fails=True
    )
    assert "no recording" in machine.run("recordings", "remove", "x", "--yes", fails=True)
    # The sign-in of a machine may upload and no more: it asks for the password.
    said = machine.run("recordings", "remove", row["id"], "--yes", typed="\n", fails=True)
    assert "Nothing was removed" in said
    assert f"ebbtide set-password {EMAIL}" in said
    said = machine.run("recordings", "remove", row["id"], "--yes", typed=f"{PASSWORD}\n")
    assert "Removed: 910 beats" in said
    with Outbox(machine.settings.outbox_file) as outbox:
        assert outbox.states() == []
        assert outbox._database.fetch("SELECT count(*) FROM notifications") == [(0,)]
        assert outbox._database.fetch("SELECT count(*) FROM intervals") == [(0,)]
    # What the other machine holds does not come back with its next upload.
    with Outbox(other.settings.outbox_file) as outbox:
        assert outbox.acknowledged.held_bytes() > 0
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text("".join(f"{700 + (k * k) % 91}\n" for k in range(300)))
    other.imported(str(elsewhere), "--start", "2026-11-22T08:00:00")
    assert [row["beats"] for row in other.json("recordings")["recordings"]] == [300]
    with Outbox(other.settings.outbox_file) as outbox:
        assert [state.beats_kept for state in outbox.states()] == [300]
    # A person imports it again, on either machine, and at another time without a question.
    assert other.imported(file, *START)["new_beats"] == 910
    assert machine.imported(file, *START)["stored_beats"] == 910
    beats = [row["beats"] for row in other.json("recordings")["recordings"]]
    assert sorted(beats) == [300, 910]


def test_status_and_doctor_ask_the_store(machine: Machine, file: str, stores: Stores) -> None:
    machine.imported(file, *START)
    (strap,) = machine.json("status")["straps"]
    assert (strap["beats_kept"], strap["beats_stored"]) == (910, 910)
    (check,) = doctor._outbox_and_store(machine.settings)
    assert (check.finding, check.what) == ("fine", "910 beats acknowledged, and 910 stored")
    # Behind the back of everybody, the store loses what it acknowledged.
    person = stores.records.person_by_email(EMAIL)
    assert person is not None
    (covered,) = stores.beats.coverage(person.subject_id)
    stores.beats.remove_stream(person.subject_id, covered.stream.id, 1)
    stores.beats.readmit_stream(person.subject_id, covered.stream.id)
    (strap,) = machine.json("status")["straps"]
    assert (strap["beats_kept"], strap["beats_stored"]) == (0, 0)
    (check,) = doctor._outbox_and_store(machine.settings)
    assert check.finding == "to be mended"
    assert "acknowledged 910 beats and has 0 of them" in check.what
    assert machine.imported(file, *START)["stored_beats"] == 910
    (check,) = doctor._outbox_and_store(machine.settings)
    assert check.finding == "fine"
