"""A made clinic for whoever tries to find people again: habits of rating, and what they know."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, from_datetime, to_datetime
from store.models import Rating

ZONE = "Europe/Berlin"
WEEK = 7 * DAY
OPENED = from_datetime(datetime(2025, 6, 2, tzinfo=ZoneInfo(ZONE)))
NOW = from_datetime(datetime(2026, 11, 25, 13, 0, tzinfo=ZoneInfo(ZONE)))  # a Wednesday
PEOPLE, ACTIVE = 40, 12

IntArray = NDArray[np.int64]


@dataclass
class History:
    """What a person truly rated, by time; ``active``: they still rate."""

    active: bool
    time_ns: IntArray
    pain: NDArray[np.int64]
    stress: NDArray[np.int64]

    def ratings(self, person_id: str) -> list[Rating]:
        """The same as records."""
        return [
            Rating(new_id(), 1, person_id, time, time + SECOND, ZONE, pain, stress, None, False)
            for time, pain, stress in zip(
                self.time_ns.tolist(), self.pain.tolist(), self.stress.tolist(), strict=True
            )
        ]


@dataclass
class Rows:
    """What an analyst has of a person: times as exported, hours, values."""

    time_ns: IntArray
    local_hour: NDArray[np.float64]
    pain: NDArray[np.int64]
    stress: NDArray[np.int64]
    slots: set[tuple[int, int, int]] = field(default_factory=set)

    @classmethod
    def empty(cls) -> Rows:
        """No rows."""
        whole = np.zeros(0, dtype=np.int64)
        return cls(whole, np.zeros(0), whole, whole)


def make_histories(rng: np.random.Generator) -> list[History]:
    """Two or three moments a day of each one's own, mostly answered, for 14 to 26 weeks; some
    people began long ago and still rate.
    """
    histories = []
    for number in range(PEOPLE):
        active = number < ACTIVE
        weeks = int(rng.integers(44, 60)) if active else int(rng.integers(14, 27))
        if active:
            last = NOW - int(rng.integers(1, 20)) * 3600 * SECOND
            first_day = to_datetime(last, ZONE).date() - timedelta(weeks=weeks)
        else:
            first = OPENED + int(rng.integers(0, 76 - 27 - 5)) * WEEK + int(rng.integers(7)) * DAY
            first_day = to_datetime(first, ZONE).date()
            last = first + weeks * WEEK
        habits = rng.uniform((7, 12.5, 18.5), (9.5, 15, 22))[: int(rng.integers(2, 4))]
        spread = rng.uniform(0.2, 0.7)
        times: list[int] = []
        for day in range(weeks * 7 + 1):
            date = first_day + timedelta(days=day)
            late = 0.8 if date.weekday() >= 5 else 0.0
            for habit in habits:
                if rng.random() > 0.75:
                    continue
                hour = float(np.clip(habit + late + rng.normal(0, spread), 5, 23.4))
                local = datetime(date.year, date.month, date.day, tzinfo=ZoneInfo(ZONE))
                moment = local + timedelta(seconds=round(hour * 3600))  # wall clock
                time = from_datetime(moment) + int(rng.integers(10**6)) * 1000
                if time < last:
                    times.append(time)
        time_ns = np.array(sorted(set(times)), dtype=np.int64)
        fall = np.linspace(6.5, 3, len(time_ns))
        mood = np.convolve(rng.normal(0, 1, len(time_ns) + 4), np.ones(5) / 2.2, "valid")
        pain, stress = (
            np.clip(np.round(fall + mood + rng.normal(0, 1, len(time_ns))), 0, 10).astype(np.int64)
            for _ in range(2)
        )
        histories.append(History(active, time_ns, pain, stress))
    return histories


def to_wall_clock(time_ns: IntArray) -> IntArray:
    """The local time of each moment, as nanoseconds."""
    times = np.asarray(time_ns, dtype=np.int64)
    hours, which = np.unique(times // HOUR, return_inverse=True)  # clocks change at whole hours UTC
    return times + np.array([_offset_ns(hour) for hour in hours.tolist()], dtype=np.int64)[which]


@cache
def _offset_ns(hour: int) -> int:
    offset = to_datetime(hour * HOUR, ZONE).utcoffset() or timedelta()
    return round(offset.total_seconds()) * SECOND


def rule_before(histories: list[History], rng: np.random.Generator) -> tuple[list[Rows], IntArray]:
    """The same people under the rule that was: true times less 26 to 259 weeks, and the true local
    hour. Also those weeks.
    """
    shifts = rng.integers(26, 260, len(histories))
    rows = []
    for history, shift in zip(histories, shifts, strict=True):
        hours = to_wall_clock(history.time_ns) % DAY // MINUTE / 60
        moved = history.time_ns - int(shift) * WEEK
        rows.append(Rows(moved, hours, history.pain, history.stress))
    return rows, shifts
