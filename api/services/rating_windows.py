"""A person's ratings with the HRV before each, as the link report takes them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analytics.association.hrv_before_rating import (
    IndexBeforeRating,
    Span,
    periods_before_ratings,
    window_starts,
)
from analytics.hrv import (
    WINDOW_NS,
    BeatArrays,
    HrvWindows,
    MissingReason,
    Movement,
    concat_windows,
    hrv_windows,
)
from analytics.hrv.relative_stress import StressIndex, stress_index_input
from analytics.hrv.reported import ReportedRates, fill_windows
from analytics.hrv.windows import slice_windows
from analytics.report import RatingArrays, WindowsBeforeRatings
from api.services.inputs import load_movement, load_rates, local_day_and_hour, to_beat_arrays
from api.services.stress_index import StressBaseline
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY, HOUR, to_datetime
from store import Stores
from store.models import Person, Prompt, Rating

# Windows further apart than this are read separately, so that months between them cost nothing.
_MAX_APART_NS = 3 * HOUR
# Groups within so long are computed together: seconds since the first beat stay as fine as a tenth
# of a nanosecond.
_TOGETHER_NS = 10 * DAY


@dataclass(frozen=True, slots=True, eq=False)
class WindowGroup:
    """Starts of windows that are close together, with the beats, movement and heart rates that
    devices reported around them.
    """

    starts: NDArray[np.int64]
    beats: BeatArrays
    movement: Movement
    rates: ReportedRates
    origins: frozenset[Origin]


@dataclass(frozen=True, slots=True, eq=False)
class PromptBeats:
    """Prompts that were sent and are over, by time, with the beats of the five minutes before each.

    ``left_out``: how many ratings the heart chose; ``after_offers``: how many were given after
    moments of practice by lot. Neither are among the ratings.
    """

    left_out: int = 0
    after_offers: int = 0
    prompts: tuple[Prompt, ...] = ()
    window_index: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    groups: tuple[WindowGroup, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class RatingWindows:
    """Ratings with the HRV windows before each: all that a report needs, read from the stores.
    ``window_index``: which of the windows, counted over all groups, are each rating's. ``prompts``:
    what became of prompts, with the beats before each.
    """

    ratings: tuple[Rating, ...]
    zone: str
    span: Span
    window_index: NDArray[np.int64]
    baseline: StressBaseline | None
    groups: tuple[HrvWindows, ...]
    origins: frozenset[Origin]
    prompts: PromptBeats = field(default_factory=PromptBeats, kw_only=True)


def group_windows(
    ratings: Sequence[Rating], span: Span
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Compute the starts of all ratings' windows, group by group, each window once however many
    ratings share it (those of a day share a night); and which of them are each rating's.
    """
    if not ratings:
        return [], np.empty(0, np.int64)
    times, _, hour = local_times(ratings)
    starts, window_index = np.unique(window_starts(times, hour, span), return_inverse=True)
    edges = np.flatnonzero(np.diff(starts) > _MAX_APART_NS) + 1
    return np.split(starts, edges), window_index.ravel()


def read_group(stores: Stores, person: Person, starts: NDArray[np.int64]) -> WindowGroup:
    """Read the beats, movement and reported heart rates of these windows."""
    first, last = int(starts[0]), int(starts[-1]) + WINDOW_NS
    beats = stores.beats.read(person.subject_id, first, last)
    movement = load_movement(stores, person, first, last)
    rates, origins = load_rates(stores, person, first, last)
    return WindowGroup(starts, to_beat_arrays(beats), movement, rates, beats.origins | origins)


def compute_group(group: WindowGroup) -> HrvWindows:
    """Compute the HRV of a group's windows. Pure: it reads no store."""
    return compute_groups([group])[0]


def compute_groups(groups: Sequence[WindowGroup]) -> list[HrvWindows]:
    """Compute the HRV of several groups, to 1e-9 as each alone. Pure: it reads no store.

    Those of days that follow each other are put end to end: two thirds of the time of one by one.
    """
    found: list[HrvWindows] = []
    at = 0
    while at < len(groups):
        end = at + 1
        while end < len(groups) and _may_follow(groups[at], groups[end - 1], groups[end]):
            end += 1
        joined = _join_groups(groups[at:end])
        windows = hrv_windows(joined.beats, joined.starts, WINDOW_NS, movement=joined.movement)
        edges = np.cumsum([0, *(len(group.starts) for group in groups[at:end])])
        # How late a device's own rate comes is estimated in each group by itself.
        found += [
            fill_windows(slice_windows(windows, a, b), group.rates, group.beats)
            for (a, b), group in zip(
                itertools.pairwise(edges.tolist()), groups[at:end], strict=True
            )
        ]
        at = end
    return found


