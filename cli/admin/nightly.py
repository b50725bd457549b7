"""``ebbtide nightly``: the analysis of a whole clinic."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from cli.language import _
from cli.options import Json
from cli.progress import progress_bars


def nightly(
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as there are cores if left out.")
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(help="Use the Dask cluster at this address, such as tcp://host:8786."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring every patient's windows and report up to date; goes on where it was stopped."""
    from api.services.nightly import run_nightly
    from ebbtide.settings import Settings
    from store.factory import open_stores

    with (
        closing(open_stores(Settings())) as stores,
        progress_bars() as progress,
        _executor(workers or os.cpu_count() or 1, dask) as (executor, max_pending),
    ):
        result = run_nightly(
            stores, executor, max_pending, lambda done, total: progress(_("patients"), done, total)
        )
    if as_json:
        typer.echo(json.dumps(asdict(result)))
    else:
        typer.echo(
            _(
                "Worked out, of {people} people: days of windows {days}, nights {nights}, reports "
                "{reports}; the rest had not changed."
            ).format(
                people=result.people,
                days=result.days,
                nights=result.nights,
                reports=result.reports,
            )
        )
        for subject, problem in result.failed:
            typer.echo(
                _("Not done for {subject}: {problem}").format(subject=subject, problem=problem)
            )
    if result.failed:
        raise typer.Exit(1)


class _FewHere(Executor):
    """Work in this process at first, and in others once that was more than a moment.

    A process takes a second to start: of one more day of one person that would be most.
    """

    def __init__(self, pool: Executor, moment_s: float = 0.5) -> None:
        self._pool, self._left_s = pool, moment_s

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self._left_s <= 0:
            return self._pool.submit(fn, *args, **kwargs)
        began = time.perf_counter()
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # as a process would hand it on
            done.set_exception(error)
        self._left_s -= time.perf_counter() - began
        return done


@contextmanager
def _executor(workers: int, dask: str | None) -> Iterator[tuple[Executor, int]]:
    """Give the executor, and how many tasks may be pending at once."""
    if dask is None:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        # Not forked: this process has open stores and threads.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            yield _FewHere(pool), workers + 1
        return
    from cli.dask_cluster import cluster_executor, connected_cluster

    with connected_cluster(dask) as client:
        yield cluster_executor(client)
