"""When each beat was, from RR ticks and the times at which notifications arrived.

A notification carries no clock. The strap's beat count is exact but drifts against UTC (50 parts
in a million are 4 s a day); arrival times are UTC but late by 0 to some seconds, differently each
time. So beat times follow the ticks, and are slewed gently so that the *fastest* of the recent
notifications arrives just after its last beat: delay is never negative, so the smallest delay is
the best estimate of none (the clock filter of NTP, Mills, RFC 5905, section 10); how it moves
with the drift is estimated in ``clock_skew``.

A time once given is never changed. Times are strictly increasing within a stream.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ebbtide.beats import LINK_REASONS, GapReason
from ebbtide.errors import EbbtideError
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import MILLISECOND, MINUTE, SECOND
from ingest.timing.clock_skew import ClockSkewEstimator

# Later than this after its last beat, a notification cannot be a held-up one: beats are missing.
MAX_DELAY = 8 * SECOND
# If even the fastest of this many notifications is later than this, beats are missing too.
PERSISTENT_DELAY = 2 * SECOND
PERSISTENT_COUNT = 8
# A wall clock that moves this much against the monotonic one was set.
CLOCK_STEP = 1 * SECOND
# How fast beat times may be slewed: (when off by at least, share of the time that passes).
# Intervals are stored in ticks, so slewing changes beat times only.
_SLEW_RATES = ((250 * MILLISECOND, 0.25), (40 * MILLISECOND, 0.05), (0, 0.01))

# No beat is placed later than this after it arrived: delay is never negative.
MAX_AHEAD = 1 * SECOND
# Without RR for longer than this, or than 1.5 beats and the second in which they are sent.
_MAX_WITHOUT_RR = 3 * SECOND

SLEW_STEP = 100_000  # ns: a multiple of it is added to the beats of a notification


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
        self._skew = ClockSkewEstimator()
        self._late: deque[int] = deque(maxlen=PERSISTENT_COUNT)
        self._wall_minus_monotonic: int | None = None
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
        """Note that the unbroken count ended: the next beat begins after a gap. The first reason
        stays, but for what becomes known of a link that was lost while this recorder ran.
        """
        if self._last is None:
            return
        if self._break_reason is None or (
            self._anchored and {self._break_reason, reason} <= LINK_REASONS
        ):
            self._break_reason = reason

    def place(
        self,
        rr_ticks: Sequence[int],
        received_ns: int,
        monotonic_ns: int | None = None,
        contact: bool | None = None,
        heart_rate_bpm: int = 0,
    ) -> Placement:
        """Compute the times of the beats that end the intervals ``rr_ticks`` (oldest first).

        ``monotonic_ns`` shows when the wall clock is set. Raises ClockSteppedBackError when it
        was set back behind the last beat: then the stream must end and a new one begin.
        """
        self._check_wall_clock(received_ns, monotonic_ns)
        if not rr_ticks:
            return self._without_beats(received_ns, contact, heart_rate_bpm)
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
        self._skew.add(self._strap_time, received_ns - self._strap_time)
        slew = self._slew(total)
        slew += self._hold_back(total + slew, received_ns)
        return Placement(self._follow_ticks(spans, slew))

    def _hold_back(self, total: int, received_ns: int) -> int:
        """Nanoseconds, none or negative, that keep the last beat within MAX_AHEAD of its arrival.

        Intervals that say more time than has passed (copies, a wrong scale) are squeezed until
        ``IntervalFit`` has noticed them.
        """
        assert self._last is not None
        ahead = self._last + total - (received_ns + MAX_AHEAD)
        if ahead <= 0:
            return 0
        back = -min(total, -(-ahead // SLEW_STEP) * SLEW_STEP)
        self._offset += back
        self._late = deque((late - back for late in self._late), maxlen=PERSISTENT_COUNT)
        return back

    def _without_beats(
        self, received_ns: int, contact: bool | None, heart_rate_bpm: int
    ) -> Placement:
        if contact is False:
            self.interrupt(GapReason.CONTACT_LOST)
        # Heart rate alone, long enough that a beat must have passed, means RR were not sent.
        slow = 3 * MINUTE // (2 * max(heart_rate_bpm, 20)) + 2 * SECOND if heart_rate_bpm else 0
        longest = max(_MAX_WITHOUT_RR, slow)
        if self._last is not None and received_ns - self._last > longest:
            self.interrupt(GapReason.NO_RR_SENT)
        return Placement(())

    def _check_wall_clock(self, received_ns: int, monotonic_ns: int | None) -> None:
        if monotonic_ns is None:
            return
        offset = received_ns - monotonic_ns
        before, self._wall_minus_monotonic = self._wall_minus_monotonic, offset
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
        """Place the last beat at its arrival: the first delay is the only estimate there is."""
        total = sum(spans)
        start = received_ns - total
        before = self._last
        if before is not None and start < before:
            # The intervals reach back over the break (or the clock went back a little): go on
            # from the last beat, so that time still increases; slewing corrects the rest.
            start = before
        self._last = start
        self._strap_time = total
        self._offset = start
        self._skew = ClockSkewEstimator()
        self._skew.add(total, received_ns - total)
        self._late.clear()
        self._anchored = True
        self._break_reason = None
        times = self._follow_ticks(spans, self._hold_back(total, received_ns))
        gap = None if before is None or reason is None else (before, start, reason)
        return Placement(times, gap)

    def _slew(self, total: int) -> int:
        """Nanoseconds by which to move this notification's beats towards the smallest delay."""
        off = self._skew.at(self._strap_time) - self._offset
        share = next(share for above, share in _SLEW_RATES if abs(off) >= above)
        most = int(total * share)
        # In whole steps, far below the noise: the encoded blocks of a store hold each slew.
        slew = int(max(-most, min(most, off)) / SLEW_STEP) * SLEW_STEP
        self._offset += slew
        self._late = deque((late - slew for late in self._late), maxlen=PERSISTENT_COUNT)
        return slew

    def _follow_ticks(self, spans: Sequence[int], slew: int) -> tuple[int, ...]:
        assert self._last is not None
        total = sum(spans)
        times: list[int] = []
        run = 0
        for span in spans:
            run += span
            # The slew is shared in proportion, so each step stays positive.
            time = self._last + run + slew * run // total
            times.append(max(time, (times[-1] if times else self._last) + 1))
        self._last = times[-1]
        return tuple(times)
