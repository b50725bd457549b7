"""Nights of a ring as they are uploaded."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import numpy as np


def a_night(day: date, level: float = 45.0, source: str = "a ring") -> dict[str, Any]:
    """Seven hours of five-minute values that end on a day at 05:30 UTC."""
    end = datetime.combine(day, time(5, 30), tzinfo=UTC)
    rng = np.random.default_rng(day.toordinal())
    rmssd = np.round(level + rng.normal(0, 4, 84), 1)
    rate = np.round(58 - 4 * np.sin(np.linspace(0, np.pi, 84)) + rng.normal(0, 1, 84), 1)
    return {
        "day": day.isoformat(),
        "source": source,
        "start": (end - timedelta(hours=7)).isoformat(),
        "end": end.isoformat(),
        "basis": "five-minute values",
        "rmssd_ms": round(float(rmssd.mean()), 3),
        "mean_hr_bpm": round(float(rate.mean()), 3),
        "low_quarter_hr_bpm": round(float(np.sort(rate)[:21].mean()), 3),
        "windows": 84,
        "steps": 84,
        "values": [[300 * k, float(rmssd[k]), None, float(rate[k])] for k in range(84)],
    }


def put_nights(
    client: httpx.Client,
    count: int,
    *,
    days_ago: int = 1,
    left_out: tuple[int, ...] = (),
    source: str = "a ring",
) -> None:
    """Store so many nights, of which the last ended ``days_ago``; those ``left_out``, counted from
    the first, are not there.
    """
    last = datetime.now(UTC).date() - timedelta(days=days_ago)
    rng = np.random.default_rng(7)
    levels = 45 + rng.normal(0, 6, count)
    nights = [
        a_night(last - timedelta(days=count - 1 - k), float(levels[k]), source)
        for k in range(count)
        if k not in left_out
    ]
    for start in range(0, len(nights), 100):
        client.put("/v1/nights", json={"nights": nights[start : start + 100]}).raise_for_status()
