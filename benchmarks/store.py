"""What each store costs: append, 24 hours into numpy, a year's trend, bytes a beat, growth.

    uv run python benchmarks/store.py [--patients 200 --days 30]

Needs Debian's influxdb and postgresql; they are started on loopback and removed. Beside ours: a
plain SQLite table with a row a beat, and InfluxDB through its client's own way (a dict a point).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
from influxdb import InfluxDBClient

sys.path.insert(0, str(Path(__file__).parent.parent))

from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, SECOND
from store import BeatStore
from store.models import DailyWindows
from store.sqlite.beats import SqliteBeatStore
from tests.support.influx import InfluxServerProcess, open_influx_beats
from tests.support.postgres import postgres_bin, started

MIDNIGHT = 20_700 * DAY
FIGURES = ("mean_hr_bpm", "rmssd_ms", "sdnn_ms", "stress_index_baevsky", "motion_mg")


@cache
def day_of(seed: int, day: int, first: int) -> list[Notification]:
    """A day and a night of beats, one a notification, as the recorder writes them."""
    rng = np.random.default_rng([seed, day])
    breathing = 35 * np.sin(np.arange(120_000) * 1.3)
    rr = 830 + breathing + np.cumsum(rng.normal(0, 2, 120_000)) % 60 + rng.normal(0, 12, 120_000)
    ticks = np.round(rr * 1.024).astype(np.int64)
    times = MIDNIGHT + day * DAY + np.cumsum(ticks * SECOND // 1024)
    inside = times < MIDNIGHT + (day + 1) * DAY
    ticks, times = ticks[inside], times[inside]
    arrived = (times // 10**6 + 8 + rng.exponential(12, len(times)).astype(int)) * 10**6
    rate = np.round(61_440 / np.convolve(ticks, np.ones(8) / 8, mode="same")).astype(int)
    rate[:8], rate[-8:] = 70, 70
    return [
        Notification(first + k, int(a), int(h), (int(n),), (int(t),), True)
        for k, (a, h, n, t) in enumerate(zip(arrived, rate, ticks, times, strict=True))
    ]


def clock(work: Callable[[], object], times: int = 1) -> float:
    """Median seconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return float(np.median(took))


def fill(store: BeatStore, subject: str, days: int, seed: int) -> tuple[int, float]:
    """Beats appended, and seconds in the store (not in making them)."""
    stream = Stream(new_id(), Origin.SIMULATED, "a strap", MIDNIGHT)
    store.put_stream(subject, stream)
    first, spent = 1, 0.0
    for day in range(days):
        items = day_of(seed, day, first)
        first += len(items)
        spent += clock(
            lambda items=items: [  # type: ignore[misc]
                store.append(subject, stream.id, items[at : at + 1000])
                for at in range(0, len(items), 1000)
            ]
        )
    return first - 1, spent


def size(folder: Path) -> int:
    """Bytes on the disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def year(store: BeatStore, subject: str) -> dict[str, float]:
    """A year of windows, eight hours a day: stored, and read as the trend does."""
    rng = np.random.default_rng(3)
    days = {
        day: DailyWindows(
            "content",
            day * DAY + np.arange(96, dtype=np.int64) * 300 * SECOND,
            {name: rng.normal(60, 9, 96).astype(np.float32).astype(float) for name in FIGURES},
        )
        for day in range(20_700, 21_065)
    }
    store_s = clock(lambda: store.store_windows(subject, "method", days))

    def read() -> None:
        found = store.stored_windows(subject, "method", FIGURES, 20_700, 21_064)
        assert sum(len(day.start_ns) for day in found.values()) == 365 * 96

    return {"keep_s": store_s, "read_ms": clock(read, 9) * 1000}


def main() -> None:
    """Measure, and print JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=0, help="Growth, embedded store")
    options.add_argument("--days", type=int, default=30)
    options.add_argument("--growth-influxdb", type=int, default=0, help="Patients, ten days each")
    args = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ebbtide-store-", dir="/tmp"))
    postgres = started(Path(tempfile.mkdtemp(prefix="ebbtide-pg-", dir="/tmp")), _binaries())
    influx = InfluxServerProcess(folder / "influxdb")
    influx.start()
    found: dict[str, object] = {}
    day = day_of(1, 0, 1)
    beats = len(day)
    whole = (MIDNIGHT, MIDNIGHT + DAY)
    stores: dict[str, BeatStore] = {
        "embedded": SqliteBeatStore(folder / "beats.sqlite"),
        "influxdb": open_influx_beats(influx.address("beats"), postgres.fresh_database()),
    }
    for name, store in stores.items():
        _, appended = fill(store, "s", 1, 1)

        def read(store: BeatStore = store) -> None:
            assert len(store.read("s", *whole)) == beats

        read()
        found[name] = {
            "append_beats_per_s": round(beats / appended),
            "read_24h_ms": round(clock(read, 15) * 1000, 1),
            "year": year(store, "s"),
        }
    embedded = SqliteBeatStore(folder / "size.sqlite")
    fill(embedded, "s", 1, 1)
    embedded.close()  # the log goes into the file
    found["bytes_a_beat"] = {"embedded": round(size_of(folder / "size.sqlite") / beats, 2)}
    found["row_a_beat"] = row_a_beat(folder / "rows.sqlite", day, found)
    found["influxdb_clients_own_way"] = own_way(influx, day)
    stores["influxdb"].close()
    if args.patients:
        found["growth_embedded"] = grow(
            SqliteBeatStore(folder / "growth.sqlite"),
            args.patients,
            args.days,
            lambda: size_of(folder / "growth.sqlite") + size_of(folder / "growth.sqlite-wal"),
            lambda subject: copied(folder / "growth.sqlite", subject),
        )
    if args.growth_influxdb:
        store = open_influx_beats(influx.address("growth"), postgres.fresh_database())
        found["growth_influxdb"] = grow(
            store,
            args.growth_influxdb,
            10,
            lambda: (
                size(influx.folder / "data" / "growth") + size(influx.folder / "wal" / "growth")
            ),
        )
    stores["embedded"].close()
    print(json.dumps(found, indent=2))
    influx.stop()
    postgres.stop()
    shutil.rmtree(folder)


