"""``ebbtide start``: API and pages in one process, at one address, for one's own computer."""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.language import _
from cli.server.restart import restart
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    import socket

    from cli.server.computer import StartedComputer
    from cli.server.entry import Entry
    from ebbtide.settings import Settings

_LOG = logging.getLogger("ebbtide.start")
_LOOPBACK = "127.0.0.1"


def start(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the pages in the browser.")
    ] = True,
    at_login: Annotated[
        bool | None,
        typer.Option(
            "--at-login/--no-at-login",
            help="Have it start by itself when you sign in to this computer, or no more.",
        ),
    ] = None,
    home: Annotated[
        bool | None,
        typer.Option(
            "--home/--no-home",
            help="Let phones in your Wi-Fi reach the pages, without encryption, or no more; as it "
            "was before if left out.",
        ),
    ] = None,
    https: Annotated[
        bool | None,
        typer.Option(
            "--https/--no-https",
            help="Let phones in your Wi-Fi in with encryption, which the app needs: they have to "
            "trust this computer once. Or no more.",
        ),
    ] = None,
    # What the service of --at-login runs with: paths that need no environment.
    service: Annotated[bool, typer.Option("--service", hidden=True)] = False,
    data_dir: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run everything for your own computer, and open the pages. Begin here."""
    from ebbtide.settings import Settings

    if data_dir is not None:
        os.environ["EBBTIDE_DATA_DIR"] = str(data_dir)
    settings = Settings()
    address = host or settings.api_host
    number = settings.api_port if port is None else port
    if at_login is not None:
        from cli.server.at_login import install, remove

        if at_login:
            if https is not None:
                from cli.server.home_network import HomeNetwork, home_file

                HomeNetwork(number, home_file(settings)).choose_encryption(https)
            install(settings, host, number, is_home=bool(home or https))
        else:
            remove(settings)
        return
    config = _log_config(settings, is_service=service)
    with _logged_failure() if service else contextlib.nullcontext():
        listeners = _run(
            *(settings, address, number, config),
            opens_browser=None if service else browser,
            home=True if https and home is None else home,
            https=https,
        )
    if listeners:
        restart(*listeners)


def _run(
    settings: Settings,
    host: str,
    port: int,
    logging_config: dict[str, Any],
    *,
    opens_browser: bool | None,
    home: bool | None = None,
    https: bool | None = None,
) -> list[socket.socket]:
    """Serve until it is stopped, or this process is to be replaced: then its sockets are returned.
    ``opens_browser`` None: nobody sees what is printed, and no address that signs in is.
    """
    from cli.server.restart import can_restart, inherited_sockets

    # Before what takes seconds to import: another copy that has the port is opened at once.
    inherited = inherited_sockets()
    listeners = inherited or _bind(settings, host, port, opens_browser=opens_browser)
    if not listeners:
        return []
    import uvicorn

    from api.app import create_app
    from api.services.reminders.desktop import DesktopWay
    from cli.local_erasure import local_eraser
    from cli.server.computer import StartedComputer
    from cli.server.entry import Entry, sign_machine_in
    from cli.server.home_network import HomeGate
    from cli.server.protocol import HTTP_PROTOCOL
    from cli.server.recorder import opened_recorder
    from cli.server.serve import UVICORN_OPTIONS, serve_metrics
    from dashboard.launch import STARTED
    from dashboard.server import create_pages_app, websocket_options
    from store.factory import open_stores

    kept: list[socket.socket] = []
    with contextlib.ExitStack() as opened:
        for listener in listeners:
            opened.callback(listener.close)
        url, pages_url = _urls(listeners)
        # The pages read these settings for themselves; commands find the API where it is.
        os.environ["EBBTIDE_API_URL"], os.environ["EBBTIDE_DASHBOARD_URL"] = url, pages_url
        settings = settings.model_copy(update={"api_url": url, "dashboard_url": pages_url})
        stores = open_stores(settings)
        opened.enter_context(serve_metrics(settings))

        def replace() -> None:
            kept.extend(listener.dup() for listener in listeners)  # Uvicorn closes its own
            server.should_exit = True

        def end() -> None:
            server.should_exit = True

        api = create_app(
            *(stores, settings, local_eraser(settings)), replace if can_restart() else None
        )
        sign_in = sign_machine_in(settings, stores)
        api.state.on_first_account = sign_in
        api.state.reminders.ways.append(DesktopWay())
        api.state.computer = computer = StartedComputer(
            *(settings, listeners[0].getsockname()[1], end)
        )
        STARTED.set()
        entry = opened.enter_context(Entry.opened(settings, stores, sign_in))
        api.state.recorder = opened.enter_context(opened_recorder(settings, stores, sign_in))
        logging.captureWarnings(True)
        config = uvicorn.Config(
            HomeGate(
                create_pages_app(api=api, routes=[*entry.routes, *computer.routes]), computer.home
            ),
            http=HTTP_PROTOCOL,
            log_config=logging_config,
            **{**UVICORN_OPTIONS, **websocket_options(), "timeout_graceful_shutdown": 3},
        )

        class Server(uvicorn.Server):
            """Says so when it answers."""

            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                computer.attach(self)
                gc.freeze()  # what is imported stays: to look through it took seconds at the end
                if self.started and opens_browser is None:
                    _LOG.info("it answers")
                elif self.started and not inherited:
                    _announce(entry, opens_browser=bool(opens_browser))
                if self.started:
                    threading.Thread(
                        target=_open_home, args=(computer, home, https), daemon=True
                    ).start()

        server = Server(config)
        opened.enter_context(_ending_in_order(end))
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=listeners)
            if kept:
                return kept
        for unused in kept:  # stopped by Ctrl-C while this process was to be replaced
            unused.close()
        typer.echo(_("Ended. Nothing runs any more."))
    return []


@contextlib.contextmanager
def _ending_in_order(end: Callable[[], None]) -> Iterator[None]:
    """End as Ctrl-C does where the system ends this process (SIGTERM), or its terminal is closed
    (SIGHUP). Uvicorn raises SIGTERM once more when it has ended, which would kill the process.
    """

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before: dict[int, Any] = {signal.SIGTERM: signal.signal(signal.SIGTERM, interrupt)}
    hang_up = getattr(signal, "SIGHUP", None)
    # Under nohup it is ignored, and stays so.
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        before[hang_up] = signal.signal(hang_up, lambda _number, _frame: end())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _log_config(settings: Settings, *, is_service: bool) -> dict[str, Any]:
    """Return what is logged: in a terminal, what is wrong; of the service, into its file too."""
    from cli.server.serve import log_config

    config = log_config(settings)
    for name in ("ebbtide", "uvicorn"):  # in a terminal: the address, and what is wrong
        config["loggers"][name]["level"] = "WARNING"
    if is_service:
        from cli.server.at_login import log_to_file

        log_to_file(settings, config)
    return config


@contextlib.contextmanager
def _logged_failure() -> Iterator[None]:
    """Log why the service ends: nobody sees what it prints."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # pythonw.exe has none
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - until the end
    try:
        yield
    except Exception as error:
        what = str(error) if isinstance(error, EbbtideError) else type(error).__name__
        _LOG.error("it ended: %s", what)
        raise
    _LOG.info("it ended in order")


