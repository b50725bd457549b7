"""A demo with pages, as a user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path


class RunningDemo:
    """``ebbtide demo`` as a process; ``words`` holds what it invited with. ``temporary``: a folder
    of its own for temporary files, since other tests run demos at the same time.
    """

    def __init__(self, *arguments: str, temporary: Path | None = None) -> None:
        own = {} if temporary is None else {"TMPDIR": str(temporary)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ebbtide", "demo", *arguments],
            env={**os.environ, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output: list[str] = []
        self.words: dict[str, str] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)
            found = re.match(r"(The pages|Sign in with|Password|The API)\s+(\S+)$", line.strip())
            if found:
                self.words[found[1]] = found[2]

    def __enter__(self) -> RunningDemo:
        deadline = time.monotonic() + 120
        while len(self.words) < 4:
            assert self.process.poll() is None, "".join(self.output)
            assert time.monotonic() < deadline, "".join(self.output)
            time.sleep(0.1)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            status = self.process.poll()
            error.add_note(f"demo (status {status}): {''.join(self.output)[-4000:]}")
        if self.process.poll() is None:
            self.end(signal.SIGINT)
        assert self.process.stdout is not None
        self._reader.join(10)
        self.process.stdout.close()

    def end(self, how: signal.Signals) -> int:
        """Send a signal as a terminal would, and wait: the exit status."""
        self.process.send_signal(how)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
