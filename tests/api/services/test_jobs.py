"""The queue of jobs on a real PostgreSQL: asked twice, killed, failed, seen from two machines."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import httpx
import procrastinate
import pytest
from pydantic import SecretStr
from sqlalchemy import text

import store.sql.migrations
from api.app import create_app
from api.services.erasure import erase_person
from api.services.jobs import JobContext, JobWorker, load_queue, start_task, tasks
from api.services.nightly import run_nightly
from api.services.operation import load_jobs
from cli.server.thread import ApiThread
from ebbtide.beats import new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR
from store import JobStore, Stores, open_stores
from store.models import JobStatus, NewJob, Person, Rating
from tests.support.beats import MIDNIGHT, put_beats
from tests.support.postgres import PostgresServer
from tests.support.records import a_person

Machine = Callable[[str], tuple[Settings, Stores]]


@pytest.fixture
def machine(postgres: PostgresServer, tmp_path: Path) -> Iterator[Machine]:
    """Settings and stores of a machine with a data folder of its own, on the same database."""
    url, opened = SecretStr(postgres.migrated_database()), []

    def make(name: str) -> tuple[Settings, Stores]:
        settings = Settings(data_dir=tmp_path / name, records_url=url)
        stores = open_stores(settings)
        opened.append(stores)
        return settings, stores

    yield make
    for stores in opened:
        stores.close()


def queue_of(stores: Stores) -> JobStore:
    assert stores.jobs is not None
    return stores.jobs


def a_context(settings: Settings, stores: Stores) -> JobContext:
    return JobContext(stores, settings.keep_days, settings.snapshots_dir)


def a_worker(settings: Settings, stores: Stores, silent_s: float = 30.0) -> JobWorker:
    context = a_context(settings, stores)
    return JobWorker(context, settings, retry_s=0.1, poll_s=0.2, silent_s=silent_s)


def work_until(worker: JobWorker, is_done: Callable[[], bool], seconds: float = 90.0) -> None:
    """Have the worker work until something is so."""

    async def work() -> None:
        task = asyncio.create_task(worker.run())
        try:
            async with asyncio.timeout(seconds):
                while not await asyncio.to_thread(is_done):  # noqa: ASYNC110 - in the database
                    await asyncio.sleep(0.05)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())


def counts(stores: Stores) -> tuple[int, int, int]:
    found = queue_of(stores).count()
    return found[JobStatus.WAITING], found[JobStatus.RUNNING], found[JobStatus.FAILED]


def fill(stores: Stores) -> list[Person]:
    """Two people with two days of beats and 40 ratings each, and one with nothing."""
    people = [a_person(stores.records, f"{name}@example.org") for name in "abc"]
    for k, person in enumerate(people[:2]):
        for day in (0, 1):
            put_beats(stores, person, MIDNIGHT + day * DAY + 8 * HOUR, 2000, seed=10 * k + day)
        for n in range(40):
            about = MIDNIGHT + 9 * HOUR + n * 7 * HOUR
            values = ((n * 7 + k) % 9, n % 8, None, False)
            stores.records.add_rating(Rating(new_id(), 1, person.id, about, about, "UTC", *values))
    return people


def bodies(stores: Stores, people: list[Person]) -> list[str]:
    found = [stores.records.report(person.id, "30 minutes") for person in people]
    return ["" if report is None else report.body for report in found]


def test_the_tables_are_those_of_the_installed_procrastinate() -> None:
    """If it fails, a newer one has other tables: its migrations come as one of ours."""
    theirs = Path(procrastinate.__file__).parent / "sql" / "schema.sql"
    ours = Path(store.sql.migrations.__file__).with_name("procrastinate_schema.sql")
    assert ours.read_text().endswith(theirs.read_text())


def test_what_is_asked_for_twice_at_once_is_in_the_queue_once(machine: Machine) -> None:
    _, stores = machine("a")
    barrier, added = Barrier(8), []

    def ask() -> None:
        barrier.wait()
        added.append(queue_of(stores).defer([NewJob("analyse", "p"), NewJob("analyse", "q")]))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(added) == 2
    assert counts(stores) == (2, 0, 0)


def test_a_nightly_run_in_the_queue_stores_what_the_command_does(
    machine: Machine, tmp_path: Path
) -> None:
    settings, stores = machine("a")
    people = fill(stores)
    assert start_task(a_context(settings, stores), "nightly") == 1
    assert start_task(a_context(settings, stores), "nightly") == 0  # it waits there already
    work_until(a_worker(settings, stores), lambda: len(queue_of(stores).successes()) == 3)
    assert counts(stores) == (0, 0, 0)
    queued = bodies(stores, people)
    # Embedded, the same tasks run in this process.
    home = Settings(data_dir=tmp_path / "home")
    embedded = open_stores(home)
    fill_like(embedded, stores, people)
    assert embedded.jobs is None and load_queue(embedded) is None
    assert start_task(a_context(home, embedded), "nightly") == 0
    assert bodies(embedded, people) == queued and len(queued[0]) > 100
    # The command finds nothing left to do in either.
    for one in (stores, embedded):
        with ThreadPoolExecutor(1) as executor:
            result = run_nightly(one, executor, 1)
        assert (result.people, result.days, result.reports, result.failed) == (3, 0, 0, [])
    embedded.close()


def fill_like(empty: Stores, filled: Stores, people: list[Person]) -> None:
    """The same people, ratings and beats."""
    for k, person in enumerate(people):
        empty.records.add_person(person)
        if k == 2:
            continue
        for day in (0, 1):
            put_beats(empty, person, MIDNIGHT + day * DAY + 8 * HOUR, 2000, seed=10 * k + day)
        for rating in filled.records.ratings(person.id, 0, 2**62):
            empty.records.add_rating(rating)


def test_a_failed_job_is_tried_again_and_says_why(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, stores = machine("a")
    runs: list[int] = []

    def fail_twice(_: JobContext, __: str | None) -> None:
        runs.append(counts(stores)[0])
        if len(runs) == 2:  # the same is asked for while it runs: it runs once more
            queue_of(stores).defer([NewJob("caseload")])
        if len(runs) <= 2:
            raise tasks.JobFailedError("The disk is full.", "Make room.")

    monkeypatch.setitem(tasks.TASKS, "caseload", fail_twice)  # type: ignore[arg-type]
    seen: list[str] = []

    def is_done() -> bool:
        seen.extend(job.reason for job in queue_of(stores).jobs(9) if job.failures)
        return len(runs) >= 4 and counts(stores) == (0, 0, 0)

    queue_of(stores).defer([NewJob("caseload")])
    work_until(a_worker(settings, stores), is_done)
    assert len(runs) == 4
    assert "The disk is full. Make room." in seen


def test_one_that_keeps_failing_waits_for_a_retry_from_any_machine(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, stores = machine("a")
    (_, elsewhere), runs = machine("b"), []

    def fail(_: JobContext, __: str | None) -> None:
        runs.append(1)
        if len(runs) <= 5:
            raise ValueError("what somebody entered")

    monkeypatch.setitem(tasks.TASKS, "caseload", fail)  # type: ignore[arg-type]
    queue_of(stores).defer([NewJob("caseload")])
    work_until(a_worker(settings, stores), lambda: counts(stores) == (0, 0, 1))
    assert load_queue(stores) == load_queue(elsewhere)
    (job,) = queue_of(elsewhere).jobs(9)
    assert (job.state, job.failures) == (JobStatus.FAILED, 5) and job.machine
    assert job.reason == "An error of the kind ValueError."
    # Of the nightly analysis, of which this is a part, the page for administrators says it.
    timed = settings.model_copy(update={"nightly_at": "02:30"})
    monkeypatch.setattr(type(queue_of(stores)), "count_workers", lambda *_: 1)
    (nightly,) = [item for item in load_jobs(timed, stores) if item.name == "nightly"]
    assert nightly.problem == job.reason
    assert queue_of(elsewhere).retry(job.id) and not queue_of(elsewhere).retry(job.id)
    work_until(a_worker(settings, stores), lambda: counts(stores) == (0, 0, 0))
    assert len(runs) == 6


SLOW = """
import sys, time, pathlib
from api.services.jobs import tasks
begun = pathlib.Path(sys.argv.pop())
def slow(context, person_id):
    begun.write_text("runs")
    time.sleep(600)
