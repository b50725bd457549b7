"""Five-minute HRV windows of whole days, worked out once and kept: a year's trend reads a hundred
thousand windows and not forty million beats.

A day is of UTC, its windows begin with each stretch of beats in it. What is kept carries the method
and the name of the content it was made from; when either is another, it is made again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.stress_index import HeartWindows
from analytics.windows import METHOD, HrvWindows, hrv_windows, starts_by_stretch
from api.beat_arrays import beat_arrays
from api.heart_windows import WINDOW_NS, hearts, movement_of
from api.house import House
from ebbtide.instants import DAY
from store.records import Person

_KEPT = f"5-minute windows; {METHOD}; layout 1"
_COLUMNS = ("mean_hr_bpm", "rmssd_ms", "sdnn_ms", "stress_index_baevsky", "motion_mg")


@dataclass(frozen=True, slots=True, eq=False)
class DayWindows:
    """Windows with any beats, by start; all of shape (w,). Figures are NaN where the window is not
    usable.
    """

    start_ns: NDArray[np.int64]
    mean_hr_bpm: NDArray[np.float64]
    rmssd_ms: NDArray[np.float64]
    sdnn_ms: NDArray[np.float64]
    stress_index_baevsky: NDArray[np.float64]
    motion_mg: NDArray[np.float64]

    def hearts(self, zone: str) -> HeartWindows:
        """As the stress index takes them."""
        return hearts(
            self.start_ns + WINDOW_NS // 2,
            zone,
            self.rmssd_ms,
            self.mean_hr_bpm,
            self.stress_index_baevsky,
            self.motion_mg,
        )


def day_windows(house: House, person: Person, start_ns: int, end_ns: int) -> DayWindows:
    """The windows that begin in [start_ns, end_ns), in whole days."""
    subject = person.subject_id
    contents = house.beats.day_contents(subject, start_ns // DAY * DAY, -(-end_ns // DAY) * DAY)
    if not contents:
        return _unpacked([])
    kept = house.beats.derived(subject, _KEPT, min(contents), max(contents))
    for day, content in sorted(contents.items()):
        if day not in kept or kept[day][0] != content:
            kept[day] = (content, _packed(_worked_out(house, person, day)))
            # Day by day: who gives up waiting for a year's first look finds most of it done.
            house.beats.put_derived(subject, _KEPT, {day: kept[day]})
    found = _unpacked([kept[day][1] for day in sorted(contents)])
    inside = (found.start_ns >= start_ns) & (found.start_ns < end_ns)
    return DayWindows(
        found.start_ns[inside],
        found.mean_hr_bpm[inside],
        found.rmssd_ms[inside],
        found.sdnn_ms[inside],
        found.stress_index_baevsky[inside],
        found.motion_mg[inside],
    )


def _worked_out(house: House, person: Person, day: int) -> HrvWindows:
    start, end = day * DAY, (day + 1) * DAY
    beats = beat_arrays(house.beats.read(person.subject_id, start, end))
    starts = starts_by_stretch(beats, WINDOW_NS, WINDOW_NS)
    movement = movement_of(house, person, start, end)
    return hrv_windows(beats, starts, WINDOW_NS, movement=movement)


def _packed(found: HrvWindows) -> bytes:
    """Starts as int64, then each column as float32, which is far finer than a figure is."""
    some = found.found.intervals > 0
    columns = [found.start_ns[some].astype("<i8").tobytes()]
    for name in _COLUMNS:
        values = found.found.motion_mg if name == "motion_mg" else found.value(name)
        columns.append(values[some].astype("<f4").tobytes())
    return b"".join(columns)


def _unpacked(days: list[bytes]) -> DayWindows:
    width = 8 + 4 * len(_COLUMNS)
    starts: list[NDArray[np.int64]] = []
    columns: list[list[NDArray[np.float64]]] = [[] for _ in _COLUMNS]
    for data in days:
        count = len(data) // width
        starts.append(np.frombuffer(data, "<i8", count).astype(np.int64))
        for place, column in enumerate(columns):
            offset = 8 * count + 4 * count * place
            column.append(np.frombuffer(data, "<f4", count, offset).astype(np.float64))
    empty = [np.empty(0)]
    return DayWindows(
        np.concatenate(starts) if starts else np.empty(0, np.int64),
        *(np.concatenate(column or empty) for column in columns),
    )
