"""Processes for heavy computations: few, of bounded memory, shared fairly between people.

A computation is a function of a module and its arguments, which know no store. Processes start when
the first heavy computation comes and end after a minute without one, so that an installation at
home, where there is hardly any, pays nothing for them. They are started as programs of their own
and not by ``multiprocessing``, which runs the main module of the server once more in each.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from api.services.compute.cancellation import (
    Allowance,
    Computation,
    ComputationStoppedError,
    current_computation,
    raise_if_stopped,
)
from api.services.compute.child import NO_MEMORY, OK, read_frame, write_frame
from api.services.compute.errors import (
    ComputationFailedError,
    ComputationTimeoutError,
    QueueFullError,
)

T = TypeVar("T")

# Cheaper ones are computed in the server itself: sending them costs as much.
INLINE_S = 0.1
IDLE_S = 60.0
MAX_CALLS = 200  # of one process: what a library leaks ends with it
MAX_MEMORY_BYTES = 1536 * 2**20
MAX_WAITING = 64
QUEUE_TIMEOUT_S = 30.0
JOB_QUEUE_TIMEOUT_S = 600.0
TIMEOUT_S, JOB_TIMEOUT_S = 30.0, 300.0  # of one call, on a busy machine
_BUSY = "Too many computations wait already."
_LATER = "Try again in a few seconds."
# A library that starts a thread for each core would let one computation take them all.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class _Worker:
    """One process, and the frames to and from it."""

    def __init__(self, max_memory_bytes: int) -> None:
        # The same path as here, as multiprocessing does: tests and notebooks may have added to it.
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"from api.services.compute.child import main; main({max_memory_bytes})"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD},
        )
        self.calls = 0
        self.epoch = 0
        self.idle_since = 0.0

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def call(self, frame: bytes) -> bytes | None:
        """Send a call and wait for its reply; None when the process ended before that."""
        self.calls += 1
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            write_frame(self._process.stdin, frame)  # type: ignore[arg-type]
            return read_frame(self._process.stdout)  # type: ignore[arg-type]
        except (OSError, ValueError):
            return None

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()

    def close(self) -> None:
        """End the process and free what it held here."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


@dataclass(eq=False, slots=True)
class _Ticket:
    person_id: str
    is_job: bool
    ready: bool = field(default=False)


