"""The nightly analysis: in processes, on a Dask cluster, stopped and resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.services import nightly as nightly_service
from api.services.daily_windows import STORED_METHOD, load_daily_hrv
from cli.admin.nightly import _FewHere
from ebbtide.beats import new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR, SECOND
from store import Stores
from store.models import Person, Rating, StoredReport
from tests.support.assertions import assert_close
from tests.support.beats import MIDNIGHT, put_beats

SignedIn = Callable[..., httpx.Client]


@pytest.fixture
def clinic(stores: Stores, patient: Callable[..., str]) -> list[Person]:
    """Three people with two days of beats and 40 ratings each, and one with nothing."""
    found = []
    for k, email in enumerate(("a@example.org", "b@example.org", "c@example.org", "d@example.org")):
        patient(email)
        person = stores.records.person_by_email(email)
        assert person is not None
        found.append(person)
        if k == 3:
            continue
        for day in (0, 1):
            put_beats(stores, person, MIDNIGHT + day * DAY + 8 * HOUR, 2000, seed=10 * k + day)
        for n in range(40):
            about = MIDNIGHT + 9 * HOUR + n * 7 * HOUR
            rating = Rating(
                new_id(), 1, person.id, about, about, "UTC", (n * 7 + k) % 9, n % 8, None, False
            )
            stores.records.add_rating(rating)
    return found


def nightly(settings: Settings, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "ebbtide", "nightly", "--json", *words],
        env={**os.environ, "EBBTIDE_DATA_DIR": str(settings.data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def reports(stores: Stores, people: list[Person]) -> list[str]:
    return [
        "" if (stored := stores.records.report(person.id, "30 minutes")) is None else stored.body
        for person in people
    ]


def test_processes_leave_nothing_to_do(
    settings: Settings, stores: Stores, clinic: list[Person], signed_in: SignedIn
) -> None:
    done = nightly(settings, "--workers", "2")
    assert done == {"people": 4, "days": 6, "reports": 4, "nights": 0, "failed": []}
    first = reports(stores, clinic)
    assert nightly(settings) == {"people": 4, "days": 0, "reports": 0, "nights": 0, "failed": []}
    # The API gives the very same, and works nothing out for it.
    client = signed_in("eve@example.org")
    person = stores.records.person_by_email("eve@example.org")
    assert person is not None
    put_beats(stores, person, MIDNIGHT + 8 * HOUR, 2000, seed=1)
    assert nightly(settings)["days"] == 1
    computed = client.get("/v1/link").json()
    assert computed == json.loads(reports(stores, [person])[0])
    # More beats of one person: one day, one report.
    put_beats(stores, clinic[0], MIDNIGHT + DAY + 12 * HOUR, 900)
    assert nightly(settings) == {"people": 5, "days": 1, "reports": 1, "nights": 0, "failed": []}
    assert reports(stores, clinic)[1:] == first[1:]


@pytest.fixture
def cluster() -> Iterator[str]:
    """A Dask cluster on this machine: a scheduler and two workers, processes of their own."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as running:
        yield running.scheduler_address


def test_a_dask_cluster_gives_the_same_results(
    settings: Settings, stores: Stores, clinic: list[Person], cluster: str, tmp_path: Path
) -> None:
    assert nightly(settings, "--dask", cluster)["reports"] == 4
    on_cluster = reports(stores, clinic)
    windows = stores.beats.stored_windows(
        clinic[0].subject_id, STORED_METHOD, ["rmssd_ms"], MIDNIGHT // DAY, MIDNIGHT // DAY + 1
    )
    # Once more, here.
    forgetful = Forgetful(stores)
    with ThreadPoolExecutor(1) as alone:
        nightly_service.analyse_people(forgetful.stores, clinic, alone, 1)
    assert [one.body for one in forgetful.reports] == on_cluster
    assert forgetful.reports == [
        stores.records.report(person.id, "30 minutes") for person in clinic
    ]
    again = load_daily_hrv(stores, clinic[0], MIDNIGHT, MIDNIGHT + 2 * DAY)
    assert len(again.start_ns) == sum(len(day.start_ns) for day in windows.values())


class Forgetful:
    """The same stores, which find no report and keep none."""

    def __init__(self, stores: Stores) -> None:
        self._records = stores.records
        self.reports: list[StoredReport] = []
        self.stores = replace(stores, records=self)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self._records, name)

    def report(self, *_: object) -> None:
        return None

    def put_report(self, report: StoredReport) -> None:
        if report.kind == "30 minutes":
            self.reports.append(report)


class Stopping(Executor):
    """Works in this thread, and is stopped after so many pieces."""

    def __init__(self, pieces: int) -> None:
        self.left = pieces

    def submit(self, work: Any, /, *args: Any, **_: Any) -> Future[Any]:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args))
        except Exception as error:
            done.set_exception(error)
        return done


