"""How far somebody's first days are: from the first rating to enough for a first answer.

What is enough is analytics' to say; nothing of it is repeated here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from analytics.association.asked_apart import pair_apart
from analytics.association.hrv_before_rating import MIN_NIGHT_WINDOWS, NIGHT_FROM_H, NIGHT_TO_H
from analytics.association.within_person import MIN_DAYS, MIN_RATINGS
from analytics.hrv.relative_stress import MAX_BASELINE_DAYS, MIN_BASELINE_DAYS
from analytics.hrv.windows import WINDOW_NS
from api.services.prompted import split_ratings
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY, FOREVER, HOUR, SECOND, to_datetime
from store import Stores
from store.models import Person, Rating, StreamCoverage

_MIN_FOR_PACE = 4  # ratings; fewer say nothing about how often somebody rates
_NEWEST = 10  # ratings that show how somebody is asked now
_MAX_AHEAD_DAYS = 60  # a date further away helps nobody


class HeartSource(StrEnum):
    """Where heartbeats came from so far, or heart rates of devices that send no heartbeats."""

    STRAP = "strap"
    RATES = "rates"  # a device that records here and sends heart rates alone
    FILE = "file"
    FILE_RATES = "file of rates"
    NONE = "none"


_LIVE = {HeartSource.STRAP, HeartSource.RATES}


@dataclass(frozen=True, slots=True)
class FirstDays:
    """Where somebody is. ``days`` and ``min_days``: from the first rating to the last.

    ``ratings`` counts what the answer needs in the way in which they are asked: ratings of both
    pain and stress, or with ``asked_apart`` pairs of one of each. ``rated``: all ratings.
    ``answer_from``: about when there is enough for a first answer, at the pace so far; None where
    that cannot be said, or there is enough. ``heart_days`` are days of heartbeats or of heart
    rates; of those that were imported as many as are needed are counted. ``has_night`` is of
    heartbeats.
    """

    ratings: int
    rated: int
    asked_apart: bool
    min_ratings: int
    days: int
    min_days: int
    answer_from: datetime | None
    heart: HeartSource
    has_night: bool
    heart_days: int
    min_heart_days: int

    @property
    def has_answer(self) -> bool:
        """Whether ratings are enough for a first answer."""
        return self.ratings >= self.min_ratings and self.days >= self.min_days

    @property
    def is_over(self) -> bool:
        """Whether nothing is waited for any more."""
        return self.has_answer and (
            self.heart not in _LIVE or self.heart_days >= self.min_heart_days
        )


def load_first_days(stores: Stores, person: Person) -> FirstDays:
    """Count what is there. Of heartbeats, a fortnight is read at most."""
    kept = [
        rating for rating in stores.records.ratings(person.id, *FOREVER) if not rating.withdrawn
    ]
    ratings = split_ratings(stores, person, kept).ratings
    about, asked_apart = _count(sorted(ratings, key=lambda rating: rating.about_ns))
    span_ns = about[-1] - about[0] if about else 0
    heart, has_night, heart_days = _find_heart(stores, person)
    return FirstDays(
        ratings=len(about),
        rated=len(ratings),
        asked_apart=asked_apart,
        min_ratings=MIN_RATINGS,
        days=span_ns // DAY,
        min_days=math.ceil(MIN_DAYS),
        answer_from=_expect_answer(about, stores.now()),
        heart=heart,
        has_night=has_night,
        heart_days=heart_days,
        min_heart_days=MIN_BASELINE_DAYS + 1,
    )


def _count(ratings: list[Rating]) -> tuple[list[int], bool]:
    """The moments that count for a first answer, by time, and whether they are of pairs: where
    these give an answer, or else where most of the newest ratings are of one alone.
    """
    both = [rating.about_ns for rating in ratings if rating.is_complete]
    singles = [rating for rating in ratings if not rating.is_complete]
    if not singles or _is_enough(both):
        return both, False
    stress = np.array([i.about_ns for i in singles if i.stress is not None], dtype=np.int64)
    pain = np.array([i.about_ns for i in singles if i.pain is not None], dtype=np.int64)
    pairs: list[int] = pair_apart(stress, pain).time_ns.tolist()
    newest = ratings[-_NEWEST:]
    is_apart = 2 * sum(not item.is_complete for item in newest) > len(newest)
    return (pairs, True) if _is_enough(pairs) or is_apart else (both, False)


def _is_enough(about: list[int]) -> bool:
    return len(about) >= MIN_RATINGS and about[-1] - about[0] >= MIN_DAYS * DAY


def _expect_answer(about: list[int], now_ns: int) -> datetime | None:
    """Expect as many ratings a day as so far, also in pauses."""
    if len(about) < _MIN_FOR_PACE or now_ns - about[0] < DAY:
        return None
    left = MIN_RATINGS - len(about)
    a_day = len(about) * DAY / (now_ns - about[0])
    days_left = max(left / a_day, (about[0] + MIN_DAYS * DAY - now_ns) / DAY)
    if days_left <= 0 or days_left > _MAX_AHEAD_DAYS:
        return None
    return to_datetime(now_ns) + timedelta(days=math.ceil(days_left))


def _find_heart(stores: Stores, person: Person) -> tuple[HeartSource, bool, int]:
    """Find where beats or rates came from, whether there is a night of beats, and on how many days
    there are any.
    """
    covered = [
        item
        for item in stores.beats.coverage(person.subject_id)
        if (item.beats or item.rates) and item.first_ns is not None
    ]
    days = _imported_days(stores, person)
    heart = _source_of(covered, bool(days))
    if covered:
        first = min(item.first_ns for item in covered if item.first_ns is not None)
        last = max(item.last_ns for item in covered if item.last_ns is not None)
        days |= set(
            stores.beats.day_fingerprints(
                person.subject_id, first // DAY * DAY, -(-(last + 1) // DAY) * DAY
            )
        )
    if not any(item.beats for item in covered):
        return heart, False, len(days)
    if len(days) > MIN_BASELINE_DAYS:  # whoever has so many needs no first night any more
        return heart, True, len(days)
    nights = sorted(days)[:MAX_BASELINE_DAYS]
    return heart, any(_has_night(stores, person, day) for day in nights), len(days)


def _source_of(covered: list[StreamCoverage], has_imported: bool) -> HeartSource:
    """A device that records is named before files, and beats before rates."""
    live = [item for item in covered if item.stream.origin in {Origin.STRAP, Origin.SIMULATED}]
    if any(item.beats for item in live):
        return HeartSource.STRAP
    if live:
        return HeartSource.RATES
    if any(item.beats for item in covered):
        return HeartSource.FILE
    return HeartSource.FILE_RATES if covered or has_imported else HeartSource.NONE


def _imported_days(stores: Stores, person: Person) -> set[int]:
    """Find UTC days with imported heart rates that a device measured, as many as are needed: what
    somebody counted by hand is in no baseline.
    """
    found: set[int] = set()
    for day in sorted(stores.records.heart_rate_days(person.id, *FOREVER)):
        if len(found) > MIN_BASELINE_DAYS:
            break
        measured = stores.records.heart_rate_columns(person.id, day * DAY, (day + 1) * DAY)
        if len(measured.time_ns):
            found.add(day)
    return found


def _has_night(stores: Stores, person: Person, day: int) -> bool:
    """Whether beats of a night that touches this UTC day fill an hour."""
    noon_ns = day * DAY + DAY // 2
    local = to_datetime(noon_ns, person.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    midnight_ns = noon_ns - round((local - midnight).total_seconds()) * SECOND
    for end_of_day in (midnight_ns, midnight_ns + DAY):
        start = end_of_day - round((24 - NIGHT_FROM_H) * HOUR)
        end = end_of_day + round(NIGHT_TO_H * HOUR)
        times = stores.beats.read(person.subject_id, start, end).time_ns
        if len(np.unique(times // WINDOW_NS)) >= MIN_NIGHT_WINDOWS:
            return True
    return False
