"""Check that a strap's intervals fill the time of the wall clock.

A strap sends each beat with the first notification after it. So with strap time T (the running sum
of intervals) and arrival t, an unknown constant a satisfies, at the strap's true scale s,

    t[k-1] < a + T_first[k] / s    and    a + T_last[k] / s <= t[k]

for each notification k. A scale under which early and late notifications of one minute need
different values of ``a`` is wrong, or beats are missing or sent again. The bounds are exact for any
heart, also one that beats nearly once a second, whose delays drift by a second in a minute. Late
delivery loosens only the first bound, so its upper fifth in each third is left out. Where a
notification was lost, or the connection fell behind or caught up, ``a`` may change, so that only
notifications between two such moments are compared.

1024 and 1000 ticks a second differ by 1.4 s in a minute, as much as two lost beats. So another
scale needs two witnesses: the clock, and the heart rate that the strap sends, by which it counts
its own beats. Its rounding (0.5 bpm of 60 is 0.8%) and its lag (to 10 s) are allowed for. Where the
rate decides nothing, the clock alone must be clearer, or the same for another minute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ebbtide.timestamps import MILLISECOND, MINUTE, SECOND

# Ticks a second that devices count in; 1024 and 1000 differ by 2.4%, 1.4 s in a minute.
_SCALES = (1024, 1000, 2048, 2000, 512, 500, 256, 250, 128, 100)
_WINDOW = MINUTE
_MIN_WINDOW = 20 * SECOND
_MIN_FOR_RATE = 30 * SECOND
_HOLE = 3 * SECOND  # without any notification: what came meanwhile is not known
# One strap sent 1.5 s too much once (NeuroKit issue 39); this much is a fault that goes on.
_OVER = 1500 * MILLISECOND
_LARGE = 3 * SECOND
_GOOD = 350 * MILLISECOND
# By how much the clock must prefer a scale: with the heart rate against the other, and alone.
_PREFERRED = 300 * MILLISECOND
_PREFERRED_ALONE = 500 * MILLISECOND
_GOOD_ALONE = 200 * MILLISECOND
_SCALE_ERROR = 0.06  # of the intervals against the time, and against the heart rate
_RATE_ROUNDING_BPM = (-0.5, 1.0)  # to be added to it: most straps round, some cut off
_RATE_MARGIN = 0.004
_RATE_LAGS_S = (0.0, 2.5, 5.0, 10.0)
_MIN_NOTIFICATIONS = 12
_MIN_COMPARED, _MIN_FOR_FIFTHS = 9, 40
_JUDGE_EVERY = 2 * SECOND
# Of the usual time between notifications: more is a loss, less is a connection that catches up.
_LONG_WAIT, _SHORT_WAIT = 1.6, 0.4
_MAX_SHORT_WAITS, _CATCHING_UP = 0.15, 3
_SENT_AT_ONCE = 250 * MILLISECOND  # after its beat, where each beat is sent by itself


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
    before_ns: int  # arrival of the notification before, with intervals or without
    wait_ns: int  # longest between notifications since the last one with intervals
    received_ns: int
    first: int  # ticks up to its first beat
    last: int
    beats: int
    ticks: int
    heart_rate_bpm: int
    repeats: bool  # nothing but the interval before, again


class IntervalFit:
    """Compares the notifications of the last minute with their arrivals."""

    def __init__(self, ticks_per_second: int) -> None:
        self._scale = ticks_per_second
        self._points: deque[_Point] = deque()
        self._arrived: int | None = None
        self._longest_wait = 0  # between notifications, since the last one with intervals
        self._ticks = 0
        self._last_interval = 0
        self._suspected: tuple[int, int] | None = None  # scale, since
        self._judged_ns = 0

    def reset(self) -> None:
        """Begin anew: beats are missing between what came and what comes."""
        self._points.clear()
        self._arrived = None
        self._longest_wait = 0
        self._ticks = 0
        self._last_interval = 0
        self._suspected = None

    def add(self, rr_ticks: Sequence[int], received_ns: int, heart_rate_bpm: int) -> Misfit | None:
        """Add one notification; what is wrong with the last minute, if that is certain."""
        before, self._arrived = self._arrived, received_ns
        if before is not None and not 0 <= received_ns - before <= _HOLE:
            self.reset()
            self._arrived = received_ns
            return None
        if before is not None:
            self._longest_wait = max(self._longest_wait, received_ns - before)
        if not rr_ticks:
            return None
        wait, self._longest_wait = self._longest_wait, 0
        span = sum(rr_ticks)
        self._ticks += span
        repeats = len(rr_ticks) == 1 and rr_ticks[0] == self._last_interval
        self._last_interval = rr_ticks[-1]
        if before is None:
            return None
        first = self._ticks - span + rr_ticks[0]
        self._points.append(
            _Point(
                before,
                wait,
                received_ns,
                first,
                self._ticks,
                len(rr_ticks),
                span,
                heart_rate_bpm,
                repeats,
            )
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
        if self._span() < 0.9 * _WINDOW:
            return False
        return abs(_Window(self._points, self._scale).violation(self._scale)) < _GOOD

    def _span(self) -> int:
        points = self._points
        return points[-1].received_ns - points[0].received_ns if points else 0

    def _judge(self) -> Misfit | None:
        span = self._span()
        if span < _MIN_WINDOW or len(self._points) < _MIN_NOTIFICATIONS:
            return None
        window = _Window(self._points, self._scale)
        off = window.violation(self._scale)
        if abs(off) < _PREFERRED:
            self._suspected = None
            return None
        since, filled = self._points[0].before_ns, window.ticks_per_second / self._scale
        scale = self._true_scale(window, span)
        if scale is not None:
            return Misfit(since, filled, scale)
        # More intervals than time cannot be; fewer are beats that were lost, a gap each.
        is_over = off < (-_OVER if span >= 0.8 * _WINDOW else -_LARGE) and window.goes_on_over(
            self._scale
        )
        if self._suspected is not None and span < 0.9 * _WINDOW:
            return None  # another scale is likely, and more will make it certain
        is_stuck = off > _LARGE and window.repeated_share > 0.9 and window.is_whole
        # Half the time, and half the interval by the strap's own rate, is no loss.
        is_other = abs(off) > _LARGE and window.rate_error(self._scale) > 2 * _SCALE_ERROR
        # Faster than one beat a notification, a heart would send two in some: these are means.
        is_mean = off > _LARGE and window.is_whole and window.has_one_interval_each
        return Misfit(since, filled) if is_over or is_stuck or is_other or is_mean else None

    def _true_scale(self, window: _Window, span: int) -> int | None:
        """The one scale that fits the clock and the strap's own heart rate."""
        offs = {
            scale: abs(window.violation(scale))
            for scale in {*_SCALES, self._scale}
            if abs(window.ticks_per_second / scale - 1) < _SCALE_ERROR or scale == self._scale
        }
        scale = min(offs, key=lambda one: (offs[one] // (_PREFERRED // 3), window.rate_error(one)))
        others = [one for one in offs if one != scale]
        if scale == self._scale or offs[scale] > _GOOD or not window.rate_allows(scale):
            self._suspected = None
            return None
        if span >= _MIN_FOR_RATE and all(
            offs[other] - offs[scale] >= _PREFERRED and window.rate_excludes(other)
            for other in others
        ):
            return scale
        now = self._points[-1].received_ns
        if self._suspected is None or self._suspected[0] != scale:
            self._suspected = scale, now
        if any(offs[other] - offs[scale] < _PREFERRED for other in others):
            return None
        is_clear = offs[scale] <= _GOOD_ALONE and all(
            offs[other] - offs[scale] >= _PREFERRED_ALONE for other in others
        )
        if not window.is_whole:
            return None
        lasts = now - self._suspected[1] >= _WINDOW
        return scale if lasts or (is_clear and span >= 0.9 * _WINDOW) else None


class _Window:
    """The notifications of one window, in parts between which the delay may have changed."""

    def __init__(self, points: Sequence[_Point], scale: int) -> None:
        self._points = list(points)
        self._parts = _split(self._points, scale)
        self.is_whole = len(self._parts) == 1
        first, last = self._points[0], self._points[-1]
        ticks = last.last - first.last
        self.ticks_per_second = ticks * SECOND / (last.received_ns - first.received_ns)
        self.repeated_share = sum(p.repeats for p in self._points) / len(self._points)
        means = [p.ticks / p.beats for p in self._points]
        steps = sum((after - before) ** 2 for before, after in pairwise(means))
        # RMSSD by mean: 0.03 at rest, 0.3 in fibrillation, where rate and intervals of a minute
        # agree less.
        self._irregularity = (steps / (len(means) - 1)) ** 0.5 / (sum(means) / len(means))
        self._by_rate = self._scales_by_rate()

    @property
    def has_one_interval_each(self) -> bool:
        """Whether each notification holds one interval: none holds two, and none holds none."""
        points = self._points
        return all(p.beats == 1 for p in points) and all(
            after.before_ns == before.received_ns for before, after in pairwise(points)
        )

    def rate_error(self, scale: int) -> float:
        """How far the heart rate is from ``scale``, as a share; 0 where there is no rate."""
        return min((abs((low + high) / 2 / scale - 1) for low, high in self._by_rate), default=0.0)

    def rate_allows(self, scale: int) -> bool:
        """Whether the heart rate can be that of intervals in ``scale``, at any lag."""
        return not self._by_rate or any(low <= scale <= high for low, high in self._by_rate)

    def rate_excludes(self, scale: int) -> bool:
        """Whether the heart rate cannot be that of intervals in ``scale``, at any lag."""
        return bool(self._by_rate) and not self.rate_allows(scale)

    def _scales_by_rate(self) -> list[tuple[float, float]]:
        """The smallest and largest ticks a second by rate and intervals, for each lag."""
        points = self._points
        rated = [p for p in points if p.heart_rate_bpm]
        if len(rated) < max(len(points) // 2, 1):
            return []
        found = []
        for lag_s in _RATE_LAGS_S:
            later = points[0].received_ns + lag_s * SECOND
            earlier = points[-1].received_ns - lag_s * SECOND
            rates = [p.heart_rate_bpm for p in rated if p.received_ns >= later]
            sent = [p for p in points if p.received_ns <= earlier]
            if len(rates) < _MIN_NOTIFICATIONS // 2 or not sent:
                continue
            rate = sum(rates) / len(rates)
            interval = sum(p.ticks for p in sent) / sum(p.beats for p in sent)
            low, high = (rate + off for off in _RATE_ROUNDING_BPM)
            margin = _RATE_MARGIN + self._irregularity / (2 * len(rates) ** 0.5)
            found.append((low * interval / 60 * (1 - margin), high * interval / 60 * (1 + margin)))
        return found

    def goes_on_over(self, scale: int) -> bool:
        """Whether both halves hold more than their time: a connection catches up only once."""
        middle = len(self._points) // 2
        halves = self._points[:middle], self._points[middle:]
        return all(
            len(half) >= _MIN_COMPARED and _part_violation(half, scale) < -_PREFERRED
            for half in halves
        )

    def violation(self, scale: int) -> int:
        """By how much early and late notifications disagree under ``scale``, ns.

        Positive where the intervals fill too little time, negative where too much, 0 if they agree.
        """
        worst = 0
        for part in self._parts:
            if len(part) >= _MIN_COMPARED:
                off = _part_violation(part, scale)
                worst = off if abs(off) > abs(worst) else worst
        return worst


def _split(points: Sequence[_Point], scale: int) -> list[list[_Point]]:
    """Cut where a notification was lost, or the connection fell behind or caught up."""
    waits = [p.wait_ns for p in points]
    usual = median(waits)
    longest, shortest = [usual] * len(points), [usual] * len(points)
    if _is_sent_at_once(points, scale):
        spans = [p.ticks * SECOND // scale for p in points]
        longest = [max(usual, min(span, 2 * usual)) for span in spans]
        shortest = [min(usual, span) for span in spans]
    is_short = [w < _SHORT_WAIT * span for w, span in zip(waits, shortest, strict=True)]
    is_long = [w > _LONG_WAIT * span for w, span in zip(waits, longest, strict=True)]
    if sum(is_short) > _MAX_SHORT_WAITS * len(points):
        # Short waits are usual here; a connection that catches up has several in a row.
        is_short = [all(is_short[at : at + _CATCHING_UP]) for at in range(len(points))]
    parts: list[list[_Point]] = [[]]
    for point, short, long in zip(points, is_short, is_long, strict=True):
        if (short or long) and parts[-1]:
            parts.append([])
        parts[-1].append(point)
    return parts


def _part_violation(points: Sequence[_Point], scale: int) -> int:
    # Fifths are farther apart than thirds, and need notifications enough for their bounds.
    parts = 5 if len(points) >= _MIN_FOR_FIFTHS else 3
    cuts = [len(points) * number // parts for number in range(parts + 1)]
    # Where each beat is sent by itself, its wait is short, not up to the time between two.
    at_once = _is_sent_at_once(points, scale)
    bounds = []
    for start, end in pairwise(cuts):
        part = points[start:end]
        above = sorted(p.received_ns - p.last * SECOND // scale for p in part)
        below = sorted(
            max(
                p.before_ns - p.first * SECOND // scale,
                (p.received_ns - p.last * SECOND // scale - _SENT_AT_ONCE)
                if at_once
                else -(1 << 62),
            )
            for p in part
        )
        bounds.append((below[-1 - len(below) // 5], above[min(1, len(above) - 1)]))
    worst = 0
    for early in range(parts):
        for late in range(early + 1, parts):
            short = bounds[late][0] - bounds[early][1]
            over = bounds[early][0] - bounds[late][1]
            if max(short, over, 0) > abs(worst):
                worst = short if short > over else -over
    return worst


def _is_sent_at_once(points: Sequence[_Point], scale: int) -> bool:
    """Whether notifications follow the beats, and not a timer of the usual time between them."""
    if any(p.beats != 1 for p in points):
        return False
    waits = [p.wait_ns for p in points]
    by_beat = sum(abs(w - p.ticks * SECOND / scale) for w, p in zip(waits, points, strict=True))
    by_timer = sum(abs(wait - SECOND) for wait in waits)
    return by_beat < by_timer / 2
