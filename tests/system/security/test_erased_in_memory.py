"""What workers hold in memory of a person ends within seconds after another worker erased them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from analytics.hrv.windows import WINDOW_NS, BeatArrays, Movement
from api.app import create_app
from api.services import daily_windows, live_heart
from api.services.cache.analysis import AnalysisCache
from api.services.compute import WorkerPool
from api.services.daily_windows import day_windows
from api.services.erasure import erase_person
from api.services.erasure_watch import WATCH_EVERY_S, ErasureWatch
from api.services.growing_day import GROWING_DAYS
from cli.server.thread import ApiThread
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, MINUTE, SECOND
from store import Stores, open_stores
from tests.support.accounts import PASSWORD
from tests.support.canary import WORDS, Canary, add_canary
from tests.support.ports import free_port

# A poll every 2 s, 10 s for requests to end, and a busy machine; 12 s are stated.
BOUND_S = 60.0
# A process may be replaced when it is 5 min old, and a second here. Set when the module is loaded:
# Uvicorn ends a worker that takes 5 s before it begins.
_YOUNG = """
import importlib.util, sys

class Young:
    def find_spec(self, name, path, target=None):
        if name != "api.services.erasure_watch":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def execute_young(module):
            execute(module)
            module.MIN_AGE_S = 1.0

        spec.loader.exec_module = execute_young
        return spec

