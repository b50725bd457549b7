"""The API as a process of its own, with data in it, and what a request to it costs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import psutil

from api.services.access_tokens import issue_token
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR, SECOND
from store import Stores, open_stores
from store.models import Consent, Person, Purpose, Rating, Role
from store.models.access import Scope, TokenKind
from tests.support.accounts import add_account
from tests.support.ports import free_port

ROLES = {
    "ada": Role.PATIENT,
    "eve": Role.PATIENT,
    "tom": Role.THERAPIST,
    "ann": Role.ANALYST,
    "adam": Role.ADMINISTRATOR,
}
_CHILD_MB = 150.0  # of a process of the pool before it computes anything


@dataclass
class Cost:
    """What a request cost: seconds of all processes, growth of memory, the slowest health."""

    seconds: float
    cpu_s: float
    memory_mb: float
    health_s: float
    status: int


@dataclass
class CostServer:
    """The server and the people in it."""

    url: str
    process: psutil.Process
    stores: Stores
    people: dict[str, Person]
    begin_ns: int
    end_ns: int
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, name: str) -> str | None:
        """A token of a person by name, of ada's device ("device"), or None of nobody."""
        if name == "nobody":
            return None
        if name not in self.tokens:
            if name == "device":
                self.tokens[name], _ = issue_token(
                    self.stores,
                    self.people["ada"],
                    TokenKind.DEVICE,
                    "strap",
                    frozenset({Scope.UPLOAD}),
                )
            else:
                self.tokens[name], _ = issue_token(self.stores, self.people[name])
        return self.tokens[name]

    def client(self, name: str) -> httpx.Client:
        """A client that is signed in with it."""
        token = self.token(name)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120)

    def range_query(self, **more: object) -> dict[str, object]:
        """The range that has beats, as a query."""
        ends = {"start": self.begin_ns, "end": self.end_ns}
        times = {
            name: datetime.fromtimestamp(ns / SECOND, UTC).isoformat() for name, ns in ends.items()
        }
        return {**times, **more}

    def processes(self) -> list[psutil.Process]:
        """The server and its children."""
        with suppress(psutil.Error):
            return [self.process, *self.process.children(recursive=True)]
        return [self.process]

    def cpu_s(self) -> float:
        """Seconds of a core that they have used."""
        own = self.process.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in self.processes()[1:]:
            with suppress(psutil.Error):
                times = child.cpu_times()
                total += times.user + times.system
        return float(total)

    def memory_mb(self) -> float:
        """Resident memory of all of them, without what an idle child takes."""
        total = self.process.memory_info().rss / 2**20
        for child in self.processes()[1:]:
            with suppress(psutil.Error):
                total += max(0.0, child.memory_info().rss / 2**20 - _CHILD_MB)
        return total

    def settle(self, patience_s: float = 30.0) -> None:
        """Wait until nothing computes."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            before = self.cpu_s()
            time.sleep(0.1)
            if self.cpu_s() - before < 0.03:
                return

    def measure(self, client: httpx.Client, method: str, path: str, **options: object) -> Cost:
        """Send a request and measure what it costs. An answer without end is cut after 2 s."""
        watch = _Watch(self)
        cpu, memory, began = self.cpu_s(), self.memory_mb(), time.perf_counter()
        status = 0
        with watch:
            try:
                with client.stream(method, path, **options) as response:  # type: ignore[arg-type]
                    status = response.status_code
                    for _ in response.iter_raw():
                        if time.perf_counter() - began > 2 and "event-stream" in (
                            response.headers.get("content-type", "")
                        ):
                            break
            except httpx.HTTPError:
                pass  # the server may close before it has read a body that it refuses
            seconds = time.perf_counter() - began
        return Cost(
            seconds, self.cpu_s() - cpu, max(0.0, watch.memory_mb - memory), watch.health_s, status
        )


class _Watch:
    """The most memory, and the slowest answer of /v1/health, while entered."""

    def __init__(self, server: CostServer) -> None:
        self._server, self._stop = server, threading.Event()
        self.memory_mb, self.health_s = 0.0, 0.0
        self._threads = [threading.Thread(target=run) for run in (self._memory, self._health)]

    def _memory(self) -> None:
        while not self._stop.wait(0.01):
            self.memory_mb = max(self.memory_mb, self._server.memory_mb())

    def _health(self) -> None:
        with httpx.Client(base_url=self._server.url, timeout=60) as client:
            while not self._stop.is_set():
                began = time.perf_counter()
                with suppress(httpx.HTTPError):
                    client.get("/v1/health")
                self.health_s = max(self.health_s, time.perf_counter() - began)
                self._stop.wait(0.1)

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.memory_mb = max(self.memory_mb, self._server.memory_mb())


@contextmanager
def running_server(days: int = 2, ratings: int = 60, hours: int = 24) -> Iterator[CostServer]:
    """Serve people of every role; ada and eve have so many days of beats, and ratings."""
    with tempfile.TemporaryDirectory(prefix="ebbtide-cost-") as folder:
        environment = {
            **os.environ,
            "EBBTIDE_DATA_DIR": folder,
            "EBBTIDE_REQUESTS_A_MINUTE": "1000000",
            "EBBTIDE_ANONYMOUS_REQUESTS_A_MINUTE": "1000000",
        }
        stores = open_stores(Settings(data_dir=Path(folder)))
        people = {
            name: add_account(stores, f"{name}@example.org", role=role)
            for name, role in ROLES.items()
        }
        end = stores.now() // DAY * DAY
        for name in ("ada", "eve"):
            fill_days(stores, people[name], end - days * DAY, days, hours)
            fill_ratings(stores, people[name], end, ratings)
            stores.access.put_care(people["tom"].id, people[name].id, stores.now())
            for purpose in Purpose:
                stores.records.add_consent(
                    Consent(people[name].id, purpose, True, "test, 1", stores.now())
                )
        port = free_port()
        child = subprocess.Popen(
            [sys.executable, "-m", "ebbtide", "serve", "--port", str(port)],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_ready(url)
            server = CostServer(
                url, psutil.Process(child.pid), stores, people, end - days * DAY, end
            )
            yield server
        finally:
            child.terminate()
            child.wait(20)
            stores.close()


def fill_days(stores: Stores, person: Person, begin_ns: int, days: int, hours: int) -> None:
    """Store some hours of beats on each of the days."""
    rng = np.random.default_rng(len(person.email))
    stream = Stream(new_id(), Origin.STRAP, "Polar H10", begin_ns)
    stores.beats.put_stream(person.subject_id, stream)
    sequence = 1
    for day in range(days):
        count = int(hours * 3600 / 0.88)
        ticks = np.clip(np.round(rng.normal(880, 40, count)), 500, 1500).astype(int)
        times = begin_ns + day * DAY + np.cumsum(ticks * SECOND // 1024)
        inside = times < begin_ns + day * DAY + hours * HOUR
        batch = [
            Notification(sequence + k, time_ns + 9, 70, (tick,), (time_ns,), True)
            for k, (tick, time_ns) in enumerate(
                zip(ticks[inside].tolist(), times[inside].tolist(), strict=True)
            )
        ]
        stores.beats.append(person.subject_id, stream.id, batch, [])
        sequence += len(batch)


def fill_ratings(stores: Stores, person: Person, end_ns: int, count: int) -> None:
    """Store three ratings a day, the last just before ``end_ns``."""
    rng = np.random.default_rng(3)
    step = DAY // 3
    for number in range(count):
        about = (end_ns - (count - number) * step) // 1000 * 1000
        pain, stress = (int(value) for value in rng.integers(0, 11, 2))
        stores.records.add_rating(
            Rating(new_id(), 1, person.id, about, about, "UTC", pain, stress, None, False)
        )


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/v1/ready", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError("The API did not start.")
        time.sleep(0.1)
