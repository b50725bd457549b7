"""``ebbtide serve`` and ``ebbtide dashboard``."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

from cli.server.logging import log_config
from cli.server.socket import bind_socket
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings

# Which server this is is nobody's business; whoever watches live is cut off when it ends.
_UVICORN_OPTIONS: dict[str, Any] = {
    "server_header": False,
    "timeout_graceful_shutdown": 10,
    # Whoever asks every few seconds keeps the connection: closing it after uvicorn's five seconds
    # would meet the next request on its way now and then.
    "timeout_keep_alive": 75,
}


def run_api(host: str | None, port: int | None, workers: int | None) -> None:
    """Serve the API until Ctrl-C. Several workers are several processes on the same stores; one
    that dies is begun anew.
    """
    settings = Settings()
    address = host or settings.api_host
    number = settings.api_port if port is None else port
    many = workers or settings.api_workers
    with tempfile.TemporaryDirectory(prefix="ebbtide-metrics-") as metrics:
        if many > 1 and settings.metrics_port is not None:
            # Before anything counts: each worker writes its own files there.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
        _serve(settings, address, number, many)


def _serve(settings: Settings, host: str, port: int, workers: int) -> None:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from api.app import create_app
    from store.factory import open_stores

    # Opened here first: what is wrong is told once, and one process brings the tables forward.
    stores = open_stores(settings)
    logs = log_config(settings)
    logging.captureWarnings(True)
    with _metrics(settings), bind_socket(host, port) as found:
        if workers == 1:
            config = uvicorn.Config(
                create_app(stores, settings), log_config=logs, **_UVICORN_OPTIONS
            )
            with contextlib.suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets=[found])
            return
        stores.close()
        found.set_inheritable(True)
        config = uvicorn.Config(
            "api.app:create_app_from_settings",
            factory=True,
            workers=workers,
            log_config=logs,
            **_UVICORN_OPTIONS,
        )
        Multiprocess(config, sockets=[found]).run()


@contextlib.contextmanager
def _metrics(settings: Settings) -> Iterator[None]:
    """Prometheus metrics of all workers, on a port of their own."""
    if settings.metrics_port is None:
        yield
        return
    from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    try:
        server, thread = start_http_server(
            settings.metrics_port, settings.metrics_host, registry=registry
        )
    except OSError as error:
        raise EbbtideError(
            f"Port {settings.metrics_port} cannot be used for metrics: {error.strerror}.",
            "Choose another with EBBTIDE_METRICS_PORT, or leave it out.",
        ) from error
    yield
    server.shutdown()
    server.server_close()
    thread.join(5)


def run_dashboard(host: str | None, port: int | None) -> None:
    """Serve the pages until Ctrl-C."""
    from dashboard.launch import dashboard_command, dashboard_environment

    settings = Settings()
    command = dashboard_command(
        host or settings.dashboard_host, settings.dashboard_port if port is None else port
    )
    with contextlib.suppress(KeyboardInterrupt):
        subprocess.run(command, env=dashboard_environment(settings.api_url), check=False)
