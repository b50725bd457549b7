"""Time and memory of writing a data lake, beside Arrow's own writer of partitioned Parquet.

    uv run python benchmarks/lake.py [--people 1000]

Windows of 30 days (288 a day) of each person, made as they are read; and 7 days of beats of a tenth
of the people. Each writer runs in a process of its own, which reports its CPU seconds and its
highest memory. Arrow's writer gets the same batches with the partition as a column; it writes no
file as a whole, keeps no order of rows and leaves what was there.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from cli.analysis.lake_files import open_lake
from ebbtide.timestamps import DAY

_STEP_NS = 300 * 10**9
_BUCKETS = 16


def windows(people: int) -> Iterator[pa.RecordBatch]:
    """Thirty days of five-minute windows with twelve numbers each, a batch a person."""
    for number in range(people):
        rng = np.random.default_rng(number)
        count = 30 * 288
        values = {f"metric_{k}": rng.normal(size=count) for k in range(12)}
        times = np.arange(count, dtype=np.int64) * _STEP_NS + number % 52 * 7 * DAY
        yield pa.record_batch({"person": _name(number, count), "time_ns": times, **values})


def beats(people: int) -> Iterator[pa.RecordBatch]:
    """Seven days of beats, a batch a day."""
    for number in range(people):
        rng = np.random.default_rng(number)
        for day in range(7):
            ticks = rng.integers(700, 1100, 100_000).astype(np.int32)
            times = np.cumsum(ticks.astype(np.int64)) * 976_562 + day * DAY
            yield pa.record_batch(
                {
                    "person": _name(number, len(ticks)),
                    "time_ns": times,
                    "rr_ticks": ticks,
                    "follows": np.ones(len(ticks), dtype=bool),
                }
            )


def _name(number: int, count: int) -> pa.Array:
    return pa.array([f"person {number}"] * count).dictionary_encode()


_MADE = {"windows": windows, "beats": beats}


def write_with_arrow(folder: str, batches: Iterator[pa.RecordBatch]) -> None:
    """The same partitions by ``pyarrow.dataset.write_dataset``."""

    def divided() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            months = batch.column("time_ns").to_numpy().astype("datetime64[ns]")
            names = months.astype("datetime64[M]").astype(str)
            bucket = hash(batch.column("person")[0].as_py()) % _BUCKETS
            yield batch.append_column("bucket", pa.array([bucket] * len(names))).append_column(
                "month", pa.array(names)
            )

    first = next(made := divided())

    def again() -> Iterator[pa.RecordBatch]:
        yield first
        yield from made

    partitions = ds.partitioning(
        pa.schema([("bucket", pa.int64()), ("month", pa.string())]), flavor="hive"
    )
    ds.write_dataset(
        again(), folder, schema=first.schema, format="parquet", partitioning=partitions
    )


def run(which: str, table: str, people: int, folder: str) -> None:
    """Write once in this process, and print CPU seconds and peak memory."""
    begin = time.process_time()
    if which == "arrow":
        write_with_arrow(folder, _MADE[table](people))
    elif which == "made":
        for _ in _MADE[table](people):
            pass
    else:
        with open_lake(folder, "ann", _BUCKETS) as lake:
            lake.replace_table(table, _MADE[table](people), "time_ns")
    seconds = time.process_time() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"seconds": seconds, "megabytes": memory}))


def main() -> None:
    """Measure each in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        which, table, people, folder = arguments.run
        run(which, table, int(people), folder)
        return
    print(
        "| table | people | rows | writer | CPU s, less making the rows | MB | DuckDB counts, s |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for table, people in (("windows", arguments.people), ("beats", arguments.people // 10)):
        base = _measure("made", table, people, "-")
        for which in ("ebbtide", "ebbtide again", "arrow"):
            if which != "ebbtide again":
                place = tempfile.TemporaryDirectory()
            found = _measure(which, table, people, f"{place.name}/lake")
            files = str(Path(place.name) / "lake" / "**" / "*.parquet")
            begin = time.perf_counter()
            counted = duckdb.sql(f"SELECT count(*), sum(time_ns) FROM read_parquet('{files}')")
            row = counted.fetchone()
            seconds = time.perf_counter() - begin
            print(
                f"| {table} | {people} | {row[0] if row else 0} | {which} | "
                f"{found['seconds'] - base['seconds']:.1f} | {found['megabytes']:.0f} | "
                f"{seconds:.2f} |",
                flush=True,
            )


def _measure(which: str, table: str, people: int, folder: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--run", which, table, str(people), folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{which} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
