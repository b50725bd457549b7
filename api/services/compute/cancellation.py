"""A computation that can be stopped from outside, and in whose name it runs.

The current one is a context variable: threads started through anyio inherit it, so that a loop deep
in a use case can call ``raise_if_stopped`` without an argument for it at every level.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock


class ComputationStoppedError(Exception):
    """Raised within a computation that nobody waits for any more."""


class Computation:
    """One computation of one person. ``is_job``: it is priced above what a request waits for."""

    def __init__(self, person_id: str, *, is_job: bool = False) -> None:
        self.person_id = person_id
        self.is_job = is_job
        self._lock = Lock()
        self._stopped = False
        self._on_stop: Callable[[], None] | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether it has been stopped."""
        return self._stopped

    def stop(self) -> None:
        """Stop it: the process that works for it is ended, and ``raise_if_stopped`` raises."""
        with self._lock:
            self._stopped = True
            if self._on_stop is not None:
                self._on_stop()

    @contextmanager
    def calling_on_stop(self, on_stop: Callable[[], None]) -> Iterator[None]:
        """Call ``on_stop`` when it is stopped meanwhile. Raises ComputationStoppedError."""
        with self._lock:
            if self._stopped:
                raise ComputationStoppedError
            self._on_stop = on_stop
        try:
            yield
        finally:
            with self._lock:
                self._on_stop = None


_current: ContextVar[Computation | None] = ContextVar("computation", default=None)


def current_computation() -> Computation | None:
    """Return the computation that this code runs for; None outside of a request."""
    return _current.get()


@contextmanager
def running(computation: Computation) -> Iterator[None]:
    """Make this the current computation, while entered."""
    token = _current.set(computation)
    try:
        yield
    finally:
        _current.reset(token)


def raise_if_stopped() -> None:
    """Raise ComputationStoppedError if the current computation was stopped."""
    computation = _current.get()
    if computation is not None and computation.is_stopped:
        raise ComputationStoppedError


class Allowance:
    """Seconds of computing in this process that each person has: ``burst_s`` at once, and
    ``share`` of a core for as long as it lasts. What is beyond goes to another process.
    """

    def __init__(self, burst_s: float, share: float, max_people: int = 10_000) -> None:
        self._burst_s, self._share, self._max_people = burst_s, share, max_people
        self._lock = Lock()
        self._spent: dict[str, tuple[float, float]] = {}  # person → (seconds spent, when)

    def take(self, person_id: str, seconds: float) -> bool:
        """Take so many seconds, if there are as many."""
        now = time.monotonic()
        with self._lock:
            spent, at = self._spent.pop(person_id, (0.0, now))
            spent = max(0.0, spent - (now - at) * self._share)
            fits = spent + seconds <= self._burst_s
            self._spent[person_id] = (spent + seconds if fits else spent, now)
            if len(self._spent) > self._max_people:  # the one who took longest ago
                del self._spent[next(iter(self._spent))]
            return fits
