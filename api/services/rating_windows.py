"""A person's ratings with the heart before each, as the report takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.association.hrv_before_rating import (
    WINDOW_NS,
    HeartBefore,
    Span,
    heart_before,
    window_starts,
)
from analytics.hrv.stress_index import HeartWindows
from analytics.hrv.windows import BeatArrays, HrvWindows, Movement, hrv_windows, joined
from analytics.report import Rated
from api.services.inputs import beat_arrays
from api.services.stress_baseline import Histories
from api.services.stress_index_input import heart_windows, movement_of
from ebbtide.beats import Origin
from ebbtide.timestamps import HOUR, to_datetime
from store.protocols.records import Person, Rating
from store.stores import House

# Ratings further apart than this are read by themselves, so that months between cost nothing.
_APART = 3 * HOUR


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Starts of windows that are close together, with the beats and movement around them."""

    starts: NDArray[np.int64]
    beats: BeatArrays
    movement: Movement
    origins: frozenset[Origin]


@dataclass(frozen=True, slots=True, eq=False)
class RatedBeats:
    """Ratings with the beats before each, and the first fortnight of the heart: all that a report
    needs, read from the stores. ``whose``: which of the windows, by number, are each rating's.
    """

    ratings: tuple[Rating, ...]
    zone: str
    span: Span
    pieces: tuple[Piece, ...]
    whose: NDArray[np.int64]
    history: HeartWindows | None


@dataclass(frozen=True, slots=True, eq=False)
class RatedWindows:
    """The same with the windows of each piece in the place of its beats."""

    ratings: tuple[Rating, ...]
    zone: str
    span: Span
    pieces: tuple[HrvWindows, ...]
    whose: NDArray[np.int64]
    history: HeartWindows | None
    origins: frozenset[Origin]


def pieces_of(
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


def read_piece(house: House, person: Person, starts: NDArray[np.int64]) -> Piece:
    """What is kept around these windows."""
    first, last = int(starts[0]), int(starts[-1]) + WINDOW_NS
    beats = house.beats.read(person.subject_id, first, last)
    movement = movement_of(house, person, first, last)
    return Piece(starts, beat_arrays(beats), movement, beats.origins)


def windows_of_piece(piece: Piece) -> HrvWindows:
    """The windows of a piece. Nothing else is looked at."""
    return hrv_windows(piece.beats, piece.starts, WINDOW_NS, movement=piece.movement)


def rated_beats(
    ratings: list[Rating], person: Person, house: House, histories: Histories, span: Span
) -> RatedBeats:
    """Read what a report of these ratings needs."""
    parts, whose = pieces_of(ratings, span)
    pieces = tuple(read_piece(house, person, part) for part in parts)
    history = histories.of(house, person) if ratings else None
    return RatedBeats(tuple(ratings), person.zone, span, pieces, whose, history)


def rated_windows(read: RatedBeats) -> RatedWindows:
    """Work out the windows of what was read. Nothing else is looked at."""
    return RatedWindows(
        read.ratings,
        read.zone,
        read.span,
        tuple(windows_of_piece(piece) for piece in read.pieces),
        read.whose,
        read.history,
        frozenset().union(*(piece.origins for piece in read.pieces)),
    )


def rated_hearts(read: RatedWindows) -> tuple[Rated, HeartBefore]:
    """The arrays of a report, and how many ratings have usable beats and why not."""
    times, day, hour = _when(read.ratings)
    found = joined(list(read.pieces), read.whose, WINDOW_NS)
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
