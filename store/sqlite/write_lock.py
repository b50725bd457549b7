"""Lock the writers of one file, in this and in other processes.

SQLite has one writer at a time, and a second one tries again after longer and longer pauses: two
busy workers delay each other by hundreds of milliseconds (benchmarks/load.py). Here the kernel
wakes the next one. Advisory only: SQLite's own lock still applies.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _give(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
else:  # Windows has no flock: SQLite's own lock has to do

    def _take(file: int) -> None:
        del file

    def _give(file: int) -> None:
        del file


class WriteLock:
    """The write lock of the file ``path``: a lock on the empty file ``path.queue`` beside it. One
    object serves one thread at a time. Raises OSError where that cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(f"{path}.queue", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def acquire(self) -> Iterator[None]:
        """Wait for the lock, and release it at the end."""
        _take(self._file)
        try:
            yield
        finally:
            _give(self._file)

    def close(self) -> None:
        """Close the file. Idempotent."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
