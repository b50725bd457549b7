"""Observations of a person in an order that never changes, page by page.

Ratings come first, by the moment of their first version; then windows and heart rates of other
systems, by time; then the stress index before each rating, in the order of ratings; then nights,
by their end. A page begins after the key of the last resource of the page before it, so that what
is entered, corrected or withdrawn meanwhile neither hides nor repeats another.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from analytics.hrv.windows import WINDOW_NS
from api.export.fhir import terms
from api.export.fhir.nights import (
    NIGHT_CODES,
    NIGHT_PREFIX,
    find_night,
    load_nights,
    night_key,
    night_resources,
)
from api.export.fhir.resources import (
    WINDOW_CODES,
    Resource,
    Subject,
    Window,
    heart_rate_resource,
    rating_resources,
    window_resources,
)
from api.export.fhir.search import DateFilter, Search
from api.export.fhir.stress_index import (
    BEFORE_NS,
    INDEX_PREFIX,
    IndexBefore,
    index_resource,
    load_indices,
)
from api.http.text import find_unstorable
from api.services.cache.analysis import AnalysisCache
from api.services.daily_windows import MONTH_DAYS, load_daily_hrv
from api.services.imported_records import find_heart_rate, load_heart_rates
from ebbtide.timestamps import DAY, LATEST
from store import Stores
from store.models import ImportedHeartRate, Person, Rating

Record = Rating | Window | ImportedHeartRate

_RATINGS, _WINDOWS, _RATES, _INDICES, _NIGHTS = 1, 2, 3, 4, 5
_ROWS = 1000  # of the store at a time
_INDEX_ROWS = 100  # ratings at a time, of which the half hour before is worked out


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The place of a resource: its kind, moment, record and part. Keys never change."""

    kind: int = 0
    time_ns: int = 0
    record: str = ""
    part: int = 0

    def encode(self) -> str:
        """Encode as an opaque cursor."""
        text = json.dumps([self.kind, self.time_ns, self.record, self.part])
        return base64.urlsafe_b64encode(text.encode()).decode()


@dataclass(frozen=True, slots=True)
class Page:
    """Resources, and the cursor of those after them, None at the end."""

    resources: list[Resource]
    cursor: str | None


def decode_key(cursor: str) -> Key:
    """Decode a cursor. Raises ValueError for one that was not given here."""
    try:
        kind, time_ns, record, part = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError, binascii.Error) as error:
        raise ValueError("is not one that this API gave") from error
    numbers = (kind, time_ns, part)
    is_whole = all(type(number) is int and 0 <= number < 2**63 for number in numbers)
    if (
        not is_whole
        or kind > _NIGHTS
        or not isinstance(record, str)
        or find_unstorable(record) is not None
    ):
        raise ValueError("is not one that this API gave")
    return Key(kind, time_ns, record, part)


def load_page(
    stores: Stores, cache: AnalysisCache, subject: Subject, search: Search, after: Key
) -> Page:
    """Load the resources of a page after this key."""
    resources: list[Resource] = []
    last = after
    for key, resource in observations(stores, cache, subject, search, after):
        if len(resources) == search.count:
            return Page(resources, last.encode())
        resources.append(resource)
        last = key
    return Page(resources, None)


def count_matches(stores: Stores, cache: AnalysisCache, subject: Subject, search: Search) -> int:
    """Count all resources of a search."""
    return sum(1 for _ in observations(stores, cache, subject, search, Key()))


def observations(
    stores: Stores, cache: AnalysisCache, subject: Subject, search: Search, after: Key
) -> Iterator[tuple[Key, Resource]]:
    """Yield the Observations that a search finds after this key, in order."""
    if not search.is_about(subject.id):
        return
    for key, record in records(stores, subject.person, search, after):
        if isinstance(record, Rating):
            found = rating_resources(record, subject)
        elif isinstance(record, Window):
            found = window_resources(record, subject)
        else:
            found = [(terms.HEART_RATE, heart_rate_resource(record, subject))]
        for part, (code, resource) in enumerate(found):
            place = replace(key, part=part)
            if place > after and search.finds_code(code) and search.finds(resource):
                yield place, resource
    if (
        after.kind <= _INDICES
        and _may_find(search, INDEX_PREFIX)
        and search.finds_code(terms.STRESS_INDEX)
    ):
        for key, index in _indices(stores, cache, subject.person, search, after):
            resource = index_resource(index, subject, subject.person.zone)
            if search.finds(resource):
                yield key, resource
    if _may_find(search, NIGHT_PREFIX):
        yield from _nights(stores, subject, search, after)


