"""Notifications that came twice.

A Bluetooth stack that subscribed twice, and straps that say their last intervals again after a
reconnect, deliver the same beats once more. A notification carries no number, and a calm heart may
well give two equal ones, so equality alone proves nothing: what tells is that a heart cannot have
beaten that long in so short a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ebbtide.timestamps import MILLISECOND, SECOND

_AT_ONCE = 150 * MILLISECOND
# Notifications. Where beats were missed meanwhile, the least delay is too small for now: a late
# copy is then kept, and never a new beat taken for one.
_LATELY = 64
_REMEMBERED = 32  # intervals
_PROOF = 3  # varied intervals said before, in the same order, cannot be chance


class DuplicateFilter:
    """Watches the accepted notifications of one strap."""

    def __init__(self, ticks_per_second: int) -> None:
        self._ticks_per_second = ticks_per_second
        self._history: deque[int] = deque(maxlen=_REMEMBERED)
        self._payload = b""
        self._arrived: int | None = None
        # What came at once: when the last one before it came, and how much heart it holds.
        self._before_burst: int | None = None
        self._burst_span = 0
        self._after_break = False
        # How long after the heart's own reckoning the last ones came; the least is the link's own.
        self._heart = 0
        self._delays: deque[int] = deque(maxlen=_LATELY)

    def interrupt(self) -> None:
        """The link broke; the next notification may repeat what came before."""
        self._after_break = True
        self._delays.clear()

    def is_repeat(self, payload: bytes, rr_ticks: Sequence[int], received_ns: int) -> bool:
        """Whether these beats were sent before. If not, they are remembered.

        Ask of every notification, also of one without beats or that cannot be read (``rr_ticks``
        empty): that it came shows that the link was not held up.
        """
        span = sum(rr_ticks) * SECOND // self._ticks_per_second
        since = None if self._arrived is None else received_ns - self._arrived
        at_once = since is not None and 0 <= since < _AT_ONCE
        if rr_ticks and since is not None:
            if self._after_break and self._said_before(rr_ticks):
                varied = len(rr_ticks) >= _PROOF and len(set(rr_ticks)) > 1
                if varied or 0 <= since < span // 2:
                    return True
            same = not self._after_break and payload == self._payload
            if (
                same
                and not self._time_for(span, received_ns)
                and (at_once or (0 <= since < span // 2 and self._ahead(span, received_ns)))
            ):
                return True
        self._heart += span
        if not rr_ticks:
            self._delays.clear()  # what it would have said is missing from the reckoning
        self._delays.append(received_ns - self._heart)
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

    def _time_for(self, span: int, received_ns: int) -> bool:
        """Whether a held-up link could have brought this too: time has passed for all of it."""
        if self._before_burst is None:
            return False
        return received_ns - self._before_burst >= self._burst_span + span // 2

    def _ahead(self, span: int, received_ns: int) -> bool:
        """Whether even the quickest link of late could not have brought this yet: a link that was
        held up steadily and is no more brings equal ones close together, and both are new.
        """
        quickest = min(self._delays, default=received_ns)
        return received_ns - (self._heart + span) < quickest - span // 2

    def _said_before(self, rr_ticks: Sequence[int]) -> bool:
        known = list(self._history)
        return len(rr_ticks) <= len(known) and known[-len(rr_ticks) :] == list(rr_ticks)
