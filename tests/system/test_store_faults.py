"""Servers killed, slow, cut off and full, two writers: acknowledged is stored, once."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ebbtide.beats import Notification
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND
from store import UNAVAILABLE, BeatStore
from store.errors import DamagedStoreError, StoreUnavailableError
from store.influx import client as influx_module
from store.influx.client import InfluxAddress, InfluxServer
from store.sqlite.beats import SqliteBeatStore
from tests.conftest import running_postgres, skip_or_fail
from tests.support.assertions import wait_for
from tests.support.beats import FOREVER, START, a_stream, made
from tests.support.faulty_proxy import FaultyProxy
from tests.support.influx import InfluxServerProcess, influxd, open_influx_beats
from tests.support.postgres import PostgresServer, postgres_bin, started


class Writer:
    """Appends ``batches`` of ten one after the other, again while the store is away."""

    def __init__(self, store: BeatStore, batches: int = 150, subject: str = "subject") -> None:
        self.store, self.batches, self.subject = store, batches, subject
        self.stream = a_stream(store, subject)
        self.acknowledged = 0
        self.refused = 0
        self.error: BaseException | None = None
        self.slept = 0.002
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> Writer:
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            for n in range(self.batches):
                self._store(made(n * 10 + 1, n * 10 + 10))
                time.sleep(self.slept)
        except BaseException as error:
            self.error = error

    def _store(self, batch: list[Notification]) -> None:
        for _ in range(2000):
            try:
                now = self.store.append(self.subject, self.stream, batch)
            except UNAVAILABLE:
                self.refused += 1
                time.sleep(0.05)
                continue
            assert now >= batch[-1].sequence
            self.acknowledged = now
            return
        raise AssertionError("the store did not come back")

    def reached(self, number: int) -> bool:
        return self.acknowledged >= number or self.error is not None

    def finish(self) -> None:
        """Wait for it; then everything is there, once and in order."""
        self._thread.join(120)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        count = self.batches * 10
        beats = self.store.read(self.subject, *FOREVER)
        assert beats.rr_ticks.tolist() == [n.rr_ticks[0] for n in made(1, count)]
        assert beats.time_ns.tolist() == [n.beat_times_ns[0] for n in made(1, count)]
        assert beats.follows[1:].all()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influx_module, "_FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(influx_module, "_ANSWER_S", 3.0)


@pytest.fixture
def own_influxdb(tmp_path: Path) -> Iterator[InfluxServerProcess]:
    """One that a test may kill."""
    if influxd() is None:
        skip_or_fail("no InfluxDB on this machine (Debian: apt install influxdb)")
    server = InfluxServerProcess(tmp_path / "influxdb")
    server.start()
    yield server
    server.stop()


def test_influxdb_killed_and_restarted_again_and_again(
    own_influxdb: InfluxServerProcess, postgres: PostgresServer, quick: None
) -> None:
    store = open_influx_beats(own_influxdb.address("beats"), postgres.fresh_database())
    writer = Writer(store).start()
    chance = random.Random(2)
    for turn in range(4):
        wait_for(lambda turn=turn: writer.reached(200 + turn * 300), seconds=60)  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.05))
        own_influxdb.kill()
        with pytest.raises(StoreUnavailableError):
            store.check()
        assert writer.acknowledged < 1500  # it had not finished before
        own_influxdb.restart()
    writer.finish()
    store.check()
    store.close()


def test_postgresql_killed_and_restarted_while_beats_come(
    influxdb: InfluxServerProcess, own_postgres: PostgresServer, quick: None
) -> None:
    store = open_influx_beats(
        influxdb.address(influxdb.fresh_database()), own_postgres.fresh_database()
    )
    writer = Writer(store).start()
    for turn in range(3):
        wait_for(lambda turn=turn: writer.reached(200 + turn * 300), seconds=60)  # type: ignore[misc]
        own_postgres.kill()
        with pytest.raises(UNAVAILABLE):
            store.check()
        own_postgres.restart()
    writer.finish()
    assert writer.refused > 0
    store.close()


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One that a test may kill."""
    with running_postgres() as server:
        yield server


@pytest.mark.parametrize("fault", ["resets", "swallows", "slow"])
def test_a_faulty_connection_to_influxdb(
    influxdb: InfluxServerProcess, postgres: PostgresServer, quick: None, fault: str
) -> None:
    with FaultyProxy(influxdb.port) as proxy:
        address = influxdb.address(influxdb.fresh_database(), url=f"http://127.0.0.1:{proxy.port}")
        store = open_influx_beats(address, postgres.fresh_database())
        writer = Writer(store, 60)
        proxy.fault = fault
        writer.start()
        if fault != "slow":
            wait_for(lambda: proxy.cut >= 20, seconds=60)
        else:
            wait_for(lambda: writer.reached(100), seconds=60)
        proxy.fault = "well"
        writer.finish()
        store.close()