def _may_find(search: Search, prefix: str) -> bool:
    """Whether ids with this prefix are searched for."""
    return all(any(item.startswith(prefix) for item in ids) for ids in search.ids)


def records(
    stores: Stores, person: Person, search: Search, after: Key
) -> Iterator[tuple[Key, Record]]:
    """Yield the records whose time and code a search can find, from the record of this key on."""
    sources = (
        (_RATINGS, terms.RATED, _ratings),
        (_WINDOWS, dict(WINDOW_CODES), _windows),
        (_RATES, (terms.HEART_RATE,), _rates),
    )
    for kind, codes, source in sources:
        if kind >= after.kind and any(search.finds_code(code) for code in codes):
            start = after if kind == after.kind else Key(kind)
            yield from source(stores, person, search, start)


def find_observation(
    stores: Stores, cache: AnalysisCache, subject: Subject, resource_id: str
) -> Resource | None:
    """Find one Observation by its id."""
    kind, _, rest = resource_id.partition("-")
    if kind == INDEX_PREFIX.rstrip("-"):
        about = stores.records.rating(subject.person.id, rest)
        if about is None or about.withdrawn:
            return None
        known = load_indices(stores, cache, subject.person, [about])
        return index_resource(known[0], subject, subject.person.zone) if known else None
    if kind == NIGHT_PREFIX.rstrip("-"):
        return find_night(stores, subject, resource_id)
    if kind == "rate":
        rate = find_heart_rate(stores, subject.person, rest)
        return None if rate is None else heart_rate_resource(rate, subject)
    if kind == "window":
        start = rest.partition("-")[0]
        if not start.isdecimal() or len(start) > 19:
            return None
        found = _load_windows(stores, subject.person, int(start), int(start) + 1)
        resources = [item for window in found for _, item in window_resources(window, subject)]
    else:
        rating = stores.records.rating(subject.person.id, resource_id.rpartition("-")[0])
        resources = [] if rating is None else [r for _, r in rating_resources(rating, subject)]
    return next((item for item in resources if item["id"] == resource_id), None)


def _ratings(
    stores: Stores, person: Person, search: Search, start: Key
) -> Iterator[tuple[Key, Record]]:
    after = (start.time_ns, "")  # the record of the cursor again: it may have more parts
    low, high = search.time_range()
    while True:
        rows = stores.records.ratings_in_order(person.id, low, high, _ROWS, after)
        for (time_ns, rating_id), rating in rows:
            if rating.withdrawn and not search.with_withdrawn:
                continue
            if not search.finds_time(rating.about_ns, rating.about_ns):
                continue
            if not search.finds_update(rating.entered_ns):
                continue
            yield Key(_RATINGS, time_ns, rating_id), rating
        if len(rows) < _ROWS:
            return
        after = rows[-1][0]


