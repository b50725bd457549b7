"""A year of one person, analysed from nothing on both cores, and again after one more day.

    uv run python benchmarks/year.py [--days 365 --workers 2]

A patient who wears a strap day and night and rates pain and stress twice a day, in an embedded
store. ``ebbtide nightly`` runs as a process of its own: seconds by the clock and of CPU, and the
memory of all its processes together, shared pages counted once (PSS), twenty times a second. Then a
day is added. It is analysed by the command again, and, in another copy of the store, by the
function that the command calls, in this process, whose libraries are loaded: what a server pays.
Bytes a beat are those of the files.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Executor, Future
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from api.services.nightly import run_nightly
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR, SECOND
from store import Stores, open_stores
from store.models import Person, Rating
from tests.support.accounts import add_account


class InProcess(Executor):
    """Work at once, in this process."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def add_day(
    stores: Stores, person: Person, stream: str, day: int, sequence: int
) -> tuple[int, int]:
    """Beats and two ratings of a day. Returns the next sequence number, and how many beats."""
    rng = np.random.default_rng(day)
    waves = 40 * np.sin(np.arange(108_000) * 1.3)
    ticks = np.round((810 + waves + rng.normal(0, 15, 108_000)) * 1.024).astype(np.int64)
    times = day * DAY + np.cumsum(ticks) * SECOND // 1024
    inside = times < (day + 1) * DAY
    ticks, times = ticks[inside], times[inside]
    items = []
    for at in range(0, len(ticks), 8):
        part = tuple(times[at : at + 8].tolist())
        items.append(Notification(sequence, part[-1], 75, tuple(ticks[at : at + 8].tolist()), part))
        sequence += 1
    for at in range(0, len(items), 4096):
        stores.beats.append(person.subject_id, stream, items[at : at + 4096])
    for hour in (9, 20):
        at_ns = day * DAY + hour * HOUR
        pain, stress = (int(value) for value in rng.integers(1, 9, 2))
        stores.records.add_rating(
            Rating(new_id(), 1, person.id, at_ns, at_ns, "UTC", pain, stress, None, False)
        )
    return sequence, len(ticks)


def watch_memory(process: psutil.Process, most: list[float], stop: threading.Event) -> None:
    """Keep the largest memory of a process and its children, in MB."""
    while not stop.wait(0.05):
        total = 0.0
        with suppress(psutil.Error):
            for one in (process, *process.children(recursive=True)):
                with suppress(psutil.Error):
                    total += one.memory_full_info().pss / 2**20
        most[0] = max(most[0], total)


def nightly(folder: Path, workers: int) -> tuple[float, float, float, dict[str, Any]]:
    """Seconds by the clock, of CPU, memory in MB, and what the command says."""
    before, began = os.times(), time.perf_counter()
    process = subprocess.Popen(
        [*(sys.executable, "-m", "ebbtide", "nightly", "--json", "--workers", str(workers))],
        env={**os.environ, "EBBTIDE_DATA_DIR": str(folder)},
        stdout=subprocess.PIPE,
    )
    most, stop = [0.0], threading.Event()
    watcher = threading.Thread(
        target=watch_memory, args=(psutil.Process(process.pid), most, stop), daemon=True
    )
    watcher.start()
    try:
        said, _ = process.communicate(timeout=3600)
    finally:
        stop.set()
        process.kill()
    took, after = time.perf_counter() - began, os.times()
    watcher.join()
    found: dict[str, Any] = json.loads(said)
    if process.returncode or found["failed"]:
        raise SystemExit(f"ebbtide nightly failed: {found}")
    cpu = sum(after[2:4]) - sum(before[2:4])
    return took, cpu, most[0], found


def main() -> None:
    """Fill a store, and measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=365)
    options.add_argument("--workers", type=int, default=2)
    chosen = options.parse_args()
    last = time.time_ns() // DAY - 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "store"
        with closing(open_stores(Settings(data_dir=folder))) as stores:
            add_account(stores, "ada@example.org", name="Ada")
            person = stores.records.person_by_email("ada@example.org")
            assert person is not None
            stream, sequence, beats = new_id(), 1, 0
            begin = (last - chosen.days + 1) * DAY
            stores.beats.put_stream(person.subject_id, Stream(stream, Origin.SIMULATED, "", begin))
            began = time.process_time()
            for day in range(last - chosen.days + 1, last + 1):
                sequence, many = add_day(stores, person, stream, day, sequence)
                beats += many
            filled = time.process_time() - began
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"{chosen.days} days, {beats} beats; {size / beats:.2f} bytes a beat in the store;")
        print(f"{filled / chosen.days:.2f} s of CPU to make and append a day\n", flush=True)
        print("| | clock | CPU | memory of all processes | days | reports |")
        print("| --- | --- | --- | --- | --- | --- |", flush=True)

        def row(words: str, found: tuple[float, float, float, dict[str, Any]]) -> None:
            took, cpu, memory, said = found
            print(
                f"| {words} | {took:.1f} s | {cpu:.1f} s | {memory:.0f} MB | {said['days']} "
                f"| {said['reports']} |",
                flush=True,
            )

        row("from nothing", nightly(folder, chosen.workers))
        row("again, nothing new", nightly(folder, chosen.workers))
        with closing(open_stores(Settings(data_dir=folder))) as stores:
            add_day(stores, person, stream, last + 1, sequence)
        copy = Path(name) / "copy"
        shutil.copytree(folder, copy)
        row("one more day, the command", nightly(folder, chosen.workers))
        with closing(open_stores(Settings(data_dir=copy))) as stores:
            began, cpu = time.perf_counter(), time.process_time()
            result = run_nightly(stores, InProcess(), 1)
            took, cpu = time.perf_counter() - began, time.process_time() - cpu
        print(
            f"| one more day, in a process that runs | {took:.2f} s | {cpu:.2f} s | "
            f"| {result.days} | {result.reports} |"
        )


if __name__ == "__main__":
    main()