sys.meta_path.insert(0, Young())
"""
SPAN = {"start": "2026-09-20T00:00:00Z", "end": "2026-09-23T00:00:00Z"}


@contextmanager
def served(settings: Settings, *workers: int) -> Iterator[list[tuple[str, int]]]:
    """Address and process of servers on one store, with so many workers each."""
    folder = settings.data_dir.parent / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_YOUNG)
    servers = []
    for count in workers:
        port = free_port()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "ebbtide", "serve"),
                *("--port", str(port), "--workers", str(count)),
            ],
            env={
                **os.environ,
                "EBBTIDE_DATA_DIR": str(settings.data_dir),
                "PYTHONPATH": str(folder),
            },
            stderr=subprocess.DEVNULL,
        )
        servers.append((f"http://127.0.0.1:{port}", process))
    try:
        for url, _process in servers:
            wait_until_served(url)
        yield [(url, process.pid) for url, process in servers]
    finally:
        for _, process in servers:
            process.terminate()
        for _, process in servers:
            process.wait(30)


def wait_until_served(url: str) -> None:
    deadline = time.monotonic() + 240
    while True:
        try:
            httpx.get(f"{url}/v1/health", timeout=5).raise_for_status()
        except httpx.HTTPError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def use_everything(url: str, canary: Canary) -> httpx.Client:
    """Sign in and read everything, so that caches, threads and buffers have it."""
    answer = httpx.post(
        f"{url}/v1/sign-in",
        json={"email": canary.person.email, "password": PASSWORD},
        timeout=60,
    )
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    client = httpx.Client(base_url=url, headers=headers, timeout=60)
    for path in ("/me", "/ratings", "/notes", "/streams", "/consents", "/export/ratings.csv"):
        client.get(f"/v1{path}")
    for path in ("/hrv", "/hrv/trend", "/link", "/export/beats.csv"):
        client.get(f"/v1{path}", params=SPAN)
    return client


def wear_now(settings: Settings, canary: Canary) -> dict[str, bytes]:
    """Store beats of the last twenty minutes. Returns traces of today's windows, which a worker
    holds while more beats come.
    """
    stores = open_stores(settings)
    begin = stores.now() - 20 * MINUTE
    stream = Stream(new_id(), Origin.STRAP, "a strap", begin)
    stores.beats.put_stream(canary.person.subject_id, stream)
    times = range(begin, stores.now(), 801_000_000)
    batch = [Notification(n, at, 75, (820,), (at,), True) for n, at in enumerate(times, 1)]
    stores.beats.append(canary.person.subject_id, stream.id, batch)
    stores.close()
    # A window begins with the first interval; starts are rounded as float64.
    starts = int(float(begin - 820 * SECOND // 1024)) + np.arange(3) * WINDOW_NS
    return {"windows": starts.astype(np.int64).tobytes()}


def watch_now(client: httpx.Client) -> None:
    """Read what is computed from the beats of now."""
    now = datetime.now(UTC)
    span = {"start": (now - timedelta(hours=2)).isoformat(), "end": now.isoformat()}
    assert client.get("/v1/hrv/trend", params=span).status_code == 200
    assert client.get("/v1/live/now").json()["heart_rate_bpm"] is not None


def processes_of(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(child for each in children for child in processes_of(int(each)))]


def find_in_memory(pid: int, traces: dict[str, bytes]) -> dict[str, int]:
    """How often each trace is in the writable memory of a process and its children."""
    found: dict[str, int] = {}
    for process in processes_of(pid):
        folder = Path(f"/proc/{process}")
        with (folder / "maps").open() as maps, (folder / "mem").open("rb", 0) as memory:
            for line in maps:
                span, rights, *_ = line.split()
                if not rights.startswith("rw"):
                    continue
                begin, _, end = span.partition("-")
                try:
                    memory.seek(int(begin, 16))
                    content = memory.read(int(end, 16) - int(begin, 16))
                except (OSError, ValueError, OverflowError):
                    continue
                for what, trace in traces.items():
                    if count := content.count(trace):
                        found[what] = found.get(what, 0) + count
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read through /proc")
def test_no_worker_has_the_person_in_memory_after_seconds(settings: Settings) -> None:
    """It was an hour."""
    stores = open_stores(settings)
    canary = add_canary(stores)
    stores.close()
    traces = {what: canary.traces[what] for what in ("address", "name", "note", "source", "rating")}
    with served(settings, 1, 2) as ((first, pid), (second, other)):
        client = use_everything(first, canary)
        traces |= wear_now(settings, canary)
        watch_now(client)
        for _ in range(4):  # each of its workers
            another = use_everything(second, canary)
            wear_now(settings, canary)
            watch_now(another)
            another.close()
        try:
            before = [find_in_memory(process, traces) for process in (pid, other)]
        except PermissionError:
            pytest.skip("this user may not read the memory of its processes")
        assert all(before) and "windows" in before[0], before
        erased = client.post("/v1/me/erase", json={"password": PASSWORD})
        assert erased.status_code == 200
        client.close()
        begin = time.monotonic()
        while True:
            after = [find_in_memory(process, traces) for process in (pid, other)]
            took_s = time.monotonic() - begin
            if after == [{}, {}] or took_s > BOUND_S:
                break
            time.sleep(0.5)
        print(f"before {before}, {took_s:.1f} s after {after}")
        assert after == [{}, {}]
        # The same process, and the same address: connections waited in its socket.
        for url in (first, second):
            wait_until_served(url)
        assert processes_of(pid)[0] == pid


def hold_beats(cache: AnalysisCache, subject: str, day: int) -> None:
    """As a request for a trend of today and one for the heart of now leave it."""
    cache.live._figures[subject] = None  # type: ignore[assignment]
    cache.live._baselines[subject] = None  # type: ignore[assignment]
    beats = BeatArrays(
        *(np.zeros(1, np.int64), np.ones(1), np.zeros(1, bool)),
        *(np.ones(1, np.int8), np.zeros(1, np.int32)),
    )
    nothing = Movement(np.empty(0, np.int64), np.empty(0))
    GROWING_DAYS.keep(subject, day, beats, nothing, day_windows(beats, nothing))


def test_caches_of_the_other_worker_are_empty_after_a_poll(
    settings: Settings, stores: Stores
) -> None:
    canary = add_canary(stores)
    other = open_stores(settings)
    cache, forgotten = AnalysisCache(), []
    watch = ErasureWatch(other, cache, lambda: forgotten.append(1))
    subject = canary.person.subject_id
    eve = add_canary(stores, "eve")
    today = stores.now() // DAY
    for one in (subject, eve.person.subject_id):
        cache.responses.put(("link", one, "beats"), b"a response")
        cache.windows._people[one, None] = {}  # type: ignore[index]
        cache.baselines._entries[one, ""] = None  # type: ignore[assignment]
        hold_beats(cache, one, today)
    watch.poll()
    assert cache.responses.get(("link", subject, "beats")) is not None
    erase_person(stores, canary.person.email)
    watch.poll()
    assert forgotten == [1]
    for held in (
        cache.responses._entries,
        cache.windows._people,
        cache.baselines._entries,
        cache.live._figures,
        cache.live._baselines,
        GROWING_DAYS._known,
    ):
        keys = [repr(key) for key in held]
        assert not any(subject in key for key in keys)
        assert any(eve.person.subject_id in key for key in keys)
    # A request that read before the erasure puts its result after it.
    cache.responses.put(("link", subject, "beats"), b"a response")
    hold_beats(cache, subject, today)
    watch.poll()
    assert (subject, today) not in GROWING_DAYS._known
    assert (eve.person.subject_id, today) in GROWING_DAYS._known
    assert subject not in cache.live._figures and subject not in cache.live._baselines
    assert cache.responses.get(("link", subject, "beats")) is None
    assert cache.responses.get(("link", eve.person.subject_id, "beats")) is not None
    assert forgotten == [1]
    other.close()


def test_what_requests_that_are_under_way_hold_is_dropped_when_they_end(
    settings: Settings, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trend and the heart of now are computed while another worker erases the person."""
    canary = add_canary(stores)
    wear_now(settings, canary)
    cache, begun, go_on = AnalysisCache(), threading.Semaphore(0), threading.Event()
    watch = ErasureWatch(stores, cache, lambda: None)
    cache.baselines.load(stores, canary.person)  # else the heart of now would wait for it, too

    def held_up(compute: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **more: Any) -> Any:
            found = compute(*given, **more)
            begun.release()
            assert go_on.wait(60)
            return found

        return run

    for module, name in ((live_heart, "compute_figures"), (daily_windows, "day_windows")):
        monkeypatch.setattr(module, name, held_up(getattr(module, name)))
    person, now = canary.person, stores.now()
    requests = [
        threading.Thread(
            target=daily_windows.load_daily_hrv, args=(stores, person, now - DAY, now)
        ),
        threading.Thread(target=cache.live.load, args=(stores, cache.baselines, person)),
    ]
    for request in requests:
        request.start()
    for _ in requests:
        assert begun.acquire(timeout=60)
    other = open_stores(settings)
    erase_person(other, person.email)
    other.close()
    watch.poll()
    go_on.set()
    for request in requests:
        request.join()
    subject = person.subject_id
    assert subject in cache.live._figures and any(subject in key for key in GROWING_DAYS._known)
    watch.poll()
    assert subject not in cache.live._figures and subject not in cache.live._baselines
    assert not any(subject in key for key in GROWING_DAYS._known)


