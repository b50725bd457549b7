"""Time and memory of ``ebbtide cohort`` over a generated lake, with one worker and with two.

    uv run python -m benchmarks.cohort [--people 1000] [--workers 1 2] [--lake FOLDER]
    uv run python -m benchmarks.cohort --pooled 100 500 2000

Thirty days of ratings and practice by lot of everybody, and seven days of beats of a tenth of them,
made straight into the lake's layout by the lake's own writer. Each run is the command itself, in a
process of its own. Seconds of a core are those of the tasks; they say more than the clock where the
machine does other work too, whose load stands beside them. ``--pooled``: the link of so many people
together alone, which is one task however many workers there are.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.cohort_lake import write_lake
from cli.analysis.cohort.lake_tables import LakeTables
from cli.analysis.cohort.tasks import TABLES as TABLES_OF
from cli.analysis.cohort.tasks import list_bucket, run_pooled

_DAYS, _BEAT_DAYS = 30, 7


def main() -> None:
    """Make the lake, run each command, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--lake", help="kept there, and used again where it is")
    parser.add_argument("--pooled", type=int, nargs="+")
    parser.add_argument("--pool-one", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.pool_one:
        pool_one(chosen.pool_one[0], int(chosen.pool_one[1]))
        return
    if chosen.pooled:
        pool(chosen.pooled)
        return
    with ExitStack() as stack:
        if chosen.lake is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "lake"
        else:
            folder = Path(chosen.lake)
        with_beats = max(1, chosen.people // 10)
        if not folder.exists():
            began = time.process_time()
            write_lake(str(folder), chosen.people, _DAYS, with_beats=(with_beats, _BEAT_DAYS))
            print(f"made in {time.process_time() - began:.0f} s of a core", flush=True)
        for table in sorted(path for path in folder.iterdir() if path.is_dir()):
            size = sum(file.stat().st_size for file in table.rglob("*.parquet"))
            print(f"{table.name}: {size / 1e6:.1f} MB of Parquet")
        print(
            "| what | workers | people | person-days | s by the clock | load | core-s of tasks | "
            "core-ms a person-day | MB a worker, at most | clock, one worker to these |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for what in ("hrv", "link", "practice"):
            days = _BEAT_DAYS if what == "hrv" else _DAYS
            first: float | None = None
            for workers in chosen.workers:
                seconds, found = measure(what, folder, workers)
                first = first or seconds
                person_days = found["people"] * days
                print(
                    f"| {what} | {workers} | {found['people']} | {person_days} | {seconds:.1f} | "
                    f"{os.getloadavg()[0]:.0f} | {found['seconds']:.1f} | "
                    f"{1e3 * found['seconds'] / person_days:.2f} | "
                    f"{max(found['peak_mb'].values()):.0f} | {first / seconds:.2f} |",
                    flush=True,
                )


def pool(counts: list[int]) -> None:
    """Measure the link of all people together, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        write_lake(f"{folder}/lake", max(counts), _DAYS, tables=TABLES_OF["link"])
        print("| people together | core-s | MB |\n| --- | --- | --- |")
        for count in counts:
            command = [sys.executable, "-m", "benchmarks.cohort", "--pool-one"]
            subprocess.run([*command, f"{folder}/lake", str(count)], check=True)


def pool_one(lake: str, count: int) -> None:
    """Estimate the link of the first people of the lake together, and print what it took."""
    left, some = count, []
    for bucket in LakeTables(lake).buckets(TABLES_OF["link"]):
        people = list(list_bucket("link", lake, bucket).people)[:left]
        left -= len(people)
        some.append((bucket, people))
    done = run_pooled("link", lake, f"{lake}-out", some)
    print(f"| {done.people} | {done.seconds:.1f} | {done.peak_mb:.0f} |", flush=True)


def measure(what: str, lake: Path, workers: int) -> tuple[float, dict[str, Any]]:
    """Run the command; seconds by the clock, and what it says of itself."""
    command = [sys.executable, "-m", "ebbtide", "cohort", what, str(lake), "--json"]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "--workers", str(workers)], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{what} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return seconds, found


if __name__ == "__main__":
    main()
