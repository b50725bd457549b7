"""A run over a lake: who is in it, tasks for their workers, and what is said at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from cli.analysis.cohort.lake_tables import LakeTables
from cli.analysis.cohort.results import Results
from cli.analysis.cohort.tasks import (
    REQUIRED,
    TABLES,
    Bucket,
    Done,
    GroupTask,
    LeftOut,
    list_bucket,
    run_group,
    run_pooled,
    split_bucket,
)
from ebbtide import __version__
from ebbtide.errors import EbbtideError

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class CohortRun:
    """What a run did. ``peak_mb``: highest memory of each worker."""

    people: int = 0
    rows: int = 0
    files: int = 0
    seconds: float = 0.0
    left_out: list[LeftOut] = field(default_factory=list)
    peak_mb: dict[str, float] = field(default_factory=dict)

    def add(self, done: Done) -> None:
        """Count what a task did."""
        self.people += done.people
        self.rows += done.rows
        self.files += 1
        self.left_out += done.left_out
        self.note(done)

    def note(self, done: Done) -> None:
        """Note what a task cost."""
        self.seconds += done.seconds
        self.peak_mb[done.worker] = max(self.peak_mb.get(done.worker, 0.0), done.peak_mb)


def run_cohort(
    what: str, lake: str, out: str, executor: Executor, max_tasks: int, progress: Progress
) -> CohortRun:
    """Compute ``what`` of everybody in the lake, and write it to ``out``.

    Raises EbbtideError where the lake cannot be read, has nobody, or was renewed meanwhile: then no
    results are left.
    """
    tables = LakeTables(lake)
    tables.require(REQUIRED[what])
    before = tables.fingerprint(TABLES[what])
    results = Results(out)
    results.begin(what)
    run = CohortRun()
    buckets = _list_buckets(what, tables, executor, max_tasks, run)
    tasks = [task for one in buckets for task in split_bucket(what, lake, out, one)]
    total = sum(len(task.people) for task in tasks)
    over = 0
    for task, future in _mapped(executor, run_group, ((task,) for task in tasks), max_tasks):
        (group,) = task
        _take(run, group, future)
        over += len(group.people)
        progress(over, total)
    _require_some(run, tables, what)
    if what != "hrv":
        _pool(what, lake, out, executor, (buckets, run))
    if LakeTables(lake).fingerprint(TABLES[what]) != before:
        results.clear(what)
        raise EbbtideError(
            f"{lake} was renewed while this ran: its results would mix two states.",
            "Run it again.",
        )
    run.left_out = sorted(set(run.left_out), key=lambda one: (one.person, one.partition, one.why))
    found = {"ebbtide": __version__, "what": what, "lake": lake, "of": before, **asdict(run)}
    results.commit(what, found)
    return run


def _list_buckets(
    what: str, tables: LakeTables, executor: Executor, max_tasks: int, run: CohortRun
) -> list[Bucket]:
    names = ((what, tables.address, name) for name in tables.buckets(TABLES[what]))
    found: list[Bucket] = []
    for (_, _, name), future in _mapped(executor, list_bucket, names, max_tasks):
        try:
            bucket: Bucket = future.result()
        except EbbtideError:
            raise
        except Exception as error:
            run.left_out.append(LeftOut("", name, _why(error)))
            continue
        found.append(bucket)
        run.left_out += bucket.left_out
    return sorted(found, key=lambda one: one.name)


def _take(run: CohortRun, group: GroupTask, future: Future[Done]) -> None:
    """Count a task; people whose task failed are left out. Raises EbbtideError where no other could
    do better: nothing can be written.
    """
    try:
        run.add(future.result())
    except EbbtideError:
        raise
    except Exception as error:  # whatever data may do to a worker: KilledWorker of Dask too
        run.left_out += [LeftOut(person, "", _why(error)) for person in group.people]


def _why(error: Exception) -> str:
    if type(error).__name__ == "KilledWorker":  # of Dask, after a fourth worker
        return "each worker that worked on this group ended"
    return f"{type(error).__name__}: {error}"


def _pool(
    what: str, lake: str, out: str, executor: Executor, of: tuple[list[Bucket], CohortRun]
) -> None:
    """Compute the answer of all who have one of their own, together."""
    buckets, run = of
    gone = {one.person for one in run.left_out}
    people = [(one.name, [name for name in one.people if name not in gone]) for one in buckets]
    try:
        run.note(executor.submit(run_pooled, what, lake, out, people).result())
    except EbbtideError:
        raise
    except Exception as error:
        run.left_out.append(LeftOut("", f"{what}_cohort", _why(error)))


def _require_some(run: CohortRun, tables: LakeTables, what: str) -> None:
    if run.people:
        return
    broken = [one for one in run.left_out if one.partition]
    if broken:
        raise EbbtideError(
            f"No part of the lake can be used: {broken[0].partition}: {broken[0].why}.",
            "Write it anew: ebbtide lake FOLDER",
        )
    if run.left_out:
        # Whose data could not be computed says more than who has none.
        one = next((one for one in run.left_out if not one.why.startswith("no ")), run.left_out[0])
        raise EbbtideError(
            f"Nobody in the lake has a result: {one.person}: {one.why}.", "Wait for more data."
        )
    raise EbbtideError(
        f"The table {TABLES[what][0]} of {tables.address} has no rows.",
        "Write it anew once people have such data: ebbtide lake FOLDER",
    )


def _mapped(
    executor: Executor,
    function: Callable[..., Any],
    arguments: Iterable[tuple[Any, ...]],
    max_tasks: int,
) -> Iterator[tuple[tuple[Any, ...], Future[Any]]]:
    """Run a function of each of these, ``max_tasks`` at a time; as they are done."""
    todo = iter(arguments)
    running: dict[Future[Any], tuple[Any, ...]] = {}
    while True:
        while len(running) < max_tasks and (words := next(todo, None)) is not None:
            running[executor.submit(function, *words)] = words
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            yield running.pop(future), future


class _Here(Executor):
    """Work in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # as a process would hand it on
            done.set_exception(error)
        return done


@contextmanager
def open_executor(scheduler: str | None, workers: int | None) -> Iterator[tuple[Executor, int]]:
    """The executor, and how many tasks may be pending: a cluster's, this machine's cores, or
    without Dask this process. Raises EbbtideError.
    """
    from cli.dask_cluster import cluster_executor, connected_cluster, has_dask, local_cluster

    if scheduler is None and workers in (None, 1) and not has_dask():
        yield _Here(), 1
        return
    if scheduler is None:
        with local_cluster(workers or os.cpu_count() or 1) as client:
            yield cluster_executor(client)
        return
    with connected_cluster(scheduler) as client:
        _require_same_version(client, scheduler)
        yield cluster_executor(client)


def _require_same_version(client: Any, scheduler: str) -> None:
    try:
        found = set(client.run(worker_version).values())
    except Exception as error:  # of a worker that cannot import it
        found = {f"none ({type(error).__name__})"}
    if found != {__version__}:
        raise EbbtideError(
            f"The workers at {scheduler} have Ebbtide {', '.join(sorted(found))}; this is "
            f"{__version__}.",
            "Install the same version there.",
        )


def worker_version() -> str:
    """The version of Ebbtide of a worker."""
    return __version__
