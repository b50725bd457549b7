"""A real PostgreSQL (Debian's) for the tests, on a socket of its own, with a password."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from store.sql.engine import server_engine

# PostgreSQL does not run as root.
_AS_POSTGRES: dict[str, Any] = (
    {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
)


def postgres_bin() -> Path | None:
    """The newest PostgreSQL that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[-3])
    return found[-1].parent if found else None


@dataclass
class PostgresServer:
    """A cluster in ``folder``, listening on a socket in it and nowhere else."""

    folder: Path
    binaries: Path
    password: str
    process: subprocess.Popen[bytes] = field(init=False)
    made: int = 0
    template: str = ""
    options: tuple[str, ...] = ()

    def start(self) -> None:
        """Make the cluster, and start it."""
        data = self.folder / "data"
        secret = self.folder / "password"
        secret.write_text(self.password)
        if _AS_POSTGRES:
            user = pwd.getpwnam("postgres")
            for path in (self.folder, secret):
                os.chown(path, user.pw_uid, user.pw_gid)
            for parent in self.folder.parents:
                if parent.owner() == "root" and str(parent).startswith("/tmp/"):
                    parent.chmod(parent.stat().st_mode | 0o011)
        self._run(
            *(self.binaries / "initdb", "-D", data, "-U", "ebbtide", "--auth=scram-sha-256"),
            f"--pwfile={secret}",
            *("-E", "UTF8", "--no-locale", "--no-sync"),
        )
        self._start()

    def _start(self) -> None:
        # Our own child, so that it can be reaped: a dead one that is not reaped counts as alive.
        self.process = subprocess.Popen(
            [
                *(str(self.binaries / "postgres"), "-D", str(self.folder / "data")),
                *("-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}"),
                *(word for option in self.options for word in ("-c", option)),
            ],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **_AS_POSTGRES,
        )
        for _ in range(300):
            try:
                self._connection().close()
            except psycopg.OperationalError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
            else:
                return
        raise RuntimeError("PostgreSQL did not start")

    def _connection(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.folder),
            user="ebbtide",
            password=self.password,
            dbname="postgres",
            autocommit=True,
        )

    def stop(self) -> None:
        """Stop it and remove everything."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)
        shutil.rmtree(self.folder)

    def kill(self) -> None:
        """Without a word or a checkpoint: what is not on the disk is lost."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """After a kill. Its children hold its memory until they notice."""
        for turn in range(40):
            try:
                self._start()
            except RuntimeError:
                if turn == 39:
                    raise
                time.sleep(0.25)
            else:
                return

    def url(self, database: str) -> str:
        """As EBBTIDE_RECORDS_URL."""
        return f"postgresql+psycopg://ebbtide:{self.password}@/{database}?host={self.folder}"

    def fresh_database(self) -> str:
        """The URL of an empty database."""
        self.made += 1
        name = f"test{self.made}"
        with self._connection() as db:
            db.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def migrated_database(self) -> str:
        """The URL of a database with the newest tables and nothing in them, a copy of one that was
        migrated: the migrations take some tenths of a second.
        """
        if not self.template:
            url = self.fresh_database()
            server_engine(url).dispose()
            self.template = f"test{self.made}"
        self.made += 1
        name = f"test{self.made}"
        with self._connection() as db:
            db.execute(f"CREATE DATABASE {name} TEMPLATE {self.template}")
        return self.url(name)

    def _run(self, *command: object) -> None:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **_AS_POSTGRES,
        )
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr[-2000:]}")


def started(folder: Path, binaries: Path) -> PostgresServer:
    """A running server."""
    server = PostgresServer(folder, binaries, secrets.token_urlsafe(12))
    server.start()
    return server