def copied(path: Path, subject: str) -> int:
    """Another person with the beats of the first; how many."""
    stream = new_id()
    with closing(sqlite3.connect(path)) as db, db:
        first = db.execute("SELECT id FROM streams WHERE subject_id = 'subject-0'").fetchone()[0]
        db.execute(
            "INSERT INTO streams SELECT ?, ?, origin, source, created_ns, ticks_per_second"
            " FROM streams WHERE id = ?",
            (stream, subject, first),
        )
        db.execute(
            "INSERT INTO blocks SELECT ?, first_sequence, last_sequence, beats, start_ns, end_ns,"
            " data, kept_ns FROM blocks WHERE stream_id = ?",
            (stream, first),
        )
        return int(
            db.execute("SELECT sum(beats) FROM blocks WHERE stream_id = ?", (stream,)).fetchone()[0]
        )


def grow(
    store: BeatStore,
    patients: int,
    days: int,
    on_disk: Callable[[], int],
    copy: Callable[[str], int] | None = None,
) -> list[dict[str, float]]:
    """24 hours of the first patient again and again, while others join."""
    rows, beats, appended, spent = [], 0, 0, 0.0
    steps = sorted({1, 2, max(1, patients // 20), max(1, patients // 4), patients})
    for patient in range(patients):
        # Everybody wears the same days: in the embedded store others' blocks are copied as they
        # lie, since packing them for two hundred people takes an hour.
        if patient and copy is not None:
            more, took = copy(f"subject-{patient}"), 0.0
        else:
            more, took = fill(store, f"subject-{patient}", days, 1)
        beats, spent = beats + more, spent + took
        appended += more if took else 0
        if patient + 1 in steps:
            last = days - 1
            span = ("subject-0", MIDNIGHT + last * DAY, MIDNIGHT + (last + 1) * DAY)
            rows.append(
                {
                    "patients": patient + 1,
                    "days": days,
                    "beats": beats,
                    "read_24h_ms": round(clock(lambda: store.read(*span), 7) * 1000, 1),  # noqa: B023
                    "append_beats_per_s": round(appended / spent),
                    "bytes_a_beat": round(on_disk() / beats, 2),
                }
            )
    store.close()
    return rows


def row_a_beat(path: Path, day: list[Notification], found: dict[str, object]) -> dict[str, float]:
    """The plain table."""
    db = sqlite3.connect(path)
    db.execute(
        "CREATE TABLE beats (stream TEXT, sequence INT, time_ns INT, ticks INT, contact INT)"
    )
    db.execute("CREATE INDEX by_time ON beats (stream, time_ns)")
    stream = new_id()
    rows = [(stream, n.sequence, n.beat_times_ns[0], n.rr_ticks[0], 1) for n in day]

    def append() -> None:
        for at in range(0, len(rows), 1000):
            with db:
                db.executemany("INSERT INTO beats VALUES (?, ?, ?, ?, ?)", rows[at : at + 1000])

    appended = clock(append)

    def read() -> None:
        got = db.execute(
            "SELECT time_ns, ticks, sequence, contact FROM beats WHERE stream = ? ORDER BY time_ns",
            (stream,),
        ).fetchall()
        assert len(np.array(got)) == len(day)

    took = clock(read, 9) * 1000
    db.execute("VACUUM")
    db.close()
    ours = found["embedded"]["read_24h_ms"]  # type: ignore[index]
    return {
        "append_beats_per_s": round(len(day) / appended),
        "read_24h_ms": round(took, 1),
        "bytes_a_beat": round(size_of(path) / len(day), 2),
        "times_ours_to_read": round(took / ours, 1),
    }


def own_way(influx: InfluxServerProcess, day: list[Notification]) -> dict[str, float]:
    """write_points and get_points."""
    client = InfluxDBClient("127.0.0.1", influx.port, "ebbtide", influx.password, "own")
    client.create_database("own")
    points = [
        {
            "measurement": "beats",
            "tags": {"stream": "a"},
            "time": n.beat_times_ns[0],
            "fields": {"rr_ticks": n.rr_ticks[0], "sequence": n.sequence, "contact": 1},
        }
        for n in day
    ]
    appended = clock(lambda: client.write_points(points, batch_size=1000, time_precision="n"))

    def read() -> None:
        rows = client.query("SELECT rr_ticks, sequence, contact FROM beats", epoch="ns")
        got = [(p["time"], p["rr_ticks"], p["sequence"], p["contact"]) for p in rows.get_points()]
        assert len(np.array(got)) == len(day)

    took = clock(read, 5) * 1000
    client.close()
    return {"append_beats_per_s": round(len(day) / appended), "read_24h_ms": round(took, 1)}


def size_of(path: Path) -> int:
    """Bytes of a file that may not be there."""
    return path.stat().st_size if path.exists() else 0


def _binaries() -> Path:
    found = postgres_bin()
    if found is None:
        raise SystemExit("This needs Debian's postgresql and influxdb.")
    return found


if __name__ == "__main__":
    main()
