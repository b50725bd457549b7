"""``ebbtide serve`` and ``ebbtide dashboard``."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.language import _
from cli.server.child import run_child
from cli.server.restart import restart
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    import socket

    from ebbtide.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535)]

UVICORN_OPTIONS: dict[str, Any] = {
    "server_header": False,
    "proxy_headers": False,  # api/app.py reads those of trusted proxies
    "timeout_graceful_shutdown": 10,  # s; server-sent-event clients are disconnected then
    # Longer than the dashboard's poll interval: closing a connection after Uvicorn's default of
    # 5 s would meet a request that is under way now and then.
    "timeout_keep_alive": 75,
}


def serve(
    host: Host = None,
    port: Port = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that answer.")] = None,
) -> None:
    """Run the API."""
    from ebbtide.settings import Settings

    settings = Settings()
    address = host or settings.api_host
    number = settings.api_port if port is None else port
    processes = workers or settings.api_workers
    with tempfile.TemporaryDirectory(prefix="ebbtide-metrics-") as metrics:
        if processes > 1 and settings.metrics_port is not None:
            # Set before prometheus_client is imported: each worker writes its own files there.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
        listener = _serve(settings, address, number, processes)
    if listener is not None:
        restart(listener)


def dashboard(host: Host = None, port: Port = None) -> None:
    """Run the pages. They ask the API at EBBTIDE_API_URL."""
    from cli.server.socket import bind_socket
    from dashboard.launch import dashboard_command, dashboard_environment
    from ebbtide.settings import Settings

    settings = Settings()
    address = host or settings.dashboard_host
    number = settings.dashboard_port if port is None else port
    command = dashboard_command(address, number, settings.dashboard_url)
    if number:
        # Tried before the address is said; the pages' own process binds it again.
        bind_socket(address, number).close()
    typer.echo(
        _("The pages: {url}. Ctrl-C ends them.").format(url=f"http://{address}:{number}"), err=True
    )
    status = run_child(command, dashboard_environment(settings.api_url))
    if status:
        raise typer.Exit(1)


def _serve(settings: Settings, host: str, port: int, workers: int) -> socket.socket | None:
    """Serve until it is stopped, or this process is to be replaced: then its socket is returned."""
    import logging

    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from api.app import create_app
    from cli.local_erasure import local_eraser
    from cli.server.protocol import HTTP_PROTOCOL
    from cli.server.restart import can_restart, inherited_socket
    from cli.server.socket import bind_socket
    from store.factory import open_stores

    # Opened before the workers start: errors are printed once, and one process upgrades tables.
    stores = open_stores(settings)
    logging_config = log_config(settings)
    logging.captureWarnings(True)
    listener = inherited_socket() or bind_socket(host, port)
    with contextlib.ExitStack() as opened:
        opened.enter_context(serve_metrics(settings))
        opened.callback(listener.close)
        if workers == 1:
            kept: list[socket.socket] = []

            def replace() -> None:
                kept.append(listener.dup())  # Uvicorn closes its own
                server.should_exit = True

            app = create_app(
                *(stores, settings, local_eraser(settings)), replace if can_restart() else None
            )
            config = uvicorn.Config(
                app, http=HTTP_PROTOCOL, log_config=logging_config, **UVICORN_OPTIONS
            )
            server = uvicorn.Server(config)
            with contextlib.suppress(KeyboardInterrupt):
                server.run(sockets=[listener])
                return kept[0] if kept else None
            for unused in kept:  # stopped by Ctrl-C while this process was to be replaced
                unused.close()
            return None
        stores.close()
        listener.set_inheritable(True)
        config = uvicorn.Config(
            "cli.server.workers:create_worker_app",
            factory=True,
            workers=workers,
            http=HTTP_PROTOCOL,
            log_config=logging_config,
            **UVICORN_OPTIONS,
        )
        Multiprocess(config, sockets=[listener]).run()
    return None


@contextlib.contextmanager
def serve_metrics(settings: Settings) -> Iterator[None]:
    """Serve the Prometheus metrics of all workers on their own port, while entered."""
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


def log_config(settings: Settings) -> dict[str, Any]:
    """Build the dictConfig for this process and Uvicorn.

    Uvicorn's access log is off, since it has query and client address; the log of
    api/middleware/telemetry.py has neither.
    """
    # UTC: lines of several machines, and of a night in which clocks change, stay in order.
    formatter: dict[str, Any] = {
        "()": "cli.server.log_format.UtcFormatter",
        "fmt": "%(asctime)s %(levelname)s %(name)s: %(message)s",
    }
    if settings.log_format == "json":
        formatter = {
            "()": "cli.server.log_format.UtcJsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"one": formatter},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "one",
            }
        },
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            "ebbtide": {"level": "INFO"},
            "uvicorn": {"level": "INFO"},
            "uvicorn.access": {"level": "CRITICAL"},
            "py.warnings": {"level": "WARNING"},  # see logging.captureWarnings
        },
    }