def _may_follow(first: WindowGroup, before: WindowGroup, group: WindowGroup) -> bool:
    """Whether a group is later than the one before it, by more than any window looks around."""
    begin, end = int(group.starts[0]), int(group.starts[-1]) + WINDOW_NS
    apart_ns = begin - int(before.starts[-1])
    return apart_ns > _MAX_APART_NS and end - int(first.starts[0]) <= _TOGETHER_NS


def _join_groups(groups: Sequence[WindowGroup]) -> WindowGroup:
    """Put groups end to end, without reported rates. No run of beats goes on to the next."""
    follows = []
    for group in groups:
        firsts = np.unique(group.beats.stream, return_index=True)[1]
        own = group.beats.follows.copy()
        own[firsts] = False
        follows.append(own)
    beats = [group.beats for group in groups]
    moved = [group.movement for group in groups]
    return WindowGroup(
        np.concatenate([group.starts for group in groups]),
        BeatArrays(
            np.concatenate([one.time_ns for one in beats]),
            np.concatenate([one.rr_ms for one in beats]),
            np.concatenate(follows),
            np.concatenate([one.contact for one in beats]),
            np.concatenate([one.stream for one in beats]),
        ),
        Movement(
            np.concatenate([one.time_ns for one in moved]),
            np.concatenate([one.mad_mg for one in moved]),
        ),
        ReportedRates(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int32)),
        frozenset(),
    )


def group_price_s(group: WindowGroup) -> float:
    """Seconds for the HRV of a group, as measured."""
    breaks = int(np.count_nonzero(~group.beats.follows))
    return 6e-4 + len(group.beats.time_ns) * 1e-6 + breaks * 5e-4 + len(group.starts) * 2e-4


def report_inputs(rated: RatingWindows) -> tuple[RatingArrays, WindowsBeforeRatings]:
    """Build the arrays that the report is made of, with local days and hours. Pain or stress that
    was not asked for is NaN.
    """
    times, day, hour = local_times(rated.ratings)
    arrays = RatingArrays(
        time_ns=times,
        day=day,
        hour=hour,
        pain=np.array([rating.pain for rating in rated.ratings], dtype=np.float64),
        stress=np.array([rating.stress for rating in rated.ratings], dtype=np.float64),
    )
    hrv = concat_windows(list(rated.groups), rated.window_index, WINDOW_NS)
    window_day, window_hour = local_day_and_hour(hrv.start_ns + WINDOW_NS // 2, rated.zone)
    return arrays, WindowsBeforeRatings(hrv, window_day, window_hour, rated.span)


def index_before(rated: RatingWindows, windows: WindowsBeforeRatings) -> IndexBeforeRating | None:
    """Compute the stress index of the span before each rating; None without a baseline."""
    if rated.baseline is None:
        return None
    hearts = stress_index_input(windows.hrv, windows.day, windows.hour)
    periods = periods_before_ratings(hearts, len(rated.ratings))
    found = rated.baseline.judge_periods(hearts, periods)
    return IndexBeforeRating(found.value, found.low, found.high, _reasons(found, windows.hrv))


def _reasons(index: StressIndex, hrv: HrvWindows) -> list[str | None]:
    """Why each rating has no index. Where there are no beats at all, the index knows only that
    they are too few.
    """
    ratings = len(index.missing_reason)
    silent = np.array([reason is MissingReason.NO_BEATS for reason in hrv.missing_reason])
    without: NDArray[np.bool_] = np.all(silent.reshape(ratings, -1), axis=1)
    return [
        None if reason is None else str(MissingReason.NO_BEATS if nothing else reason)
        for reason, nothing in zip(index.missing_reason, without, strict=True)
    ]


def local_times(
    ratings: Sequence[Rating],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The time that each rating is about, its local day, and its local hour."""
    times = np.array([rating.about_ns for rating in ratings], dtype=np.int64)
    local = [to_datetime(rating.about_ns, rating.zone) for rating in ratings]
    day = np.array([moment.toordinal() for moment in local], dtype=np.int64)
    hour = np.array([moment.hour + moment.minute / 60 for moment in local], dtype=np.float64)
    return times, day, hour
