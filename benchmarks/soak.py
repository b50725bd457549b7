"""Many simulated straps through the whole path on InfluxDB and PostgreSQL, with an analyst reading.

    uv run python benchmarks/soak.py [--straps 200 --minutes 15 --every 2]

Each strap sends real time beats into an outbox of its own ingester, which uploads every two seconds
(or ``--every`` so many, the setting EBBTIDE_UPLOAD_EVERY_S) over HTTP to
``ebbtide serve --workers 2``. At the end every beat is looked for in the store. All on
this machine, on loopback; needs Debian's influxdb and postgresql.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.children import end_with_us
from ebbtide import timestamps
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import MILLISECOND, SECOND
from ingest.outbox.api_client import IngestClient
from ingest.outbox.outbox import Entry, Outbox
from ingest.outbox.uploader import Uploader
from store import open_stores
from tests.support.accounts import PASSWORD, add_account
from tests.support.influx import InfluxServerProcess
from tests.support.postgres import postgres_bin, started

PEOPLE = 20  # straps are shared out among them; a sign-in costs a second of CPU


def free_port() -> int:
    """Find a free port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def answers(url: str) -> None:
    """Wait until it does."""
    for _ in range(600):
        try:
            if httpx.get(url).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{url} did not answer within a minute.")


class Strap:
    """Its beats, when they are due, and those that were put into the outbox."""

    def __init__(self, seed: int, began_ns: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.stream = Stream(new_id(), Origin.SIMULATED, f"strap {seed}", began_ns)
        self.due_ns = began_ns + int(self.rng.integers(SECOND))
        self.ticks: list[int] = []
        self.times: list[int] = []

    def entries(self, now_ns: int) -> list[Entry]:
        """What it has sent by now."""
        found = []
        while self.due_ns <= now_ns:
            ticks = int(np.clip(self.rng.normal(870, 45), 500, 1500))
            self.ticks.append(ticks)
            self.times.append(self.due_ns)
            received = now_ns // MILLISECOND * MILLISECOND
            found.append(Entry(b"", Notification(0, received, 70, (ticks,), (self.due_ns,), True)))
            self.due_ns += ticks * SECOND // 1024
        return found


async def play(
    straps: list[Strap],
    accounts: list[tuple[str, str]],
    url: str,
    folder: Path,
    until: float,
    every_s: float,
) -> list[tuple[float, float]]:
    """Beats into outboxes and up; (seconds since the start, seconds of an upload) of each try."""
    latencies: list[tuple[float, float]] = []
    began = time.monotonic()
    clients = [IngestClient(url, token, timeout=30) for _, token in accounts]
    uploaders, outboxes = [], []
    for k, (account, _) in enumerate(accounts):
        outbox = Outbox(folder / f"outbox-{k}.sqlite")
        outboxes.append(outbox)
        for strap in straps[k :: len(accounts)]:
            outbox.open_stream(strap.stream, account)
        client = await clients[k].__aenter__()
        inner = client.upload

        async def upload(*words: object, inner: object = inner) -> int:
            at = time.monotonic()
            found = await inner(*words)  # type: ignore[operator]
            latencies.append((at - began, time.monotonic() - at))
            return int(found)

        client.upload = upload  # type: ignore[method-assign, assignment]
        uploaders.append(Uploader(outbox, client, account))
    running = [asyncio.create_task(uploader.run(every_s)) for uploader in uploaders]
    while time.monotonic() < until:
        for k, outbox in enumerate(outboxes):
            for strap in straps[k :: len(accounts)]:
                if entries := strap.entries(timestamps.now_ns()):
                    outbox.append(strap.stream.id, entries)
            await asyncio.sleep(0)
        await asyncio.sleep(0.5)
    for _ in range(600):
        if not any(state.waiting for outbox in outboxes for state in outbox.states()):
            break
        await asyncio.sleep(0.1)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for client in clients:
        await client.__aexit__(None, None, None)
    for outbox in outboxes:
        outbox.close()
    return latencies


def memory_mb(process: int, alone: bool = False) -> float:
    """Resident memory of a process, and of its children."""
    total = 0.0
    for pid in [process] if alone else [process, *children(process)]:
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        total += next(
            (float(line.split()[1]) / 1024 for line in text.splitlines() if "VmRSS" in line), 0.0
        )
    return total


def cpu_s(process: int) -> float:
    """CPU seconds of a process and of its children, living ones and those waited for."""
    ticks = 0
    for pid in [process, *children(process)]:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        own, waited_for = fields[11:13], fields[13:15]
        ticks += sum(map(int, own + (waited_for if pid == process else [])))
    return ticks / os.sysconf("SC_CLK_TCK")


def children(process: int) -> list[int]:
    """All below it."""
    try:
        found = [
            int(word)
            for task in Path(f"/proc/{process}/task").iterdir()
            for word in (task / "children").read_text().split()
        ]
    except OSError:
        return []
    return found + [below for child in found for below in children(child)]


def main() -> None:
    """Play the straps, search the store for every beat, and print JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--straps", type=int, default=200)
    options.add_argument("--minutes", type=float, default=15)
    options.add_argument("--every", type=float, default=2.0, help="seconds between uploads")
    args = options.parse_args()
    binaries = postgres_bin()
    if binaries is None:
        raise SystemExit("This needs Debian's postgresql and influxdb.")
    folder = Path(tempfile.mkdtemp(prefix="ebbtide-soak-", dir="/tmp"))
    postgres = started(Path(tempfile.mkdtemp(prefix="ebbtide-pg-", dir="/tmp")), binaries)
    influx = InfluxServerProcess(folder / "influxdb")
    influx.start()
    port = free_port()
    environment = {
        "EBBTIDE_INFLUXDB_URL": influx.url,
        "EBBTIDE_INFLUXDB_DATABASE": "soak",
        "EBBTIDE_INFLUXDB_USER": "ebbtide",
        "EBBTIDE_INFLUXDB_PASSWORD": influx.password,
        "EBBTIDE_RECORDS_URL": postgres.fresh_database(),
        "EBBTIDE_DATA_DIR": str(folder / "data"),
    }
    os.environ.update(environment)
    stores = open_stores(Settings())
    people = [
        add_account(stores, f"p{k}@example.org", simulated=True)
        for k in range(min(PEOPLE, args.straps))
    ]
    with (folder / "api.log").open("wb") as log:
        api = subprocess.Popen(
            [
                *(sys.executable, "-m", "ebbtide", "serve"),
                *("--port", str(port), "--workers", "2"),
            ],
            stdout=log,
            stderr=log,
        )
        end_with_us(api)
    url = f"http://127.0.0.1:{port}"
    answers(f"{url}/v1/ready")
    accounts = []
    for k, person in enumerate(people):
        answer = httpx.post(
            f"{url}/v1/sign-in",
            json={"email": f"p{k}@example.org", "password": PASSWORD},
            timeout=30,
        )
        accounts.append((person.id, answer.json()["token"]))
    servers = {
        "api": api.pid,
        "influxdb": influx.process.pid if influx.process else 0,
        "postgresql": postgres.process.pid,
    }
    cpu_before = {name: cpu_s(pid) for name, pid in servers.items()}
    began_ns = timestamps.now_ns()
    straps = [Strap(seed, began_ns) for seed in range(args.straps)]
    seconds = args.minutes * 60
    began = time.monotonic()
    reads: list[float] = []
    memory: list[dict[str, float]] = []

    async def read() -> None:
        """An analyst: everybody's last minutes, one after the other."""
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            turn = 0
            while time.monotonic() < began + seconds:
                _, token = accounts[turn % len(accounts)]
                turn += 1
                now = timestamps.to_datetime(timestamps.now_ns()).isoformat()
                start = timestamps.to_datetime(began_ns - SECOND).isoformat()
                at = time.monotonic()
                answer = await client.get(
                    "/v1/hrv",
                    params={"start": start, "end": now, "window_s": 300},
                    headers={"Authorization": f"Bearer {token}"},
                )
                answer.raise_for_status()
                reads.append(time.monotonic() - at)
                await asyncio.sleep(1)

    async def watch() -> None:
        while time.monotonic() < began + seconds:
            memory.append(
                {
                    "minute": round((time.monotonic() - began) / 60, 1),
                    "api_mb": round(memory_mb(api.pid)),
                    "influxdb_mb": round(memory_mb(influx.process.pid if influx.process else 0)),
                    "ingesters_mb": round(memory_mb(os.getpid(), alone=True)),
                }
            )
            await asyncio.sleep(60)

    async def everything() -> list[tuple[float, float]]:
        found, _, _ = await asyncio.gather(
            play(straps, accounts, url, folder, began + seconds, args.every), read(), watch()
        )
        return found

    latencies = asyncio.run(everything())
    cpu = {name: cpu_s(pid) - cpu_before[name] for name, pid in servers.items()}
    lost = doubled = 0
    for k, strap in enumerate(straps):
        person = people[k % len(people)]
        beats = stores.beats.read(
            person.subject_id, began_ns - SECOND, timestamps.now_ns() + SECOND
        )
        index = [s.id for s in beats.streams].index(strap.stream.id)
        mine = beats.stream == index
        stored = list(zip(beats.time_ns[mine].tolist(), beats.rr_ticks[mine].tolist(), strict=True))
        sent = list(zip(strap.times, strap.ticks, strict=True))
        lost += len(set(sent) - set(stored))
        doubled += len(stored) - len(set(stored))
    times = np.array(latencies)
    thirds = np.array_split(times[:, 1], 3)
    print(
        json.dumps(
            {
                "straps": args.straps,
                "minutes": args.minutes,
                "beats": sum(len(strap.times) for strap in straps),
                "lost": lost,
                "doubled": doubled,
                "every_s": args.every,
                "uploads": len(times),
                "cpu_ms_an_upload": {
                    name: round(1000 * used / len(times), 2) for name, used in cpu.items()
                },
                "upload_ms": {
                    "median": round(float(np.median(times[:, 1])) * 1000, 1),
                    "p95": round(float(np.quantile(times[:, 1], 0.95)) * 1000, 1),
                    "p95_by_third": [
                        round(float(np.quantile(third, 0.95)) * 1000, 1) for third in thirds
                    ],
                },
                "reads": len(reads),
                "read_ms": {
                    "median": round(float(np.median(reads)) * 1000, 1),
                    "p95": round(float(np.quantile(reads, 0.95)) * 1000, 1),
                },
                "memory": memory,
            },
            indent=2,
        )
    )
    stores.close()
    api.terminate()
    api.wait(20)
    influx.stop()
    postgres.stop()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
