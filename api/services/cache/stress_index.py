"""Stress indexes of days, worked out once in this process: the index of a window hangs on its own
figures and on the first fortnight alone, so a year's trend works out only the days that changed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock

import numpy as np
from cachetools import TTLCache
from numpy.typing import NDArray

from analytics.hrv.stress_index import StressIndexInput, stress_index
from api.services.cache.responses import TTL_S
from api.services.daily_windows import DailyHrv
from api.services.single_flight import single_flight
from ebbtide.timestamps import DAY

_MAX_PEOPLE = 100


@dataclass(frozen=True, slots=True, eq=False)
class IndexColumns:
    """Of each window, shape (w,): NaN where not known; ``why`` then says why."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    baseline_days: NDArray[np.int64]
    why: NDArray[np.object_]


@dataclass(slots=True)
class _CachedPerson:
    """What is known of one person, against one history."""

    history: str
    days: dict[int, tuple[str, IndexColumns]] = field(default_factory=dict)


class StressIndexCache:
    """The indexes of the people who were asked for last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._people: TTLCache[str, _CachedPerson] = TTLCache(_MAX_PEOPLE, TTL_S)

    def of(
        self, subject_id: str, zone: str, found: DailyHrv, history: StressIndexInput
    ) -> IndexColumns:
        """The index of each of these windows, in their order."""
        with single_flight(f"indexes {subject_id}"):
            return self._of(subject_id, zone, found, history)

    def _of(
        self, subject_id: str, zone: str, found: DailyHrv, history: StressIndexInput
    ) -> IndexColumns:
        mark = fingerprint(history, zone)
        with self._lock:
            person = self._people.get(subject_id)
            if person is None or person.history != mark:
                person = self._people[subject_id] = _CachedPerson(mark)
            known = dict(person.days)
        days = found.start_ns // DAY
        edges = np.flatnonzero(np.diff(days, prepend=-1, append=-1))
        spans = {int(days[first]): slice(first, end) for first, end in pairwise(edges.tolist())}
        # A day that is cut by the range is worked out, and not kept.
        fresh = [
            day
            for day, rows in spans.items()
            if day not in known
            or known[day][0] != found.contents[day]
            or len(known[day][1].value) != rows.stop - rows.start
        ]
        made: dict[int, tuple[str, IndexColumns]] = {}
        if fresh:
            wanted = np.isin(days, fresh)
            columns = _compute(history, found.at(wanted).hearts(zone))
            at = 0
            for day in fresh:
                many = spans[day].stop - spans[day].start
                made[day] = (found.contents[day], _part(columns, slice(at, at + many)))
                at += many
            with self._lock:
                person.days.update({day: made[day] for day in fresh if day in found.whole})
        return _concat([(made.get(day) or known[day])[1] for day in spans])


def fingerprint(history: StressIndexInput, zone: str) -> str:
    """A name for what indexes are compared with."""
    digest = hashlib.sha256(zone.encode())
    for column in (history.day, history.hour, history.measures):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def _compute(history: StressIndexInput, asked: StressIndexInput) -> IndexColumns:
    index = stress_index(history, asked)
    why = np.array([None if r is None else str(r) for r in index.missing_reason], dtype=object)
    return IndexColumns(
        index.value, index.low, index.high, np.asarray(index.baseline_days, np.int64), why
    )


def _part(columns: IndexColumns, rows: slice) -> IndexColumns:
    return IndexColumns(
        columns.value[rows],
        columns.low[rows],
        columns.high[rows],
        columns.baseline_days[rows],
        columns.why[rows],
    )


def _concat(parts: list[IndexColumns]) -> IndexColumns:
    if not parts:
        return IndexColumns(
            np.empty(0), np.empty(0), np.empty(0), np.empty(0, np.int64), np.empty(0, object)
        )
    return IndexColumns(
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.high for part in parts]),
        np.concatenate([part.baseline_days for part in parts]),
        np.concatenate([part.why for part in parts]),
    )
