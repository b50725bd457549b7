"""The product as processes: its commands, and what serves."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from normalising import NOW_NS, Normaliser, printable, shortened

# Loaded by every Python process of the product (PYTHONPATH). datetime.now is replaced inside the
# built-in type, so that the type stays the same object for isinstance; it stands still, because
# the pages use it as the end of what they ask for.
SITE = """
import ctypes, datetime, gc, hashlib, os, threading, time
_offset = int(os.environ["BEHAVIOUR_OFFSET_NS"])
_still = int(os.environ["BEHAVIOUR_NOW_NS"]) / 1e9 + 60
_time_ns = time.time_ns
time.time_ns = lambda: _time_ns() + _offset
time.time = lambda: (_time_ns() + _offset) / 1e9
_names = gc.get_referents(datetime.datetime.__dict__)[0]
_names["now"] = classmethod(lambda cls, tz=None: cls.fromtimestamp(_still, tz))
ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))
_lock, _count = threading.Lock(), [0]
def _urandom(size):
    with _lock:
        _count[0] += 1
        seed = f"{os.environ['BEHAVIOUR_SEED']} {_count[0]}".encode()
    return hashlib.shake_256(seed).digest(size)
os.urandom = _urandom
import secrets
secrets.randbelow = lambda below: below // 2
"""


class Product:
    """A checkout, with a data folder, a clock and a seed of its own."""

    def __init__(self, root: Path, section: str) -> None:
        self.root = root
        self.section = section
        self.folder = Path(tempfile.mkdtemp(prefix="ebbtide-behaviour-"))
        self.normalise = Normaliser({str(self.folder): "<folder>", str(root): "<root>"})
        self.port = free_port()
        (self.folder / "site").mkdir()
        (self.folder / "site" / "sitecustomize.py").write_text(SITE)
        self.files = self.folder / "files"
        self.files.mkdir()
        self._processes = 0
        self._offset = NOW_NS - time.time_ns()

    @property
    def url(self) -> str:
        """Where the API of this product answers, when it is served."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """The words that begin a command line."""
        script = self.root / ".venv" / "bin" / "ebbtide"
        python = self.root / ".venv" / "bin" / "python"
        return [str(script)] if script.exists() else [str(python), "-m", "ebbtide"]

    def environment(self, **more: str) -> dict[str, str]:
        """What a process sees. Settings of whoever runs this are left out."""
        self._processes += 1
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("EBBTIDE_", "PYTHON"))
        }
        return {
            **inherited,
            "HOME": str(self.folder),
            "PYTHONPATH": str(self.folder / "site"),
            "BEHAVIOUR_OFFSET_NS": str(self._offset),
            "BEHAVIOUR_NOW_NS": str(NOW_NS),
            "BEHAVIOUR_SEED": f"{self.section} {self._processes}",
            "EBBTIDE_DATA_DIR": str(self.folder / "data"),
            "EBBTIDE_API_URL": self.url,
            "EBBTIDE_REQUESTS_A_MINUTE": "1000000",
            "EBBTIDE_ANONYMOUS_REQUESTS_A_MINUTE": "1000000",
            "COLUMNS": "1000",  # paths and ports in messages must not move the ends of lines
            "NO_COLOR": "1",
            "TERM": "dumb",
            "TZ": "UTC",
            "OPENBLAS_NUM_THREADS": "1",
            "LANG": "C.UTF-8",
            **more,
        }

    def run(self, *words: str, typed: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*self.command(), *words],
            env=self.environment(**more),
            cwd=self.files,
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def output_of(self, *words: str, typed: str = "", **more: str) -> str:
        """Run a command, and return all of its output."""
        settings = "".join(f"{name}={value} " for name, value in more.items())
        try:
            done = self.run(*words, typed=typed, **more)
            text = (
                f"$ {settings}ebbtide {' '.join(words)}\nexit {done.returncode}\n"
                f"--- stdout\n{printable(done.stdout)}\n--- stderr\n{done.stderr}"
            )
        except (OSError, subprocess.SubprocessError) as error:
            text = f"$ {settings}ebbtide {' '.join(words)}\nnot run: {error!r}"
        return shortened(self.normalise(text))

    @contextlib.contextmanager
    def background(self, url: str, health: str, *words: str) -> Iterator[None]:
        """A command that serves, until the context ends."""
        with (self.folder / f"{words[0]}.log").open("w") as log:
            process = subprocess.Popen(
                [*self.command(), *words],
                env=self.environment(),
                cwd=self.files,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(url + health, timeout=5).is_success:
                        break
                if process.poll() is not None or time.monotonic() > deadline:
                    log_text = (self.folder / f"{words[0]}.log").read_text()
                    raise RuntimeError(
                        f"ebbtide {' '.join(words)} does not answer: {log_text[-2000:]}"
                    )
                time.sleep(0.1)
            yield
        finally:
            # The whole group: the pages are a process below the command.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def serve(self) -> contextlib.AbstractContextManager[None]:
        """The API."""
        return self.background(self.url, "/v1/ready", "serve", "--port", str(self.port))

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    """A free port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
