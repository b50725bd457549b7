"""The first fortnight of each person's heart, which the stress index is compared with."""

from __future__ import annotations

from datetime import timedelta
from threading import Lock

from cachetools import TTLCache

from analytics.hrv.stress_index import MOST_DAYS, HeartWindows
from api.services.daily_windows import day_windows
from api.services.single_flight import one_at_a_time
from ebbtide.timestamps import DAY, to_datetime
from store.protocols.records import Person
from store.stores import House

_PIECE = 28 * DAY  # of the history looked at at once
_KEPT_S = 600.0
_MOST_KEPT = 200


class Histories:
    """The first fortnight with the strap of each person, put together once and kept for ten
    minutes: it hardly ever changes, and every answer with a stress index needs it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: TTLCache[str, HeartWindows] = TTLCache(_MOST_KEPT, _KEPT_S)

    def of(self, house: House, person: Person) -> HeartWindows:
        """Five-minute windows of at least as many days as the baseline may use, or all."""
        kept = self._known(person)
        if kept is not None:
            return kept
        with one_at_a_time(f"history {person.subject_id}"):
            kept = self._known(person)
            return self._made(house, person) if kept is None else kept

    def _known(self, person: Person) -> HeartWindows | None:
        with self._lock:
            return self._kept.get(person.subject_id)

    def _made(self, house: House, person: Person) -> HeartWindows:
        found, whole = _history(house, person)
        if whole:  # or it grows with every day: worked out anew each time, which is little
            with self._lock:
                self._kept[person.subject_id] = found
        return found


def _history(house: House, person: Person) -> tuple[HeartWindows, bool]:
    """The windows, and whether the baseline has all its days."""
    covered = [item for item in house.beats.coverage(person.subject_id) if item.beats]
    if not covered:
        return day_windows(house, person, 0, 0).hearts(person.zone), False
    first = min(item.first_ns for item in covered if item.first_ns is not None)
    last = max(item.last_ns for item in covered if item.last_ns is not None)
    # From midnight at the person's place, so that no day is cut in two.
    local = to_datetime(first, person.zone)
    since = local - local.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = first - round(since / timedelta(microseconds=1)) * 1000
    end = begin
    while True:
        end = min(end + _PIECE, last + DAY)
        found = day_windows(house, person, begin, end).hearts(person.zone)
        days = len(set(found.day[found.still].tolist()))
        if days > MOST_DAYS or end > last:
            return found, days > MOST_DAYS
