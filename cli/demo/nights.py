"""Nights of a ring that a sample patient wears: simulated, and named so."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from cli.demo.courses import CourseDay
from ebbtide.nights import STEP_S, Night, NightBasis, NightValue
from ebbtide.timestamps import SECOND, from_datetime

SOURCE = "Sample ring (simulated)"
_STEPS = (78, 96)  # asleep: six and a half to eight hours
_NOT_WORN = 0.06
_PER_STRESS = -0.05  # of the logarithm of RMSSD, for each point of stress the day before
_SLEEP_RATE = -9.0  # beats a minute, against awake and at rest
_REST_STRESS = 5.0


def generate_nights(
    days: list[CourseDay], rmssd_ms: float, rate_bpm: float, zone: str, rng: np.random.Generator
) -> list[Night]:
    """Generate the night after each day but the last, of a person whose RMSSD awake is this.

    Nights after days of more stress are less calm; how calm they are goes up and down by itself
    much more. Some were not worn, and none on days away.
    """
    nights = []
    for day in days[:-1]:
        level = rng.normal(0.0, 0.16)
        count, late = int(rng.integers(*_STEPS)), float(rng.uniform(-40, 50))
        steps, rates = rng.normal(0, 0.12, count), rng.normal(0, 1.2, count)
        holes = rng.random(count) < 0.03
        if day.is_away or rng.random() < _NOT_WORN:
            continue
        stress = float(np.mean([rating.felt for rating in day.ratings])) - _REST_STRESS
        shape = np.sin(np.linspace(0, np.pi, count))
        rmssd = rmssd_ms * 1.25 * np.exp(level + _PER_STRESS * stress + 0.1 * shape + steps)
        rate = rate_bpm + _SLEEP_RATE - 4 * shape + 0.6 * stress - 8 * level + rates
        begun = datetime(day.date.year, day.date.month, day.date.day, 23, tzinfo=ZoneInfo(zone))
        start_ns = from_datetime(begun + timedelta(minutes=round(late)))
        nights.append(_night(start_ns, zone, rmssd, rate, holes))
    return nights


def _night(
    start_ns: int,
    zone: str,
    rmssd: np.ndarray[tuple[int], np.dtype[np.float64]],
    rate: np.ndarray[tuple[int], np.dtype[np.float64]],
    holes: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Night:
    end_ns = start_ns + len(rmssd) * STEP_S * SECOND
    woke = datetime.fromtimestamp(end_ns // SECOND, ZoneInfo(zone))
    shift = woke.utcoffset()
    values = tuple(
        NightValue(
            STEP_S * k,
            None if holes[k] else round(float(rmssd[k]), 1),
            None,
            round(float(rate[k]), 1),
        )
        for k in range(len(rmssd))
    )
    there = [value.rmssd_ms for value in values if value.rmssd_ms is not None]
    rates = np.sort([value.hr_bpm for value in values if value.hr_bpm is not None])
    return Night(
        woke.date().isoformat(),
        SOURCE,
        start_ns,
        end_ns,
        0 if shift is None else int(shift.total_seconds()),
        NightBasis.VALUES,
        rmssd_ms=round(float(np.mean(there)), 3),
        mean_hr_bpm=round(float(rates.mean()), 3),
        low_quarter_hr_bpm=round(float(rates[: len(rates) // 4].mean()), 3),
        windows=len(there),
        steps=len(values),
        values=values,
    )
