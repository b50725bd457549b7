"""Responses of this process, so that nothing is computed again that has not changed.

The key holds all that a response depends on, the fingerprints of the beats included, so that an old
response is never given for new beats. It expires after an hour, or makes way for newer ones.
"""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from threading import Lock

from cachetools import TTLCache

TTL_S = 3600.0
_MAX_BYTES = 64 * 1024 * 1024


class ResponseCache:
    """The responses that were put last, up to a number of bytes."""

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._lock = Lock()
        self._entries: TTLCache[Hashable, bytes] = TTLCache(max_bytes, TTL_S, getsizeof=len)

    def get(self, key: Hashable) -> bytes | None:
        """The response of this key; None where there is none."""
        with self._lock:
            return self._entries.get(key)

    def drop(self, subject_id: str) -> None:
        """Drop the responses whose key names the subject."""
        with self._lock:
            self._entries.expire()
            for key in [key for key in self._entries if _names(key, subject_id)]:
                del self._entries[key]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._entries.clear()

    def put(self, key: Hashable, response: bytes) -> None:
        """Add a response; the least recently used ones make way for it."""
        with self._lock, suppress(ValueError):  # larger than the whole cache
            self._entries[key] = response


def _names(key: Hashable, subject_id: str) -> bool:
    return key == subject_id or (isinstance(key, tuple) and subject_id in key)