def test_a_stopped_nightly_run_continues(stores: Stores, clinic: list[Person]) -> None:
    with pytest.raises(KeyboardInterrupt):
        nightly_service.run_nightly(stores, Stopping(4), 1)  # three are one person's
    assert sum(body != "" for body in reports(stores, clinic)) == 1
    rest = nightly_service.run_nightly(stores, Stopping(99), 1)
    assert (rest.people, rest.reports) == (4, 3)
    assert rest.days in (2, 4)


def test_one_person_fills_all_processes(
    stores: Stores, clinic: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year of one person would otherwise take one core of all that are there."""
    for day in range(2, 8):
        put_beats(stores, clinic[0], MIDNIGHT + day * DAY + 8 * HOUR, 2000, seed=day)
    monkeypatch.setattr(nightly_service, "_MAX_BEATS", 1)
    at_once, now, lock = [0], [0], threading.Lock()

    class Watched(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            def work() -> Any:
                with lock:
                    now[0] += 1
                    at_once.append(now[0])
                time.sleep(0.05)
                try:
                    return fn(*args, **kwargs)
                finally:
                    with lock:
                        now[0] -= 1

            return super().submit(work)

    with Watched(3) as executor:
        done = nightly_service.analyse_people(stores, clinic[:1], executor, 3)
    assert (done.people, done.days, done.reports, done.failed) == (1, 8, 1, [])
    assert max(at_once) == 3
    stored = reports(stores, clinic)[0]
    # As in one piece, and one after the other.
    monkeypatch.undo()
    forgetful = Forgetful(stores)
    nightly_service.analyse_people(forgetful.stores, clinic[:1], Stopping(99), 1)
    one, other = json.loads(forgetful.reports[0].body), json.loads(stored)
    assert_close(one, other)


def test_a_task_that_fails_ends_its_person_once(
    stores: Stores, clinic: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = nightly_service.compute_day

    def compute_day(*given: Any) -> object:
        if given[-1] == MIDNIGHT // DAY:
            raise MemoryError("too much")
        return inner(*given)

    monkeypatch.setattr(nightly_service, "compute_day", compute_day)
    monkeypatch.setattr(nightly_service, "_MAX_BEATS", 1)
    with ThreadPoolExecutor(3) as executor:
        done = nightly_service.analyse_people(stores, clinic, executor, 3)
    assert sorted(done.failed) == sorted(
        (person.subject_id, "MemoryError: too much") for person in clinic[:3]
    )
    assert (done.people, done.reports) == (4, 1)


def test_one_patient_does_not_stop_the_others(
    stores: Stores, clinic: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = stores.beats.read

    def read(subject: str, start: int, end: int) -> object:
        if subject == clinic[1].subject_id:
            raise RuntimeError("a damaged block")
        return inner(subject, start, end)

    monkeypatch.setattr(stores.beats, "read", read)
    progress: list[tuple[int, int]] = []
    done = nightly_service.run_nightly(stores, Stopping(99), 2, lambda *word: progress.append(word))
    assert done.failed == [(clinic[1].subject_id, "RuntimeError: a damaged block")]
    assert (done.people, done.reports) == (4, 3)
    assert progress[-1] == (4, 4)


def test_a_strap_that_uploads_all_the_while_does_not_hold_it_up(
    stores: Stores, clinic: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner, at = stores.beats.read, [MIDNIGHT + 3 * DAY]

    def read(subject: str, start: int, end: int) -> object:
        put_beats(stores, clinic[0], at[0], 30)
        at[0] += 60 * SECOND
        return inner(subject, start, end)

    monkeypatch.setattr(stores.beats, "read", read)
    done = nightly_service.run_nightly(stores, Stopping(99), 2)
    assert (done.people, done.failed) == (4, [])
    assert at[0] > MIDNIGHT + 3 * DAY  # beats did come meanwhile


def test_a_worker_process_loads_no_web_framework() -> None:
    program = (
        "import sys, api.services.nightly\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'fastapi', 'starlette'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_moment_of_work_starts_no_process_and_more_does() -> None:
    with ThreadPoolExecutor(1, thread_name_prefix="elsewhere") as pool:
        here = _FewHere(pool, moment_s=0.05)
        name = threading.current_thread().name
        assert here.submit(lambda: threading.current_thread().name).result() == name
        assert here.submit(time.sleep, 0.06).result() is None
        assert here.submit(lambda: threading.current_thread().name).result() != name
        with pytest.raises(ZeroDivisionError):
            _FewHere(pool).submit(divmod, 1, 0).result()
