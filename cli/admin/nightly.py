"""``ebbtide nightly``: the analysis of a whole clinic."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Json
from cli.progress import progress_bars
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from concurrent.futures import Executor


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
            stores, executor, max_pending, lambda done, total: progress("patients", done, total)
        )
    if as_json:
        typer.echo(json.dumps(asdict(result)))
    else:
        typer.echo(
            f"{result.people} people: {result.days} days of windows, {result.nights} nights and "
            f"{result.reports} reports were worked out; the rest had not changed."
        )
        for subject, problem in result.failed:
            typer.echo(f"Not done for {subject}: {problem}")
    if result.failed:
        raise typer.Exit(1)


@contextmanager
def _executor(workers: int, dask: str | None) -> Iterator[tuple[Executor, int]]:
    """Give the executor, and how many tasks may be pending at once."""
    if dask is None:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        # Not forked: this process has open stores and threads.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            yield pool, workers + 1
        return
    try:
        import distributed
    except ImportError as error:
        raise EbbtideError(
            "Dask is not installed.", "In the source folder: uv sync --extra cluster"
        ) from error
    try:
        client: Any = distributed.Client(dask, timeout=10)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise EbbtideError(
            f"No Dask scheduler answers at {dask}.", "Start one (dask scheduler), or leave it out."
        ) from error
    with client:
        cores = sum(client.nthreads().values())
        if not cores:
            raise EbbtideError(f"The cluster at {dask} has no workers.", "Start: dask worker.")
        # Dask reuses the result of an equal call where it is pure; beats may have come in between.
        yield client.get_executor(pure=False), 2 * cores
