"""Stress indexes of days, computed once in this process. The index of a window depends on its own
metrics and on the person's baseline alone, so a year's trend computes only the days that changed.
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
    """One value for each window, shape (w,). NaN where ``missing_reason`` says why."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    baseline_days: NDArray[np.int64]
    missing_reason: NDArray[np.object_]

    def at(self, rows: slice) -> IndexColumns:
        """Some of the windows."""
        return IndexColumns(
            self.value[rows],
            self.low[rows],
            self.high[rows],
            self.baseline_days[rows],
            self.missing_reason[rows],
        )


@dataclass(slots=True)
class _CachedPerson:
    """The days of one person: day → (its fingerprint, its indexes), all against one baseline."""

    baseline: str
    days: dict[int, tuple[str, IndexColumns]] = field(default_factory=dict)


class StressIndexCache:
    """The indexes of the people who were loaded last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._people: TTLCache[str, _CachedPerson] = TTLCache(_MAX_PEOPLE, TTL_S)

    def drop(self, subject_id: str) -> None:
        """Drop what is of one subject."""
        with self._lock:
            self._people.expire()
            for key in [key for key in self._people if key == subject_id]:
                del self._people[key]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._people.clear()

    def load(
        self, subject_id: str, zone: str, daily: DailyHrv, baseline: StressIndexInput
    ) -> IndexColumns:
        """Load or compute the index of each of these windows, in their order."""
        with single_flight(f"indexes {subject_id}"):
            return self._load(subject_id, zone, daily, baseline)

    def _load(
        self, subject_id: str, zone: str, daily: DailyHrv, baseline: StressIndexInput
    ) -> IndexColumns:
        fingerprint = baseline_fingerprint(baseline, zone)
        with self._lock:
            person = self._people.get(subject_id)
            if person is None or person.baseline != fingerprint:
                person = self._people[subject_id] = _CachedPerson(fingerprint)
            cached = dict(person.days)
        days = daily.start_ns // DAY
        edges = np.flatnonzero(np.diff(days, prepend=-1, append=-1))
        spans = {int(days[first]): slice(first, end) for first, end in pairwise(edges.tolist())}
        # A day that the range cuts is computed and not cached.
        outdated = [
            day
            for day, rows in spans.items()
            if day not in cached
            or cached[day][0] != daily.fingerprints[day]
            or len(cached[day][1].value) != rows.stop - rows.start
        ]
        computed: dict[int, tuple[str, IndexColumns]] = {}
        if outdated:
            columns = _compute(
                baseline, daily.at(np.isin(days, outdated)).to_stress_index_input(zone)
            )
            begin = 0
            for day in outdated:
                end = begin + spans[day].stop - spans[day].start
                computed[day] = (daily.fingerprints[day], columns.at(slice(begin, end)))
                begin = end
            with self._lock:
                person.days.update(
                    {day: computed[day] for day in outdated if day in daily.whole_days}
                )
        return _concat([(computed.get(day) or cached[day])[1] for day in spans])


def baseline_fingerprint(baseline: StressIndexInput, zone: str) -> str:
    """Name the content of a baseline."""
    digest = hashlib.sha256(zone.encode())
    for column in (baseline.day, baseline.hour, baseline.measures):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def _compute(baseline: StressIndexInput, windows: StressIndexInput) -> IndexColumns:
    index = stress_index(baseline, windows)
    reasons = np.array([None if r is None else str(r) for r in index.missing_reason], dtype=object)
    return IndexColumns(
        index.value, index.low, index.high, np.asarray(index.baseline_days, np.int64), reasons
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
        np.concatenate([part.missing_reason for part in parts]),
    )