tasks.TASKS["caseload"] = slow
from cli.main import main
main()
"""


def test_another_process_finishes_once_what_a_killed_one_began(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings, stores = machine("a")
    queue_of(stores).defer([NewJob("caseload")])
    begun, runs = tmp_path / "begun", []
    assert settings.records_url is not None
    killed = subprocess.Popen(
        [sys.executable, "-c", SLOW, "worker", str(begun)],
        env={
            **os.environ,
            "EBBTIDE_DATA_DIR": str(tmp_path / "killed"),
            "EBBTIDE_RECORDS_URL": settings.records_url.get_secret_value(),
        },
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 60
    while not begun.exists():
        assert time.monotonic() < end and killed.poll() is None
        time.sleep(0.1)
    assert counts(stores) == (0, 1, 0)
    killed.kill()
    killed.wait()
    monkeypatch.setitem(  # type: ignore[arg-type]
        tasks.TASKS, "caseload", lambda *_: runs.append(queue_of(stores).jobs(1)[0])
    )
    work_until(a_worker(settings, stores, silent_s=3.0), lambda: counts(stores) == (0, 0, 0))
    assert len(runs) == 1
    assert runs[0].reason == "the process that worked at it ended before it was done"


def test_a_process_that_is_ended_leaves_its_job_to_another(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, stores = machine("a")
    monkeypatch.setattr("api.services.jobs.worker._STOP_S", 0.2)
    monkeypatch.setitem(tasks.TASKS, "caseload", lambda *_: time.sleep(1.5))  # type: ignore[arg-type]
    queue_of(stores).defer([NewJob("caseload")])
    work_until(a_worker(settings, stores), lambda: counts(stores) == (0, 1, 0))
    assert counts(stores) == (1, 0, 0)
    work_until(a_worker(settings, stores), lambda: counts(stores) == (0, 0, 0))


def test_a_time_of_the_day_is_put_into_the_queue_once(machine: Machine) -> None:
    settings, stores = machine("a")
    just_now = datetime.now(UTC) - timedelta(minutes=1)
    timed = settings.model_copy(update={"retention_at": f"{just_now:%H:%M}"})
    for _ in range(2):
        work_until(a_worker(timed, stores), lambda: bool(queue_of(stores).successes()))
    with stores.engine.connect() as db:
        runs = db.scalar(text("SELECT count(*) FROM procrastinate_periodic_defers"))
    assert runs == 1


def test_erasing_a_person_removes_their_jobs(machine: Machine) -> None:
    _, stores = machine("a")
    person = a_person(stores.records)
    queue_of(stores).defer([NewJob("analyse", person.id), NewJob("analyse", "another")])
    (job,) = [job for job in queue_of(stores).jobs(9) if job.subject_id == person.subject_id]
    queue_of(stores).note_failure(job.id, 5, "m", "why")
    erase_person(stores, person.email)
    assert [job.subject_id for job in queue_of(stores).jobs(9)] == [""]  # of nobody here
    with stores.engine.connect() as db:
        assert db.scalar(text("SELECT count(*) FROM job_failures")) == 0


def test_a_process_of_the_api_works_at_the_queue_and_the_command_lists_it(
    machine: Machine,
) -> None:
    settings, stores = machine("a")
    people = fill(stores)
    start_task(a_context(settings, stores), "nightly")
    listed = json.loads(command(settings, "jobs", "--json"))
    assert (listed["waiting"], [job["task"] for job in listed["jobs"]]) == (1, ["nightly"])
    with ApiThread(create_app(open_stores(settings), settings)) as api:
        end = time.monotonic() + 90
        while len(queue_of(stores).successes()) < 3:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert load_queue(stores).workers == 1  # type: ignore[union-attr]
        assert httpx.get(f"{api.url}/v1/operation/jobs").status_code == 401
    assert all(bodies(stores, people)[:2])
    assert "Last done: analyse" in command(settings, "jobs")


def command(settings: Settings, *words: str) -> str:
    assert settings.records_url is not None
    done = subprocess.run(
        [sys.executable, "-m", "ebbtide", *words],
        env={
            **os.environ,
            "EBBTIDE_DATA_DIR": str(settings.data_dir),
            "EBBTIDE_RECORDS_URL": settings.records_url.get_secret_value(),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
