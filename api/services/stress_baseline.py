"""The baseline of each person: windows of their first 28 worn days of each quarter of the day,
which the stress index is compared with; anew from each day on which they declared that their usual
changed.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time
from threading import Lock
from zoneinfo import ZoneInfo

import numpy as np
from cachetools import TTLCache
from numpy.typing import NDArray

from analytics.hrv.relative_stress import MAX_BASELINE_DAYS, METHOD, StressIndexInput, fit_baseline
from api.services.daily_windows import (
    STORED_METHOD,
    DailyHrv,
    concat_days,
    daily_price_s,
    load_daily_hrv,
)
from api.services.inputs import day_fingerprints
from api.services.single_flight import single_flight
from api.services.stress_index import StressBaseline
from ebbtide.timestamps import DAY, EARLIEST, FOREVER, SECOND, to_datetime
from store import Stores
from store.models import Person, PracticeKind

_CHUNK_NS = 28 * DAY  # read at a time
_TTL_S = 600.0
_MAX_PEOPLE = 200
_QUARTER_H = 6.0


class StressBaselineCache:
    """Fitted baselines, for ten minutes. Only days before the one that is judged count, so one that
    was made holds until tomorrow, unless older beats, a practice or a new start come.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: TTLCache[tuple[str, str], StressBaseline] = TTLCache(_MAX_PEOPLE, _TTL_S)

    def drop(self, subject_id: str) -> None:
        """Drop what is of one subject."""
        with self._lock:
            self._entries.expire()
            for key in [key for key in self._entries if key[0] == subject_id]:
                del self._entries[key]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._entries.clear()

    def load(self, stores: Stores, person: Person) -> StressBaseline:
        """Load the baseline of all days up to yesterday."""
        starts, practices_s = baseline_starts(stores, person), load_practices_s(stores, person)
        today = midnight_ns(to_datetime(stores.now(), person.zone).toordinal(), person.zone)
        days = day_fingerprints(stores, person, *FOREVER)
        before = {day: name for day, name in days.items() if day * DAY < today}
        if today // DAY in before:  # grows until midnight in UTC; what is of today counts tomorrow
            before[today // DAY] = "begun"
        words = repr((METHOD, STORED_METHOD, person.zone, starts, sorted(before.items()), today))
        digest = hashlib.sha256(words.encode())
        digest.update(practices_s.tobytes())
        key = (person.subject_id, digest.hexdigest())
        found = self._find(key)
        if found is not None:
            return found
        with single_flight(f"baseline {person.subject_id}"):
            found = self._find(key)
            if found is None:
                windows = _load_windows(stores, person, before, starts, today)
                fitted = fit_baseline(
                    windows,
                    restart_days=np.array(starts, dtype=np.int64),
                    practices_s=practices_s,
                )
                since = windows.day >= max(starts, default=0)
                worn = len(set(windows.day[windows.still & since].tolist()))
                found = StressBaseline(fitted, key[1], worn)
                with self._lock:
                    self._entries[key] = found
            return found

    def _find(self, key: tuple[str, str]) -> StressBaseline | None:
        with self._lock:
            return self._entries.get(key)


def baseline_price_s(stores: Stores, person: Person) -> float:
    """Estimate the seconds for the windows that a baseline takes, at the most: those of all days
    up to now that are not stored yet.
    """
    return daily_price_s(stores, person, EARLIEST, stores.now())


def baseline_starts(stores: Stores, person: Person) -> tuple[int, ...]:
    """List the local days on which the baseline begins anew, increasing."""
    return tuple(item.day for item in stores.programme.baseline_starts(person.id))


def load_practices_s(stores: Stores, person: Person) -> NDArray[np.float64]:
    """List from when to when a person practised, in seconds; sitting still is no practice here."""
    spans = [
        (item.start_ns / SECOND, item.end_ns / SECOND)
        for item in stores.programme.practices(person.id)
        if item.kind is not PracticeKind.REST
    ]
    return np.array(spans, dtype=np.float64).reshape(-1, 2)


def midnight_ns(day: int, zone: str) -> int:
    """Find when a local day (an ordinal) begins, in UTC nanoseconds."""
    local = datetime.combine(date.fromordinal(day), time(), ZoneInfo(zone))
    return round(local.timestamp()) * SECOND


def has_enough(windows: StressIndexInput) -> bool:
    """Whether each quarter of the day that was worn at all has its 28 days, and a day more."""
    quarter = windows.hour[windows.still] // _QUARTER_H
    days = windows.day[windows.still]
    counts = [len(set(days[quarter == each].tolist())) for each in np.unique(quarter)]
    return bool(counts) and min(counts) > MAX_BASELINE_DAYS


def _load_windows(
    stores: Stores, person: Person, days: dict[int, str], starts: tuple[int, ...], today_ns: int
) -> StressIndexInput:
    """Load the windows of enough days since each start."""
    parts = [concat_days([], {})]
    if days:
        # From midnight in the person's zone, so that no day is cut in two.
        first = midnight_ns(to_datetime(min(days) * DAY, person.zone).toordinal(), person.zone)
        begins = [first]
        begins += [at for at in (midnight_ns(day, person.zone) for day in starts) if at > first]
        for begin, end in zip(begins, [*begins[1:], today_ns], strict=True):
            parts += _load_era(stores, person, begin, min(end, today_ns))
    return _join(parts).to_stress_index_input(person.zone)


def _load_era(stores: Stores, person: Person, begin_ns: int, limit_ns: int) -> list[DailyHrv]:
    """Load until there is enough. Of later days, which quarters of the day that are worn late need,
    only what is stored: what that would cost is not known here, and the nightly run stores it.
    """
    parts: list[DailyHrv] = []
    is_enough = False
    for at in range(begin_ns, limit_ns, _CHUNK_NS):
        end = min(at + _CHUNK_NS, limit_ns)
        part = load_daily_hrv(stores, person, at, end, only_stored=is_enough)
        parts.append(part)
        is_enough = is_enough or has_enough(_join(parts).to_stress_index_input(person.zone))
    return parts


def _join(parts: list[DailyHrv]) -> DailyHrv:
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.followed_by(part)
    return joined
