"""The tasks themselves, which know no queue: each may be run again, and changes nothing then."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.services.caseload import refresh_changes
from api.services.compute import get_pool
from api.services.erasure import erase_people, expired_people
from api.services.nightly import analyse_people
from ebbtide.errors import EbbtideError
from store import JobStore, Stores
from store.models import NewJob, Person

log = logging.getLogger("ebbtide.api")

NIGHTLY, ANALYSE, CASELOAD, RETENTION = "nightly", "analyse", "caseload", "retention"
STARTED_BY_HAND = (NIGHTLY, RETENTION)


class JobFailedError(EbbtideError):
    """A job did not go well. Its text has nothing that a person entered."""


@dataclass(frozen=True, slots=True)
class JobContext:
    """What tasks work with. ``erase_local`` erases an account from this machine's outbox."""

    stores: Stores
    keep_days: int | None
    snapshots: Path
    erase_local: Callable[[str], object] | None = None


class _ComputePool(Executor):
    """The processes for heavy computations, which the requests of this process use, too: of
    bounded memory and time, and shared fairly. The thread of the job waits for each.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(get_pool().run(fn, *args, **kwargs))
        except Exception as error:  # as a process would hand it on
            done.set_exception(error)
        return done


def require_queue(stores: Stores) -> JobStore:
    """Get the queue. Raises EbbtideError where there is none."""
    if stores.jobs is None:
        raise EbbtideError(
            "This store has no queue of jobs: there is one on PostgreSQL alone.",
            "Run the job in this process: ebbtide jobs --start nightly.",
        )
    return stores.jobs


def run_task(context: JobContext, task: str, person_id: str | None = None) -> None:
    """Run a task in this process. Raises JobFailedError, or whatever a store raises."""
    TASKS[task](context, person_id)


def start_task(context: JobContext, task: str) -> int:
    """Have a task done: by whoever works at the queue, or here where there is none, as in the
    embedded store. How many jobs were put into the queue; 0 where it waits there already.

    Raises EbbtideError for a task that is not started by hand, and what ``run_task`` raises.
    """
    if task not in STARTED_BY_HAND:
        raise EbbtideError(
            f"{task} is no job that can be started.", f"Use one of {', '.join(STARTED_BY_HAND)}."
        )
    if context.stores.jobs is not None:
        return context.stores.jobs.defer([NewJob(task)])
    run_task(context, task)
    return 0


def _nightly(context: JobContext, _: str | None) -> None:
    """Ask for everybody's analysis: each person is a job, which any machine may do."""
    people = context.stores.records.people()
    jobs = [*(NewJob(ANALYSE, person.id) for person in people), NewJob(CASELOAD, priority=-1)]
    if context.stores.jobs is not None:
        context.stores.jobs.defer(jobs)
        return
    failed = 0
    for job in jobs:
        try:
            run_task(context, job.task, job.person_id)
        except JobFailedError as error:  # the others are analysed
            failed += 1
            log.warning("%s", error)
    if failed:
        raise JobFailedError(
            f"The analysis of {failed} of {len(people)} people failed.",
            "ebbtide nightly says of whom, and why.",
        )


def _analyse(context: JobContext, person_id: str | None) -> None:
    person = _find_person(context, person_id)
    if person is None:  # erased meanwhile
        return
    result = analyse_people(context.stores, [person], _ComputePool(), 1)
    if result.failed:
        kinds = sorted({problem.partition(":")[0] for _, problem in result.failed})
        raise JobFailedError(
            f"The analysis did not go well ({', '.join(kinds)}).",
            "ebbtide nightly says more of it.",
        )


def _find_person(context: JobContext, person_id: str | None) -> Person | None:
    return None if person_id is None else context.stores.records.person(person_id)


def _caseload(context: JobContext, _: str | None) -> None:
    refresh_changes(context.stores)


def _retention(context: JobContext, _: str | None) -> None:
    expired = expired_people(context.stores, context.keep_days)
    people = [item.person for item in expired]
    done = erase_people(context.stores, people, context.snapshots, context.erase_local)
    for words in done.remaining:
        log.warning("after retention, to be done: %s", words)


TASKS: Mapping[str, Callable[[JobContext, str | None], None]] = {
    NIGHTLY: _nightly,
    ANALYSE: _analyse,
    CASELOAD: _caseload,
    RETENTION: _retention,
}
