"""``ebbtide start`` as a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx


class StartedProcess:
    """``ebbtide start`` as a process, to be killed and ended."""

    def __init__(
        self,
        folder: Path,
        port: int,
        program: Sequence[str] = ("-m", "ebbtide"),
        options: Sequence[str] = (),
    ) -> None:
        self._folder = folder
        self._output = folder / f"output-{time.monotonic_ns()}"
        with self._output.open("w") as file:
            self._process = subprocess.Popen(
                [sys.executable, *program, "start", "--no-browser", *options],
                env={
                    **os.environ,
                    "EBBTIDE_DATA_DIR": str(folder / "data"),
                    "EBBTIDE_API_PORT": str(port),
                },
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def wait_for_address(self) -> str:
        """Return the address that it opens, once it answers."""
        return _opened_address(self._process, self._output)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def recorder_pid(self) -> int | None:
        """Return its child that records; None while there is none (Linux)."""
        children = Path(f"/proc/{self.pid}/task").glob("*/children")
        for pid in " ".join(child.read_text() for child in children).split():
            if "recorder_process" in Path(f"/proc/{pid}/cmdline").read_text():
                return int(pid)
        return None

    def kill(self) -> None:
        """End it as kill -9 does."""
        self._process.kill()
        self._process.wait()

    def end(self, by: signal.Signals | None = signal.SIGINT) -> None:
        """End it by a signal, None where it ends by itself, and check that it ended well."""
        if by is not None:
            self._process.send_signal(by)
        status = self._process.wait(timeout=30)
        text = self._output.read_text()
        assert status == 0, text
        assert text.splitlines()[-1] == "Ended. Nothing runs any more."
        assert not (self._folder / "data" / "start.json").exists()


@contextmanager
def started(
    folder: Path,
    port: int,
    program: Sequence[str] = ("-m", "ebbtide"),
    *,
    options: Sequence[str] = (),
    end: signal.Signals | None = signal.SIGINT,
) -> Iterator[str]:
    """Run ``ebbtide start`` with ``options`` and yield the address that it opens; end it as Ctrl-C
    does, or by another signal. ``end`` None: it has ended by itself by then.
    """
    process = StartedProcess(folder, port, program, options)
    try:
        yield process.wait_for_address()
    except BaseException:
        end = signal.SIGINT  # whatever was expected: nothing is left behind
        raise
    finally:
        process.end(end)


def _opened_address(process: subprocess.Popen[bytes], output: Path) -> str:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = re.search(r"^Open  (\S+)", output.read_text(), re.MULTILINE)
        if found:
            return found[1]
        assert process.poll() is None, output.read_text()
        time.sleep(0.1)
    raise AssertionError(output.read_text())


def first_run(address: str, port: int) -> httpx.Client:
    """Make ada's account, who agrees that her beats are kept."""
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(timeout=60) as browser:
        browser.get(address)
        (cookie,) = browser.cookies.jar
        body = {"secret": cookie.value, "name": "Ada", "zone": "Europe/Berlin"}
        token = browser.post(f"{url}/v1/first-run", json=body).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    api = httpx.Client(base_url=f"{url}/v1", headers=headers, timeout=60)
    consent = {"purpose": "keeping", "given": True, "wording": "keeping, English, 2"}
    api.post("/consents", json=consent).raise_for_status()
    return api