def test_a_database_that_is_set_back_under_a_running_service_is_seen(
    settings: Settings, stores: Stores
) -> None:
    """As pg_restore --clean does; here the rows are put back one by one."""
    watch = ErasureWatch(stores, AnalysisCache(), lambda: None)
    canary = add_canary(stores)
    erase_person(stores, canary.person.email)
    watch.poll()
    with stores.engine.begin() as db:
        db.exec_driver_sql("DELETE FROM audit")
    stores.records.add_person(canary.person)
    watch.poll()
    assert stores.records.person(canary.person.id) is None


def test_processes_of_the_pool_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.services.compute.pool.TIMEOUT_S", 240.0)
    pool = WorkerPool(1)
    first = pool.run(os.getpid)
    assert pool.run(os.getpid) == first
    pool.replace()
    assert pool.idle_processes == 0
    assert not Path(f"/proc/{first}").exists() or sys.platform != "linux"
    assert pool.run(os.getpid) != first
    # One that computes meanwhile ends after its call.
    calling = threading.Thread(target=pool.run, args=(time.sleep, 1.0))
    calling.start()
    time.sleep(0.3)
    pool.replace()
    calling.join()
    assert pool.idle_processes == 0
    pool.close()


def test_a_running_service_polls(settings: Settings, stores: Stores) -> None:
    canary = add_canary(stores)
    with ApiThread(create_app(stores, settings)) as api:
        cache: AnalysisCache = api.app.state.cache
        cache.responses.put(("link", canary.person.subject_id), WORDS["note"].encode())
        other = open_stores(settings)
        erase_person(other, canary.person.email)
        other.close()
        deadline = time.monotonic() + WATCH_EVERY_S + BOUND_S
        while cache.responses.get(("link", canary.person.subject_id)) is not None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
