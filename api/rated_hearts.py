"""A person's ratings with the heart before each, as the report takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.alignment import WINDOW_NS, HeartBefore, Span, heart_before, window_starts
from analytics.report import Rated
from analytics.stress_index import HeartWindows
from analytics.windows import BeatArrays, Movement, hrv_windows, joined
from api.beat_arrays import beat_arrays
from api.heart_windows import heart_windows, movement_of
from api.histories import Histories
from api.house import House
from ebbtide.instants import HOUR, to_datetime
from ebbtide.records import Origin
from store.records import Person, Rating

# Ratings further apart than this are read by themselves, so that months between cost nothing.
_APART = 3 * HOUR


@dataclass(frozen=True, slots=True, eq=False)
class RatedBeats:
    """Ratings with the beats before each, and the first fortnight of the heart: all that a report
    needs, read from the stores. ``pieces``: starts of windows, with the beats and movement around
    them; ``whose``: which of the windows, by number, are each rating's.
    """

    ratings: tuple[Rating, ...]
    zone: str
    span: Span
    pieces: tuple[tuple[NDArray[np.int64], BeatArrays, Movement], ...]
    whose: NDArray[np.int64]
    history: HeartWindows | None
    origins: frozenset[Origin]


def rated_beats(
    ratings: list[Rating], person: Person, house: House, histories: Histories, span: Span
) -> RatedBeats:
    """Read what a report of these ratings needs. The beats of each cluster of windows are read
    once, and a window once, however many ratings share it (those of a day share a night).
    """
    times, _, hour = _when(ratings)
    starts = window_starts(times, hour, span) if ratings else np.empty((0, 1), np.int64)
    once, whose = np.unique(starts, return_inverse=True)
    origins: frozenset[Origin] = frozenset()
    pieces: list[tuple[NDArray[np.int64], BeatArrays, Movement]] = []
    for part in np.split(once, np.flatnonzero(np.diff(once) > _APART) + 1):
        if not len(part):
            continue
        first, last = int(part[0]), int(part[-1]) + WINDOW_NS
        beats = house.beats.read(person.subject_id, first, last)
        origins |= beats.origins
        pieces.append((part, beat_arrays(beats), movement_of(house, person, first, last)))
    history = histories.of(house, person) if ratings else None
    return RatedBeats(
        tuple(ratings), person.zone, span, tuple(pieces), whose.ravel(), history, origins
    )


def rated_hearts(read: RatedBeats) -> tuple[Rated, HeartBefore]:
    """The arrays of a report, and how many ratings have usable beats and why not."""
    times, day, hour = _when(read.ratings)
    found = joined(
        [
            hrv_windows(beats, part, WINDOW_NS, movement=movement)
            for part, beats, movement in read.pieces
        ],
        read.whose,
        WINDOW_NS,
    )
    hearts = heart_windows(found, read.zone)
    history = hearts if read.history is None else read.history
    before = heart_before(found, hearts, history, read.span, len(read.ratings))
    rated = Rated(
        time_ns=times,
        day=day,
        hour=hour,
        pain=np.array([rating.pain for rating in read.ratings], dtype=np.float64),
        stress=np.array([rating.stress for rating in read.ratings], dtype=np.float64),
        ln_rmssd=before.ln_rmssd,
        heart_rate=before.heart_rate,
        stress_index=before.stress_index,
        motion_mg=before.motion_mg,
    )
    return rated, before


def _when(
    ratings: Sequence[Rating],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """What each rating is about: its time, its local day, and its local hour."""
    times = np.array([rating.about_ns for rating in ratings], dtype=np.int64)
    local = [to_datetime(rating.about_ns, rating.zone) for rating in ratings]
    day = np.array([moment.toordinal() for moment in local], dtype=np.int64)
    hour = np.array([moment.hour + moment.minute / 60 for moment in local], dtype=np.float64)
    return times, day, hour
