"""Check that a strap's intervals fill the time of the wall clock.

A strap sends each beat with the first notification after it. So with strap time T (the running sum
of intervals) and arrival t, an unknown constant a satisfies, at the strap's true scale s,

    t[k-1] < a + T_first[k] / s    and    a + T_last[k] / s <= t[k]

for each notification k. A scale under which early and late notifications of one minute need
different values of ``a`` is wrong, or beats are missing or sent again. The bounds are exact for any
heart, also one that beats nearly once a second, whose delays drift by a second in a minute. Late
delivery loosens only the first bound, so its upper fifth in each third of the window is left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ebbtide.timestamps import MILLISECOND, MINUTE, SECOND

# Ticks a second that devices count in; 1024 and 1000 differ by 2.4%, 1.4 s in a minute.
_SCALES = (1024, 1000, 2048, 2000, 512, 500, 256, 250, 128, 100)
_WINDOW = MINUTE
_MIN_WINDOW = 20 * SECOND
_HOLE = 3 * SECOND  # without any notification: what came meanwhile is not known
# Between thirds of a window; without a fault some 0.1 s of jitter and a fifth of an interval.
_SMALL = 500 * MILLISECOND
# One strap sent 1.5 s too much once (NeuroKit issue 39); this much is a fault that goes on.
_LARGE = 3 * SECOND
_GOOD = 350 * MILLISECOND
_RATE_ERROR = 0.06  # of a heart rate that the strap smooths, against its own intervals
_MIN_NOTIFICATIONS = 12
_JUDGE_EVERY = 4 * SECOND


@dataclass(frozen=True, slots=True)
class Misfit:
    """The intervals since ``since_ns`` do not fit the clock.

    ``ticks_per_second`` is the strap's true scale where that is certain, else None;
    ``filled`` is the share of the wall clock that the intervals fill as they are. ``is_doubled``:
    all was delivered twice; the copies after that are left out.
    """

    since_ns: int
    filled: float
    ticks_per_second: int | None = None
    is_doubled: bool = False


@dataclass(frozen=True, slots=True)
class _Point:
    before_ns: int  # arrival of the notification before
    received_ns: int
    first: int  # ticks up to its first beat
    last: int
    beats: int
    ticks: int
    heart_rate_bpm: int


class IntervalFit:
    """Compares the notifications of the last minute with their arrivals."""

    def __init__(self, ticks_per_second: int) -> None:
        self._scale = ticks_per_second
        self._points: deque[_Point] = deque()
        self._arrived: int | None = None
        self._ticks = 0
        self._suspected_ns: int | None = None
        self._judged_ns = 0

    def reset(self) -> None:
        """Begin anew: beats are missing between what came and what comes."""
        self._points.clear()
        self._arrived = None
        self._ticks = 0
        self._suspected_ns = None

    def add(self, rr_ticks: Sequence[int], received_ns: int, heart_rate_bpm: int) -> Misfit | None:
        """Add one notification; what is wrong with the last minute, if that is certain."""
        before, self._arrived = self._arrived, received_ns
        if before is not None and not 0 <= received_ns - before <= _HOLE:
            self.reset()
            self._arrived = received_ns
            return None
        if not rr_ticks:
            return None
        span = sum(rr_ticks)
        self._ticks += span
        if before is None:
            return None
        first = self._ticks - span + rr_ticks[0]
        self._points.append(
            _Point(before, received_ns, first, self._ticks, len(rr_ticks), span, heart_rate_bpm)
        )
        while self._points[0].received_ns < received_ns - _WINDOW:
            self._points.popleft()
        if received_ns < self._judged_ns + _JUDGE_EVERY:
            return None
        self._judged_ns = received_ns
        return self._judge()

    @property
    def is_good(self) -> bool:
        """Whether a whole minute fits."""
        return self._span() >= 0.9 * _WINDOW and abs(self._violation(self._scale)) < _GOOD

    def _span(self) -> int:
        points = self._points
        return points[-1].received_ns - points[0].received_ns if points else 0

    def _judge(self) -> Misfit | None:
        span = self._span()
        if span < _MIN_WINDOW or len(self._points) < _MIN_NOTIFICATIONS:
            return None
        off = self._violation(self._scale)
        if abs(off) < (_SMALL if span >= 0.8 * _WINDOW else _LARGE):
            self._suspected_ns = None
            return None
        points = self._points
        ticks = points[-1].last - points[0].last
        if not ticks:
            return None
        filled = ticks * SECOND / self._scale / span
        scale = self._true_scale(ticks * SECOND / span)
        since = points[0].before_ns
        if scale is not None:
            return Misfit(since, filled, scale)
        # More intervals than time cannot be; fewer are beats that were lost, a gap each.
        is_over = off < -_LARGE / 2 and span >= 0.8 * _WINDOW
        return Misfit(since, filled) if is_over else None

    def _true_scale(self, ticks_per_second: float) -> int | None:
        """The one scale that fits the clock and the strap's own heart rate."""
        rates = [(p.heart_rate_bpm, p.beats) for p in self._points if p.heart_rate_bpm]
        beats = sum(p.beats for p in self._points)
        if len(rates) < len(self._points) // 2:
            return None
        rate = sum(bpm * n for bpm, n in rates) / sum(n for _, n in rates)
        by_rate = rate * sum(p.ticks for p in self._points) / beats / 60
        fits = sorted(
            (abs(self._violation(scale)), scale)
            for scale in _SCALES
            if abs(ticks_per_second / scale - 1) < _RATE_ERROR
            and abs(by_rate / scale - 1) < _RATE_ERROR
        )
        fits = [(off, scale) for off, scale in fits if off < _GOOD]
        if not fits or fits[0][1] == self._scale:
            return None
        if len(fits) > 1 and fits[1][0] < fits[0][0] + _GOOD / 2:
            return None
        scale = fits[0][1]
        if abs(scale / self._scale - 1) > _RATE_ERROR:
            return scale
        # 2.4%: two lost beats look alike. The strap's own heart rate decides; where it does not,
        # the same misfit must last for another minute.
        if abs(by_rate / scale - 1) < abs(by_rate / self._scale - 1):
            return scale
        now = self._points[-1].received_ns
        if self._suspected_ns is None:
            self._suspected_ns = now
        return scale if now - self._suspected_ns >= _WINDOW else None

    def _violation(self, scale: int) -> int:
        """By how much early and late notifications disagree under ``scale``, ns.

        Positive where the intervals fill too little time, negative where too much, 0 if they agree.
        """
        points = list(self._points)
        third = len(points) // 3
        if not third:
            return 0
        bounds = []
        for part in (points[:third], points[third : 2 * third], points[2 * third :]):
            above = sorted(p.received_ns - p.last * SECOND // scale for p in part)
            below = sorted(p.before_ns - p.first * SECOND // scale for p in part)
            bounds.append((below[-1 - len(below) // 5], above[min(1, len(above) - 1)]))
        worst = 0
        for early in range(3):
            for late in range(early + 1, 3):
                short = bounds[late][0] - bounds[early][1]
                over = bounds[early][0] - bounds[late][1]
                if max(short, over, 0) > abs(worst):
                    worst = short if short > over else -over
        return worst
