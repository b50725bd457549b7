"""Dask: the cores of this machine, or the workers of a cluster. Imported when it is used."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from ebbtide.errors import EbbtideError


def has_dask() -> bool:
    """Whether Dask is installed."""
    return find_spec("distributed") is not None


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise EbbtideError(
            "Dask is not installed.",
            'Install it: pip install "ebbtide[cluster]"; in the source folder: uv sync --extra '
            "cluster",
        ) from error
    return distributed


@contextmanager
def connected_cluster(address: str) -> Iterator[Any]:
    """A client of the cluster at ``address``, which has workers. Raises EbbtideError."""
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise EbbtideError(
            f"No Dask scheduler answers at {address}.",
            "Start one (dask scheduler), or leave it out.",
        ) from error
    with client:
        if not sum(client.nthreads().values()):
            raise EbbtideError(f"The cluster at {address} has no workers.", "Start: dask worker.")
        yield client


@contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """A client of so many worker processes on this machine, which end with it."""
    import logging

    distributed = _distributed()
    # With keys of its own: whoever else is on this machine could have it run anything otherwise.
    with (
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            protocol="tls://",
            security=distributed.Security.temporary(),
            dashboard_address="127.0.0.1:0",  # a free port: another may run
            silence_logs=logging.CRITICAL,
        ) as cluster,
        cluster.get_client() as client,
    ):
        yield client


def cluster_executor(client: Any) -> tuple[Executor, int]:
    """The executor of a cluster, and how many tasks may be pending at once."""
    # Dask reuses the result of an equal call where it is pure; data may have changed in between.
    return client.get_executor(pure=False), 2 * sum(client.nthreads().values())
