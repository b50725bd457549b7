"""Windows before ratings, worked out once in this process. While a strap uploads, the day of today
has new content at each look; of hundreds of ratings, only those of that day are looked at again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from threading import Lock

import numpy as np
from cachetools import TTLCache
from numpy.typing import NDArray

from analytics.association.hrv_before_rating import Span
from analytics.hrv.windows import WINDOW_NS, HrvWindows
from api.services.cache.responses import TTL_S
from api.services.cache.stress_index import fingerprint
from api.services.rating_windows import (
    RatingWindows,
    WindowGroup,
    compute_group,
    group_windows,
    read_group,
)
from api.services.single_flight import single_flight
from api.services.stress_baseline import StressBaselineCache
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY
from store.protocols.records import Person, Rating
from store.stores import Stores

_MAX_PEOPLE = 20  # some MB each after a year
_MAX_GROUPS = 5000

_Starts = tuple[int, int, int]  # the first, the last, and how many


@dataclass(frozen=True, slots=True, eq=False)
class _CachedGroup:
    """What a piece's windows were made from (``days``: the names of the content of its days;
    ``beats``: the name of its very beats), and they themselves.
    """

    days: tuple[str | None, ...]
    beats: str
    origins: frozenset[Origin]
    windows: HrvWindows


class RatingWindowCache:
    """The windows of the people who were asked for last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._people: TTLCache[tuple[str, Span], dict[_Starts, _CachedGroup]] = TTLCache(
            _MAX_PEOPLE, TTL_S
        )

    def of(
        self,
        stores: Stores,
        person: Person,
        histories: StressBaselineCache,
        ratings: list[Rating],
        span: Span,
        contents: dict[int, str],
    ) -> tuple[RatingWindows, str]:
        """The windows before these ratings, and a name for all the beats they were made from.

        ``contents``: what named the content of each UTC day a moment ago. What has come since is
        looked at again next time.
        """
        parts, whose = group_windows(ratings, span)
        with single_flight(f"windows before ratings {person.id} {span}"):
            pieces = self._pieces(stores, person, parts, span, contents)
        history = histories.of(stores, person) if ratings else None
        read = RatingWindows(
            tuple(ratings),
            person.zone,
            span,
            tuple(piece.windows for piece in pieces),
            whose,
            history,
            frozenset().union(*(piece.origins for piece in pieces)),
        )
        name = hashlib.sha256("".join(piece.beats for piece in pieces).encode())
        if history is not None:
            name.update(fingerprint(history, person.zone).encode())
        return read, name.hexdigest()

    def _pieces(
        self,
        stores: Stores,
        person: Person,
        parts: list[NDArray[np.int64]],
        span: Span,
        contents: dict[int, str],
    ) -> list[_CachedGroup]:
        place = (person.subject_id, span)
        with self._lock:
            known = self._people.get(place, {})
        found: dict[_Starts, _CachedGroup] = {}
        for part in parts:
            starts = (int(part[0]), int(part[-1]), len(part))
            first, last = starts[0] // DAY, (starts[1] + WINDOW_NS - 1) // DAY
            days = tuple(contents.get(day) for day in range(first, last + 1))
            before = known.get(starts)
            if before is None or before.days != days:
                before = _beats_fingerprint(stores, person, part, days, before)
            found[starts] = before
        both = {**known, **found}  # who asks for a month of it lets nobody forget the year
        with self._lock:
            self._people[place] = both if len(both) <= _MAX_GROUPS else found
        return list(found.values())


def _beats_fingerprint(
    stores: Stores,
    person: Person,
    part: NDArray[np.int64],
    days: tuple[str | None, ...],
    before: _CachedGroup | None,
) -> _CachedGroup:
    piece = read_group(stores, person, part)
    name = _fingerprint(piece)
    windows = before.windows if before and before.beats == name else compute_group(piece)
    return _CachedGroup(days, name, piece.origins, windows)


def _fingerprint(piece: WindowGroup) -> str:
    """Names the very beats and movement of a piece."""
    beats, movement = piece.beats, piece.movement
    digest = hashlib.sha256(repr((piece.starts.tolist(), sorted(piece.origins))).encode())
    for column in (
        *(beats.time_ns, beats.rr_ms, beats.follows, beats.contact, beats.stream),
        *(movement.time_ns, movement.mad_mg),
    ):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
