"""What takes seconds is done by one request at a time: the others wait, and find it done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_guard = Lock()
_working: dict[str, tuple[Lock, int]] = {}


@contextmanager
def single_flight(name: str) -> Iterator[None]:
    """Within this process, nobody else does the thing of this name meanwhile."""
    with _guard:
        lock, waiting = _working.get(name, (Lock(), 0))
        _working[name] = (lock, waiting + 1)
    try:
        with lock:
            yield
    finally:
        with _guard:
            lock, waiting = _working[name]
            if waiting == 1:
                del _working[name]
            else:
                _working[name] = (lock, waiting - 1)
