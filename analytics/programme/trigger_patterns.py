"""What was noted on harder days, and on other days.

A harder day has more pain than the days around it: compared with all days, a programme in which
pain falls would make the first weeks harder and the last ones easier, and whatever was noted early
would look like a trigger.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray

AROUND_DAYS = 10
MIN_DAYS = 14
_MIN_COUNT = 0.5  # points above the days around
_SHORTEST_REACH = 3
_Z = 1.959963984540054
METHOD = (
    f"day's mean pain at least {_MIN_COUNT} above the median of the days within "
    f"{AROUND_DAYS} days; "
    "difference of shares with Newcombe's interval (1998, method 10)"
)


@dataclass(frozen=True, slots=True)
class NotedDays:
    """On how many harder and other days something was noted.

    ``difference`` of the shares with its 95% interval.
    """

    harder: int
    harder_days: int
    other: int
    other_days: int
    difference: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out no difference."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class TriggerPattern:
    """Days that were harder than the days around them, and those that were not.

    ``days`` (local days, numbers; without the first and last three) and whether each was harder;
    None with a reason in ``missing_reason`` where there are too few.
    """

    days: IntArray
    harder: BoolArray | None
    missing_reason: str | None

    def noted_on(self, noted: Mapping[str, set[int]]) -> dict[str, NotedDays]:
        """For each thing, with the days it was noted on. Days without a rating do not count."""
        if self.harder is None:
            return {}
        hard = set(self.days[self.harder].tolist())
        easy = set(self.days[~self.harder].tolist())
        found = {}
        for name, days in noted.items():
            a, b = len(days & hard), len(days & easy)
            if a + b:
                found[name] = NotedDays(
                    a, len(hard), b, len(easy), *_newcombe(a, len(hard), b, len(easy))
                )
        return found


def trigger_pattern(day: IntArray, pain: FloatArray) -> TriggerPattern:
    """Which days were harder; ``day`` and ``pain`` of each rating, of shape (n,)."""
    days = np.unique(np.asarray(day, np.int64))
    if len(days) < MIN_DAYS:
        return TriggerPattern(days, None, f"{len(days)} days with ratings; {MIN_DAYS} are needed")
    means = np.array([float(np.mean(pain[day == one])) for one in days])
    # As far back as forth, or a fall alone would make the first days harder. The very first and
    # last ones have nothing around them, and are left out.
    reach = np.minimum(AROUND_DAYS, np.minimum(days - days[0], days[-1] - days))
    inner = reach >= _SHORTEST_REACH
    usual = np.array(
        [
            float(np.median(means[np.abs(days - one) <= far]))
            for one, far in zip(days[inner], reach[inner], strict=True)
        ]
    )
    harder = means[inner] - usual >= _MIN_COUNT
    if not harder.any() or harder.all():
        return TriggerPattern(days[inner], None, "no day stands out from those around it")
    return TriggerPattern(days[inner], harder, None)


def wilson_interval(count: int, of: int) -> tuple[float, float]:
    """95% interval of a share (Wilson 1927). Raises ValueError for a share of nothing."""
    if of < 1:
        raise ValueError("a share of nothing")
    share = count / of
    middle = (share + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
    half = _Z / (1 + _Z**2 / of) * math.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    return middle - half, middle + half


def _newcombe(a: int, of_a: int, b: int, of_b: int) -> tuple[float, float, float]:
    p, q = a / of_a, b / of_b
    (low_p, high_p), (low_q, high_q) = wilson_interval(a, of_a), wilson_interval(b, of_b)
    low = p - q - math.hypot(p - low_p, high_q - q)
    high = p - q + math.hypot(high_p - p, q - low_q)
    return p - q, low, high
