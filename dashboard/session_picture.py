"""What the picture before a session holds: ratings, heart, meetings and practices on one time axis.

The page draws it as charts, the PDF in lines.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_NOON = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class HeartPeriod:
    """A day or week of the stress index, with its own 95% interval."""

    start: datetime
    end: datetime
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SessionPicture:
    """What the picture holds, on the person's wall clock, without a zone. ``days``: the mean of a
    day's pain and stress, at noon; ``starts``: from when the heart is compared with new values.
    """

    start: datetime
    end: datetime
    ratings: list[tuple[datetime, int | None, int | None]]
    days: list[tuple[datetime, float | None, float | None]]
    heart: list[HeartPeriod] = field(default_factory=list)
    sessions: list[tuple[datetime, int]] = field(default_factory=list)
    practices: list[datetime] = field(default_factory=list)
    starts: list[datetime] = field(default_factory=list)


def make_picture(
    ratings: list[dict[str, Any]],
    periods: list[dict[str, Any]],
    sessions: list[dict[str, Any]],
    practices: list[dict[str, Any]],
    starts: list[dict[str, Any]],
    start: datetime,
    end: datetime,
    zone: str,
) -> SessionPicture:
    """Gather what the API gave. ``periods``: days or weeks of ``choose_periods``."""
    tz = ZoneInfo(zone)

    def wall(moment: str | datetime) -> datetime:
        parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        return parsed.astimezone(tz).replace(tzinfo=None)

    first, last = wall(start), wall(end)
    rated = [(wall(row["about"]), row["pain"], row["stress"]) for row in ratings]
    by_day: dict[datetime, list[tuple[int | None, int | None]]] = defaultdict(list)
    for at, pain, stress in rated:
        by_day[datetime.combine(at.date(), datetime.min.time())].append((pain, stress))
    heart = []
    for item in periods:
        index = item["stress_index"]
        begin = datetime.fromisoformat(str(item["day"]))
        finish = begin + timedelta(days=item["length"])
        if index["value"] is not None and finish > first and begin < last:
            heart.append(
                HeartPeriod(
                    *(max(begin, first), min(finish, last)),
                    *(index[key] for key in ("value", "own_low", "own_high")),
                )
            )

    def inside(moments: list[datetime]) -> list[datetime]:
        return [moment for moment in moments if first <= moment <= last]

    return SessionPicture(
        first,
        last,
        rated,
        [
            (
                day + _NOON,
                _mean(pain for pain, _stress in rows),
                _mean(stress for _pain, stress in rows),
            )
            for day, rows in sorted(by_day.items())
        ],
        heart,
        [
            (wall(row["held"]), row["number"])
            for row in sessions
            if first <= wall(row["held"]) <= last
        ],
        inside([wall(row["start"]) for row in practices]),
        inside([datetime.fromisoformat(str(row["day"])) for row in starts]),
    )


def _mean(values: Iterable[int | None]) -> float | None:
    """Average what was asked for; None where nothing was."""
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if there else None
