"""What one upload costs on InfluxDB and PostgreSQL: CPU of the API and of the databases, memory.

    uv run python benchmarks/upload.py [--uploads 300 --people 20 --profile]

Real servers, started here; the application is called in this process, without a socket, one request
at a time, so that its CPU is that of an upload and nothing else: parsing, rights, both databases'
clients, the answer. Batches of two seconds and of a minute. CPU, not time: a busy machine shows in
it less.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from api.app import create_app
from api.services.access_tokens import issue_token
from ebbtide.settings import Settings
from store import open_stores
from tests.support.accounts import add_account
from tests.support.influx import InfluxServerProcess
from tests.support.postgres import PostgresServer, postgres_bin


@contextmanager
def servers(folder: Path) -> Iterator[tuple[InfluxServerProcess, PostgresServer]]:
    """Both databases; stopped whatever happens."""
    binaries = postgres_bin()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed")
    (folder / "pg").mkdir()
    influx = InfluxServerProcess(folder / "influx")
    postgres = PostgresServer(folder / "pg", binaries, "secret")
    influx.start()
    try:
        postgres.start()
        try:
            yield influx, postgres
        finally:
            postgres.stop()
    finally:
        influx.stop()


def cpu_s(*processes: int) -> float:
    """CPU of processes and what they started, in s."""
    total = 0.0
    for pid in processes:
        own = psutil.Process(pid)
        for process in (own, *own.children(recursive=True)):
            with_children = process.cpu_times()
            total += with_children.user + with_children.system
    return total


async def request(app: Any, method: str, path: str, token: str, body: Any) -> tuple[int, bytes]:
    """One request to the application, as a server hands it on."""
    data = json.dumps(body).encode()
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"authorization", f"Bearer {token}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(data)).encode()),
        ],
        "state": {},
    }
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:])


def batch(first: int, seconds: int, begin_ns: int) -> dict[str, Any]:
    """A beat a second."""
    items = []
    for sequence in range(first, first + seconds):
        at = begin_ns + sequence * 1_000_000_000
        items.append(
            {
                "sequence": sequence,
                "received_ns": at,
                "heart_rate_bpm": 60,
                "rr_ticks": [1024],
                "beat_times_ns": [at],
                "contact": True,
            }
        )
    return {"first": first, "last": first + seconds - 1, "notifications": items, "gaps": []}


async def measure(
    app: Any, tokens: list[str], seconds: int, uploads: int, databases: tuple[int, ...]
) -> tuple[float, float]:
    """CPU of one upload in ms: of the API, and of the databases."""
    begin = time.time_ns() - 10**9 * (seconds * (uploads // len(tokens) + 3))
    straps = []
    for token in tokens:
        stream = str(uuid.uuid4())
        body = {"origin": "simulated", "source": "a strap", "created_ns": begin}
        status, said = await request(app, "PUT", f"/v1/streams/{stream}", token, body)
        if status != 204:
            raise SystemExit(f"no stream: {status} {said!r}")
        straps.append((token, f"/v1/streams/{stream}/notifications"))

    async def upload(turn: int) -> None:
        token, path = straps[turn % len(straps)]
        first = 1 + seconds * (turn // len(straps))
        status, said = await request(app, "POST", path, token, batch(first, seconds, begin))
        if status != 200:
            raise SystemExit(f"not stored: {status} {said!r}")

    for turn in range(len(straps)):
        await upload(turn)
    before, databases_before = time.process_time(), cpu_s(*databases)
    for turn in range(len(straps), len(straps) + uploads):
        await upload(turn)
    api = time.process_time() - before
    return api / uploads * 1000, (cpu_s(*databases) - databases_before) / uploads * 1000


def memory_mb() -> float:
    """What this process holds."""
    return float(psutil.Process().memory_info().rss / 1e6)


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--uploads", type=int, default=300)
    options.add_argument("--people", type=int, default=20)
    options.add_argument("--profile", action="store_true")
    chosen = options.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="ebbtide-upload-", dir="/tmp") as name,
        servers(Path(name)) as (influx, postgres),
    ):
        settings = Settings(
            data_dir=Path(name) / "data",
            records_url=postgres.fresh_database(),
            influxdb_url=influx.url,
            influxdb_database=influx.fresh_database(),
            influxdb_user="ebbtide",
            influxdb_password=influx.password,
            requests_a_minute=1_000_000,
        )
        stores = open_stores(settings)
        people = [
            add_account(stores, f"p{k}@example.org", simulated=True) for k in range(chosen.people)
        ]
        tokens = [issue_token(stores, person)[0] for person in people]
        app = create_app(stores, settings)
        assert influx.process is not None
        databases = (influx.process.pid, postgres.process.pid)
        print(f"{memory_mb():.0f} MB before the first upload\n")
        print("| batch | CPU of the API | of InfluxDB and PostgreSQL |")
        print("| --- | --- | --- |")
        profile = cProfile.Profile()
        for seconds in (2, 60):
            if chosen.profile and seconds == 2:
                profile.enable()
            api, of_databases = asyncio.run(
                measure(app, tokens, seconds, chosen.uploads, databases)
            )
            profile.disable()
            print(f"| {seconds} s of beats | {api:.1f} ms | {of_databases:.1f} ms |", flush=True)
        print(f"\n{memory_mb():.0f} MB after {2 * chosen.uploads} uploads")
        if chosen.profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)
        stores.close()


if __name__ == "__main__":
    main()
