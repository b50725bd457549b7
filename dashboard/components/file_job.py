"""Reading of files that a browser sent, in a process beside the pages.

A file is a stranger's: what it costs is bounded there (``ingest.files.import_worker``), two are
read at once, and the pages of others go on. The pages are a client of the API and import nothing of
the reader; both speak JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

MAX_UPLOAD_MB = 200  # of all files that are dropped at once
MAX_FILES = 50
_AT_ONCE = threading.BoundedSemaphore(2)
_PREFIX = "ebbtide-import-"
_OLD_S = 86_400.0
_MAX_RUN_S = 1800.0
# Time left is an estimate: before this much has been done, it would be a guess.
_MIN_SECONDS, _MIN_FRACTION = 2.0, 0.03


class Spool:
    """A folder of the files of one person, deleted with it: at the latest when their session goes.

    What a process that was killed left behind is deleted a day later.
    """

    def __init__(self) -> None:
        _delete_old()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))  # of its owner alone
        self._delete = weakref.finalize(self, shutil.rmtree, self.folder, True)

    def add(self, files: Iterable[tuple[str, memoryview]]) -> list[dict[str, Any]]:
        """Write files, each into a folder of its own under its own name; the request's items."""
        items = []
        for name, content in files:
            # The reader finds the beginning of a recording in a name, and people find it again.
            plain = PurePosixPath(name.replace("\\", "/")).name.replace("\0", "").strip()
            plain = plain if plain not in ("", ".", "..") else "file"
            path = Path(tempfile.mkdtemp(dir=self.folder)) / plain[-120:]
            with path.open("xb") as out:
                out.write(content)
            items.append({"path": str(path), "name": plain, "choice": {}, "again": False})
        return items

    def delete(self) -> None:
        """Delete the folder now."""
        self._delete()


class FileJob:
    """One request to the reader. Its state is read by the page, twice a second.

    ``answer``: what it answered; None until then. ``error``: why there is none, in words; empty
    where the process ended without a word.
    """

    def __init__(self, spool: Spool, request: Mapping[str, Any]) -> None:
        self.fraction = 0.0
        self.step = "wait"
        self.name = ""
        self.answer: dict[str, Any] | None = None
        self.error: str | None = None
        self._spool = spool  # its folder stays as long as the process
        self._began_s: float | None = None
        self._state = _ProcessState()
        self._thread = threading.Thread(
            target=self._run, args=(json.dumps({**request, "folder": str(spool.folder)}),)
        )
        self._thread.daemon = True
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether there is no answer yet."""
        return self._thread.is_alive()

    @property
    def seconds_left(self) -> float | None:
        """How long it will take from now; None while that would be a guess."""
        if self._began_s is None:
            return None
        taken = time.monotonic() - self._began_s
        if taken < _MIN_SECONDS or self.fraction < _MIN_FRACTION:
            return None
        return taken * (1 - self.fraction) / self.fraction

    def stop(self) -> None:
        """End it. What was brought in by then is stored; the same files again add the rest."""
        self._state.stop()
        self._thread.join(timeout=10)

    def _run(self, request: str) -> None:
        with _AT_ONCE:
            if self._state.is_stopped:
                return
            # Threads of numpy each take addresses, which are bounded.
            env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            with subprocess.Popen(
                [sys.executable, "-m", "ingest.files.import_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # never a traceback with what is in a file
                text=True,
                encoding="utf-8",
                env=env,
            ) as process:
                self._state.began(process)
                self._began_s = time.monotonic()
                self.step = "read"
                limit = threading.Timer(_MAX_RUN_S, process.kill)
                limit.daemon = True
                limit.start()
                assert process.stdin is not None and process.stdout is not None
                with suppress(OSError), process.stdin as stdin:
                    stdin.write(request)
                for line in process.stdout:
                    self._take(json.loads(line))
            limit.cancel()
        if self.answer is None and self.error is None:
            self.error = ""

    def _take(self, message: dict[str, Any]) -> None:
        answer = message.get("answer")
        if answer is None:
            self.fraction = max(self.fraction, message["fraction"])
            self.step, self.name = message["step"], message["name"]
        elif "error" in answer:
            self.error = answer["error"]
        else:
            self.answer = answer


class _ProcessState:
    """The process of a job, and whether it was stopped before it began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self.is_stopped = False

    def began(self, process: subprocess.Popen[str]) -> None:
        """Take the process; end it at once where the job was stopped meanwhile."""
        with self._lock:
            self._process = process
            if self.is_stopped:
                process.kill()

    def stop(self) -> None:
        """End the process."""
        with self._lock:
            self.is_stopped = True
            if self._process is not None:
                self._process.kill()


def _delete_old() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _OLD_S:
                shutil.rmtree(folder, ignore_errors=True)
