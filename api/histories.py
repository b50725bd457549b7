"""The first fortnight of each person's heart, which the stress index is compared with."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import timedelta
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request

from analytics.stress_index import MOST_DAYS, HeartWindows
from api.day_windows import day_windows
from api.house import House
from api.one_at_a_time import one_at_a_time
from ebbtide.instants import DAY, to_datetime
from store.records import Person

_PIECE = 28 * DAY  # of the history looked at at once
_KEPT_S = 600.0
_MOST_KEPT = 200


class Histories:
    """The first fortnight with the strap of each person, put together once and kept for ten
    minutes: it hardly ever changes, and every answer with a stress index needs it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[float, HeartWindows]] = OrderedDict()

    def of(self, house: House, person: Person) -> HeartWindows:
        """Five-minute windows of at least as many days as the baseline may use, or all."""
        now = time.monotonic()
        with self._lock:
            kept = self._kept.get(person.subject_id)
            if kept is not None and now - kept[0] < _KEPT_S:
                return kept[1]
        with one_at_a_time(f"history {person.subject_id}"):
            with self._lock:
                kept = self._kept.get(person.subject_id)
                if kept is not None and now - kept[0] < _KEPT_S:
                    return kept[1]
            return self._made(house, person, now)

    def _made(self, house: House, person: Person, now: float) -> HeartWindows:
        found, whole = _history(house, person)
        if not whole:  # it grows with every day: worked out anew each time, which is little
            return found
        with self._lock:
            self._kept[person.subject_id] = (now, found)
            self._kept.move_to_end(person.subject_id)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found


async def histories_of(request: Request) -> Histories:
    """Those of this application."""
    histories: Histories = request.app.state.histories
    return histories


KnownHistories = Annotated[Histories, Depends(histories_of)]


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