def test_a_reading_that_is_cut_is_read_again_or_an_error(
    influxdb: InfluxServerProcess, postgres: PostgresServer, quick: None
) -> None:
    """Never fewer beats than there are."""
    with FaultyProxy(influxdb.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        store = open_influx_beats(
            influxdb.address(influxdb.fresh_database(), url), postgres.fresh_database()
        )
        stream = a_stream(store)
        for first in range(1, 20_000, 4000):
            store.append("subject", stream, made(first, first + 3999))
        proxy.fault = "swallows"
        outcomes = set()
        for _ in range(12):
            try:
                outcomes.add(len(store.read("subject", *FOREVER)))
            except EbbtideError as error:
                outcomes.add(type(error).__name__)
        assert outcomes <= {20_000, "StoreUnavailableError", "DamagedStoreError"}
        proxy.fault = "well"
        assert len(store.read("subject", *FOREVER)) == 20_000
        store.close()


def test_beats_that_influxdb_has_lost_are_an_error_and_not_fewer_beats(
    influxdb: InfluxServerProcess, postgres: PostgresServer
) -> None:
    address = influxdb.address(influxdb.fresh_database())
    store = open_influx_beats(address, postgres.fresh_database())
    stream = a_stream(store)
    store.append("subject", stream, made(1, 100))
    server = InfluxServer(address)
    lost = START + 50 * SECOND
    server.command(f"DELETE FROM beats WHERE \"subject\" = 'subject' AND time = {lost}")
    with pytest.raises(DamagedStoreError, match=r"Of 100 beats .* InfluxDB gave 99"):
        store.read("subject", *FOREVER)
    with pytest.raises(DamagedStoreError):
        store.notifications("subject", stream, 0)
    server.close()
    store.close()


def test_two_writers_of_the_same_and_of_overlapping_batches(
    influxdb: InfluxServerProcess, postgres: PostgresServer
) -> None:
    address, records = influxdb.address(influxdb.fresh_database()), postgres.fresh_database()
    stores = [open_influx_beats(address, records) for _ in range(3)]
    stream = a_stream(stores[0])
    batches = [(n * 10 + 1, n * 10 + 15) for n in range(30)]
    orders = [batches, batches[::-1], batches[15:] + batches[:15]]
    errors: list[BaseException] = []

    def send(store: BeatStore, order: list[tuple[int, int]], ticks: int) -> None:
        try:
            for first, last in order:
                # Each with content of its own: the first that was stored stays, whole.
                batch = [replace(item, rr_ticks=(ticks,)) for item in made(first, last)]
                store.append("subject", stream, batch)
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=send, args=(store, order, ticks))
        for store, order, ticks in zip(stores, orders, (700, 800, 900), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    first = stores[0].read("subject", *FOREVER)
    assert first.time_ns.tolist() == [START + n * SECOND for n in range(1, 306)]
    for order, ticks in zip(orders, (300, 301, 302), strict=True):
        send(stores[0], order, ticks)
    assert stores[0].read("subject", *FOREVER).rr_ticks.tolist() == first.rr_ticks.tolist()
    for store in stores:
        store.close()


def test_erasing_while_beats_come_brings_nothing_back(
    influxdb: InfluxServerProcess, postgres: PostgresServer
) -> None:
    address, records = influxdb.address(influxdb.fresh_database()), postgres.fresh_database()
    uploads, operator = (open_influx_beats(address, records) for _ in range(2))
    streams = [a_stream(uploads) for _ in range(4)]
    refused: list[str] = []

    def send(stream: str) -> None:
        try:
            for n in range(1000):
                uploads.append("subject", stream, made(n * 10 + 1, n * 10 + 10))
        except EbbtideError as error:
            refused.append(type(error).__name__)

    def register() -> None:
        try:
            while True:
                a_stream(uploads)
        except EbbtideError as error:
            refused.append(type(error).__name__)

    threads = [threading.Thread(target=send, args=(stream,)) for stream in streams]
    threads.append(threading.Thread(target=register))
    for thread in threads:
        thread.start()
    time.sleep(1)
    assert operator.erase("subject") > 0
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert sorted(refused) == ["ErasedSubjectError"] + ["UnknownStreamError"] * 4
    server = InfluxServer(address)
    assert server.rows("SELECT * FROM beats LIMIT 1") == []
    assert operator.coverage("subject") == []
    server.close()
    uploads.close()
    operator.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MB."""
    with mounted(tmp_path / "small", 48) as folder:
        yield folder


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own, of this size."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        skip_or_fail("no small file system can be mounted here (it takes root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """A file that leaves this many bytes free."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        left = shutil.disk_usage(folder).free - leave
        while left > 0:
            left -= file.write(b"\0" * min(left, 1 << 20))
    return ballast


def test_a_full_disk_of_influxdb(small_disk: Path, postgres: PostgresServer, quick: None) -> None:
    if influxd() is None:
        skip_or_fail("no InfluxDB on this machine (Debian: apt install influxdb)")
    server = InfluxServerProcess(small_disk / "influxdb")
    server.start()
    store = open_influx_beats(server.address("beats"), postgres.fresh_database())
    writer = Writer(store, 300).start()
    wait_for(lambda: writer.reached(100), seconds=60)
    ballast = fill(small_disk, 40_000)
    wait_for(lambda: writer.refused > 0, seconds=60)
    ballast.unlink()
    # InfluxDB 1.6 goes on refusing once a write has failed on a full disk.
    server.kill()
    server.restart()
    writer.finish()
    store.close()
    server.stop()


def test_a_full_disk_of_postgresql(
    influxdb: InfluxServerProcess, tmp_path_factory: pytest.TempPathFactory, quick: None
) -> None:
    binaries = postgres_bin()
    if binaries is None:
        skip_or_fail("no PostgreSQL on this machine (Debian: apt install postgresql)")
    outside = Path(tempfile.mkdtemp(prefix="ebbtide-pg-", dir="/tmp"))
    outside.chmod(0o755)
    with mounted(outside / "disk", 160) as disk:
        (disk / "server").mkdir()
        server = started(disk / "server", binaries)
        store = open_influx_beats(
            influxdb.address(influxdb.fresh_database()), server.fresh_database()
        )
        writer = Writer(store, 1500)
        ballast = fill(disk, 0)
        writer.start()
        wait_for(lambda: writer.refused > 0, seconds=60)
        ballast.unlink()
        if server.process.poll() is not None:  # it stops where its log has no space
            server.restart()
        writer.finish()
        store.close()
        server.stop()
    shutil.rmtree(outside)


def test_a_full_disk_of_the_embedded_store(small_disk: Path) -> None:
    store = SqliteBeatStore(small_disk / "beats.sqlite")
    writer = Writer(store, 300)
    ballast = fill(small_disk, 150_000)
    writer.start()
    wait_for(lambda: writer.refused > 0, seconds=60)
    ballast.unlink()
    writer.finish()
    store.close()


def test_3_core_is_refused_unless_one_insists(httpserver_3_core: str) -> None:
    with pytest.raises(EbbtideError, match=r"InfluxDB 3\.5\.0 cannot delete rows.*WITHOUT_ERASURE"):
        InfluxServer(InfluxAddress(httpserver_3_core))
    server = InfluxServer(InfluxAddress(httpserver_3_core, without_erasure=True))
    assert not server.can_erase
    server.close()


@pytest.fixture
def httpserver_3_core() -> Iterator[str]:
    """Says only which version it is; there is no 3 Core here to ask."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Ping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("x-influxdb-version", "3.5.0")
            self.send_header("x-influxdb-build", "Core")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Ping)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_wrong_password_and_a_retention_policy_are_errors(
    influxdb: InfluxServerProcess,
) -> None:
    address = influxdb.address(influxdb.fresh_database())
    wrong = InfluxServer(replace(address, password="wrong"))
    with pytest.raises(EbbtideError, match="authorization failed"):
        wrong.make_database()
    wrong.close()
    server = InfluxServer(address)
    server.make_database()
    server.command(f'ALTER RETENTION POLICY "autogen" ON "{address.database}" DURATION 7d')
    with pytest.raises(EbbtideError, match="deletes what is older than 168h"):
        server.make_database()
    server.close()
    with pytest.raises(StoreUnavailableError):
        InfluxServer(InfluxAddress("http://127.0.0.1:9"))


def test_an_impossible_erasure_is_an_error(
    influxdb: InfluxServerProcess, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_influx_beats(
        influxdb.address(influxdb.fresh_database()), postgres.fresh_database()
    )
    stream = a_stream(store)
    store.append("subject", stream, made(1, 5))
    monkeypatch.setattr(InfluxServer, "can_erase", False)
    with pytest.raises(EbbtideError, match="cannot delete rows: their beats stay"):
        store.erase("subject")
    assert store.coverage("subject") == []
    # Once they are on a server that can, the same command is enough.
    monkeypatch.undo()
    store.erase("subject")
    store.close()