def _windows(
    stores: Stores, person: Person, search: Search, start: Key
) -> Iterator[tuple[Key, Record]]:
    low, high = search.time_range()
    low = max(low, start.time_ns)
    days = sorted(stores.beats.day_fingerprints(person.subject_id, low, high))
    if search.updated:
        updated = _UpdatedDays(stores, person.subject_id, search.updated)
        days = [day for day in days if updated.matches(day)]
    for _, group in groupby(days, key=lambda day: day // MONTH_DAYS):
        inside = list(group)
        first, last = max(low, inside[0] * DAY), min(high, (inside[-1] + 1) * DAY)
        for window in _load_windows(stores, person, first, last, frozenset(inside)):
            if not search.finds_time(window.start_ns, window.start_ns + WINDOW_NS):
                continue
            yield Key(_WINDOWS, window.start_ns), window


def _rates(
    stores: Stores, person: Person, search: Search, start: Key
) -> Iterator[tuple[Key, Record]]:
    # The rate of the cursor is not read again: it has one part.
    after = (start.time_ns, start.record)
    low, high = search.time_range()
    while True:
        rates = load_heart_rates(stores, person, low, high, _ROWS, after)
        for rate in rates:
            if search.finds_time(rate.time_ns, rate.time_ns) and search.finds_update(
                rate.entered_ns
            ):
                yield Key(_RATES, rate.time_ns, rate.id), rate
        if len(rates) < _ROWS:
            return
        after = (rates[-1].time_ns, rates[-1].id)


def _indices(
    stores: Stores, cache: AnalysisCache, person: Person, search: Search, start: Key
) -> Iterator[tuple[Key, IndexBefore]]:
    after = (start.time_ns, start.record) if start.kind == _INDICES else (0, "")
    low, high = search.time_range()
    high = min(high, LATEST - BEFORE_NS) + BEFORE_NS  # a rating ends its half hour
    updated = _UpdatedDays(stores, person.subject_id, search.updated)
    while True:
        rows = stores.records.ratings_in_order(person.id, low, high, _INDEX_ROWS, after)
        places = {
            rating.id: Key(_INDICES, time_ns, rating_id)
            for (time_ns, rating_id), rating in rows
            if not rating.withdrawn
            and search.finds_time(rating.about_ns - BEFORE_NS, rating.about_ns)
            # It changes with the rating and with the beats of the day.
            and (search.finds_update(rating.entered_ns) or updated.matches(rating.about_ns // DAY))
        }
        chosen = [rating for _, rating in rows if rating.id in places]
        for index in load_indices(stores, cache, person, chosen) if chosen else ():
            yield places[index.rating_id], index
        if len(rows) < _INDEX_ROWS:
            return
        after = rows[-1][0]


def _nights(
    stores: Stores, subject: Subject, search: Search, after: Key
) -> Iterator[tuple[Key, Resource]]:
    if not any(search.finds_code(code) for code, _, _ in NIGHT_CODES):
        return
    for item in load_nights(stores, subject.person, after.time_ns if after.kind == _NIGHTS else 0):
        night = item.night
        if not search.finds_time(night.start_ns, night.end_ns) or not search.finds_update(
            item.stored_ns
        ):
            continue
        for part, (code, resource) in enumerate(night_resources(item, subject)):
            key = Key(_NIGHTS, night.end_ns, night_key(night), part)
            if key > after and search.finds_code(code) and search.finds(resource):
                yield key, resource


def _load_windows(
    stores: Stores,
    person: Person,
    start_ns: int,
    end_ns: int,
    days: frozenset[int] | None = None,
) -> list[Window]:
    daily = load_daily_hrv(stores, person, start_ns, end_ns)
    rows = np.isfinite(daily.mean_hr_bpm)
    if days is not None:
        rows &= np.isin(daily.start_ns // DAY, sorted(days))
    columns = (daily.mean_hr_bpm, daily.sdnn_ms, daily.rmssd_ms)
    values = [
        [value if np.isfinite(value) else None for value in column[rows].tolist()]
        for column in columns
    ]
    starts = daily.start_ns[rows].tolist()
    return [Window(*row) for row in zip(starts, *values, strict=True)]


class _UpdatedDays:
    """Which days of beats were changed in ranges of time. A window has no time of change of its
    own: it changes with the beats of its day.
    """

    def __init__(self, stores: Stores, subject_id: str, filters: list[list[DateFilter]]) -> None:
        self._filters = filters
        moments = {moment for group in filters for f in group for moment in (f.low_ns, f.high_ns)}
        self._since = {
            moment: frozenset(stores.beats.changed_days(subject_id, moment)) for moment in moments
        }

    def matches(self, day: int) -> bool:
        """Whether the day was changed as all filters ask."""
        return all(any(self._one(item, day) for item in group) for group in self._filters)

    def _one(self, item: DateFilter, day: int) -> bool:
        since_low, since_high = day in self._since[item.low_ns], day in self._since[item.high_ns]
        return {
            "eq": since_low and not since_high,
            "ne": not since_low or since_high,
            "gt": since_high,
            "sa": since_high,
            "lt": not since_low,
            "eb": not since_low,
            "ge": since_low,
            "le": not since_high,
        }[item.prefix]
