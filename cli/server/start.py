"""``ebbtide start``: API and pages in one process, at one address, for one's own computer."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.server.restart import restart
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    import socket

    from cli.server.entry import Entry
    from ebbtide.settings import Settings


def start(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the pages in the browser.")
    ] = True,
) -> None:
    """Run everything for your own computer, and open the pages. Begin here."""
    from ebbtide.settings import Settings

    settings = Settings()
    address = host or settings.api_host
    number = settings.api_port if port is None else port
    listener = _run(settings, address, number, opens_browser=browser)
    if listener is not None:
        restart(listener)


def _run(settings: Settings, host: str, port: int, *, opens_browser: bool) -> socket.socket | None:
    """Serve until it is stopped, or this process is to be replaced: then its socket is returned."""
    import logging

    from cli.server.restart import can_restart, inherited_socket

    # Before what takes seconds to import: another copy that has the port is opened at once.
    inherited = inherited_socket()
    listener = inherited or _bind(settings, host, port, opens_browser=opens_browser)
    if listener is None:
        return None
    import uvicorn

    from api.app import create_app
    from cli.local_erasure import local_eraser
    from cli.server.entry import Entry, sign_machine_in
    from cli.server.protocol import HTTP_PROTOCOL
    from cli.server.recorder import opened_recorder
    from cli.server.serve import UVICORN_OPTIONS, log_config, serve_metrics
    from dashboard.server import create_pages_app, websocket_options
    from store.factory import open_stores

    kept: list[socket.socket] = []
    with contextlib.ExitStack() as opened:
        opened.callback(listener.close)
        url = _url(*listener.getsockname()[:2])
        # The pages read these settings for themselves; commands find the API where it is.
        os.environ["EBBTIDE_API_URL"] = os.environ["EBBTIDE_DASHBOARD_URL"] = url
        settings = settings.model_copy(update={"api_url": url, "dashboard_url": url})
        stores = open_stores(settings)
        opened.enter_context(serve_metrics(settings))

        def replace() -> None:
            kept.append(listener.dup())  # Uvicorn closes its own
            server.should_exit = True

        api = create_app(
            *(stores, settings, local_eraser(settings)), replace if can_restart() else None
        )
        sign_in = sign_machine_in(settings, stores)
        api.state.on_first_account = sign_in
        entry = opened.enter_context(Entry.opened(settings, stores, sign_in))
        api.state.recorder = opened.enter_context(opened_recorder(settings, stores, sign_in))
        logging_config = log_config(settings)
        for name in ("ebbtide", "uvicorn"):  # in a terminal: the address, and what is wrong
            logging_config["loggers"][name]["level"] = "WARNING"
        logging.captureWarnings(True)
        config = uvicorn.Config(
            create_pages_app(api=api, routes=entry.routes),
            http=HTTP_PROTOCOL,
            log_config=logging_config,
            **{**UVICORN_OPTIONS, **websocket_options(), "timeout_graceful_shutdown": 3},
        )

        class Server(uvicorn.Server):
            """Says so when it answers."""

            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                gc.freeze()  # what is imported stays: to look through it took seconds at the end
                if self.started and inherited is None:
                    _announce(entry, opens_browser=opens_browser)

        server = Server(config)
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
            if kept:
                return kept[0]
        for unused in kept:  # stopped by Ctrl-C while this process was to be replaced
            unused.close()
        typer.echo("Ended. Nothing runs any more.")
    return None


def _bind(settings: Settings, host: str, port: int, *, opens_browser: bool) -> socket.socket | None:
    """Bind the socket. Where another copy of this user's has the port, open its pages and return
    None. Raises EbbtideError where the port is somebody else's.
    """
    from cli.server.running import ask_running
    from cli.server.socket import bind_socket

    try:
        listener = bind_socket(host, port)
        listener.listen(2048)  # before anybody else does: until then others may bind it too
    except EbbtideError as error:
        if getattr(error.__cause__, "errno", None) not in (errno.EADDRINUSE, errno.EACCES):
            raise
        url = _url(host, port)
        running = ask_running(settings, url)
        if running is None:
            raise EbbtideError(
                f"Another program uses port {port}.",
                f"End it, or choose another: ebbtide start --port {port + 10}",
            ) from error
        typer.echo(f"Ebbtide runs already, at {url}: that one is opened.")
        _open(running, opens_browser=opens_browser)
        return None
    return listener


def _url(host: str, port: int) -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _announce(entry: Entry, *, opens_browser: bool) -> None:
    typer.echo(f"Ebbtide runs at {entry.url}. Ctrl-C ends it.")
    _open(entry.address(), opens_browser=opens_browser)


def _open(address: str, *, opens_browser: bool) -> None:
    """Open an address in the browser, and print it where there is none to see."""
    import threading
    import webbrowser

    has_screen = not sys.platform.startswith("linux") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    typer.echo(f"Open  {address}" + ("  (good once)" if "?" in address else ""))
    if opens_browser and has_screen:  # without one, a browser in the terminal would take it over
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
