"""Do the same slow work once at a time: other threads wait, and find it done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_guard = Lock()
_flights: dict[str, tuple[Lock, int]] = {}  # key → (lock, threads that hold it or wait)


@contextmanager
def single_flight(key: str) -> Iterator[None]:
    """Keep other threads of this process out of the blocks with this key meanwhile."""
    with _guard:
        lock, threads = _flights.get(key, (Lock(), 0))
        _flights[key] = (lock, threads + 1)
    try:
        with lock:
            yield
    finally:
        with _guard:
            lock, threads = _flights[key]
            if threads == 1:
                del _flights[key]
            else:
                _flights[key] = (lock, threads - 1)
