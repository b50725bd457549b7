"""Settings of the pages' server, and the pages as a separate process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import httpx

from dashboard.charts import palette
from ebbtide.errors import EbbtideError

STARTED = threading.Event()  # set by ``ebbtide start``: the pages are of a computer of one's own
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class RunningDashboard:
    """A dashboard that answers at ``url``."""

    url: str
    process: subprocess.Popen[bytes]


def dashboard_command(host: str, port: int, public_url: str | None = None) -> list[str]:
    """Return the command that serves the pages.

    ``public_url``: where people find the pages, if a proxy stands before them. A web socket from
    there is accepted even if the proxy sends a Host header of its own.
    """
    script = Path(__file__).with_name("app.py")
    command = [sys.executable, "-m", "dashboard.server", str(script), host, str(port)]
    return command if public_url is None else [*command, public_url]


def streamlit_settings(public_url: str | None = None) -> dict[str, Any]:
    """Return Streamlit's settings for the pages. ``public_url``: as in ``dashboard_command``."""
    settings: dict[str, Any] = {
        "server.headless": True,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        # Streamlit follows the system's light or dark mode; its menu overrides that.
        "theme.light.primaryColor": palette.LIGHT_ACCENT,
        "theme.light.backgroundColor": palette.LIGHT_BACKGROUND,
        "theme.light.secondaryBackgroundColor": palette.LIGHT_SECONDARY_BACKGROUND,
        "theme.light.textColor": palette.LIGHT_TEXT,
        "theme.light.grayTextColor": palette.LIGHT_MUTED_TEXT,
        "theme.dark.primaryColor": palette.DARK_ACCENT,
        "theme.dark.backgroundColor": palette.DARK_BACKGROUND,
        "theme.dark.secondaryBackgroundColor": palette.DARK_SECONDARY_BACKGROUND,
        "theme.dark.textColor": palette.DARK_TEXT,
        "theme.baseFontSize": 17,
    }
    origin = public_origin(public_url)
    if origin is not None:
        # Checked before Streamlit looks up the external address of this machine on the internet.
        settings["browser.serverAddress"] = urlsplit(origin).hostname
        settings["server.corsAllowedOrigins"] = [origin]
    return settings


def public_origin(public_url: str | None) -> str | None:
    """Return the origin of the address at which people find the pages; None for this machine's."""
    parts = urlsplit(public_url or "")
    if parts.hostname is None or parts.hostname in _LOOPBACK:
        return None
    return f"{parts.scheme}://{parts.netloc}"


def dashboard_environment(api_url: str) -> dict[str, str]:
    """Return this process's environment with the address of the API."""
    return {**os.environ, "EBBTIDE_API_URL": api_url}


@contextmanager
def start_dashboard(api_url: str, port: int = 0) -> Iterator[RunningDashboard]:
    """Run a dashboard on the loopback address until the context ends. Port 0 takes a free one.

    Raises EbbtideError when it does not answer within a minute.
    """
    port = port or _free_port()
    # A file and not a pipe: the process would block once an unread pipe is full.
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            dashboard_command("127.0.0.1", port),
            env=dashboard_environment(api_url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            # A process group of its own: Ctrl-C reaches the parent alone, which then terminates it.
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(process, url, stderr)
            yield RunningDashboard(url, process)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, stderr: IO[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            stderr.seek(0)
            words = stderr.read().decode(errors="replace").strip()
            raise EbbtideError(f"The pages did not start: {words[-500:]}", "Try another port.")
        try:
            if httpx.get(f"{url}/_stcore/health", timeout=2).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise EbbtideError("The pages did not start within a minute.", "Try again.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
