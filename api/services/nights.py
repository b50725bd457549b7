"""Nights of a person for the API: the list with its gaps, one series, and the links with days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from analytics.nights import (
    Agreement,
    DaysAround,
    NightLink,
    NightSeries,
    calmer_than,
    days_around_nights,
    device_agreement,
    night_links,
    night_series,
)
from ebbtide.nights import Night, days_between
from ebbtide.timestamps import FOREVER
from store import Stores
from store.models import Person, StoredNight

#: Nights that are analysed: the newest. The work grows with them.
MAX_ANALYSED = 1100
_EPOCH = date(1970, 1, 1).toordinal()
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
        for day in days_between(min(of_source), max(of_source)):
            there = of_source.get(day)
            if there is None:
                gaps.append(NightGap(source, day, NOT_IN_EXPORT))
            elif not there.is_measured:
                gaps.append(NightGap(source, day, there.missing_reason or NOT_IN_EXPORT))
    return gaps


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
    nights = [item.night for item in stored if item.night.is_measured]
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


def device_name(night: Night) -> str:
    """What has a level of its own: a source, and whether the figures are its own averages."""
    return f"{night.source}, {night.basis}"


def day_number(day: str) -> int:
    """Days since 1970-01-01."""
    return date.fromisoformat(day).toordinal() - _EPOCH


def calmer(own: OwnNights, day: str) -> tuple[float | None, int]:
    """Of 100 of the person's nights, how many were less calm than that of ``day``."""
    return calmer_than(own.series, day_number(day))


def agreements(nights: Sequence[Night]) -> list[tuple[str, str, str, Agreement]]:
    """Compare each two sources: (first, second, metric, agreement), where any night is common."""
    by_device: dict[str, dict[str, Night]] = {}
    for night in nights:
        if night.is_measured:
            by_device.setdefault(device_name(night), {})[night.day] = night
    names = sorted(by_device)
    found = []
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            common = sorted(by_device[first].keys() & by_device[second].keys())
            for metric in ("rmssd_ms", "sdnn_ms", "mean_hr_bpm"):
                pairs = [
                    (
                        getattr(by_device[first][day], metric),
                        getattr(by_device[second][day], metric),
                    )
                    for day in common
                ]
                pairs = [pair for pair in pairs if None not in pair]
                if not pairs:
                    continue
                one, other = np.array(pairs, dtype=np.float64).T
                is_ratio = metric != "mean_hr_bpm"
                found.append(
                    (first, second, metric, device_agreement(one, other, is_ratio=is_ratio))
                )
    return found


def load_links(stores: Stores, person: Person, own: OwnNights) -> list[NightLink]:
    """Answer the three questions about this person's nights and days."""
    ratings = stores.records.ratings(person.id, *FOREVER)
    times = np.array([rating.about_ns for rating in ratings], dtype=np.int64)
    around: dict[str, DaysAround] = {}
    for name in ("pain", "stress"):
        values = np.array([getattr(rating, name) for rating in ratings], dtype=np.float64)
        around[name] = days_around_nights(own.starts_ns, own.ends_ns, times, values)
    return night_links(own.series, around["pain"], around["stress"])