def _bind(
    settings: Settings, host: str, port: int, *, opens_browser: bool | None
) -> list[socket.socket]:
    """Bind the sockets. Where another copy of this user's has the port, open its pages and return
    none. Raises EbbtideError where the port is somebody else's.
    """
    from cli.server.running import ask_running
    from cli.server.socket import bind_localhost, bind_socket

    try:
        listener = bind_socket(host, port)
        listener.listen(2048)  # before anybody else does: until then others may bind it too
    except EbbtideError as error:
        if getattr(error.__cause__, "errno", None) not in (errno.EADDRINUSE, errno.EACCES):
            raise
        running = ask_running(
            settings,
            _url(host, port),
            lambda: typer.echo(
                _("Port {port} is taken, by what does not answer yet. Waiting ...").format(
                    port=port
                )
            ),
        )
        if running is None:
            raise EbbtideError(
                f"Another program uses port {port}.",
                f"End it, or choose another: ebbtide start --port {port + 10}",
            ) from error
        if opens_browser is None:
            _LOG.info("it answers")  # the one that has the port: nothing is wrong
            return []
        address = _pages_url(running)
        typer.echo(
            _("Ebbtide runs already, at {address}: that one is opened.").format(address=address)
        )
        _open(running, opens_browser=opens_browser)
        return []
    if listener.getsockname()[0] != _LOOPBACK:
        return [listener]
    try:
        second = bind_localhost(listener.getsockname()[1])
    except EbbtideError:
        listener.close()
        raise
    return [listener] if second is None else [listener, second]


def _urls(listeners: list[socket.socket]) -> tuple[str, str]:
    """Return where the API is found, and where people open the pages: at ``localhost``, the one
    name by which browsers take a page without TLS for a safe one (passkeys need it).
    """
    host, port = listeners[0].getsockname()[:2]
    return _url(host, port), _url("localhost" if host == _LOOPBACK else host, port)


def _url(host: str, port: int) -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _pages_url(address: str) -> str:
    """Return an address that opens the pages without what signs in."""
    return address.partition("/start?")[0]


def _open_home(computer: StartedComputer, choice: bool | None, https: bool | None) -> None:
    """Let phones in, or no more, as was chosen now or before. A failure stops nothing else."""
    try:
        if https is not None:
            computer.home.choose_encryption(https)
        if choice is False:
            computer.close_home()
        elif choice or computer.home.is_wanted:
            url = computer.open_home()
            trust = computer.trust
            if trust is None:
                typer.echo(
                    _("Phones in your Wi-Fi reach it at {url}, without encryption.").format(url=url)
                )
            else:
                typer.echo(_("Phones in your Wi-Fi reach it at {url}.").format(url=url))
                typer.echo(
                    _("A phone that was never here opens {url} first.").format(url=trust.url)
                )
    except EbbtideError as error:
        _LOG.warning("phones cannot reach this computer: %s", error)


def _announce(entry: Entry, *, opens_browser: bool) -> None:
    typer.echo(_("Ebbtide runs at {url}. Ctrl-C ends it.").format(url=entry.url))
    _open(entry.address(), opens_browser=opens_browser)


def _open(address: str, *, opens_browser: bool) -> None:
    """Open an address in the browser, and print it where there is none to see."""
    import webbrowser

    has_screen = not sys.platform.startswith("linux") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    opening = _("Open  {address}").format(address=address)
    typer.echo(opening + (_("  (good once)") if "?" in address else ""))
    if opens_browser and has_screen:  # without one, a browser in the terminal would take it over
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
