"""``ebbtide nightly``: the analysis of a whole clinic."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any

import typer

from cli.progress import progress_bars
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings


def run_nightly(workers: int | None, dask: str | None, as_json: bool) -> None:
    """Map the analysis over all patients; ends with 1 when it failed for somebody."""
    from api.services.nightly import run_nightly
    from store import open_stores

    many = workers or os.cpu_count() or 1
    with (
        closing(open_stores(Settings())) as stores,
        progress_bars() as told,
        _executor(many, dask) as (executor, at_once),
    ):
        night = run_nightly(
            stores, executor, at_once, lambda done, total: told("patients", done, total)
        )
    if as_json:
        typer.echo(json.dumps(asdict(night)))
    else:
        typer.echo(
            f"{night.people} people: {night.days} days of windows and {night.reports} reports were "
            "worked out; the rest had not changed."
        )
        for subject, problem in night.failed:
            typer.echo(f"Not done for {subject}: {problem}")
    if night.failed:
        raise typer.Exit(1)


@contextmanager
def _executor(workers: int, dask: str | None) -> Iterator[tuple[Executor, int]]:
    """Where the work is done, and how much of it may be under way."""
    if dask is None:
        # Not forked: this process has open stores and threads.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            yield pool, workers + 1
        return
    try:
        import distributed
    except ImportError as error:
        raise EbbtideError("Dask is not installed.", "pip install ebbtide[cluster]") from error
    try:
        client: Any = _client(distributed, dask)
    except OSError as error:
        raise EbbtideError(
            f"No Dask scheduler answers at {dask}.", "Start one (dask scheduler), or leave it out."
        ) from error
    with client:
        cores = sum(client.nthreads().values())
        if not cores:
            raise EbbtideError(f"The cluster at {dask} has no workers.", "Start: dask worker.")
        # What was asked twice must be worked out twice: beats may have come in between.
        yield client.get_executor(pure=False), 2 * cores


def _client(distributed: Any, address: str) -> Any:
    return distributed.Client(address, timeout=10)
