"""Estimate the smallest delay of a connection whose two clocks drift apart.

Each notification says: strap time T (its count of ticks) arrived at R by the computer's clock. The
delay d = R - T has a floor that moves in a straight line, because two quartz clocks differ by a
nearly constant rate; everything above the floor is queueing (the strap's once-a-second sending,
radio, operating system). Its slope is a least-squares line through the smallest delay of each
minute, drawn towards no drift while minutes are few (crystals are good to some 50 parts in a
million); its height is the lowest point of the last minutes against that slope, read off their
lower convex hull (Moon, Skelly and Towsley 1999, "Estimation and removal of clock skew from network
delay measurements", INFOCOM).
"""

from __future__ import annotations

from collections import deque

from ebbtide.timestamps import MILLISECOND, MINUTE

_HEIGHT_WINDOW = 10 * MINUTE
_SLOPE_MINUTES = 30
_TYPICAL_DRIFT = 50e-6
_MAX_DRIFT = 200e-6
_DELAY_SPREAD = 15 * MILLISECOND  # spread of the smallest delays of a minute
# If even the fastest of this many late ones lies this far above the floor, the floor has moved:
# beats were lost on the way, or the clock was set. The estimate starts anew; it is not smoothed.
_RECENT = 64
_FAR_ABOVE = 250 * MILLISECOND

Point = tuple[int, int]  # strap time, delay; both ns


class ClockSkewEstimator:
    """Estimates the floor of delays. Points must come with increasing strap time."""

    def __init__(self) -> None:
        self._hull: deque[Point] = deque()
        self._minutes: deque[Point] = deque(maxlen=_SLOPE_MINUTES)
        self._this_minute = -1
        self._slope = 0.0
        self._recent: deque[Point] = deque(maxlen=_RECENT)

    def add(self, strap_ns: int, delay_ns: int) -> None:
        """Add one arrival."""
        self._recent.append((strap_ns, delay_ns))
        self._insert(strap_ns, delay_ns)
        while self._hull[0][0] < strap_ns - _HEIGHT_WINDOW:
            self._hull.popleft()
        far = self.at(strap_ns) + _FAR_ABOVE
        if len(self._recent) == _RECENT and all(delay > far for _, delay in self._recent):
            self._hull.clear()
            self._minutes.clear()
            self._this_minute = -1
            self._slope = 0.0
            for point in self._recent:
                self._insert(*point)

    def at(self, strap_ns: int) -> int:
        """The smallest delay at this strap time. Needs one point at least."""
        return min(delay + int(self._slope * (strap_ns - at)) for at, delay in self._hull)

    def _insert(self, at: int, delay: int) -> None:
        hull = self._hull
        while len(hull) >= 2:
            (a, d_a), (b, d_b) = hull[-2], hull[-1]
            if (d_b - d_a) * (at - b) < (delay - d_b) * (b - a):
                break
            hull.pop()
        hull.append((at, delay))
        minute = at // MINUTE
        if minute != self._this_minute:
            self._this_minute = minute
            self._slope = self._fit_slope()
            self._minutes.append((at, delay))
        elif delay < self._minutes[-1][1]:
            self._minutes[-1] = (at, delay)

    def _fit_slope(self) -> float:
        """Ridge regression through the minutes that are over."""
        n = len(self._minutes)
        if n < 3:
            return 0.0
        mean_at = sum(at for at, _ in self._minutes) / n
        mean_delay = sum(delay for _, delay in self._minutes) / n
        across = sum((at - mean_at) * (delay - mean_delay) for at, delay in self._minutes)
        along = sum((at - mean_at) ** 2 for at, _ in self._minutes)
        slope = across / (along + (_DELAY_SPREAD / _TYPICAL_DRIFT) ** 2)
        return max(-_MAX_DRIFT, min(_MAX_DRIFT, slope))
