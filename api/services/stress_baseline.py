"""The baseline of each person: the HRV windows of their first 28 worn days, which the stress index
is compared with; anew from each day on which they declared that their usual changed.
"""

from __future__ import annotations

from datetime import date, datetime, time
from threading import Lock
from zoneinfo import ZoneInfo

import numpy as np
from cachetools import TTLCache

from analytics.hrv.relative_stress import MAX_BASELINE_DAYS, StressIndexInput
from api.services.daily_windows import DailyHrv, concat_days, load_daily_hrv
from api.services.single_flight import single_flight
from api.services.stress_index import StressBaseline, leave_out_practices
from ebbtide.timestamps import DAY, SECOND, to_datetime
from store import Stores
from store.models import Person, PracticeKind

_CHUNK_NS = 28 * DAY  # read at a time
_TTL_S = 600.0
_MAX_PEOPLE = 200

_Key = tuple[str, str, tuple[int, ...], bytes]


class StressBaselineCache:
    """Baselines that are complete, for ten minutes: they hardly ever change, and every answer with
    a stress index needs one.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: TTLCache[_Key, StressBaseline] = TTLCache(_MAX_PEOPLE, _TTL_S)

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
        """Load five-minute windows of at least as many days as the baseline may use, or of all."""
        starts, practices_s = baseline_starts(stores, person), load_practices_s(stores, person)
        key = (person.subject_id, person.zone, starts, practices_s.tobytes())
        cached = self._find(key)
        if cached is not None:
            return cached
        with single_flight(f"baseline {person.subject_id}"):
            cached = self._find(key)
            if cached is not None:
                return cached
            windows, is_complete = _load_windows(stores, person, starts, practices_s)
            baseline = StressBaseline(windows, starts, practices_s)
            if is_complete:  # one that grows with every day is read anew each time: it is short
                with self._lock:
                    self._entries[key] = baseline
            return baseline

    def _find(self, key: _Key) -> StressBaseline | None:
        with self._lock:
            return self._entries.get(key)


def baseline_starts(stores: Stores, person: Person) -> tuple[int, ...]:
    """List the local days on which the baseline begins anew, increasing."""
    return tuple(sorted({item.day for item in stores.programme.baseline_starts(person.id)}))


def load_practices_s(
    stores: Stores, person: Person
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
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


def _load_windows(
    stores: Stores,
    person: Person,
    starts: tuple[int, ...],
    practices_s: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> tuple[StressIndexInput, bool]:
    """Load the windows, and whether the last baseline has all its days."""
    covered = [item for item in stores.beats.coverage(person.subject_id) if item.beats]
    if not covered:
        return concat_days([], {}).to_stress_index_input(person.zone), False
    first = min(item.first_ns for item in covered if item.first_ns is not None)
    last = max(item.last_ns for item in covered if item.last_ns is not None)
    # From midnight in the person's zone, so that no day is cut in two.
    begins = [midnight_ns(to_datetime(first, person.zone).toordinal(), person.zone)]
    begins += [at for at in (midnight_ns(day, person.zone) for day in starts) if at > begins[0]]
    parts, is_complete = [], False
    for begin, end in zip(begins, [*begins[1:], last + DAY], strict=True):
        daily, is_complete = _load_days(stores, person, begin, end, practices_s)
        parts.append(daily)
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.followed_by(part)
    windows = joined.to_stress_index_input(person.zone)
    return leave_out_practices(windows, practices_s)[0], is_complete


def _load_days(
    stores: Stores,
    person: Person,
    begin_ns: int,
    limit_ns: int,
    practices_s: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> tuple[DailyHrv, bool]:
    """Load from a start until there are more days than the baseline may use, or to the limit."""
    end = begin_ns
    while True:
        end = min(end + _CHUNK_NS, limit_ns)
        daily = load_daily_hrv(stores, person, begin_ns, end)
        windows = leave_out_practices(daily.to_stress_index_input(person.zone), practices_s)[0]
        days = len(set(windows.day[windows.still].tolist()))
        if days > MAX_BASELINE_DAYS or end >= limit_ns:
            return daily, days > MAX_BASELINE_DAYS
