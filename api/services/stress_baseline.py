"""The baseline of each person: the HRV windows of their first fortnight, which the stress index is
compared with.
"""

from __future__ import annotations

from datetime import timedelta
from threading import Lock

from cachetools import TTLCache

from analytics.hrv.stress_index import MAX_BASELINE_DAYS, StressIndexInput
from api.services.daily_windows import load_daily_hrv
from api.services.single_flight import single_flight
from ebbtide.timestamps import DAY, to_datetime
from store import Stores
from store.models import Person

_CHUNK_NS = 28 * DAY  # read at a time
_TTL_S = 600.0
_MAX_PEOPLE = 200


class StressBaselineCache:
    """Baselines that are complete, for ten minutes: they hardly ever change, and every answer with
    a stress index needs one.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: TTLCache[str, StressIndexInput] = TTLCache(_MAX_PEOPLE, _TTL_S)

    def drop(self, subject_id: str) -> None:
        """Drop what is of one subject."""
        with self._lock:
            self._entries.expire()
            for key in [key for key in self._entries if key == subject_id]:
                del self._entries[key]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._entries.clear()

    def load(self, stores: Stores, person: Person) -> StressIndexInput:
        """Load five-minute windows of at least as many days as the baseline may use, or of all."""
        cached = self._find(person)
        if cached is not None:
            return cached
        with single_flight(f"baseline {person.subject_id}"):
            cached = self._find(person)
            return self._load(stores, person) if cached is None else cached

    def _find(self, person: Person) -> StressIndexInput | None:
        with self._lock:
            return self._entries.get(person.subject_id)

    def _load(self, stores: Stores, person: Person) -> StressIndexInput:
        baseline, is_complete = _load_baseline(stores, person)
        if is_complete:  # one that grows with every day is read anew each time: it is short
            with self._lock:
                self._entries[person.subject_id] = baseline
        return baseline


def _load_baseline(stores: Stores, person: Person) -> tuple[StressIndexInput, bool]:
    """Load the windows, and whether the baseline has all its days."""
    covered = [item for item in stores.beats.coverage(person.subject_id) if item.beats]
    if not covered:
        return load_daily_hrv(stores, person, 0, 0).to_stress_index_input(person.zone), False
    first = min(item.first_ns for item in covered if item.first_ns is not None)
    last = max(item.last_ns for item in covered if item.last_ns is not None)
    # From midnight in the person's zone, so that no day is cut in two.
    local = to_datetime(first, person.zone)
    since_midnight = local - local.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = first - round(since_midnight / timedelta(microseconds=1)) * 1000
    end = begin
    while True:
        end = min(end + _CHUNK_NS, last + DAY)
        daily = load_daily_hrv(stores, person, begin, end)
        baseline = daily.to_stress_index_input(person.zone)
        days = len(set(baseline.day[baseline.still].tolist()))
        if days > MAX_BASELINE_DAYS or end > last:
            return baseline, days > MAX_BASELINE_DAYS
