"""HRV windows before ratings, computed once in this process. While a strap uploads, the fingerprint
of today changes with each upload; of hundreds of ratings, only those of today are read again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from cachetools import TTLCache
from numpy.typing import NDArray

from analytics.association.hrv_before_rating import Span
from analytics.hrv.windows import WINDOW_NS, HrvWindows
from api.services.cache.responses import TTL_S
from api.services.compute import compute, raise_if_stopped
from api.services.rating_windows import (
    RatingWindows,
    WindowGroup,
    compute_groups,
    group_price_s,
    group_windows,
    read_group,
)
from api.services.single_flight import single_flight
from api.services.stress_baseline import StressBaselineCache
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY
from store import Stores
from store.models import Person, Rating

_MAX_PEOPLE = 20  # some MB each after a year
_MAX_GROUPS = 5000
_BATCH_S, _BATCH_GROUPS = 1.0, 200  # computed at a time

_GroupKey = tuple[int, int, int]  # the first start, the last, and how many


@dataclass(frozen=True, slots=True, eq=False)
class _CachedGroup:
    """The windows of a group, and what they were made from. ``days``: the fingerprints of the UTC
    days that it touches; ``beats``: the fingerprint of exactly its beats.
    """

    days: tuple[str | None, ...]
    beats: str
    origins: frozenset[Origin]
    windows: HrvWindows


class RatingWindowCache:
    """The windows of the people who were loaded last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._people: TTLCache[tuple[str, Span], dict[_GroupKey, _CachedGroup]] = TTLCache(
            _MAX_PEOPLE, TTL_S
        )

    def drop(self, subject_id: str) -> None:
        """Drop what is of one subject."""
        with self._lock:
            self._people.expire()
            for key in [key for key in self._people if key[0] == subject_id]:
                del self._people[key]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._people.clear()

    def load(
        self,
        stores: Stores,
        person: Person,
        baselines: StressBaselineCache,
        ratings: list[Rating],
        span: Span,
        days: dict[int, str],
    ) -> tuple[RatingWindows, str]:
        """Load or compute the windows before these ratings, and a fingerprint of all their beats.

        ``days``: the fingerprints of UTC days, read by the caller before this. Beats that have come
        since are taken up by the next call.
        """
        starts, window_index = group_windows(ratings, span)
        with single_flight(f"windows before ratings {person.id} {span}"):
            groups = self._groups(stores, person, starts, span, days)
        baseline = baselines.load(stores, person) if ratings else None
        rating_windows = RatingWindows(
            tuple(ratings),
            person.zone,
            span,
            window_index,
            baseline,
            tuple(group.windows for group in groups),
            frozenset().union(*(group.origins for group in groups)),
        )
        digest = hashlib.sha256("".join(group.beats for group in groups).encode())
        if baseline is not None:
            digest.update(baseline.fingerprint.encode())
        return rating_windows, digest.hexdigest()

    def _groups(
        self,
        stores: Stores,
        person: Person,
        group_starts: list[NDArray[np.int64]],
        span: Span,
        days: dict[int, str],
    ) -> list[_CachedGroup]:
        key = (person.subject_id, span)
        with self._lock:
            cached = self._people.get(key, {})
        current: dict[_GroupKey, _CachedGroup] = {}
        batch = _Batch()
        for starts in group_starts:
            raise_if_stopped()
            group_key = (int(starts[0]), int(starts[-1]), len(starts))
            first, last = group_key[0] // DAY, (group_key[1] + WINDOW_NS - 1) // DAY
            touched = tuple(days.get(day) for day in range(first, last + 1))
            group = cached.get(group_key)
            if group is None or group.days != touched:
                read = read_group(stores, person, starts)
                beats = _group_fingerprint(read)
                if group is None or group.beats != beats:
                    batch.add(group_key, touched, beats, read)
                    if batch.is_full:
                        current |= batch.compute()
                    continue
                group = replace(group, days=touched, origins=read.origins)
            current[group_key] = group
        current |= batch.compute()
        ordered = [(int(starts[0]), int(starts[-1]), len(starts)) for starts in group_starts]
        current = {group_key: current[group_key] for group_key in ordered}
        merged = {**cached, **current}  # a request for a month keeps the groups of the year
        with self._lock:
            self._people[key] = merged if len(merged) <= _MAX_GROUPS else current
        return list(current.values())


class _Batch:
    """Groups that are computed together: one way to another process for many of them."""

    def __init__(self) -> None:
        self._groups: list[tuple[_GroupKey, tuple[str | None, ...], str, WindowGroup]] = []
        self._price_s = 0.0

    def add(
        self, key: _GroupKey, days: tuple[str | None, ...], beats: str, group: WindowGroup
    ) -> None:
        """Add a group, with what it is made from."""
        self._groups.append((key, days, beats, group))
        self._price_s += group_price_s(group)

    @property
    def is_full(self) -> bool:
        return self._price_s > _BATCH_S or len(self._groups) >= _BATCH_GROUPS

    def compute(self) -> dict[_GroupKey, _CachedGroup]:
        """Compute the windows of all groups, and empty the batch."""
        groups, price_s = self._groups, self._price_s
        self._groups, self._price_s = [], 0.0
        if not groups:
            return {}
        windows = compute(price_s, compute_groups, [group for *_, group in groups])
        return {
            key: _CachedGroup(days, beats, group.origins, of_group)
            for (key, days, beats, group), of_group in zip(groups, windows, strict=True)
        }


def _group_fingerprint(group: WindowGroup) -> str:
    """Name exactly the beats, movement and reported rates of a group."""
    beats, movement, rates = group.beats, group.movement, group.rates
    digest = hashlib.sha256(repr((group.starts.tolist(), sorted(group.origins))).encode())
    for column in (
        *(beats.time_ns, beats.rr_ms, beats.follows, beats.contact, beats.stream),
        *(movement.time_ns, movement.mad_mg),
        *(rates.time_ns, rates.bpm, rates.source),
    ):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
