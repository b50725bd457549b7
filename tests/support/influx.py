"""A real InfluxDB (Debian's 1.6.7) for the tests, on loopback, with authentication on."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from store.influx.beats import InfluxBeatStore
from store.influx.catalogue import BeatCatalogue
from store.influx.client import InfluxAddress, InfluxServer
from store.sql.engine import server_engine
from tests.support.ports import free_port

_SETTINGS = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "tsi1"
  {data_settings}
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = true
  log-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
[logging]
  level = "error"
"""


def influxd() -> str | None:
    """Where it is installed."""
    return shutil.which("influxd")


@dataclass
class InfluxServerProcess:
    """A server in ``folder``; the administrator is "ebbtide"."""

    folder: Path
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    made: int = 0
    data_settings: str = ""

    def start(self) -> None:
        """Start it, and make the administrator where there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, rpc = free_port(), free_port()
        file = self.folder / "influxdb.conf"
        file.write_text(
            _SETTINGS.format(
                folder=self.folder, port=self.port, rpc=rpc, data_settings=self.data_settings
            )
        )
        self._start()
        httpx.post(
            f"{self.url}/query",
            data={"q": f"CREATE USER ebbtide WITH PASSWORD '{self.password}' WITH ALL PRIVILEGES"},
        ).raise_for_status()

    def _start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["influxd", "-config", str(self.folder / "influxdb.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        for _ in range(300):
            try:
                httpx.get(f"{self.url}/ping").raise_for_status()
                return
            except httpx.HTTPError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError(f"InfluxDB did not start: {(self.folder / 'log').read_text()[-2000:]}")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """Without a word: what is not on the disk is lost."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """After a kill, on the same port."""
        self._start()

    def stop(self) -> None:
        """Stop it and remove everything."""
        if self.process is not None:
            self.kill()  # it may take half a minute to end by itself, and its data go anyway
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database: str, url: str | None = None) -> InfluxAddress:
        """How our store reaches it."""
        return InfluxAddress(url or self.url, database, "ebbtide", self.password)

    def fresh_database(self) -> str:
        """A name that no database has yet."""
        self.made += 1
        return f"test{self.made}"


def open_influx_beats(address: InfluxAddress, records_url: str) -> InfluxBeatStore:
    """Our store on a server, with its catalogue in a database of records."""
    server = InfluxServer(address)
    server.make_database()
    return InfluxBeatStore(server, BeatCatalogue(server_engine(records_url)))
