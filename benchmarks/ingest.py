"""How many straps one core holds, and how that compares with a line of CSV per notification.

    uv run python benchmarks/ingest.py [--seconds 15] [--straps 20 200 1000 2000]

Ours: arrival, decoding, placing in time, keeping in the outbox; the time from arrival to the disk
is measured for every notification. The peer is what loggers like OpenHRV do, made durable: a line
of CSV, flush and fsync for each notification. Both on one core, on the same disk, in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TextIO

if __name__ == "__main__":  # this file has the name of the package that it measures
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np

from ebbtide import timestamps
from ebbtide.beats import Origin
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import SECOND
from ingest.outbox.batch_writer import BatchWriter
from ingest.outbox.outbox import Outbox
from ingest.recorder import Recorder
from ingest.straps.heart_rate import HeartRateMeasurement, decode, encode
from ingest.straps.strap import RawNotification

PAYLOADS = [
    encode(HeartRateMeasurement(60 + n, True, None, (1024 * 60 // (60 + n),))) for n in range(40)
]
LIMIT_MS = 50


class OneHertz:
    """A strap that notifies once a second, at a phase of its own, until stopped."""

    origin = Origin.SIMULATED
    ticks_per_second = STRAP_TICKS_PER_SECOND

    def __init__(self, number: int, until: float, late_ms: list[float]) -> None:
        self.name = f"strap {number}"
        self._until = until
        self._late = late_ms
        self._chance = random.Random(number)

    def decode(self, payload: bytes) -> HeartRateMeasurement:
        return decode(payload)

    def stop(self) -> None:
        pass

    async def events(self) -> AsyncIterator[RawNotification]:
        due = time.monotonic() + self._chance.random()
        while due < self._until:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            # Its arrival is when it was due: waiting for the event loop counts too.
            yield RawNotification(
                self._chance.choice(PAYLOADS), timestamps.now_ns(), timestamps.monotonic_ns()
            )
            # The recorder asks for the next when this one is on the disk.
            self._late.append((time.monotonic() - due) * 1000)
            due += 1.0


async def ours(straps: int, seconds: float, folder: Path) -> list[float]:
    """Milliseconds from arrival to disk."""
    late: list[float] = []
    with Outbox(folder / f"outbox-{straps}.sqlite") as outbox, BatchWriter(outbox) as writer:
        until = time.monotonic() + seconds
        recorders = [Recorder(OneHertz(n, until, late), writer, "me") for n in range(straps)]
        await asyncio.gather(*(recorder.run() for recorder in recorders))
    return late


async def naive(straps: int, seconds: float, folder: Path) -> list[float]:
    """The same with a line, a flush and an fsync each, as a callback of bleak would do it."""
    late: list[float] = []
    until = time.monotonic() + seconds
    chance = random.Random(1)

    async def strap(file: TextIO) -> None:
        due = time.monotonic() + chance.random()
        while due < until:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            measurement = decode(chance.choice(PAYLOADS))
            file.write(
                f"{timestamps.now_ns()},{measurement.heart_rate_bpm},{measurement.rr_ticks}\n"
            )
            file.flush()
            os.fsync(file.fileno())
            late.append((time.monotonic() - due) * 1000)
            due += 1.0

    files = [(folder / f"naive-{straps}-{n}.csv").open("w") for n in range(straps)]
    await asyncio.gather(*(strap(file) for file in files))
    for file in files:
        file.close()
    return late


class Flood:
    """A strap that never waits."""

    origin = Origin.SIMULATED
    ticks_per_second = STRAP_TICKS_PER_SECOND

    def __init__(self, number: int, count: int) -> None:
        self.name = f"flood {number}"
        self._count = count

    def decode(self, payload: bytes) -> HeartRateMeasurement:
        return decode(payload)

    def stop(self) -> None:
        pass

    async def events(self) -> AsyncIterator[RawNotification]:
        start, steady = timestamps.now_ns(), timestamps.monotonic_ns()
        for n in range(self._count):
            yield RawNotification(PAYLOADS[n % 40], start + n * SECOND, steady + n * SECOND)


async def durable_rate(straps: int, count: int, folder: Path) -> float:
    """Notifications a second, each on the disk before its strap's next."""
    with Outbox(folder / "flood.sqlite") as outbox, BatchWriter(outbox) as writer:
        recorders = [Recorder(Flood(n, count), writer, "me") for n in range(straps)]
        began = time.monotonic()
        await asyncio.gather(*(recorder.run() for recorder in recorders))
        return straps * count / (time.monotonic() - began)


def naive_rate(count: int, folder: Path) -> float:
    """Lines a second with an fsync each."""
    began = time.monotonic()
    with (folder / "rate.csv").open("w") as file:
        for n in range(count):
            measurement = decode(PAYLOADS[n % 40])
            file.write(f"{n},{measurement.heart_rate_bpm},{measurement.rr_ticks}\n")
            file.flush()
            os.fsync(file.fileno())
    return count / (time.monotonic() - began)


async def day_of_memory(straps: int, folder: Path) -> tuple[float, float]:
    """MB in use after an hour and after a day of ``straps`` straps, acknowledged as it goes."""
    after_an_hour = 0.0
    with Outbox(folder / "day.sqlite") as outbox, BatchWriter(outbox) as writer:
        floods = [Flood(n, 86_400) for n in range(straps)]
        recorders = [Recorder(flood, writer, "me") for flood in floods]
        tasks = [asyncio.create_task(recorder.run()) for recorder in recorders]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0.25)
            for state in outbox.states():
                outbox.acknowledge(state.stream.id, state.last_sequence)
            written = recorders[0].recording.notifications
            if not after_an_hour and written > 3600:
                after_an_hour = _resident_mb()
        await asyncio.gather(*tasks)
    return after_an_hour, _resident_mb()


def _resident_mb() -> float:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def format_delays(late: list[float]) -> str:
    p50, p99 = np.percentile(late, [50, 99])
    verdict = "holds" if p99 < LIMIT_MS else "does not hold"
    return f"{p50:6.1f} | {p99:7.1f} | {max(late):7.1f} | {verdict}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=15)
    options.add_argument("--straps", type=int, nargs="+", default=[20, 200, 1000, 2000])
    options.add_argument("--folder", type=Path, help="on the disk to be measured")
    options.add_argument("--day", type=int, default=2, help="straps of the simulated day")
    chosen = options.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        ways: list[tuple[str, Callable[..., object]]] = [("Ebbtide", ours), ("CSV + fsync", naive)]
        print(f"radio to disk, one core, {chosen.seconds:.0f} s each, in ms")
        print("| straps at 1 Hz | way | median | p99 | worst | p99 under 50 ms |")
        print("| --- | --- | --- | --- | --- | --- |")
        for straps in chosen.straps:
            for title, way in ways:
                late = asyncio.run(way(straps, chosen.seconds, folder))  # type: ignore[arg-type]
                print(f"| {straps} | {title} | {format_delays(late)} |", flush=True)
        rate = asyncio.run(durable_rate(200, 100, folder))
        peer = naive_rate(2000, folder)
        print(
            f"\ndurable notifications a second: Ebbtide {rate:,.0f} (200 straps), "
            f"CSV + fsync {peer:,.0f}; ratio {rate / peer:.1f}"
        )
        hour, day = asyncio.run(day_of_memory(chosen.day, folder))
        print(f"memory, {chosen.day} straps: after an hour {hour:.0f} MB, after a day {day:.0f} MB")


if __name__ == "__main__":
    main()
