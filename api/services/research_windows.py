"""HRV windows for analysts, every five minutes of the clock that they see.

The stored windows of a person begin anew at midnight UTC, which would tell the zone and the weeks
in which clocks change. These begin at whole five minutes of the analysts' clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from cachetools import TTLCache
from numpy.typing import NDArray

from analytics.hrv.relative_stress import MAX_BASELINE_DAYS, fit_baseline
from analytics.hrv.windows import WINDOW_NS, BeatArrays, Movement, hrv_windows
from api.services.compute import compute, raise_if_stopped
from api.services.daily_windows import DailyHrv, concat_days, to_stored
from api.services.inputs import load_beats, load_movement
from api.services.research_identity import GRID, ResearchClock
from api.services.stress_baseline import has_enough
from api.services.stress_index import StressBaseline
from ebbtide.timestamps import FOREVER, MINUTE
from store import Stores
from store.models import DailyWindows, Person

# The label of a beat depends on 64 intervals to either side.
_MARGIN_NS = 10 * MINUTE
_MAX_DAYS, _MAX_COUNTS, _TTL_S = 8192, 65536, 3600.0  # days of 6 kB each, at most


@dataclass(frozen=True, slots=True)
class ResearchWindowCache:
    """Windows of days of the analysts' clock, and how many beats they have, for an hour."""

    days: TTLCache[tuple[str, int, str], DailyWindows] = field(
        default_factory=lambda: TTLCache(_MAX_DAYS, _TTL_S)
    )
    counts: TTLCache[tuple[str, int, str], int] = field(
        default_factory=lambda: TTLCache(_MAX_COUNTS, _TTL_S)
    )
    lock: Lock = field(default_factory=Lock)

    def drop(self, subject_id: str) -> None:
        """Drop all that is of one subject."""
        with self.lock:
            for cache in (self.days, self.counts):
                for key in [key for key in cache if key[0] == subject_id]:
                    cache.pop(key, None)

    def clear(self) -> None:
        """Drop everything."""
        with self.lock:
            self.days.clear()
            self.counts.clear()


def day_key(person: Person, clock: ResearchClock, day: int, name: str) -> tuple[str, int, str]:
    """The key of caches: the true beginning of a day, which all analysts have in common, and what
    the day is made from.
    """
    return person.subject_id, clock.true_range(day)[0], name


def research_days(stores: Stores, person: Person, clock: ResearchClock) -> dict[int, str]:
    """The days of this clock that have beats, each with what it is made from."""
    fingerprints = stores.beats.day_fingerprints(person.subject_id, *FOREVER)
    return {
        day: " ".join(fingerprints[utc_day] for utc_day in utc_days)
        for day, utc_days in clock.days_of(fingerprints).items()
    }


def load_research_windows(
    stores: Stores,
    cache: ResearchWindowCache,
    person: Person,
    clock: ResearchClock,
    days: Mapping[int, str],
) -> DailyHrv:
    """Load the windows of these days that have beats, with times of this clock."""
    found = []
    for day, name in sorted(days.items()):
        raise_if_stopped()
        start = clock.span_of_day(day)[0]
        key = day_key(person, clock, day, name)
        with cache.lock:
            stored = cache.days.get(key)
        if stored is None:
            stored = _compute(stores, person, clock, day, name)
            with cache.lock:
                cache.days[key] = stored
        found.append(DailyWindows(name, stored.start_ns - key[1] + start, stored.metrics))
    return concat_days(found, {})


def load_research_baseline(
    stores: Stores,
    cache: ResearchWindowCache,
    person: Person,
    clock: ResearchClock,
    days: Mapping[int, str],
    starts: tuple[int, ...],
    practices_s: Sequence[tuple[float, float]],
) -> StressBaseline:
    """Load the windows of as many of these days as the baseline of the stress index may use.

    ``starts``: days (ordinals) on which it begins anew; ``practices_s``: from and to.
    """
    order = sorted(days)
    count = 0
    practices = np.array(practices_s, dtype=np.float64).reshape(-1, 2)
    while True:
        count = min(count + MAX_BASELINE_DAYS + 1, len(order))
        some = {day: days[day] for day in order[:count]}
        found = load_research_windows(stores, cache, person, clock, some)
        # The clock is local already.
        windows = found.to_stress_index_input("UTC")
        since = windows.at(windows.day >= max(starts, default=0))
        if count == len(order) or has_enough(since):
            fitted = fit_baseline(
                windows, restart_days=np.array(starts, dtype=np.int64), practices_s=practices
            )
            return StressBaseline(fitted, "")


def _compute(
    stores: Stores, person: Person, clock: ResearchClock, day: int, name: str
) -> DailyWindows:
    begin, end = clock.true_range(day)
    starts = begin + GRID * np.arange((end - begin) // GRID, dtype=np.int64)
    first, last = begin - _MARGIN_NS, end + _MARGIN_NS
    beats = load_beats(stores, person, first, last)
    movement = load_movement(stores, person, first, last)
    breaks = int(np.count_nonzero(~beats.follows))
    price_s = 1e-3 + len(beats.time_ns) * 1.2e-6 + breaks * 5e-4
    return compute(price_s, compute_grid, name, beats, starts, movement)


def compute_grid(
    name: str, beats: BeatArrays, starts: NDArray[np.int64], movement: Movement
) -> DailyWindows:
    """Compute the windows that begin at these times. Pure: it reads no store."""
    return to_stored(name, hrv_windows(beats, starts, WINDOW_NS, movement=movement))
