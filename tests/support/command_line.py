"""``ebbtide`` as a process, as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

EBBTIDE = [sys.executable, "-m", "ebbtide"]
NO_BLUETOOTH = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere/bus"}


def run_ebbtide(
    *arguments: str, environment: Mapping[str, str] | None = None, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with ``typed`` as its input."""
    return subprocess.run(
        [*EBBTIDE, *arguments],
        env={**os.environ, **(environment or {})},
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run_ebbtide_in(
    language: str, data_dir: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a language, with a data folder of its own."""
    environment = {"EBBTIDE_LANGUAGE": language, "EBBTIDE_DATA_DIR": str(data_dir)}
    return run_ebbtide(*arguments, environment=environment)


def run_ebbtide_json(*arguments: str) -> dict[str, Any]:
    """Run a command with ``--json``, which must succeed; the object that it prints."""
    done = run_ebbtide(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def served(environment: Mapping[str, str], port: int) -> Iterator[str]:
    """Run ``ebbtide serve`` while entered: its address."""
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [*EBBTIDE, "serve", "--port", str(port)],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                if httpx.get(f"{url}/v1/ready").is_success:
                    break
            except httpx.ConnectError:
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) in (0, -signal.SIGINT, 130)
