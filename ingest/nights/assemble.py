"""Make nights of values: which of them belong to one sleep, and what the night's metrics are."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ebbtide.nights import (
    MAX_NIGHT_NS,
    MAX_STEPS,
    MIN_NIGHT_NS,
    STEP_S,
    Night,
    NightBasis,
    NightValue,
    is_fuller,
    local_date,
)
from ebbtide.timestamps import EARLIEST, HOUR, LATEST, SECOND
from ingest.nights.night_file import Remarks

_STEP_NS = STEP_S * SECOND
#: A longer time awake ends a sleep: what follows is another one.
MAX_AWAKE_NS = 2 * HOUR
# Plausible of a person asleep; outside of it a sensor wrote what it did not measure.
_RANGES = {"rmssd_ms": (1.0, 400.0), "sdnn_ms": (1.0, 500.0), "hr_bpm": (25.0, 220.0)}
_MAX_NUMBER = 40  # letters of one
_DECIMAL_COMMA = re.compile(r"\d{1,3},\d{1,6}")
_SAME_TIME_NS = 90 * SECOND
_SAME_MS = 0.051  # apps round to a tenth
_SAME_SHARE = 0.8
#: Between two files of one device, of which one rounds.
SAME_MS = 0.51


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of a source: when its step begins, and the clock's offset there."""

    time_ns: int
    offset_s: int
    rmssd_ms: float | None = None
    sdnn_ms: float | None = None
    hr_bpm: float | None = None

    @property
    def has_hrv(self) -> bool:
        """Whether it has heart rate variability."""
        return self.rmssd_ms is not None or self.sdnn_ms is not None


@dataclass(frozen=True, slots=True)
class Sleep:
    """A sleep that the device found, from ``start_ns`` to before ``end_ns``."""

    start_ns: int
    end_ns: int
    offset_s: int


def clean(value: object, kind: str, scale: float = 1.0) -> float | None:
    """A number, times ``scale``, within what a person asleep has; None for anything else.

    Zero means not measured.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and (len(value) > _MAX_NUMBER or "_" in value):
        return None  # float() takes 4_5 for 45
    if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
        value = value.replace(",", ".")  # thousands would be outside of every range
    try:
        number = float(value) * scale
    except (ValueError, OverflowError):
        return None
    low, high = _RANGES[kind]
    return number if low <= number <= high else None


def clean_in_words(value: object, kind: str, remarks: Remarks, where: str) -> float | None:
    """As ``clean``; of a figure that is there and can be none, it is said ``where`` it stands."""
    found = clean(value, kind)
    if found is None and value not in (None, "", 0, "0"):
        kind = "values are none that a person asleep has; left out"
        remarks.add(kind, f"{str(value)[:30]} {where}")
    return found


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of what was measured; None of nothing."""
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None


