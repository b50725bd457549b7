"""``ebbtide record``."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from filelock import FileLock

from cli.credentials import CredentialFile, Credentials
from cli.straps.live_line import LiveLine
from cli.straps.record import record
from cli.straps.recording import ActiveRecording, record_together
from ebbtide.settings import Settings
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.outbox import Outbox
from ingest.recorder import Recorder
from ingest.straps.simulated import SimulatedStrap
from tests.support.command_line import EBBTIDE, NO_BLUETOOTH, run_ebbtide


def test_straps_of_two_people_are_recorded_at_once_and_uploaded(
    tmp_path: Path, signed_in: Callable[..., httpx.Client]
) -> None:
    clients = [signed_in(email) for email in ("ada@example.org", "eve@example.org")]
    owners = []
    for client in clients:
        me = client.get("/v1/me").json()
        token = client.headers["Authorization"].removeprefix("Bearer ")
        owners.append(Credentials(me["email"], str(client.base_url), token, me["id"]))
    displayed: list[tuple[list[LiveLine], list[str]]] = []

    async def record_all() -> None:
        with Outbox(tmp_path / "outbox.sqlite") as outbox, BatchWriter(outbox) as writer:
            recorded = []
            for number, owner in enumerate([owners[0], owners[1], owners[0]]):
                strap = SimulatedStrap(f"strap {number}", [[300, 310, 320] * 200])
                recorded.append(
                    ActiveRecording(strap, owner, Recorder(strap, writer, owner.account))
                )
            await record_together(writer, recorded, 4, lambda *what: displayed.append(what))

    asyncio.run(record_all())
    lines, problems = displayed[-1]
    assert problems == []
    assert [line.patient for line in lines] == [owner.email for owner in [*owners, owners[0]]]
    assert all(line.beats_kept > 5 and line.beats_waiting == 0 for line in lines)
    beats = [client.get("/v1/streams").json()["beats"] for client in clients]
    assert beats == [lines[0].beats_kept + lines[2].beats_kept, lines[1].beats_kept]


def test_uploads_may_be_rarer_and_the_end_still_sends_all(
    tmp_path: Path, signed_in: Callable[..., httpx.Client]
) -> None:
    client = signed_in("ada@example.org")
    token = client.headers["Authorization"].removeprefix("Bearer ")
    owner = Credentials(
        "ada@example.org", str(client.base_url), token, client.get("/v1/me").json()["id"]
    )
    displayed: list[LiveLine] = []

    async def record_all() -> None:
        with Outbox(tmp_path / "outbox.sqlite") as outbox, BatchWriter(outbox) as writer:
            strap = SimulatedStrap("strap", [[300, 310, 320] * 200])
            recorded = [ActiveRecording(strap, owner, Recorder(strap, writer, owner.account))]
            await record_together(
                writer, recorded, 4, lambda lines, _: displayed.append(lines[0]), every_s=60
            )

    asyncio.run(record_all())
    assert displayed[-2].beats_waiting > 5  # nothing went up meanwhile
    assert displayed[-1].beats_waiting == 0
    assert client.get("/v1/streams").json()["beats"] == displayed[-1].beats_kept


_IMPORTED_WHILE_RECORDING = """
import asyncio, sys
from pathlib import Path
from cli.credentials import Credentials
from cli.straps.recording import ActiveRecording, _display, record_together
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.outbox import Outbox
from ingest.recorder import Recorder
from ingest.straps.simulated import SimulatedStrap
from ingest.straps.strap import ConnectionChange, ConnectionState

class Strap(SimulatedStrap):
    async def events(self):
        yield ConnectionChange(ConnectionState.SEARCHING)
        await asyncio.sleep(1)  # the first line is shown, and the API was asked
        before.update(sys.modules)
        async for event in super().events():
            yield event

before = set()
folder, url, token, account = sys.argv[1:]
owner = Credentials("ada@example.org", url, token, account)

async def main():
    with Outbox(Path(folder, "outbox.sqlite")) as outbox, BatchWriter(outbox) as writer:
        strap = Strap("strap", [[300, 310, 320] * 200])
        active = ActiveRecording(strap, owner, Recorder(strap, writer, account))
        await record_together(writer, [active], 8, _display(as_json=True), 0.5)

asyncio.run(main())
print(sorted(set(sys.modules) - before), file=sys.stderr)
"""


def test_nothing_is_loaded_while_it_records(
    tmp_path: Path, signed_in: Callable[..., httpx.Client]
) -> None:
    """SciPy, loaded at the twelfth beat, held the line up for a second, and for minutes on a slow
    machine under load.
    """
    client = signed_in("ada@example.org")
    token = client.headers["Authorization"].removeprefix("Bearer ")
    account = client.get("/v1/me").json()["id"]
    done = subprocess.run(
        [
            *(sys.executable, "-c", _IMPORTED_WHILE_RECORDING, tmp_path),
            *(str(client.base_url), token, account),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["problems"] == []
    assert last["straps"][0]["beats_kept"] > 15
    assert done.stderr.strip() == "[]"


def test_how_often_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[float] = []

    async def spy(
        writer: BatchWriter, recorded: object, seconds: object, show: object, s: float, **_: object
    ) -> None:
        used.append(s)

    monkeypatch.setattr("cli.straps.recording.record_together", spy)
    monkeypatch.setenv("EBBTIDE_UPLOAD_EVERY_S", "45")
    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(tmp_path))
    owner = Credentials("ada@example.org", "http://127.0.0.1:9", "token", "account")
    CredentialFile(Settings().sign_ins_file).put(owner)
    record(["E0:00:00:00:00:01"], seconds=1, as_json=True)
    assert used == [45]


def test_only_one_recorder_at_a_time(tmp_path: Path) -> None:
    CredentialFile(tmp_path / "sign-ins.json").put(Credentials("a@b.example", "http://x", "t", "1"))
    environment = {"EBBTIDE_DATA_DIR": str(tmp_path)}
    with FileLock(tmp_path / "recording.lock"):
        done = run_ebbtide("record", "AA:BB:CC:DD:EE:FF", environment=environment)
    assert done.returncode == 1
    assert "Two would keep each beat twice" in " ".join(done.stderr.split())


def test_record_without_bluetooth_keeps_trying_and_ends_when_asked(tmp_path: Path) -> None:
    CredentialFile(tmp_path / "sign-ins.json").put(
        Credentials("a@b.example", "http://127.0.0.1:9", "t", "1")
    )
    process = subprocess.Popen(
        [*EBBTIDE, "record", "AA:BB:CC:DD:EE:FF", "--json"],
        env={**os.environ, "EBBTIDE_DATA_DIR": str(tmp_path), **NO_BLUETOOTH},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    output = process.stdout.readline()  # it has begun
    time.sleep(2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)
    output += rest
    assert process.returncode == 0
    assert '"link": "in trouble"' in output or '"link": "looking for it"' in output


def test_recording_needs_a_sign_in(tmp_path: Path) -> None:
    done = run_ebbtide(
        "record", "00:11:22:33:44:55", environment={"EBBTIDE_DATA_DIR": str(tmp_path)}
    )
    assert done.returncode == 1
    assert "ebbtide sign-in" in done.stderr
