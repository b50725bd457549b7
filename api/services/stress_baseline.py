"""The first fortnight of each person's heart, which the stress index is compared with."""

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

_CHUNK_NS = 28 * DAY  # of the history looked at at once
_TTL_S = 600.0
_MAX_ENTRIES = 200


class StressBaselineCache:
    """The first fortnight with the strap of each person, put together once and kept for ten
    minutes: it hardly ever changes, and every answer with a stress index needs it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: TTLCache[str, StressIndexInput] = TTLCache(_MAX_ENTRIES, _TTL_S)

    def of(self, stores: Stores, person: Person) -> StressIndexInput:
        """Five-minute windows of at least as many days as the baseline may use, or all."""
        kept = self._known(person)
        if kept is not None:
            return kept
        with single_flight(f"history {person.subject_id}"):
            kept = self._known(person)
            return self._made(stores, person) if kept is None else kept

    def _known(self, person: Person) -> StressIndexInput | None:
        with self._lock:
            return self._kept.get(person.subject_id)

    def _made(self, stores: Stores, person: Person) -> StressIndexInput:
        found, whole = _load_baseline(stores, person)
        if whole:  # or it grows with every day: worked out anew each time, which is little
            with self._lock:
                self._kept[person.subject_id] = found
        return found


def _load_baseline(stores: Stores, person: Person) -> tuple[StressIndexInput, bool]:
    """The windows, and whether the baseline has all its days."""
    covered = [item for item in stores.beats.coverage(person.subject_id) if item.beats]
    if not covered:
        return load_daily_hrv(stores, person, 0, 0).hearts(person.zone), False
    first = min(item.first_ns for item in covered if item.first_ns is not None)
    last = max(item.last_ns for item in covered if item.last_ns is not None)
    # From midnight at the person's place, so that no day is cut in two.
    local = to_datetime(first, person.zone)
    since = local - local.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = first - round(since / timedelta(microseconds=1)) * 1000
    end = begin
    while True:
        end = min(end + _CHUNK_NS, last + DAY)
        found = load_daily_hrv(stores, person, begin, end).hearts(person.zone)
        days = len(set(found.day[found.still].tolist()))
        if days > MAX_BASELINE_DAYS or end > last:
            return found, days > MAX_BASELINE_DAYS
