"""Detect notifications that were delivered twice.

A Bluetooth stack that subscribed twice, and straps that repeat their last intervals after a
reconnect, deliver the same beats once more. A notification carries no number, and a calm heart may
give two equal ones, so equality alone proves nothing: the proof is that a heart cannot have beaten
that long in so short a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ebbtide.timestamps import MILLISECOND, SECOND

_AT_ONCE = 150 * MILLISECOND
# Notifications. Where beats were missed meanwhile, the smallest delay is too small for now: a late
# copy is then accepted, and never a new beat taken for a copy.
_RECENT_DELAYS = 64
_HISTORY = 32  # intervals
_MIN_REPEATED = 3  # varied intervals sent before, in the same order, cannot be chance


class DuplicateFilter:
    """Compares each notification of one strap with the accepted ones before it."""

    def __init__(self, ticks_per_second: int) -> None:
        self._ticks_per_second = ticks_per_second
        self._history: deque[int] = deque(maxlen=_HISTORY)
        self._payload = b""
        self._arrived: int | None = None
        # A burst (less than 150 ms apart): the arrival before it, and the sum of its intervals.
        self._before_burst: int | None = None
        self._burst_span = 0
        self._after_break = False
        # Arrivals less the running sum of intervals; the smallest is the delay of the connection.
        self._elapsed_ns = 0
        self._delays: deque[int] = deque(maxlen=_RECENT_DELAYS)

    def interrupt(self) -> None:
        """Note a reconnect: the next notification may repeat what came before."""
        self._after_break = True
        self._delays.clear()

    def is_duplicate(self, payload: bytes, rr_ticks: Sequence[int], received_ns: int) -> bool:
        """Whether these beats were sent before. If not, they join the history.

        Call it for every notification, also for one without beats or that cannot be decoded
        (``rr_ticks`` empty): its arrival shows that the connection was not held up.
        """
        span = sum(rr_ticks) * SECOND // self._ticks_per_second
        since = None if self._arrived is None else received_ns - self._arrived
        at_once = since is not None and 0 <= since < _AT_ONCE
        if rr_ticks and since is not None:
            if self._after_break and self._is_in_history(rr_ticks):
                varied = len(rr_ticks) >= _MIN_REPEATED and len(set(rr_ticks)) > 1
                if varied or 0 <= since < span // 2:
                    return True
            same = not self._after_break and payload == self._payload
            if (
                same
                and not self._has_time_for(span, received_ns)
                and (at_once or (0 <= since < span // 2 and self._is_too_early(span, received_ns)))
            ):
                return True
        self._elapsed_ns += span
        if not rr_ticks:
            self._delays.clear()  # its intervals are missing from the running sum
        self._delays.append(received_ns - self._elapsed_ns)
        if not at_once:
            self._before_burst = None if self._after_break else self._arrived
            self._burst_span = 0
        self._burst_span += span
        self._arrived = received_ns
        self._payload = payload
        self._history.extend(rr_ticks)
        if rr_ticks:
            self._after_break = False
        return False

    def _has_time_for(self, span: int, received_ns: int) -> bool:
        """Whether a held-up connection explains this: time has passed for the whole burst."""
        if self._before_burst is None:
            return False
        return received_ns - self._before_burst >= self._burst_span + span // 2

    def _is_too_early(self, span: int, received_ns: int) -> bool:
        """Whether this came before even the smallest recent delay allows. A connection that was
        late for a while and no longer is brings equal notifications close together; both are new.
        """
        quickest = min(self._delays, default=received_ns)
        return received_ns - (self._elapsed_ns + span) < quickest - span // 2

    def _is_in_history(self, rr_ticks: Sequence[int]) -> bool:
        history = list(self._history)
        return len(rr_ticks) <= len(history) and history[-len(rr_ticks) :] == list(rr_ticks)
