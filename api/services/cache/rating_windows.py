"""HRV windows before ratings, computed once in this process. While a strap uploads, the fingerprint
of today changes with each upload; of hundreds of ratings, only those of today are read again.
"""

from __future__ import annotations

import hashlib
from threading import Lock

import numpy as np
from cachetools import TTLCache
from numpy.typing import NDArray

from analytics.association.hrv_before_rating import Span
from api.services.cache.responses import TTL_S
from api.services.compute import compute, raise_if_stopped
from api.services.kept_windows import (
    GroupKey,
    KeptGroup,
    NewGroup,
    find_group,
    group_key,
    load_kept_windows,
)
from api.services.rating_windows import (
    RatingWindows,
    compute_groups,
    group_price_s,
    group_windows,
)
from api.services.single_flight import single_flight
from api.services.stress_baseline import StressBaselineCache
from store import Stores
from store.models import Person, Rating

_MAX_PEOPLE = 20  # some MB each after a year
_MAX_GROUPS = 5000
_BATCH_S, _BATCH_GROUPS = 1.0, 200  # computed at a time


class RatingWindowCache:
    """The windows of the people who were loaded last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._people: TTLCache[tuple[str, Span], dict[GroupKey, KeptGroup]] = TTLCache(
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
    ) -> list[KeptGroup]:
        key = (person.subject_id, span)
        with self._lock:
            cached = self._people.get(key)
        if cached is None:  # those of the night before
            cached = load_kept_windows(stores, person, span)
        current: dict[GroupKey, KeptGroup] = {}
        batch = _Batch()
        for starts in group_starts:
            raise_if_stopped()
            found = find_group(stores, person, starts, cached, days)
            if isinstance(found, KeptGroup):
                current[group_key(starts)] = found
                continue
            batch.add(found)
            if batch.is_full:
                current |= batch.compute()
        current |= batch.compute()
        current = {name: current[name] for name in map(group_key, group_starts)}
        merged = {**cached, **current}  # a request for a month keeps the groups of the year
        with self._lock:
            self._people[key] = merged if len(merged) <= _MAX_GROUPS else current
        return list(current.values())


class _Batch:
    """Groups that are computed together: one way to another process for many of them."""

    def __init__(self) -> None:
        self._groups: list[NewGroup] = []
        self._price_s = 0.0

    def add(self, new: NewGroup) -> None:
        """Add a group."""
        self._groups.append(new)
        self._price_s += group_price_s(new.group)

    @property
    def is_full(self) -> bool:
        return self._price_s > _BATCH_S or len(self._groups) >= _BATCH_GROUPS

    def compute(self) -> dict[GroupKey, KeptGroup]:
        """Compute the windows of all groups, and empty the batch."""
        groups, price_s = self._groups, self._price_s
        self._groups, self._price_s = [], 0.0
        if not groups:
            return {}
        windows = compute(price_s, compute_groups, [new.group for new in groups])
        return {
            new.key: new.with_windows(found) for new, found in zip(groups, windows, strict=True)
        }
