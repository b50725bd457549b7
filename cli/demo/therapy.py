"""Generate four weeks of therapy: ratings, sessions, and RR intervals before most ratings.

Pain and stress both fall, and ``LINK`` of stress is added to pain from one rating to the next, so
that the estimate can be compared with the true value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from ebbtide.rr_units import STRAP_TICKS_PER_SECOND
from ebbtide.timestamps import SECOND, from_datetime, to_datetime

DAYS = 28
LINK = 0.5  # points of pain for one point of stress: the true value
_HOURS = (9, 14, 20)
_MISSED_DAYS = (15, 16)  # a weekend without strap and ratings, as real data have
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


def generate_therapy(before_ns: int, zone: str, seed: int) -> SampleTherapy:
    """Generate four weeks that end the evening before ``before_ns``.

    The same seed gives the same weeks.
    """
    rng = np.random.default_rng(seed)
    last_day = to_datetime(before_ns, zone).date() - timedelta(days=1)
    first_day = last_day - timedelta(days=DAYS - 1)
    ratings: list[SampleRating] = []
    mood, ache = 0.0, 0.0
    for day in range(DAYS):
        for hour in _HOURS:
            mood = 0.4 * mood + 1.3 * rng.standard_normal()
            ache = 0.4 * ache + 0.7 * rng.standard_normal()
            if day in _MISSED_DAYS or rng.random() < 0.1:
                continue  # one rating in ten is left out
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
                    _generate_rr_before(rng, mood, course) if rng.random() < 0.85 else (),
                )
            )
    sessions = tuple(
        from_datetime(
            datetime.combine(first_day + timedelta(days=day), time(11), tzinfo=ZoneInfo(zone))
        )
        for day in _SESSION_DAYS
    )
    return SampleTherapy(tuple(ratings), sessions)


def generate_rr(
    seconds: float, rng: np.random.Generator, *, mean_hr_bpm: float = 66, rmssd_ms: float = 35
) -> tuple[int, ...]:
    """Generate RR intervals of about ``seconds``, in ticks of 1/1024 s.

    A mean RR with a respiratory wave (0.25 Hz), a blood-pressure wave (0.1 Hz) and a slow random
    walk, as in integral pulse frequency modulation models (McSharry et al. 2003, IEEE TBME
    50:289). For demonstrations only: metrics are tested on real recordings.
    """
    mean = 60.0 / mean_hr_bpm
    respiration_hz = 0.25 + 0.02 * rng.standard_normal()
    # A wave of amplitude a sampled every `mean` s has this RMSSD per unit of amplitude.
    respiration = 0.85 * rmssd_ms / 1000 / (np.sqrt(2) * np.sin(np.pi * respiration_hz * mean))
    pressure = 0.5 * respiration
    jitter = 0.3 * rmssd_ms / 1000 / np.sqrt(2)
    phases = rng.uniform(0, 2 * np.pi, 2)
    elapsed, drift = 0.0, 0.0
    ticks = []
    while elapsed < seconds:
        drift = 0.995 * drift + 0.002 * rng.standard_normal()
        rr = (
            mean
            + respiration * np.sin(2 * np.pi * respiration_hz * elapsed + phases[0])
            + pressure * np.sin(2 * np.pi * 0.1 * elapsed + phases[1])
            + drift
            + jitter * rng.standard_normal()
        )
        rr = float(np.clip(rr, 0.4, 1.6))
        elapsed += rr
        ticks.append(round(rr * STRAP_TICKS_PER_SECOND))
    return tuple(ticks)


def recording_start(rating: SampleRating) -> int:
    """Compute when the recording before this rating starts."""
    span = sum(rating.rr_ticks) * SECOND // STRAP_TICKS_PER_SECOND
    return rating.about_ns - span - SECOND


def _generate_rr_before(rng: np.random.Generator, mood: float, course: float) -> tuple[int, ...]:
    rmssd = float(np.exp(np.log(30) + 0.15 * course - 0.08 * mood + 0.2 * rng.standard_normal()))
    rate = float(70 - 3 * course + 1.2 * mood + 2 * rng.standard_normal())
    return generate_rr(330, rng, mean_hr_bpm=rate, rmssd_ms=rmssd)


def _nrs(value: float) -> int:
    return int(np.clip(round(value), 0, 10))
