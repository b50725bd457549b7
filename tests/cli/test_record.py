"""Recording as the command does it, the list of straps, and what is shown."""

from __future__ import annotations

import asyncio
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
from cli.straps.live_line import LiveLine, live_line
from cli.straps.record import ActiveRecording, record_together, run_record
from ebbtide import timestamps
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from ebbtide.timestamps import SECOND
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.outbox import Outbox
from ingest.recorder import RecentBeat, Recorder, Recording
from ingest.straps.paired import PairedStrap, PairedStraps
from ingest.straps.simulated import SimulatedStrap
from ingest.straps.strap import ConnectionState

NOW = 1_790_000_000 * SECOND


def test_straps_of_two_people_are_recorded_at_once_and_uploaded(
    tmp_path: Path, signed_in: Callable[..., httpx.Client]
) -> None:
    clients = [signed_in(email) for email in ("ada@example.org", "eve@example.org")]
    owners = []
    for client in clients:
        me = client.get("/v1/me").json()
        token = client.headers["Authorization"].removeprefix("Bearer ")
        owners.append(Credentials(me["email"], str(client.base_url), token, me["id"]))
    shown: list[tuple[list[LiveLine], list[str]]] = []

    async def record() -> None:
        with Outbox(tmp_path / "outbox.sqlite") as outbox, BatchWriter(outbox) as keeper:
            recorded = []
            for number, owner in enumerate([owners[0], owners[1], owners[0]]):
                strap = SimulatedStrap(f"strap {number}", [[300, 310, 320] * 200])
                recorded.append(
                    ActiveRecording(strap, owner, Recorder(strap, keeper, owner.account))
                )
            await record_together(keeper, recorded, 4, lambda *what: shown.append(what))

    asyncio.run(record())
    lines, problems = shown[-1]
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
    shown: list[LiveLine] = []

    async def record() -> None:
        with Outbox(tmp_path / "outbox.sqlite") as outbox, BatchWriter(outbox) as keeper:
            strap = SimulatedStrap("strap", [[300, 310, 320] * 200])
            recorded = [ActiveRecording(strap, owner, Recorder(strap, keeper, owner.account))]
            await record_together(
                keeper, recorded, 4, lambda lines, _: shown.append(lines[0]), every_s=60
            )

    asyncio.run(record())
    assert shown[-2].beats_waiting > 5  # nothing went up meanwhile
    assert shown[-1].beats_waiting == 0
    assert client.get("/v1/streams").json()["beats"] == shown[-1].beats_kept


def test_how_often_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []

    async def spy(
        keeper: BatchWriter, recorded: object, seconds: object, show: object, s: float
    ) -> None:
        told.append(s)

    monkeypatch.setattr("cli.straps.record.record_together", spy)
    monkeypatch.setenv("EBBTIDE_UPLOAD_EVERY_S", "45")
    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(tmp_path))
    owner = Credentials("ada@example.org", "http://127.0.0.1:9", "token", "account")
    CredentialFile(Settings().sign_ins_file).put(owner)
    run_record(["E0:00:00:00:00:01"], None, ecg=False, seconds=1, as_json=True)
    assert told == [45]


def recording(*, contact: bool | None = True, rr: int = 850, late_s: float = 0) -> Recording:
    made = Recording(
        beats=80, heart_rate_bpm=72, contact=contact, connection=ConnectionState.CONNECTED
    )
    made.last_arrival_ns = NOW - int(late_s * SECOND)
    time_ns = NOW
    for n in range(80):
        ticks = rr + 10 * (n % 3)
        made.recent.appendleft(RecentBeat(time_ns, ticks, contact, True))
        time_ns -= ticks * SECOND // 1024
    return made


def test_the_live_line_of_a_good_minute() -> None:
    line = live_line("H10", "ada", recording(), 1024, 3, NOW)
    assert (line.quality, line.heart_rate_bpm, line.beats_waiting) == ("good", 72, 3)
    # Differences of +10, +10 and -20 ticks: the root of 200, in ms.
    assert line.rmssd_ms == pytest.approx(200**0.5 * 1000 / 1024, rel=0.02)


