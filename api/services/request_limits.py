"""Count requests against a limit a minute that all workers share.

A worker takes a part of what is left of a minute from the store and spends it without another
write: a tenth at first, single requests towards the end, so that the limit holds to the request. An
account may send a thirtieth of its limit (40 a minute, more than a recorder) before it is written
at all, so that uploads cost no write; by so much each further worker may go beyond the limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TTLCache

from ebbtide.timestamps import MINUTE, SECOND
from store import RequestCountStore
from store.models import RequestCount

_REMEMBERED_KEYS = 100_000
_LEASED_SHARE = 10


@dataclass(slots=True)
class Spending:
    """What this worker may still spend of a key's ``minute``, and what it spent unwritten."""

    minute: int = -1
    left: int = 0
    unwritten: int = 0
    is_written: bool = False
    refused_until_ns: int = 0


class SharedRequestLimit:
    """At most ``limit`` requests a minute and key, over a sliding minute. Its methods run in the
    event loop, but for ``lease``, which writes and runs in a thread.
    """

    def __init__(self, limit: int, unwritten: int, now_ns: Callable[[], int]) -> None:
        self.limit = limit
        self._unwritten = unwritten
        self._now_ns = now_ns
        self._spending: TTLCache[str, Spending] = TTLCache(
            _REMEMBERED_KEYS, 2 * MINUTE, timer=now_ns
        )

    def spend(self, key: str) -> float | None:
        """Count a request. Returns 0, or for how many seconds it is refused; None where the store
        has to be asked first (``lease``).
        """
        now_ns = self._now_ns()
        spending = self.current(key)
        if now_ns < spending.refused_until_ns:
            return (spending.refused_until_ns - now_ns) / SECOND
        if spending.left > 0:
            spending.left -= 1
            return 0
        if not spending.is_written and spending.unwritten < self._unwritten:
            spending.unwritten += 1
            return 0
        return None

    def lease(self, spending: Spending, key: str, store: RequestCountStore) -> None:
        """Take a part of what is left from the store."""
        now_ns = self._now_ns()
        weight = 1 - (now_ns % MINUTE) / MINUTE  # of the minute before, that is in the last 60 s
        granted = 0

        def choose(before: RequestCount) -> int:
            nonlocal granted
            used = before.count + math.ceil(before.previous * weight) + spending.unwritten
            free = max(0, self.limit - used)
            granted = min(free, max(1, free // _LEASED_SHARE))
            return granted + spending.unwritten

        before = store.take_requests(key, spending.minute, choose)
        spending.left, spending.unwritten, spending.is_written = granted, 0, True
        if granted == 0:
            spending.refused_until_ns = now_ns + self._wait_ns(before, now_ns)

    def lease_alone(self, key: str) -> None:
        """Grant this minute's limit without the store, while it does not answer."""
        spending = self.current(key)
        spending.left, spending.is_written = self.limit, True

    def current(self, key: str) -> Spending:
        """Return what this worker may still spend in this minute."""
        spending = self._spending.get(key)
        if spending is None:
            spending = self._spending[key] = Spending()
        minute = self._now_ns() // MINUTE
        if spending.minute != minute:
            spending.minute, spending.left, spending.unwritten = minute, 0, 0
            spending.is_written = False
        return spending

    def _wait_ns(self, before: RequestCount, now_ns: int) -> int:
        """Time until one more request fits into the sliding minute, at most a minute."""
        into_ns = now_ns % MINUTE
        room = self.limit - before.count - 1
        if room >= 0 and before.previous > 0:
            due_ns = math.ceil(MINUTE * (1 - min(1.0, room / before.previous)))
            return min(MINUTE, max(SECOND, due_ns - into_ns))
        return min(MINUTE, MINUTE - into_ns + MINUTE // self.limit)