def low_quarter(values: Iterable[float | None]) -> float | None:
    """The mean of the lowest quarter, of at least eight values."""
    found = sorted(value for value in values if value is not None)
    return mean(found[: len(found) // 4]) if len(found) >= 8 else None


def make_nights(
    source: str,
    values: Sequence[Measured],
    remarks: Remarks,
    sleeps: Sequence[Sleep] | None = None,
) -> list[Night]:
    """The nights of one source, by day.

    Without ``sleeps`` the values are of sleep alone, and each run of them without two hours between
    is one. Of several that end on one date the longest is the night; shorter than three hours, it
    is a nap and no night.
    """
    ordered = _in_order(values, remarks)
    if sleeps is None:
        runs = _runs(ordered)
    else:
        starts = [value.time_ns for value in ordered]
        runs = []
        for sleep in merge_sleeps(sleeps):
            a, b = bisect_left(starts, sleep.start_ns), bisect_left(starts, sleep.end_ns)
            runs.append((sleep, ordered[a:b]))
    by_day: dict[str, Night] = {}
    for sleep, inside in runs:
        night = _night(source, sleep, inside, remarks)
        if night is None:
            continue
        keep_fuller(by_day, night, remarks)
    return [by_day[day] for day in sorted(by_day)]


def merge_sleeps(sleeps: Iterable[Sleep]) -> list[Sleep]:
    """Sleeps with no two hours between them as one, by time."""
    merged: list[Sleep] = []
    for sleep in sorted(sleeps, key=lambda item: (item.start_ns, item.end_ns)):
        if merged and sleep.start_ns - merged[-1].end_ns <= MAX_AWAKE_NS:
            last = merged[-1]
            merged[-1] = (
                last
                if sleep.end_ns <= last.end_ns
                else Sleep(last.start_ns, sleep.end_ns, sleep.offset_s)
            )
        else:
            merged.append(sleep)
    return merged


def _in_order(values: Sequence[Measured], remarks: Remarks) -> list[Measured]:
    """By time, each step once: a second file of an export may have it again."""
    found: list[Measured] = []
    outside = 0
    for value in sorted(values, key=lambda item: item.time_ns):
        if not EARLIEST <= value.time_ns < LATEST:
            outside += 1
            continue
        if found and value.time_ns - found[-1].time_ns < SECOND:
            if _differ(found[-1], value):
                kind = "moments have a second value that differs; the first was kept"
                remarks.add(kind, f"on {local_date(value.time_ns, value.offset_s)}")
            found[-1] = _joined(found[-1], value)
            continue
        found.append(value)
    if outside:
        remarks.problems.append(f"{outside} values are before 2000 or after 2100; left out")
    return found


def _differ(one: Measured, other: Measured) -> bool:
    pairs = ((one.rmssd_ms, other.rmssd_ms), (one.sdnn_ms, other.sdnn_ms))
    return any(a is not None and b is not None and abs(a - b) > SAME_MS for a, b in pairs)


def _joined(one: Measured, other: Measured) -> Measured:
    """Two records of one moment: what the first lacks is the other's."""
    return replace(
        one,
        rmssd_ms=other.rmssd_ms if one.rmssd_ms is None else one.rmssd_ms,
        sdnn_ms=other.sdnn_ms if one.sdnn_ms is None else one.sdnn_ms,
        hr_bpm=other.hr_bpm if one.hr_bpm is None else one.hr_bpm,
    )


def _count(value: Measured) -> int:
    return sum(part is not None for part in (value.rmssd_ms, value.sdnn_ms, value.hr_bpm))


def _runs(values: Sequence[Measured]) -> list[tuple[Sleep, Sequence[Measured]]]:
    runs: list[tuple[Sleep, Sequence[Measured]]] = []
    begin = 0
    for place in range(1, len(values) + 1):
        if (
            place == len(values)
            or values[place].time_ns - values[place - 1].time_ns - _STEP_NS > MAX_AWAKE_NS
        ):
            first, last = values[begin], values[place - 1]
            sleep = Sleep(first.time_ns, last.time_ns + _STEP_NS, last.offset_s)
            runs.append((sleep, values[begin:place]))
            begin = place
    return runs


def _night(source: str, sleep: Sleep, inside: Sequence[Measured], remarks: Remarks) -> Night | None:
    length = sleep.end_ns - sleep.start_ns
    day = local_date(sleep.end_ns, sleep.offset_s)
    if length < MIN_NIGHT_NS:
        remarks.add("sleeps are shorter than three hours and no night; left out", f"on {day}")
        return None
    if length > MAX_NIGHT_NS or len(inside) > MAX_STEPS:
        remarks.add(
            "times have values for more than 20 hours on end and no sleep is named, so which of "
            "them are of sleep is not known; left out",
            f"until {day}",
        )
        return None
    steps = max(1, round(length / _STEP_NS))
    measured = [value for value in inside if value.has_hrv]
    values = tuple(
        NightValue(
            (value.time_ns - sleep.start_ns) // SECOND,
            value.rmssd_ms,
            value.sdnn_ms,
            value.hr_bpm,
        )
        for value in inside
        if _count(value)
    )
    rates = [value.hr_bpm for value in inside]
    night = Night(
        day,
        source,
        sleep.start_ns,
        sleep.end_ns,
        sleep.offset_s,
        NightBasis.VALUES,
        mean(value.rmssd_ms for value in measured),
        mean(value.sdnn_ms for value in measured),
        mean(rates),
        low_quarter(rates),
        len(measured),
        steps,
        values,
    )
    if not night.is_measured:
        return replace(night, missing_reason="asleep, but nothing was measured")
    return night


def keep_fuller(by_day: dict[str, Night], night: Night, remarks: Remarks) -> None:
    """Keep the fuller or longer of the nights of one date, of as full ones the first.

    That there was another is said, unless it is the same.
    """
    there = by_day.setdefault(night.day, night)
    if there is night:
        return
    if is_fuller(night, there):
        by_day[night.day] = night
    if _content_of(night) != _content_of(there):
        remarks.add(
            "further sleeps end on a date that has one; the fuller or longer was kept",
            f"on {night.day}",
        )


def _content_of(night: Night) -> tuple[object, ...]:
    figures = night.rmssd_ms, night.sdnn_ms, night.mean_hr_bpm
    return night.start_ns, night.end_ns, *figures, night.values


def once_each(nights: Iterable[Night], remarks: Remarks) -> tuple[Night, ...]:
    """Nights of all sources, by source and day, of which none is a copy of another's.

    Several apps may have written the same: where four of five values of a night are those of a
    night of another source at the same times, the source with more values overall keeps it, and of
    as many the one that rounded less.
    """
    by_source: dict[str, list[Night]] = {}
    for night in nights:
        by_source.setdefault(night.source, []).append(night)
    order = sorted(by_source, key=lambda name: (*_worth(by_source[name]), name))
    taken: dict[str, list[Night]] = {}  # by day
    copies: dict[tuple[str, str], int] = {}
    for name in order:
        kept = []
        for night in by_source[name]:
            twin = next((n for n in taken.get(night.day, ()) if _is_copy(night, n)), None)
            if twin is None:
                kept.append(night)
            else:
                copies[name, twin.source] = copies.get((name, twin.source), 0) + 1
        for night in kept:
            taken.setdefault(night.day, []).append(night)
    for (copier, owner), count in sorted(copies.items()):
        remarks.note(
            f"{count} nights that {copier} wrote are those of {owner}; they are counted once"
        )
    every = [night for of_day in taken.values() for night in of_day]
    return tuple(sorted(every, key=lambda night: (night.source, night.day)))


def _worth(nights: Sequence[Night]) -> tuple[int, int]:
    """What sources are sorted by, the best first: how many values, how many of them rounded."""
    values = [value.rmssd_ms for night in nights for value in night.values]
    whole = sum(value is not None and value == round(value) for value in values)
    return -len(values) - len(nights), whole


def _is_copy(night: Night, other: Night) -> bool:
    if night.source == other.source or not night.is_measured:
        return False
    if night.start_ns >= other.end_ns + HOUR or other.start_ns >= night.end_ns + HOUR:
        return False
    if not night.values:  # one figure a night: the mean of the other's values
        return (
            night.rmssd_ms is not None
            and other.rmssd_ms is not None
            and abs(night.rmssd_ms - other.rmssd_ms) <= SAME_MS
        )
    times = [other.start_ns + value.at_s * SECOND for value in other.values]
    same = compared = 0
    for value in night.values:
        if value.rmssd_ms is None and value.sdnn_ms is None:
            continue
        compared += 1
        time = night.start_ns + value.at_s * SECOND
        a, b = bisect_left(times, time - _SAME_TIME_NS), bisect_right(times, time + _SAME_TIME_NS)
        same += any(_is_same(value, other.values[place]) for place in range(a, b))
    return compared > 0 and same >= _SAME_SHARE * compared


def _is_same(one: NightValue, other: NightValue) -> bool:
    pairs = [(one.rmssd_ms, other.rmssd_ms), (one.sdnn_ms, other.sdnn_ms)]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    return bool(both) and all(abs(a - b) <= _SAME_MS + 0.45 * _is_whole(a, b) for a, b in both)


def _is_whole(a: float, b: float) -> bool:
    """Whether one of them was rounded to whole milliseconds."""
    return a == round(a) or b == round(b)


class HeartRates:
    """Heart rates summed into the steps of values, so that those of years need no memory."""

    def __init__(self, starts_ns: Sequence[int]) -> None:
        self._starts = sorted(set(starts_ns))
        self._sums = [0.0] * len(self._starts)
        self._counts = [0] * len(self._starts)

    def add(self, time_ns: int, bpm: float) -> None:
        """Add a rate; one that no step holds is passed over."""
        place = bisect_right(self._starts, time_ns) - 1
        if place >= 0 and time_ns < self._starts[place] + _STEP_NS:
            self._sums[place] += bpm
            self._counts[place] += 1

    def means(self) -> Mapping[int, float]:
        """The mean of each step that has one, by its beginning."""
        return {
            start: total / count
            for start, total, count in zip(self._starts, self._sums, self._counts, strict=True)
            if count
        }


def with_rates(values: Sequence[Measured], rates: HeartRates) -> list[Measured]:
    """The values with the heart rates of their steps, where they have none of their own."""
    means = rates.means()
    return [
        value if value.hr_bpm is not None else replace(value, hr_bpm=means.get(value.time_ns))
        for value in values
    ]
