"""How fast people move between two InfluxDB servers, and what noting their place costs an upload.

``uv run python -m benchmarks.beat_servers --beats 400000``: both servers and PostgreSQL are started
here, on loopback.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import SECOND
from store.influx.beats import InfluxBeatStore
from store.influx.catalogue import BeatCatalogue
from store.influx.moving import SubjectMove
from store.influx.places import read_place
from store.influx.servers import InfluxServers
from store.sql.engine import server_engine, write_transaction
from tests.support.influx import InfluxServerProcess
from tests.support.postgres import postgres_bin, started

_START = 1_790_000_000 * SECOND
_BATCH = 4000


def main() -> None:
    """Print beats a second of moves there and back, and times of uploads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beats", type=int, default=400_000)
    parser.add_argument("--uploads", type=int, default=400)
    asked = parser.parse_args()
    binaries = postgres_bin()
    if binaries is None:
        raise SystemExit("no PostgreSQL on this machine")
    postgres = started(Path(tempfile.mkdtemp(prefix="ebbtide-pg-", dir="/tmp")), binaries)
    first = InfluxServerProcess(Path(tempfile.mkdtemp(prefix="ebbtide-influxdb-")))
    second = InfluxServerProcess(
        Path(tempfile.mkdtemp(prefix="ebbtide-influxdb-")), password=first.password
    )
    try:
        first.start()
        second.start()
        addresses = {"main": first.address("bench"), "second": second.address("bench")}
        engine = server_engine(postgres.fresh_database())
        store = InfluxBeatStore(InfluxServers.of(addresses), BeatCatalogue(engine))
        _measure(store, asked.beats, asked.uploads)
        store.close()
    finally:
        for server in (first, second):
            if server.process is not None:
                server.stop()
        postgres.stop()


def _measure(store: InfluxBeatStore, beats: int, uploads: int) -> None:
    stream = Stream(new_id(), Origin.SIMULATED, "a strap", _START)
    store.put_stream("person", stream)
    for begin in range(1, beats + 1, _BATCH):
        store.append("person", stream.id, _notifications(begin, min(begin + _BATCH - 1, beats)))
    for target in ("second", "main"):
        began = time.perf_counter()
        SubjectMove(store.servers, store.catalogue, "person", target).run()
        took = time.perf_counter() - began
        print(f"{beats} beats to {target}: {took:.1f} s, {beats / took:,.0f} beats/s")
    times, place = [], []
    for number in range(uploads):
        begin = beats + 1 + 2 * number
        began = time.perf_counter()
        store.append("person", stream.id, _notifications(begin, begin + 1))
        times.append(time.perf_counter() - began)
    with write_transaction(store.catalogue.engine) as db:
        for _ in range(uploads):
            began = time.perf_counter()
            read_place(db, "person")
            place.append(time.perf_counter() - began)
    print(f"an upload of two beats: {_median_ms(times):.2f} ms")
    print(f"of which the place: {_median_ms(place):.2f} ms")


def _notifications(first: int, last: int) -> list[Notification]:
    return [
        Notification(n, _START + n * SECOND + 7, 60, (1000 + n % 50,), (_START + n * SECOND,), True)
        for n in range(first, last + 1)
    ]


def _median_ms(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000


if __name__ == "__main__":
    main()