class WorkerPool:
    """Up to ``max_workers`` processes; at the same time, one call a person, and one fewer jobs than
    processes. Of the people who wait, the one served longest ago is next.
    """

    def __init__(
        self, max_workers: int | None = None, max_memory_bytes: int = MAX_MEMORY_BYTES
    ) -> None:
        self.max_workers = max(2, _cores()) if max_workers is None else max_workers
        self._max_memory_bytes = max_memory_bytes
        self._changed = threading.Condition()
        self._idle: list[_Worker] = []
        self._waiting: list[_Ticket] = []
        self._running: list[_Ticket] = []
        self._served: dict[str, float] = {}  # person → when they were last served
        self._reaper: threading.Timer | None = None
        self._epoch = 0  # processes of an earlier one are replaced

    @property
    def idle_processes(self) -> int:
        """Processes that run and have nothing to do."""
        with self._changed:
            return len(self._idle)

    def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function of a module in one of the processes, for the current computation.

        Raises what the function raises, QueueFullError, ComputationTimeoutError,
        ComputationFailedError, or ComputationStoppedError.
        """
        computation = current_computation() or Computation(f"thread {threading.get_ident()}")
        frame = pickle.dumps((function, arguments), 5)
        ticket = self._enter(computation)
        try:
            status, result = self._call(computation, frame)
        finally:
            self._leave(ticket)
        if status == OK:
            found: T = result
            return found
        if status == NO_MEMORY:
            raise ComputationFailedError(
                "That takes more memory than a computation may use.", "Ask for a shorter range."
            )
        raise result

    def replace(self) -> None:
        """End the processes that are idle now, and each of the others after its call."""
        with self._changed:
            self._epoch += 1
        self.close()

    def close(self) -> None:
        """End the processes that are idle."""
        with self._changed:
            idle, self._idle = self._idle, []
            if self._reaper is not None:
                self._reaper.cancel()
                self._reaper = None
        for worker in idle:
            worker.close()

    def _enter(self, computation: Computation) -> _Ticket:
        """Wait for a turn."""
        ticket = _Ticket(computation.person_id, computation.is_job)
        patience = JOB_QUEUE_TIMEOUT_S if computation.is_job else QUEUE_TIMEOUT_S
        deadline = time.monotonic() + patience
        with self._changed:
            if len(self._waiting) >= MAX_WAITING:
                raise QueueFullError(_BUSY, _LATER)
            self._waiting.append(ticket)
            try:
                self._admit()
                while not ticket.ready:
                    if computation.is_stopped:
                        raise ComputationStoppedError
                    if time.monotonic() > deadline:
                        raise QueueFullError(_BUSY, _LATER)
                    self._changed.wait(0.5)
            except BaseException:
                if ticket.ready:
                    self._running.remove(ticket)
                else:
                    self._waiting.remove(ticket)
                self._admit()
                raise
        return ticket

    def _leave(self, ticket: _Ticket) -> None:
        with self._changed:
            self._running.remove(ticket)
            self._served.pop(ticket.person_id, None)
            self._served[ticket.person_id] = time.monotonic()
            while len(self._served) > 10_000:
                del self._served[next(iter(self._served))]
            self._admit()

    def _admit(self) -> None:
        """Let those begin who may. The lock is held."""
        for ticket in sorted(self._waiting, key=lambda item: self._served.get(item.person_id, 0.0)):
            if len(self._running) >= self.max_workers:
                break
            jobs = sum(item.is_job for item in self._running)
            if any(item.person_id == ticket.person_id for item in self._running) or (
                ticket.is_job and jobs >= max(1, self.max_workers - 1)
            ):
                continue
            self._waiting.remove(ticket)
            self._running.append(ticket)
            ticket.ready = True
        self._changed.notify_all()

    def _call(self, computation: Computation, frame: bytes) -> tuple[int, Any]:
        with self._changed:
            worker = self._idle.pop() if self._idle else None
            epoch = self._epoch
        if worker is not None and not worker.is_alive():  # killed from outside while it was idle
            worker.close()
            worker = None
        if worker is None:
            worker = _Worker(self._max_memory_bytes)
        worker.epoch = epoch
        timeout_s = JOB_TIMEOUT_S if computation.is_job else TIMEOUT_S
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            worker.kill()

        timer = threading.Timer(timeout_s, expire)
        timer.daemon = True
        reply = None
        try:
            with computation.calling_on_stop(worker.kill):
                timer.start()
                reply = worker.call(frame)
        finally:
            timer.cancel()
            if reply is None or worker.calls >= MAX_CALLS or worker.epoch != self._epoch:
                worker.close()
            else:
                self._put_back(worker)
        if reply is not None:
            status, result = pickle.loads(reply)  # nosec B301: from a child
            return status, result
        if computation.is_stopped:
            raise ComputationStoppedError
        if expired.is_set():
            raise ComputationTimeoutError(
                f"It was stopped after {timeout_s:.0f} s.", "Ask for a shorter range."
            )
        raise ComputationFailedError("The process of a computation ended.", _LATER)

    def _put_back(self, worker: _Worker) -> None:
        worker.idle_since = time.monotonic()
        with self._changed:
            self._idle.append(worker)
            if self._reaper is None:
                self._schedule_reaper()

    def _schedule_reaper(self) -> None:
        self._reaper = threading.Timer(IDLE_S / 4, self._reap)
        self._reaper.daemon = True
        self._reaper.start()

    def _reap(self) -> None:
        now = time.monotonic()
        with self._changed:
            over = [worker for worker in self._idle if now - worker.idle_since > IDLE_S]
            self._idle = [worker for worker in self._idle if worker not in over]
            self._reaper = None
            if self._idle:
                self._schedule_reaper()
        for worker in over:
            worker.close()


_pool: WorkerPool | None = None
_pool_lock = threading.Lock()
# A second at once is a page; a tenth of a core for as long as it lasts delays others by little.
_allowance = Allowance(burst_s=1.0, share=0.1)


def get_pool() -> WorkerPool:
    """Return the pool of this process."""
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = WorkerPool()
            atexit.register(close_pool)
        return _pool


def close_pool() -> None:
    """End the idle processes of this process's pool. It starts new ones when they are needed."""
    if _pool is not None:
        _pool.close()


def replace_workers() -> None:
    """Replace the processes of this process's pool, as those hold in memory what they were sent."""
    if _pool is not None:
        _pool.replace()


def compute(price_s: float, function: Callable[..., T], *arguments: Any) -> T:
    """Call a function, here if it is cheap and its person has not computed much, else in the pool.

    Outside of a request, as in the nightly analysis, it is called here.
    """
    raise_if_stopped()
    computation = current_computation()
    if computation is None or (
        price_s <= INLINE_S
        and not computation.is_job
        and _allowance.take(computation.person_id, price_s)
    ):
        return function(*arguments)
    return get_pool().run(function, *arguments)


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
