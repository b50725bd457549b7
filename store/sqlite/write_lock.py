"""Writers of one file, one after the other, those of other processes too.

SQLite lets one write at a time, and whoever finds it busy looks again after longer and longer
pauses: two busy workers hold each other up for hundreds of milliseconds (benchmarks/load.py). Here
the kernel wakes the next one. It is a courtesy and no guarantee: SQLite's own lock still stands.
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
else:  # there SQLite's way must do

    def _take(file: int) -> None:
        del file

    def _give(file: int) -> None:
        del file


class WriteLock:
    """The queue for the file ``path``; its lock is the empty file ``path.queue`` beside it. One
    object serves one thread at a time. Raises OSError where that cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(f"{path}.queue", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def acquire(self) -> Iterator[None]:
        """Wait for one's turn, and give it back."""
        _take(self._file)
        try:
            yield
        finally:
            _give(self._file)

    def close(self) -> None:
        """Close the file; twice is once."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
