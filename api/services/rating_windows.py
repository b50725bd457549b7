"""A person's ratings with the heart before each, as the report takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.association.hrv_before_rating import (
    HrvBeforeRating,
    Span,
    hrv_before_rating,
    window_starts,
)
from analytics.hrv.stress_index import StressIndexInput
from analytics.hrv.windows import (
    WINDOW_NS,
    BeatArrays,
    HrvWindows,
    Movement,
    concat_windows,
    hrv_windows,
)
from analytics.report import RatedHrv
from api.services.inputs import to_beat_arrays
from api.services.stress_baseline import StressBaselineCache
from api.services.stress_index_input import load_movement, load_stress_index_input
from ebbtide.beats import Origin
from ebbtide.timestamps import HOUR, to_datetime
from store.protocols.records import Person, Rating
from store.stores import Stores

# Ratings further apart than this are read by themselves, so that months between cost nothing.
_APART = 3 * HOUR


@dataclass(frozen=True, slots=True, eq=False)
class WindowGroup:
    """Starts of windows that are close together, with the beats and movement around them."""

    starts: NDArray[np.int64]
    beats: BeatArrays
    movement: Movement
    origins: frozenset[Origin]


@dataclass(frozen=True, slots=True, eq=False)
class RatingBeats:
    """Ratings with the beats before each, and the first fortnight of the heart: all that a report
    needs, read from the stores. ``whose``: which of the windows, by number, are each rating's.
    """

    ratings: tuple[Rating, ...]
    zone: str
    span: Span
    pieces: tuple[WindowGroup, ...]
    whose: NDArray[np.int64]
    history: StressIndexInput | None


@dataclass(frozen=True, slots=True, eq=False)
class RatingWindows:
    """The same with the windows of each piece in the place of its beats."""

    ratings: tuple[Rating, ...]
    zone: str
    span: Span
    pieces: tuple[HrvWindows, ...]
    whose: NDArray[np.int64]
    history: StressIndexInput | None
    origins: frozenset[Origin]


def group_windows(
    ratings: Sequence[Rating], span: Span
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Starts of the windows of all ratings, piece by piece, each once, however many ratings share
    it (those of a day share a night); and which of them, by number, are each rating's.
    """
    if not ratings:
        return [], np.empty(0, np.int64)
    times, _, hour = _when(ratings)
    once, whose = np.unique(window_starts(times, hour, span), return_inverse=True)
    return np.split(once, np.flatnonzero(np.diff(once) > _APART) + 1), whose.ravel()


def read_group(stores: Stores, person: Person, starts: NDArray[np.int64]) -> WindowGroup:
    """What is kept around these windows."""
    first, last = int(starts[0]), int(starts[-1]) + WINDOW_NS
    beats = stores.beats.read(person.subject_id, first, last)
    movement = load_movement(stores, person, first, last)
    return WindowGroup(starts, to_beat_arrays(beats), movement, beats.origins)


def compute_group(piece: WindowGroup) -> HrvWindows:
    """The windows of a piece. Nothing else is looked at."""
    return hrv_windows(piece.beats, piece.starts, WINDOW_NS, movement=piece.movement)


def read_rating_beats(
    ratings: list[Rating],
    person: Person,
    stores: Stores,
    histories: StressBaselineCache,
    span: Span,
) -> RatingBeats:
    """Read what a report of these ratings needs."""
    parts, whose = group_windows(ratings, span)
    pieces = tuple(read_group(stores, person, part) for part in parts)
    history = histories.of(stores, person) if ratings else None
    return RatingBeats(tuple(ratings), person.zone, span, pieces, whose, history)


def load_rating_windows(read: RatingBeats) -> RatingWindows:
    """Work out the windows of what was read. Nothing else is looked at."""
    return RatingWindows(
        read.ratings,
        read.zone,
        read.span,
        tuple(compute_group(piece) for piece in read.pieces),
        read.whose,
        read.history,
        frozenset().union(*(piece.origins for piece in read.pieces)),
    )


def compute_rating_hrv(read: RatingWindows) -> tuple[RatedHrv, HrvBeforeRating]:
    """The arrays of a report, and how many ratings have usable beats and why not."""
    times, day, hour = _when(read.ratings)
    found = concat_windows(list(read.pieces), read.whose, WINDOW_NS)
    hearts = load_stress_index_input(found, read.zone)
    history = hearts if read.history is None else read.history
    before = hrv_before_rating(found, hearts, history, read.span, len(read.ratings))
    rated = RatedHrv(
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
