"""People on several InfluxDB servers: moved while they record, with one away, and erased."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ebbtide.beats import Activity, Gap, GapReason, Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, SECOND
from store.errors import StoreUnavailableError, UnknownStreamError
from store.influx.beats import InfluxBeatStore
from store.influx.catalogue import BeatCatalogue
from store.influx.client import InfluxAddress
from store.influx.moving import SubjectMove
from store.influx.points import measurements_of
from store.influx.servers import InfluxServers
from store.maintenance import list_servers, move_people, plan_rebalance, set_drained
from store.sql.engine import server_engine
from tests.support.beats import FOREVER, START, a_day, a_stream, made
from tests.support.influx import InfluxServerProcess
from tests.support.postgres import PostgresServer


@dataclass
class Servers:
    """Two servers with one catalogue, and our store on them."""

    processes: list[InfluxServerProcess]
    addresses: dict[str, InfluxAddress]
    records_url: str
    store: InfluxBeatStore

    def another(self, *names: str) -> InfluxBeatStore:
        """The same store, as another process opens it; with these servers alone."""
        addresses = {name: self.addresses[name] for name in names or self.addresses}
        engine = server_engine(self.records_url)
        return InfluxBeatStore(InfluxServers.of(addresses), BeatCatalogue(engine))

    def where(self, subject: str) -> set[str]:
        """The servers that have points of the subject, asked themselves."""
        return {s.name for s in self.store.servers.all() if measurements_of(s, subject)}


@pytest.fixture
def two(two_influxdb: list[InfluxServerProcess], postgres: PostgresServer) -> Iterator[Servers]:
    database = two_influxdb[0].fresh_database()
    addresses = {
        "main": two_influxdb[0].address(database),
        "second": two_influxdb[1].address(database),
    }
    url = postgres.migrated_database()
    store = InfluxBeatStore(InfluxServers.of(addresses), BeatCatalogue(server_engine(url)))
    found = Servers(two_influxdb, addresses, url, store)
    yield found
    store.close()


def _fill(store: InfluxBeatStore, subject: str, last: int = 300) -> str:
    stream = a_stream(store, subject)
    gaps = [Gap(2, START, START + SECOND, GapReason.LINK_LOST)]
    store.append(subject, stream, made(1, last), gaps)
    silent = Notification(last + 1, START + (last + 1) * SECOND, 71, (), (), True, 4)
    store.append(subject, stream, [silent])
    store.append_activity(subject, stream, [Activity(START + n * SECOND, n / 3) for n in range(9)])
    store.store_windows(subject, "method", {START // DAY: a_day("a", 3)})
    return stream


def _all_of(store: InfluxBeatStore, subject: str, stream: str) -> list[object]:
    notifications: list[Notification] = []
    while batch := store.notifications(
        subject, stream, notifications[-1].sequence if notifications else 0
    ):
        notifications += batch
    beats = store.read(subject, *FOREVER)
    return [
        notifications,
        beats.time_ns.tolist(),
        beats.rr_ticks.tolist(),
        store.rates(subject, *FOREVER).time_ns.tolist(),
        store.gaps(subject, *FOREVER),
        store.activity(subject, *FOREVER),
        store.coverage(subject),
        store.day_fingerprints(subject, *FOREVER),
    ]


def test_new_people_are_spread_and_those_of_before_stay(two: Servers) -> None:
    one = two.another("main")
    _fill(one, "before", 20)  # when there was one server, and nothing was noted
    assert one.catalogue.places.find("before") is None
    for subject in ("a", "b", "c"):
        _fill(two.store, subject, 20)
    assert [two.where(s) for s in ("before", "a", "b", "c")] == [
        {"main"},
        {"second"},
        {"main"},
        {"second"},
    ]
    a_stream(two.store, "before")
    assert two.store.catalogue.places.get("before").server == "main"
    set_drained(two.store, "second", is_drained=True)
    _fill(two.store, "d", 20)
    assert two.where("d") == {"main"}
    # A process with a list of before refuses whom it does not find, and everybody else goes on.
    with pytest.raises(StoreUnavailableError, match="second, which is not in the settings"):
        one.read("a", *FOREVER)
    assert len(one.read("b", *FOREVER)) == 20
    one.close()


def test_a_move_takes_everything_and_leaves_nothing(two: Servers) -> None:
    stream = _fill(two.store, "subject")
    removed = _fill(two.store, "subject", 30)
    before = _all_of(two.store, "subject", stream)
    there = two.store.servers.get("second")
    SubjectMove(two.store.servers, two.store.catalogue, "subject", "second").run()
    assert two.where("subject") == {"second"}
    assert _all_of(two.store, "subject", stream) == before
    rows = there.rows("SELECT rmssd_ms FROM hrv_5min WHERE \"subject\" = 'subject'")
    assert [row[1] for row in rows] == [31.25, 32.25]
    two.store.remove_stream("subject", removed, START)
    SubjectMove(two.store.servers, two.store.catalogue, "subject", "main").run()
    assert two.where("subject") == {"main"}
    assert _all_of(two.store, "subject", stream)[0] == before[0]
    assert two.store.catalogue.places.get("subject").epoch == 2
    assert two.store.erase("subject") == 300
    assert two.where("subject") == set()
    assert two.store.catalogue.places.find("subject") is None


def test_nothing_is_lost_or_doubled_while_people_write_and_read(two: Servers) -> None:
    stream = a_stream(two.store, "writer")
    two.store.append("writer", stream, made(1, 5000))
    other = two.another()
    stop, acknowledged = threading.Event(), [5000]
    errors: list[BaseException] = []

    def write() -> None:
        try:
            while not stop.is_set():
                first = acknowledged[0] + 1
                acknowledged[0] = other.append("writer", stream, made(first, first + 4))
        except Exception as error:
            errors.append(error)

    def read() -> None:
        reader = two.another()
        try:
            while not stop.is_set():
                least = acknowledged[0]
                ticks = reader.read("writer", *FOREVER).rr_ticks
                assert len(ticks) >= least
        except BaseException as error:
            errors.append(error)
        finally:
            reader.close()

    threads = [threading.Thread(target=write), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    for target in ("second", "main", "second"):
        SubjectMove(two.store.servers, two.store.catalogue, "writer", target).run()
        assert two.where("writer") == {target}
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert acknowledged[0] > 5000
    beats = two.store.read("writer", *FOREVER)
    expected = START + np.arange(1, acknowledged[0] + 1) * SECOND
    np.testing.assert_array_equal(beats.time_ns, expected)
    rows = two.store.servers.get("second").rows("SELECT count(sequence) FROM beats")
    assert rows[0][1] == acknowledged[0]
    other.close()


def test_exchanged_addresses_are_refused(two: Servers) -> None:
    _fill(two.store, "a", 20)
    _fill(two.store, "b", 20)
    main, second = two.addresses["main"], two.addresses["second"]
    two.addresses = {"main": second, "second": main}
    mixed = two.another()
    with pytest.raises(StoreUnavailableError, match="of main is the one named second"):
        mixed.read("a", *FOREVER)
    mixed.close()


_MOVE = """
import sys
from store.influx.beats import InfluxBeatStore
from store.influx.catalogue import BeatCatalogue
from store.influx.client import InfluxAddress
from store.influx.moving import SubjectMove
from store.influx.servers import InfluxServers
from store.sql.engine import server_engine

