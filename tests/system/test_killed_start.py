"""kill -9 of ``ebbtide start`` and of the recorder that it watches: no beat lost, none doubled.

Two straps are played on BlueZ's side of a private D-Bus; all else is what people run. A strap has a
numbered log, as in ``test_killed_ingester.py``: once somebody listens again, it goes on with the
first notification that the outbox does not have. What a radio loses is no matter of the recorder.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from ebbtide.settings import Settings
from store import open_stores
from tests.conftest import skip_or_fail
from tests.support.played_bluez import PlayedBluez, PlayedStrap, has_dbus
from tests.support.ports import free_port
from tests.support.started import StartedProcess, first_run

# CI runs a sample; EBBTIDE_TEST_KILLS=100 runs the whole (docs/evidence/no-beat-lost.md).
KILLS = int(os.environ.get("EBBTIDE_TEST_KILLS", "3"))
PACE_S = 0.5
FIRST_TICKS, TICKS = 470, 80  # about half a second each: they fit the clock
PARENT_EVERY = 3  # of so many kills one is of the parent, and every other of those of both


class LoggedStrap:
    """Plays a strap in a thread: the n-th notification has one interval, by which it is known."""

    def __init__(self, strap: PlayedStrap, outbox: Path) -> None:
        self.strap, self._outbox = strap, outbox
        self._ended = threading.Event()
        self.sent = 0  # the number of the last notification that somebody had asked for
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop sending."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        number, heard_by = 0, 0
        while not self._ended.wait(PACE_S):
            if heard_by != self.strap.measurement.subscriptions:  # pairing listens, too
                heard_by, number = self.strap.measurement.subscriptions, self._last_stored()
            if self.strap.beat(120, [ticks(number)]):
                number += 1
                self.sent = max(self.sent, number)

    def _last_stored(self) -> int:
        return stored_numbers(self._outbox).get(self.strap.name, 0)


def ticks(number: int) -> int:
    return FIRST_TICKS + number % TICKS


def stored_numbers(outbox: Path) -> dict[str, int]:
    """The last sequence number of each strap."""
    if not outbox.exists():
        return {}
    with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT source, max(last_sequence) FROM streams GROUP BY source")
        return dict(rows.fetchall())


@pytest.fixture
def bluez(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedBluez]:
    if not has_dbus():
        skip_or_fail("dbus-daemon is not installed")
    straps = (
        PlayedStrap("Polar H10 8C4CAD25", "C0:00:00:00:00:01"),
        PlayedStrap("Tickr 0815", "C0:00:00:00:00:02", signal_dbm=-70),
    )
    with PlayedBluez(*straps) as played:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", played.bus_address)
        yield played


def wait_for(what: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_no_beat_is_lost_or_doubled_when_recorder_or_start_are_killed(
    tmp_path: Path, bluez: PlayedBluez
) -> None:
    chance, port = random.Random(11), free_port()
    outbox = tmp_path / "data" / "outbox.sqlite"
    process = StartedProcess(tmp_path, port)
    api = first_run(process.wait_for_address(), port)
    played = [LoggedStrap(strap, outbox) for strap in bluez.straps]
    try:
        scan_and_pair(api, bluez.straps)
        for kill in range(KILLS):
            before = [strap.sent for strap in played]
            wait_for(
                lambda before=before: all(
                    strap.sent > sent + 1 for strap, sent in zip(played, before, strict=True)
                )
            )
            time.sleep(chance.uniform(0, PACE_S))
            recorder = process.recorder_pid()
            assert recorder is not None
            if kill % PARENT_EVERY != PARENT_EVERY - 1:
                os.kill(recorder, signal.SIGKILL)
                continue
            if kill % (2 * PARENT_EVERY) != PARENT_EVERY - 1:
                os.kill(recorder, signal.SIGKILL)
            process.kill()
            # A recorder without a parent ends by itself, and with it its lock.
            wait_for(lambda recorder=recorder: not is_alive(recorder))
            process = StartedProcess(tmp_path, port)
            process.wait_for_address()
        before = [strap.sent for strap in played]
        wait_for(
            lambda: all(strap.sent > sent + 1 for strap, sent in zip(played, before, strict=True))
        )
        for strap in played:
            strap.end()
        wait_for(
            lambda: (
                stored_numbers(outbox) == {s.strap.name: s.sent for s in played}
                and beats_in_store(api) == sum(strap.sent for strap in played)
            )
        )
        gaps = api.get("/gaps").json()
        account = api.get("/me").json()["id"]
    finally:
        api.close()
        process.end()
    stores = open_stores(Settings(data_dir=tmp_path / "data"))
    try:
        person = stores.records.person(account)
        assert person is not None
        beats = stores.beats.read(person.subject_id, 0, 2**62)
    finally:
        stores.close()
    sources = {index: stream.source for index, stream in enumerate(beats.streams)}
    for strap in played:
        mine = [sources[int(index)] == strap.strap.name for index in beats.stream]
        expected = [ticks(number) for number in range(strap.sent)]
        assert beats.rr_ticks[mine].tolist() == expected
        assert len(set(beats.time_ns[mine].tolist())) == strap.sent
    # Each kill is a gap of each strap: nothing is computed across it.
    assert len(gaps) == 2 * KILLS
    print(f"{KILLS} kills, {[strap.sent for strap in played]} beats, {len(gaps)} gaps")


def scan_and_pair(api: httpx.Client, straps: Sequence[PlayedStrap]) -> None:
    api.post("/recorder/scan", json={"seconds": 3}).raise_for_status()
    wait_for(lambda: len(api.get("/recorder/scan").json()["found"]) == len(straps))
    found = {item["address"]: item for item in api.get("/recorder/scan").json()["found"]}
    for strap in straps:
        assert found[strap.address]["is_certain"]
        paired = api.post("/recorder/straps", json={"address": strap.address})
        assert paired.status_code == 201, paired.text
        assert paired.json()["heard"] == "intervals"


def beats_in_store(api: httpx.Client) -> int:
    found: int = api.get("/streams").json()["beats"]
    return found


def is_alive(pid: int) -> bool:
    try:
        return "recorder_process" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False
