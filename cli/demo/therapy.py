"""Four generated weeks of therapy: ratings, sessions, and the heart before most ratings.

Pain and stress both fall, and a known part of pain moves with stress from one rating to the next
(``LINK``), so that the answer can be compared with what was put in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from cli.demo.rr import generated_rr
from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import SECOND, from_datetime, to_datetime

DAYS = 28
LINK = 0.5  # points of pain for one point of stress, put in
_HOURS = (9, 14, 20)
_AWAY = (15, 16)  # a weekend without strap and ratings: real weeks have holes
_SESSION_DAYS = (0, 3, 7, 10, 14, 17, 21, 24)


@dataclass(frozen=True, slots=True)
class SampleRating:
    """One rating, and the RR ticks of the minutes before it (none where no strap was worn)."""

    about_ns: int
    pain: int
    stress: int
    pleasant: int | None
    rr_ticks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SampleTherapy:
    """Ratings by time, and the times of the sessions."""

    ratings: tuple[SampleRating, ...]
    sessions_ns: tuple[int, ...]


def generated_therapy(before_ns: int, zone: str, seed: int) -> SampleTherapy:
    """Four weeks that end the evening before ``before_ns``. The same seed gives the same weeks."""
    rng = np.random.default_rng(seed)
    last_day = to_datetime(before_ns, zone).date() - timedelta(days=1)
    first_day = last_day - timedelta(days=DAYS - 1)
    ratings: list[SampleRating] = []
    mood, ache = 0.0, 0.0
    for day in range(DAYS):
        for hour in _HOURS:
            mood = 0.4 * mood + 1.3 * rng.standard_normal()
            ache = 0.4 * ache + 0.7 * rng.standard_normal()
            if day in _AWAY or rng.random() < 0.1:
                continue  # nobody rates every time
            course = day / (DAYS - 1)
            stress = 6.2 - 2.4 * course + mood
            pain = 5.6 - 3.0 * course**0.8 + LINK * mood + ache
            moment = datetime.combine(
                first_day + timedelta(days=day), time(hour), tzinfo=ZoneInfo(zone)
            ) + timedelta(minutes=float(rng.uniform(-40, 40)))
            pleasant = int(np.clip(round(2.5 + 3 * course + rng.standard_normal()), 0, 10))
            ratings.append(
                SampleRating(
                    from_datetime(moment),
                    _nrs(pain),
                    _nrs(stress),
                    pleasant if rng.random() < 0.7 else None,
                    _heart_before(rng, mood, course) if rng.random() < 0.85 else (),
                )
            )
    sessions = tuple(
        from_datetime(
            datetime.combine(first_day + timedelta(days=day), time(11), tzinfo=ZoneInfo(zone))
        )
        for day in _SESSION_DAYS
    )
    return SampleTherapy(tuple(ratings), sessions)


def recording_start(rating: SampleRating) -> int:
    """When the strap was put on before this rating."""
    span = sum(rating.rr_ticks) * SECOND // STRAP_TICKS_PER_SECOND
    return rating.about_ns - span - SECOND


def _heart_before(rng: np.random.Generator, mood: float, course: float) -> tuple[int, ...]:
    rmssd = float(np.exp(np.log(30) + 0.15 * course - 0.08 * mood + 0.2 * rng.standard_normal()))
    rate = float(70 - 3 * course + 1.2 * mood + 2 * rng.standard_normal())
    return generated_rr(330, rng, mean_hr_bpm=rate, rmssd_ms=rmssd)


def _nrs(value: float) -> int:
    return int(np.clip(round(value), 0, 10))