def test_the_live_line_says_what_is_wrong() -> None:
    assert "wet" in live_line("x", "a", recording(contact=False), 1024, 0, NOW).quality
    old = live_line("x", "a", recording(late_s=20), 1024, 0, NOW)
    assert (old.quality, old.heart_rate_bpm, old.rmssd_ms) == ("no signal", None, None)
    bare = Recording(heart_rate_bpm=70, without_rr=40, last_arrival_ns=NOW)
    assert "without RR" in live_line("x", "a", bare, 1024, 0, NOW).quality
    stopped = recording()
    later = NOW + 8 * SECOND
    stopped.last_arrival_ns = later
    assert "no RR just now" in live_line("x", "a", stopped, 1024, 0, later).quality
    short = Recording(heart_rate_bpm=70, last_arrival_ns=NOW)
    assert live_line("x", "a", short, 1024, 0, NOW).quality == "not known yet"


def test_straps_are_remembered(tmp_path: Path) -> None:
    straps = PairedStraps(tmp_path / "straps.json")
    assert straps.all() == []
    first = PairedStrap("AA:BB:CC:DD:EE:01", "chest", "ada@example.org", model="H10")
    straps.put(first)
    straps.put(PairedStrap("AA:BB:CC:DD:EE:02", "arm", "eve@example.org", "ppi"))
    with pytest.raises(EbbtideError, match="called 'chest' already"):
        straps.put(PairedStrap("AA:BB:CC:DD:EE:03", "chest", "eve@example.org"))
    again = PairedStraps(tmp_path / "straps.json")
    assert again.find("aa:bb:cc:dd:ee:01") == again.find("chest") == first
    straps.put(PairedStrap("aa:bb:cc:dd:ee:01", "mine", "ada@example.org"))
    assert [strap.name for strap in again.all()] == ["arm", "mine"]
    again.remove(again.all()[0])
    assert [strap.name for strap in straps.all()] == ["mine"]
    (tmp_path / "straps.json").write_text("{")
    with pytest.raises(EbbtideError, match="pair the straps again"):
        straps.all()


def test_whose_sign_in_is_meant(tmp_path: Path) -> None:
    kept = CredentialFile(tmp_path / "sign-ins.json")
    with pytest.raises(EbbtideError, match="not signed in"):
        kept.of(None)
    kept.put(Credentials("ada@example.org", "http://x", "t", "1"))
    assert kept.of(None).account == "1"
    kept.put(Credentials("eve@example.org", "http://x", "t", "2"))
    with pytest.raises(EbbtideError, match="--patient"):
        kept.of(None)
    assert kept.of("EVE@example.org").account == "2"
    with pytest.raises(EbbtideError, match="ebbtide sign-in bob"):
        kept.of("bob@example.org")
    kept.put(Credentials("Ada@example.org", "http://x", "new", "1"))
    assert [item.token for item in kept.all()] == ["t", "new"]


def test_only_one_recorder_at_a_time(tmp_path: Path) -> None:
    CredentialFile(tmp_path / "sign-ins.json").put(Credentials("a@b.example", "http://x", "t", "1"))
    environment = {**os.environ, "EBBTIDE_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "ebbtide", "record", "AA:BB:CC:DD:EE:FF"]
    with FileLock(tmp_path / "recording.lock"):
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert "Two would keep each beat twice" in " ".join(done.stderr.split())


def test_record_without_bluetooth_keeps_trying_and_ends_when_asked(tmp_path: Path) -> None:
    CredentialFile(tmp_path / "sign-ins.json").put(
        Credentials("a@b.example", "http://127.0.0.1:9", "t", "1")
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "ebbtide", "record", "AA:BB:CC:DD:EE:FF", "--json"],
        env={
            **os.environ,
            "EBBTIDE_DATA_DIR": str(tmp_path),
            "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere/bus",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()  # it has begun
    time.sleep(2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)
    said += rest
    assert process.returncode == 0
    assert '"link": "in trouble"' in said or '"link": "looking for it"' in said


def test_status_of_an_empty_machine_and_of_one_that_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cli.straps.status import run_status

    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(tmp_path))
    run_status(as_json=False)
    assert "begin: ebbtide pair" in capsys.readouterr().out
    PairedStraps(tmp_path / "straps.json").put(PairedStrap("AA", "strap 1", "a@b.example"))
    CredentialFile(tmp_path / "sign-ins.json").put(
        Credentials("a@b.example", "http://127.0.0.1:9", "t", "1")
    )

    async def record() -> None:
        with Outbox(tmp_path / "outbox.sqlite") as outbox, BatchWriter(outbox) as keeper:
            start = timestamps.now_ns() - 200 * SECOND
            await Recorder(SimulatedStrap("strap 1", [[1024] * 100], start), keeper, "1").run()

    asyncio.run(record())
    run_status(as_json=False)
    out = capsys.readouterr().out
    assert "strap 1 (a@b.example): 100 beats kept, 100 wait for upload" in out
    assert "No answer" in out
