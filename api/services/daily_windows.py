"""Five-minute HRV windows of whole days, worked out once and kept: a year's trend reads a hundred
thousand windows and not forty million beats.

A day is of UTC, its windows begin with each stretch of beats in it. What is kept carries the method
and the name of the content it was made from; when either is another, it is made again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.stress_index import StressIndexInput
from analytics.hrv.windows import (
    METHOD,
    WINDOW_NS,
    BeatArrays,
    HrvWindows,
    Movement,
    hrv_windows,
    starts_by_stretch,
)
from api.services.inputs import to_beat_arrays
from api.services.single_flight import single_flight
from api.services.stress_index_input import load_movement, stress_index_input
from ebbtide.timestamps import DAY
from store.protocols.beats import DailyWindows
from store.protocols.records import Person
from store.stores import Stores

STORED_METHOD = f"5-minute windows; {METHOD}; layout 2"
METRICS = ("mean_hr_bpm", "rmssd_ms", "sdnn_ms", "stress_index_baevsky", "motion_mg")


@dataclass(frozen=True, slots=True, eq=False)
class DailyHrv:
    """Windows with any beats, by start; all of shape (w,). Figures are NaN where the window is not
    usable. ``contents``: what names the content of each UTC day; ``whole``: the days whose windows
    are all here.
    """

    start_ns: NDArray[np.int64]
    mean_hr_bpm: NDArray[np.float64]
    rmssd_ms: NDArray[np.float64]
    sdnn_ms: NDArray[np.float64]
    stress_index_baevsky: NDArray[np.float64]
    motion_mg: NDArray[np.float64]
    contents: dict[int, str]
    whole: frozenset[int]

    def at(self, where: NDArray[np.bool_]) -> DailyHrv:
        """Some of them."""
        return DailyHrv(
            self.start_ns[where],
            self.mean_hr_bpm[where],
            self.rmssd_ms[where],
            self.sdnn_ms[where],
            self.stress_index_baevsky[where],
            self.motion_mg[where],
            self.contents,
            self.whole,
        )

    def hearts(self, zone: str) -> StressIndexInput:
        """As the stress index takes them."""
        return stress_index_input(
            self.start_ns + WINDOW_NS // 2,
            zone,
            self.rmssd_ms,
            self.mean_hr_bpm,
            self.stress_index_baevsky,
            self.motion_mg,
        )


def load_daily_hrv(stores: Stores, person: Person, start_ns: int, end_ns: int) -> DailyHrv:
    """The windows that begin in [start_ns, end_ns), in whole days."""
    subject = person.subject_id
    contents = stores.beats.day_fingerprints(
        subject, start_ns // DAY * DAY, -(-end_ns // DAY) * DAY
    )
    if not contents:
        return _concat([], {})
    kept = stores.beats.stored_windows(
        subject, STORED_METHOD, METRICS, min(contents), max(contents)
    )
    missing = [day for day in contents if day not in kept or kept[day].content != contents[day]]
    if missing:
        with single_flight(f"windows {subject}"):
            days = (min(missing), max(missing))
            kept |= stores.beats.stored_windows(subject, STORED_METHOD, METRICS, *days)
            for day in sorted(missing):
                if day not in kept or kept[day].content != contents[day]:
                    kept[day] = _compute(stores, person, day, contents[day])
                    # Day by day: who gives up waiting for a year's first look finds most done.
                    stores.beats.store_windows(subject, STORED_METHOD, {day: kept[day]})
    found = _concat([kept[day] for day in sorted(contents)], contents)
    inside = (found.start_ns >= start_ns) & (found.start_ns < end_ns)
    cut = set((found.start_ns[~inside] // DAY).tolist())
    return replace(found.at(inside), whole=found.whole - cut)


def missing_days(stores: Stores, person: Person) -> dict[int, str]:
    """The days whose windows are not worked out yet, or not from what is there now; and the name of
    the content of each.
    """
    contents = stores.beats.day_fingerprints(person.subject_id, 0, 2**62)
    if not contents:
        return {}
    kept = stores.beats.stored_fingerprints(
        person.subject_id, STORED_METHOD, min(contents), max(contents)
    )
    return {day: content for day, content in contents.items() if kept.get(day) != content}


def compute_day(content: str, day: int, beats: BeatArrays, movement: Movement) -> DailyWindows:
    """The windows of a UTC day, out of its beats."""
    starts = starts_by_stretch(beats, WINDOW_NS, WINDOW_NS)
    return _to_store(content, hrv_windows(beats, starts, WINDOW_NS, movement=movement))


def _compute(stores: Stores, person: Person, day: int, content: str) -> DailyWindows:
    start, end = day * DAY, (day + 1) * DAY
    beats = to_beat_arrays(stores.beats.read(person.subject_id, start, end))
    return compute_day(content, day, beats, load_movement(stores, person, start, end))


def _to_store(content: str, found: HrvWindows) -> DailyWindows:
    """What a store keeps of a day's windows: those with any beats."""
    some = found.metrics.intervals > 0
    return DailyWindows(
        content,
        found.start_ns[some],
        {
            # As precise as it is kept, so that the first answer is the same as later ones.
            name: (found.metrics.motion_mg if name == "motion_mg" else found.value(name))[some]
            .astype(np.float32)
            .astype(np.float64)
            for name in METRICS
        },
    )


def _concat(days: list[DailyWindows], contents: dict[int, str]) -> DailyHrv:
    def column(name: str) -> NDArray[np.float64]:
        return np.concatenate([day.figures[name] for day in days] or [np.empty(0)])

    return DailyHrv(
        np.concatenate([day.start_ns for day in days] or [np.empty(0, np.int64)]),
        column("mean_hr_bpm"),
        column("rmssd_ms"),
        column("sdnn_ms"),
        column("stress_index_baevsky"),
        column("motion_mg"),
        contents,
        frozenset(contents),
    )
