"""Nights of a person for the API: the list with its gaps, what may be stored, and one series."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from analytics.nights import (
    NightSeries,
    calmer_than,
    night_series,
)
from ebbtide.nights import Night, NightBasis, days_between
from store import Stores
from store.models import Person, StoredNight

#: Nights that are analysed: the newest. The work grows with them.
MAX_ANALYSED = 1100
#: Devices that are analysed: those with most nights. Each is compared with each.
MAX_DEVICES = 8
#: Of one person: a watch's for fifty years, and more devices than anybody wears.
MAX_NIGHTS, MAX_SOURCES = 20_000, 24
_EPOCH = date(1970, 1, 1).toordinal()
NOT_RECORDED = "no night in the recordings"
NOT_IN_EXPORT = "no night in the export: not worn, not charged, or not measured"


@dataclass(frozen=True, slots=True)
class NightGap:
    """A day of which a source has no night, between its first and its last one, and why."""

    source: str
    day: str
    reason: str


def find_gaps(nights: Sequence[Night]) -> list[NightGap]:
    """List the days without a measured night of each source, between its first and last night."""
    by_source: dict[str, dict[str, Night]] = {}
    for night in nights:
        by_source.setdefault(night.source, {})[night.day] = night
    gaps = []
    for source, of_source in sorted(by_source.items()):
        is_own = any(night.basis is NightBasis.RECORDING for night in of_source.values())
        for day in days_between(min(of_source), max(of_source)):
            there = of_source.get(day)
            if there is None:
                gaps.append(NightGap(source, day, NOT_RECORDED if is_own else NOT_IN_EXPORT))
            elif not there.is_measured:
                gaps.append(NightGap(source, day, there.missing_reason or NOT_IN_EXPORT))
    return gaps


def find_excess(stores: Stores, person: Person, nights: Sequence[Night]) -> str | None:
    """Say why a person may not store these nights as well; None where they may.

    What a request for nights or links costs grows with what is stored.
    """
    counts = stores.nights.count_nights(person.id)
    sources = counts.keys() | {night.source for night in nights}
    if len(sources) > MAX_SOURCES:
        return (
            f"would be of {len(sources)} sources; a person has at most {MAX_SOURCES}. Remove the "
            "nights of a source that is not used any more, then send these again."
        )
    if sum(counts.values()) + len(nights) > MAX_NIGHTS:
        return (
            f"would be more than {MAX_NIGHTS} nights. Remove those of a source that is not used "
            "any more, then send these again."
        )
    return None


@dataclass(frozen=True, slots=True, eq=False)
class OwnNights:
    """The nights that are analysed: of one metric, each on the level of its devices.

    ``metric``: "rmssd_ms", or "sdnn_ms" where more nights have that; the two never stand for each
    other. ``starts_ns``, ``ends_ns``: of each night of the series.
    """

    metric: str
    series: NightSeries
    starts_ns: np.ndarray[tuple[int], np.dtype[np.int64]]
    ends_ns: np.ndarray[tuple[int], np.dtype[np.int64]]
    nights: tuple[Night, ...]


def own_nights(stored: Sequence[StoredNight]) -> OwnNights:
    """Make one series of a person's nights. A source's own average and its values are two."""
    nights = main_devices([item.night for item in stored])
    counts = {
        name: sum(getattr(night, name) is not None for night in nights)
        for name in ("rmssd_ms", "sdnn_ms")
    }
    metric = max(counts, key=lambda name: counts[name])
    nights = [night for night in nights if getattr(night, metric)]
    days = sorted({night.day for night in nights})[-MAX_ANALYSED:]
    kept = set(days)
    nights = [night for night in nights if night.day in kept]
    series = night_series(
        np.array([day_number(night.day) for night in nights], dtype=np.int64),
        [device_name(night) for night in nights],
        np.array([getattr(night, metric) for night in nights], dtype=np.float64),
    )
    by_key = {(day_number(night.day), device_name(night)): night for night in nights}
    taken = [
        by_key[day, series.devices[device]]
        for day, device in zip(series.days.tolist(), series.device.tolist(), strict=True)
    ]
    # Two sources may name an overlapping sleep by two dates: a night begins after the one before.
    rows, last_ns = [], 0
    for row, night in enumerate(taken):
        if night.end_ns > last_ns:
            rows.append(row)
            last_ns = night.end_ns
    if len(rows) < len(taken):
        series = replace(
            series,
            days=series.days[rows],
            log_value=series.log_value[rows],
            level=series.level[rows],
            device=series.device[rows],
        )
    taken = [taken[row] for row in rows]
    return OwnNights(
        metric,
        series,
        np.array([night.start_ns for night in taken], dtype=np.int64),
        np.array([night.end_ns for night in taken], dtype=np.int64),
        tuple(taken),
    )


def main_devices(nights: Sequence[Night]) -> list[Night]:
    """The measured nights of the devices with most of them, of the newest days."""
    measured = [night for night in nights if night.is_measured]
    kept_days = set(sorted({night.day for night in measured})[-MAX_ANALYSED:])
    recent = [night for night in measured if night.day in kept_days]
    counts = Counter(device_name(night) for night in recent)
    order = sorted(counts, key=lambda name: (-counts[name], name))
    kept = set(order[:MAX_DEVICES])
    return [night for night in recent if device_name(night) in kept]


def device_name(night: Night) -> str:
    """What has a level of its own: a source, and whether the figures are its own averages."""
    return f"{night.source}, {night.basis}"


def day_number(day: str) -> int:
    """Days since 1970-01-01."""
    return date.fromisoformat(day).toordinal() - _EPOCH


def calmer(own: OwnNights, day: str) -> tuple[float | None, int]:
    """Of 100 of the person's nights, how many were less calm than that of ``day``."""
    return calmer_than(own.series, day_number(day))
