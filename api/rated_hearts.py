"""A person's ratings with the heart before each, as the report takes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.alignment import WINDOW_NS, HeartBefore, Span, heart_before, window_starts
from analytics.report import Rated
from analytics.windows import HrvWindows, hrv_windows, joined
from api.beat_arrays import beat_arrays
from api.heart_windows import heart_windows, movement_of
from api.histories import Histories
from api.house import House
from ebbtide.instants import HOUR, to_datetime
from ebbtide.records import Origin
from store.records import Person, Rating

# Ratings further apart than this are read by themselves, so that months between cost nothing.
_APART = 3 * HOUR


def rated_hearts(
    ratings: list[Rating], person: Person, house: House, histories: Histories, span: Span
) -> tuple[Rated, HeartBefore, frozenset[Origin]]:
    """The arrays, how many ratings have usable beats and why not, and where the beats come from."""
    times = np.array([rating.about_ns for rating in ratings], dtype=np.int64)
    local = [to_datetime(rating.about_ns, rating.zone) for rating in ratings]
    hour = np.array([moment.hour + moment.minute / 60 for moment in local], dtype=np.float64)
    day = np.array([moment.toordinal() for moment in local], dtype=np.int64)
    starts = window_starts(times, hour, span) if ratings else np.empty((0, 1), np.int64)
    found, origins = _windows(starts, person, house)
    hearts = heart_windows(found, person.zone)
    history = histories.of(house, person) if ratings else hearts
    before = heart_before(found, hearts, history, span, len(ratings))
    rated = Rated(
        time_ns=times,
        day=day,
        hour=hour,
        pain=np.array([rating.pain for rating in ratings], dtype=np.float64),
        stress=np.array([rating.stress for rating in ratings], dtype=np.float64),
        ln_rmssd=before.ln_rmssd,
        heart_rate=before.heart_rate,
        stress_index=before.stress_index,
        motion_mg=before.motion_mg,
    )
    return rated, before, origins


def _windows(
    starts: NDArray[np.int64], person: Person, house: House
) -> tuple[HrvWindows, frozenset[Origin]]:
    """The windows row by row. Each is worked out once, however many ratings share it (those of a
    day share a night), and the beats of each cluster of windows are read once.
    """
    once, whose = np.unique(starts, return_inverse=True)
    origins: frozenset[Origin] = frozenset()
    pieces: list[HrvWindows] = []
    for part in np.split(once, np.flatnonzero(np.diff(once) > _APART) + 1):
        if not len(part):
            continue
        first, last = int(part[0]), int(part[-1]) + WINDOW_NS
        beats = house.beats.read(person.subject_id, first, last)
        origins |= beats.origins
        movement = movement_of(house, person, first, last)
        pieces.append(hrv_windows(beat_arrays(beats), part, WINDOW_NS, movement=movement))
    return joined(pieces, whose.ravel(), WINDOW_NS), origins