url, password, database, *addresses = sys.argv[1:]
servers = InfluxServers.of({
    name: InfluxAddress(address, database, "ebbtide", password)
    for name, address in zip(("main", "second"), addresses)
})
print("begin", flush=True)
SubjectMove(servers, BeatCatalogue(server_engine(url)), "subject", "second").run(
    lambda beats: print(beats, flush=True)
)
"""


def test_a_move_that_is_killed_goes_on(two: Servers) -> None:
    stream = a_stream(two.store, "subject")
    for first in range(1, 60_000, 6000):
        two.store.append("subject", stream, made(first, first + 5999))
    before = _all_of(two.store, "subject", stream)
    address = two.addresses["main"]
    command = [
        *(sys.executable, "-c", _MOVE, two.records_url, str(address.password), address.database),
        *(item.url for item in two.addresses.values()),
    ]
    for lines in (1, 2, 3):  # killed before, between and after chunks
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(lines):
                assert process.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
        assert _all_of(two.store, "subject", stream) == before
    two.store.append("subject", stream, made(60_001, 60_010))
    plan = plan_rebalance(two.store)
    assert [(move.source, move.target) for move in plan.moves] == [("main", "second")]
    result = move_people(two.store, plan)
    assert (result.moved, result.failed) == (1, {})
    assert two.where("subject") == {"second"}
    assert len(two.store.read("subject", *FOREVER)) == 60_010


def test_what_was_switched_and_not_deleted_is_deleted_by_the_next_plan(
    two: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = _fill(two.store, "subject")
    before = _all_of(two.store, "subject", stream)
    real = SubjectMove.__init__.__globals__["delete_subject"]

    def fail(server: object, subject_id: str) -> None:
        raise StoreUnavailableError("The InfluxDB server main does not answer.")

    monkeypatch.setattr("store.influx.moving.delete_subject", fail)
    with pytest.raises(StoreUnavailableError):
        SubjectMove(two.store.servers, two.store.catalogue, "subject", "second").run()
    monkeypatch.setattr("store.influx.moving.delete_subject", real)
    assert two.where("subject") == {"main", "second"}
    assert _all_of(two.store, "subject", stream) == before
    plan = plan_rebalance(two.store)
    assert list(plan.deletions) == [("main", "subject")]
    move_people(two.store, plan)
    assert two.where("subject") == {"second"}
    # A server that was set back to before a move has them again.
    two.store.servers.get("main").write(
        [f"beats,stream={stream},subject=subject sequence=1i,rr_ticks=1i 5"]
    )
    assert two.store.stray_points() == [("main", "subject")]
    move_people(two.store, plan_rebalance(two.store))
    assert two.where("subject") == {"second"}


def test_erasing_while_somebody_is_moved_leaves_nothing_anywhere(two: Servers) -> None:
    _fill(two.store, "subject")
    two.store.catalogue.places.begin("subject", "second", new_id())  # and killed, after a copy
    two.store.servers.get("second").write(["beats,stream=s,subject=subject sequence=1i 5"])
    assert two.where("subject") == {"main", "second"}
    assert two.store.erase("subject") == 300
    assert two.where("subject") == set()


def test_who_was_erased_is_not_moved(two: Servers) -> None:
    _fill(two.store, "subject")
    two.store.erase("subject")
    with pytest.raises(UnknownStreamError, match="erased"):
        two.store.catalogue.places.begin("subject", "second", new_id())
    assert two.store.catalogue.places.find("subject") is None


def test_windows_that_a_stopped_move_left_are_not_kept(two: Servers) -> None:
    _fill(two.store, "subject")
    query = 'SELECT "window" FROM hrv_5min WHERE "subject" = \'subject\''
    before = two.store.servers.get("main").rows(query)
    two.store.catalogue.places.begin("subject", "second", new_id())  # and killed, after a copy
    second = two.store.servers.get("second")
    second.write(["hrv_5min,method=m,subject=subject window=1i,rmssd=40.0 5"])
    SubjectMove(two.store.servers, two.store.catalogue, "subject", "second").run()
    assert second.rows(query) == before != []
    assert len(two.store.read("subject", *FOREVER)) == 300


def test_a_drained_server_is_emptied(two: Servers) -> None:
    for subject in ("a", "b", "c", "d"):
        _fill(two.store, subject, 40)
    set_drained(two.store, "main", is_drained=True)
    plan = plan_rebalance(two.store)
    assert {move.source for move in plan.moves} == {"main"}
    assert plan.beats == 80
    move_people(two.store, plan)
    main, second = list_servers(two.store)
    assert (main.people, main.is_drained, second.people, second.beats) == (0, True, 4, 160)
    alone = two.another("second")  # main is taken out of the settings
    assert len(alone.read("a", *FOREVER)) == 40
    _fill(alone, "e", 20)
    assert two.where("e") == {"second"}
    alone.close()


def test_one_server_that_is_away_stops_only_its_people(
    two: Servers, postgres: PostgresServer, influxdb: InfluxServerProcess, tmp_path: Path
) -> None:
    third = InfluxServerProcess(tmp_path / "third", password=influxdb.password)
    third.start()
    try:
        two.addresses["third"] = third.address(two.addresses["main"].database)
        store = two.another()
        streams = {s: _fill(store, s, 20) for s in ("a", "b", "c")}
        assert store.catalogue.places.get("c").server == "third"
        third.kill()
        with pytest.raises(StoreUnavailableError):
            store.append("c", streams["c"], made(22, 30))
        began = time.monotonic()
        for _ in range(20):  # at once, now that it is known
            with pytest.raises(StoreUnavailableError, match="server third does not answer"):
                store.append("c", streams["c"], made(22, 30))
        assert time.monotonic() - began < 2
        assert store.append("a", streams["a"], made(22, 30)) == 30
        store.check()
        states = store.server_states()
        assert [name for name, why in states.items() if why is not None] == ["third"]
        fresh = two.another()  # a process that starts meanwhile
        assert fresh.append("b", streams["b"], made(22, 30)) == 30
        stream = Stream(new_id(), Origin.STRAP, "a strap", START)
        store.put_stream("new", stream)
        assert store.catalogue.places.get("new").server != "third"
        fresh.close()
        third.restart()
        for _ in range(100):
            try:
                assert store.append("c", streams["c"], made(22, 30)) == 30
                break
            except StoreUnavailableError:
                time.sleep(0.2)
        assert len(store.read("c", *FOREVER)) == 29
        store.close()
    finally:
        third.stop()
