"""Detect notifications that were delivered twice.

A Bluetooth stack that subscribed twice, and straps that repeat their last intervals after a
reconnect, deliver the same beats once more. A notification carries no number, and a calm heart may
give two equal ones, so equality alone proves nothing: the proof is that a heart cannot have beaten
that long in so short a time. How short it was is measured from the smallest delay of the connection
so far, not from the arrival before: a connection that was held up brings many at once, some of them
equal, and every one is new.

A busy computer brings the second delivery up to a second late, when time enough may have passed. So
where notifications of varied content come in pairs that together last longer than the time that
passed, all is delivered twice, and from then on each copy is dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ebbtide.timestamps import MILLISECOND, SECOND

_AT_ONCE = 150 * MILLISECOND
# Notifications, more than one hold-up ever brings at once. Where beats were missed meanwhile, the
# smallest delay is too small for now: a late copy is then accepted, and never a new beat taken for
# a copy.
_RECENT_DELAYS = 256
_HISTORY = 32  # intervals
# Pairs in a row, of different content, that prove a second delivery; how late it may be.
_MIN_PAIRS = 3
_COPY_WITHIN = 1500 * MILLISECOND
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
        # Whether the last accepted one, and the one before it, had a copy that was dropped.
        self._copied = self._last_had_copy = False
        # The same with the copies counted.
        self._elapsed_with_copies_ns = 0
        self._delays_with_copies: deque[int] = deque(maxlen=_RECENT_DELAYS)
        # The last arrivals (content, arrival, span, whether it equals one before it that had no
        # equal yet); and those that may still have a copy, while all is delivered twice.
        self._arrivals: deque[tuple[bytes, int, int, bool]] = deque(maxlen=2 * _MIN_PAIRS)
        self._awaited: deque[tuple[bytes, int]] = deque()
        self._singles = 0
        self.is_doubled = False
        self.doubled_since_ns = 0

    def interrupt(self) -> None:
        """Note a reconnect: the next notification may repeat what came before."""
        self._after_break = True
        self._copied = self._last_had_copy = False
        self._forget_delays()

    def is_duplicate(self, payload: bytes, rr_ticks: Sequence[int], received_ns: int) -> bool:
        """Whether these beats were sent before. If not, they join the history.

        Call it for every notification, also for one without beats or that cannot be decoded
        (``rr_ticks`` empty): its arrival shows that the connection was not held up.
        """
        span = sum(rr_ticks) * SECOND // self._ticks_per_second
        if rr_ticks and self._is_second_delivery(payload, span, received_ns):
            return True
        since = None if self._arrived is None else received_ns - self._arrived
        at_once = since is not None and 0 <= since < _AT_ONCE
        if rr_ticks and since is not None:
            if self._after_break and self._is_in_history(rr_ticks):
                varied = len(rr_ticks) >= _MIN_REPEATED and len(set(rr_ticks)) > 1
                if varied or 0 <= since < span // 2:
                    return True
            same = not self._after_break and payload == self._payload
            if same and not self._has_time_for(span, received_ns):
                # A new one is no earlier than the rest were. What comes at once with its equal is a
                # copy also while the link is late by more than half of its length: too early it is
                # by the part of its length that the link is not late.
                margin = min(span // 2, _AT_ONCE) if at_once else span // 2
                early = self._is_too_early(span, received_ns, margin)
                # Where intervals are missing, copies are not early; but then each has one.
                if (at_once and (early or self._last_had_copy)) or (
                    0 <= since < span // 2 and early
                ):
                    self._last_had_copy = self._copied = True
                    return True
        self._last_had_copy, self._copied = self._copied, False
        self._elapsed_ns += span
        if not rr_ticks or (since is not None and since < 0):
            self._forget_delays()  # its intervals are missing from the sum, or the clock was set
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

    def _is_second_delivery(self, payload: bytes, span: int, received_ns: int) -> bool:
        """Whether all is delivered twice, and this is the copy of one before."""
        awaited = self._awaited
        while awaited and not 0 <= received_ns - awaited[0][1] <= _COPY_WITHIN:
            awaited.popleft()
            self._singles += 1
        copy = next((one for one in awaited if one[0] == payload), None)
        if copy is None:
            awaited.append((payload, received_ns))
        else:
            awaited.remove(copy)
            self._singles = 0
        self._arrivals.append((payload, received_ns, span, copy is not None))
        self._elapsed_with_copies_ns += span
        self._delays_with_copies.append(received_ns - self._elapsed_with_copies_ns)
        if self.is_doubled:
            self.is_doubled = self._singles < _MIN_PAIRS
        elif self._comes_in_pairs():
            self.is_doubled = True
            self.doubled_since_ns = self._arrivals[0][1]
            self._singles = 0
            self._forget_delays()  # copies may have been accepted: the running sum is too large
        return self.is_doubled and copy is not None

    def _comes_in_pairs(self) -> bool:
        arrivals = self._arrivals
        if len(arrivals) < 2 * _MIN_PAIRS or sum(copy for *_, copy in arrivals) != _MIN_PAIRS:
            return False
        if len({payload for payload, *_ in arrivals}) < _MIN_PAIRS:
            return False
        passed = arrivals[-1][1] - arrivals[0][1]
        # Without the first, of which only the end lies in this time.
        total = sum(span for _, _, span, _ in list(arrivals)[1:])
        # More at once than twice what a heart gives: they were held up, and are no proof.
        if not total / 4 < passed < total / 1.4:
            return False
        delays = list(self._delays_with_copies)
        before = delays[: -len(arrivals)]
        return bool(before) and delays[-1] < min(before) - total // 4

    def _forget_delays(self) -> None:
        self._delays.clear()
        self._delays_with_copies.clear()

    def _has_time_for(self, span: int, received_ns: int) -> bool:
        """Whether a held-up connection explains this: time has passed for the whole burst."""
        if self._before_burst is None:
            return False
        return received_ns - self._before_burst >= self._burst_span + span // 2

    def _is_too_early(self, span: int, received_ns: int, margin_ns: int) -> bool:
        """Whether this came by more than ``margin_ns`` before what even the smallest recent delay
        allows. A connection that was late for a while and no longer is brings equal notifications
        close together; both are new.
        """
        quickest = min(self._delays, default=received_ns)
        return received_ns - (self._elapsed_ns + span) < quickest - margin_ns

    def _is_in_history(self, rr_ticks: Sequence[int]) -> bool:
        history = list(self._history)
        return len(rr_ticks) <= len(history) and history[-len(rr_ticks) :] == list(rr_ticks)
