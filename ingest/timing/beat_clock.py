"""When each beat was, from RR ticks and the times at which notifications arrived.

A notification carries no clock. The strap's beat count is exact but drifts against UTC (50 parts
in a million are 4 s a day); arrival times are UTC but late by 0 to some seconds, differently each
time. So beat times follow the ticks, and are pulled gently so that the *fastest* of the recent
notifications arrives just after its last beat: delay is never negative, so the smallest delay is
the best estimate of none (the filter of network time, Mills, RFC 5905, section 10); how it moves
with the drift is worked out in ``delay_floor``.

A time once given is never changed. Times are strictly increasing within a stream.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ebbtide.beats import GapReason
from ebbtide.errors import EbbtideError
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import MILLISECOND, SECOND
from ingest.timing.clock_skew import ClockSkewEstimator

# Later than this after its last beat, a notification cannot be a held-up one: beats are missing.
MAX_DELAY = 8 * SECOND
# If even the fastest of this many notifications is later than this, beats are missing too.
PERSISTENT_DELAY = 2 * SECOND
PERSISTENT_COUNT = 8
# A wall clock that moves this much against the steady one was set by someone.
CLOCK_STEP = 1 * SECOND
# How fast beat times may be moved: (when off by at least, share of the time that passes).
# Intervals are kept in ticks, so this bends no interval, only the dial it is read on.
_SLEW_RATES = ((250 * MILLISECOND, 0.25), (40 * MILLISECOND, 0.05), (0, 0.01))

SLEW_STEP = 100_000  # ns: what they are moved by is a multiple of it


class ClockSteppedBackError(EbbtideError):
    """The computer's clock went back so far that times would no longer increase."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Beat times of one notification, UTC ns, and the gap (start, end, reason) before them."""

    beat_times_ns: tuple[int, ...]
    gap: tuple[int, int, GapReason] | None = None


class BeatClock:
    """Places the beats of one stream.

    ``after_ns`` is the last beat already placed, when a stream goes on after a restart, and
    ``why`` is why there was a break.
    """

    def __init__(
        self,
        ticks_per_second: int = STRAP_TICKS_PER_SECOND,
        after_ns: int | None = None,
        why: GapReason = GapReason.LINK_LOST,
    ) -> None:
        self._ticks_per_second = ticks_per_second
        self._last = after_ns
        self._strap_time = 0  # of the last beat, by its ticks alone
        self._offset = 0  # what was added to strap time to place the last beat
        self._floor = ClockSkewEstimator()
        self._late: deque[int] = deque(maxlen=PERSISTENT_COUNT)
        self._wall_minus_steady: int | None = None
        self._anchored = False
        self._break_reason: GapReason | None = None if after_ns is None else why

    @property
    def last_beat_ns(self) -> int | None:
        """The last beat placed."""
        return self._last

    @property
    def broken(self) -> bool:
        """Whether the next beat begins after a gap."""
        return self._break_reason is not None

    def interrupt(self, reason: GapReason) -> None:
        """Something ended the unbroken count: the next beat begins after a gap."""
        if self._last is not None and self._break_reason is None:
            self._break_reason = reason

    def place(
        self,
        rr_ticks: Sequence[int],
        received_ns: int,
        steady_ns: int | None = None,
        contact: bool | None = None,
    ) -> Placement:
        """Times of the beats that end the intervals ``rr_ticks`` (oldest first).

        ``steady_ns``: a clock that nobody sets, to notice when the other one is set. Raises
        ClockSteppedBackError when the clock was set back behind the last beat: then the stream
        must end and a new one begin.
        """
        self._watch_the_wall_clock(received_ns, steady_ns)
        if not rr_ticks:
            return self._without_beats(received_ns, contact)
        spans = [max(1, ticks * SECOND // self._ticks_per_second) for ticks in rr_ticks]
        total = sum(spans)
        if not self._anchored or self._last is None or self._break_reason is not None:
            return self._anchor(spans, received_ns, self._break_reason)
        late = received_ns - (self._last + total)
        self._late.append(late)
        if late > MAX_DELAY or (
            len(self._late) == PERSISTENT_COUNT and min(self._late) > PERSISTENT_DELAY
        ):
            return self._anchor(spans, received_ns, GapReason.LINK_LOST)
        self._strap_time += total
        self._floor.add(self._strap_time, received_ns - self._strap_time)
        return Placement(self._follow_ticks(spans, self._pull(total)))

    def _without_beats(self, received_ns: int, contact: bool | None) -> Placement:
        if contact is False:
            self.interrupt(GapReason.CONTACT_LOST)
        # Heart rate alone, long enough that a beat must have passed, means RR were not sent.
        if self._last is not None and received_ns - self._last > 3 * SECOND:
            self.interrupt(GapReason.NO_RR_SENT)
        return Placement(())

    def _watch_the_wall_clock(self, received_ns: int, steady_ns: int | None) -> None:
        if steady_ns is None:
            return
        offset = received_ns - steady_ns
        before, self._wall_minus_steady = self._wall_minus_steady, offset
        if before is None or abs(offset - before) < CLOCK_STEP:
            return
        if offset < before and self._last is not None and received_ns <= self._last:
            raise ClockSteppedBackError(
                "The computer's clock was set back.", "Recording goes on as a new stream."
            )
        self.interrupt(GapReason.CLOCK_STEPPED)

    def _anchor(
        self, spans: Sequence[int], received_ns: int, reason: GapReason | None
    ) -> Placement:
        """Let the last beat be now, the first arrival being all that is known."""
        total = sum(spans)
        start = received_ns - total
        before = self._last
        if before is not None and start < before:
            # The intervals reach back over the break (or the clock went back a little): go on
            # from the last beat, so that time still increases; the pull mends the rest.
            start = before
        self._last = start
        self._strap_time = total
        self._offset = start
        self._floor = ClockSkewEstimator()
        self._floor.add(total, received_ns - total)
        self._late.clear()
        self._anchored = True
        self._break_reason = None
        times = self._follow_ticks(spans, 0)
        gap = None if before is None or reason is None else (before, start, reason)
        return Placement(times, gap)

    def _pull(self, total: int) -> int:
        """Nanoseconds by which to move this notification's beats towards the floor."""
        off = self._floor.at(self._strap_time) - self._offset
        share = next(share for above, share in _SLEW_RATES if abs(off) >= above)
        most = int(total * share)
        # In whole steps, which are far below the noise: a store keeps each beat's pull.
        pull = int(max(-most, min(most, off)) / SLEW_STEP) * SLEW_STEP
        self._offset += pull
        self._late = deque((late - pull for late in self._late), maxlen=PERSISTENT_COUNT)
        return pull

    def _follow_ticks(self, spans: Sequence[int], pull: int) -> tuple[int, ...]:
        assert self._last is not None
        total = sum(spans)
        times: list[int] = []
        run = 0
        for span in spans:
            run += span
            # The pull is shared in proportion, so each step stays positive.
            time = self._last + run + pull * run // total
            times.append(max(time, (times[-1] if times else self._last) + 1))
        self._last = times[-1]
        return tuple(times)
