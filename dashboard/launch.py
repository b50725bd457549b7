"""Starts Streamlit as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from dashboard.charts import palette
from ebbtide.errors import EbbtideError


@dataclass(frozen=True, slots=True)
class RunningDashboard:
    """A dashboard that answers at ``url``."""

    url: str
    process: subprocess.Popen[bytes]


def dashboard_command(host: str, port: int) -> list[str]:
    """The command that serves the pages. All of Streamlit's settings are here."""
    settings = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        # Light or dark as the system is; the person may choose in the menu.
        "theme.light.primaryColor": palette.ACCENT_BY_DAY,
        "theme.light.backgroundColor": palette.PAPER,
        "theme.light.secondaryBackgroundColor": palette.SAND,
        "theme.light.textColor": palette.INK,
        "theme.light.grayTextColor": palette.QUIET_INK,
        "theme.dark.primaryColor": palette.ACCENT_AT_NIGHT,
        "theme.dark.backgroundColor": palette.NIGHT,
        "theme.dark.secondaryBackgroundColor": palette.DUSK,
        "theme.dark.textColor": palette.MOON,
        "theme.baseFontSize": "17",
    }
    flags = [f"--{name}={value}" for name, value in settings.items()]
    script = Path(__file__).with_name("app.py")
    return [sys.executable, "-m", "streamlit", "run", str(script), *flags]


def dashboard_environment(api_url: str) -> dict[str, str]:
    """The environment in which the pages find the API."""
    return {**os.environ, "EBBTIDE_API_URL": api_url}


@contextmanager
def start_dashboard(api_url: str, port: int = 0) -> Iterator[RunningDashboard]:
    """A dashboard on the loopback address, ended with the context. Port 0 takes a free one.

    Raises EbbtideError when it does not answer within a minute.
    """
    port = port or _free_port()
    # A file and not a pipe: a pipe that nobody empties would stop the pages when it is full.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            dashboard_command("127.0.0.1", port),
            env=dashboard_environment(api_url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            # Ctrl-C goes to the parent alone, which then ends this in its own order.
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_it_answers(process, url, said)
            yield RunningDashboard(url, process)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, said: IO[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said.seek(0)
            words = said.read().decode(errors="replace").strip()
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
