"""Several processes of the API, each with a data folder, and a load balancer before them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from tests.support.ports import free_port

_START_S = 120.0
# Round robin, so that each request may meet another process than the one before. No retries on
# another process once a request was sent: whoever sent it decides whether it may be sent again.
_HAPROXY = """
global
  maxconn 4000
defaults
  mode http
  timeout connect 2s
  timeout client 90s
  timeout server 90s
  timeout check 5s
  option forwardfor
  option redispatch
  retries 2
frontend visitors
  bind 127.0.0.1:{port}
  default_backend api
backend api
  balance roundrobin
  option httpchk GET /v1/health
  default-server check inter 500ms fall 3 rise 1
{servers}
"""


def haproxy() -> str | None:
    """Where it is installed; /usr/sbin is not on everybody's path."""
    return shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class ApiProcess:
    """``ebbtide serve`` as a process, which can be killed and started again on its port.

    ``source``: a folder with other code than this one's.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], source: Path | None = None
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.environment = {
            **os.environ,
            **environment,
            "EBBTIDE_DATA_DIR": str(folder / "data"),
        }
        if source is not None:
            self.environment["PYTHONPATH"] = str(source)
        self._source = source
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; see ``wait``."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "ebbtide", "serve"),
                    *("--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"),
                ],
                cwd=self._source or self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it answers. Raises RuntimeError with what it wrote, where it ended."""
        assert self._process is not None
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/v1/ready", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                if self._process.poll() is not None:
                    break
            time.sleep(0.1)
        raise RuntimeError(f"The API did not start: {self.words()[-2000:]}")

    def words(self) -> str:
        """What it wrote into its log."""
        return (self.folder / "log").read_text()

    def kill(self) -> None:
        """End it and its children as kill -9 does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it, by force where it does not."""
        self._end(signal.SIGTERM)

    def _end(self, by: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, by)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None


class LoadBalancer:
    """HAProxy before some processes, one after the other."""

    def __init__(self, folder: Path, processes: list[ApiProcess]) -> None:
        self.port = free_port()
        program = haproxy()
        assert program is not None
        servers = "\n".join(
            f"  server api{k} 127.0.0.1:{process.port}" for k, process in enumerate(processes)
        )
        settings = folder / "haproxy.cfg"
        settings.write_text(_HAPROXY.format(port=self.port, servers=servers))
        with (folder / "haproxy.log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, "-db", "-f", str(settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)
