"""Group commit: the notifications of many straps are flushed to the disk together.

A flush takes milliseconds whether it holds one notification or fifty. A thread takes what has
arrived meanwhile, writes it in one transaction, and resolves the future of each waiting strap. So
twenty straps wait no longer than one.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

from ingest.outbox.database import OutboxWriteError
from ingest.outbox.outbox import Entry, Outbox

_MAX_BATCH = 4000  # runs of entries in one transaction
_RETRY_S = 2.0

_Job = tuple[str, Sequence[Entry], "Future[int]"]


class BatchWriter:
    """Writes entries to ``outbox``. Use as a context manager around all recording.

    While the disk is full, ``problem`` says so and nothing counts as written; it tries again until
    there is space.
    """

    def __init__(self, outbox: Outbox, retry_s: float = _RETRY_S) -> None:
        self.outbox = outbox
        self.problem: str | None = None
        self._retry_s = retry_s
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="outbox-writer", daemon=True)

    def __enter__(self) -> BatchWriter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._jobs.put(None)
        self._thread.join()

    async def append(self, stream_id: str, entries: Sequence[Entry]) -> int:
        """Return the last sequence number when all entries are on the disk.

        Raises OutboxWriteError only when the writer is closed while the disk is still full.
        """
        future: Future[int] = Future()
        self._jobs.put((stream_id, entries, future))
        return await asyncio.wrap_future(future)

    async def retry(self, write: Callable[[], object]) -> None:
        """Run a write of the outbox in a thread, repeated while the disk is full."""
        while True:
            try:
                await asyncio.to_thread(write)
                return
            except OutboxWriteError as error:
                self.problem = str(error)
                if self._ending.is_set():
                    raise
                await asyncio.sleep(self._retry_s)

    def _work(self) -> None:
        ended = False
        while not ended:
            first = self._jobs.get()
            if first is None:
                return
            jobs = [first]
            while len(jobs) < _MAX_BATCH and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    ended = True
                    break
                jobs.append(following)
            self._write(jobs)

    def _write(self, jobs: list[_Job]) -> None:
        while True:
            try:
                sequences = self.outbox.append_many([job[:2] for job in jobs])
            except OutboxWriteError as error:
                self.problem = str(error)
                if self._ending.is_set():
                    _fail(jobs, error)
                    return
                time.sleep(self._retry_s)
            except Exception as error:
                if len(jobs) == 1:
                    _fail(jobs, error)
                else:  # an invalid entry of one strap must not cost another its beats
                    for job in jobs:
                        self._write([job])
                return
            else:
                self.problem = None
                for job, sequence in zip(jobs, sequences, strict=True):
                    # A cancelled future takes no result; its entries are written all the same.
                    with suppress(InvalidStateError):
                        job[2].set_result(sequence)
                return


def _fail(jobs: list[_Job], error: Exception) -> None:
    for job in jobs:
        with suppress(InvalidStateError):
            job[2].set_exception(error)
