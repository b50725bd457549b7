"""Answers that were made before, in this process: nothing is worked out again that did not change.

What an answer hangs on is its key, the content of the beats included, so an old answer is never
given for new beats; it only falls out after a while, or when there is no more room.
"""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from threading import Lock

from cachetools import TTLCache

TTL_S = 3600.0
_MAX_BYTES = 64 * 1024 * 1024


class ResponseCache:
    """The answers that were asked for last, up to so many bytes."""

    def __init__(self, most_bytes: int = _MAX_BYTES) -> None:
        self._lock = Lock()
        self._known: TTLCache[Hashable, bytes] = TTLCache(most_bytes, TTL_S, getsizeof=len)

    def get(self, key: Hashable) -> bytes | None:
        """The answer, if it is known."""
        with self._lock:
            return self._known.get(key)

    def put(self, key: Hashable, answer: bytes) -> None:
        """Keep it, and let go of those that nobody asked for the longest."""
        with self._lock, suppress(ValueError):  # longer than all the room there is
            self._known[key] = answer
