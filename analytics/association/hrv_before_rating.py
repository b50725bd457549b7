"""HRV before each rating.

It is the mean of the usable five-minute windows in a span that ends at the rating, or in the night
before it.

Five minutes are what HRV metrics are defined for (Task Force 1996), and a strap that was put on ten
minutes before a rating still says something of the half hour before it. RMSSD is skewed; its
logarithm is averaged (Plews et al. 2013, Sports Medicine 43:773). The stress index is of the span
as a whole, also of its minutes without beats, which its interval accounts for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.relative_stress import (
    StressIndexInput,
    StressPeriods,
    stress_index_of_periods,
)
from analytics.hrv.requirements import MissingReason
from analytics.hrv.windows import WINDOW_NS, HrvWindows

NIGHT_FROM_H, NIGHT_TO_H = 22.0, 7.0
MIN_NIGHT_WINDOWS = 12  # windows: an hour


class Span(StrEnum):
    """Which heartbeats count for a rating."""

    MINUTES_5 = "5 minutes"
    MINUTES_30 = "30 minutes"
    MINUTES_60 = "60 minutes"
    NIGHT = "night before"


_HALF_WINDOW_S = WINDOW_NS / 2e9
_COUNT = {Span.MINUTES_5: 1, Span.MINUTES_30: 6, Span.MINUTES_60: 12}


@dataclass(frozen=True, slots=True, eq=False)
class IndexBeforeRating:
    """The stress index of the span before each rating, shape (n,): 0 to 100.

    ``low`` and ``high``: 95% interval of the value and the baseline together; NaN where
    ``missing_reason`` says why.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    missing_reason: list[str | None]


@dataclass(frozen=True, slots=True, eq=False)
class HrvBeforeRating:
    """HRV before each rating, shape (n,).

    NaN where nothing was usable, with a ``missing_reason`` (None where usable). ``windows``: how
    many usable ones. ``index`` needs fewer clean beats, and has reasons of its own.
    """

    ln_rmssd: FloatArray
    heart_rate: FloatArray
    motion_mg: FloatArray
    windows: IntArray
    missing_reason: list[str | None]
    index: IndexBeforeRating

    @property
    def usable(self) -> int:
        """Ratings with usable beats before them."""
        return self.missing_reason.count(None)

    @property
    def reason_counts(self) -> dict[str, int]:
        """Number of ratings without usable beats, by reason."""
        return dict(Counter(reason for reason in self.missing_reason if reason is not None))


def window_starts(rating_ns: IntArray, hour: FloatArray, span: Span) -> IntArray:
    """Compute the windows of each rating, shape (n, windows): starts in UTC ns.

    The last ends at the rating, or at seven in the morning of the last night that was over by then.

    ``hour``: local hour of each rating.
    """
    moments = np.asarray(rating_ns, dtype=np.int64)
    if span is not Span.NIGHT:
        return moments[:, None] - WINDOW_NS * np.arange(_COUNT[span], 0, -1, dtype=np.int64)
    many = round((NIGHT_TO_H - NIGHT_FROM_H) % 24 * 12)
    since = (np.asarray(hour) - NIGHT_TO_H) % 24
    morning = moments - np.round(since * 3_600e9).astype(np.int64)
    return morning[:, None] - WINDOW_NS * np.arange(many, 0, -1, dtype=np.int64)


def without_beats(ratings: int) -> HrvBeforeRating:
    """Build the result of that many ratings without any beats before them."""
    nothing = np.full(ratings, np.nan)
    reasons: list[str | None] = [str(MissingReason.NO_BEATS)] * ratings
    return HrvBeforeRating(
        nothing,
        nothing,
        nothing,
        np.zeros(ratings, np.int64),
        reasons,
        IndexBeforeRating(nothing, nothing, nothing, list(reasons)),
    )


def periods_before_ratings(hearts: StressIndexInput, ratings: int) -> StressPeriods:
    """Build the spans before ratings as periods of the stress index; a night is cut at midnight.

    ``hearts``: the windows of ``window_starts``, row by row. Group i of the result is rating i.
    """
    group = np.repeat(np.arange(ratings), len(hearts.day) // max(ratings, 1))
    pairs, which = np.unique(np.column_stack([group, hearts.day]), axis=0, return_inverse=True)
    first, last = np.full(len(pairs), np.inf), np.full(len(pairs), -np.inf)
    np.minimum.at(first, which.ravel(), hearts.time_s)
    np.maximum.at(last, which.ravel(), hearts.time_s)
    return StressPeriods(pairs[:, 1], first - _HALF_WINDOW_S, last + _HALF_WINDOW_S, pairs[:, 0])


def index_before_rating(
    hearts: StressIndexInput, history: StressIndexInput, ratings: int
) -> IndexBeforeRating:
    """Compute the stress index of the span before each rating.

    ``hearts``: the windows of ``window_starts``, row by row. ``history``: windows of at least the
    person's first 28 worn days.
    """
    found = stress_index_of_periods(history, hearts, periods_before_ratings(hearts, ratings))
    reasons = [None if reason is None else str(reason) for reason in found.missing_reason]
    return IndexBeforeRating(found.value, found.low, found.high, reasons)


def hrv_before_rating(
    found: HrvWindows, hearts: StressIndexInput, index: IndexBeforeRating, span: Span, ratings: int
) -> HrvBeforeRating:
    """Put the windows of all ratings together.

    ``found`` and ``hearts``: the windows of ``window_starts``, row by row; ``index``: of
    ``index_before_rating``.
    """
    shape = (ratings, len(found) // max(ratings, 1))
    usable = found.usable.reshape(shape)
    count = np.count_nonzero(usable, axis=1)
    min_windows = MIN_NIGHT_WINDOWS if span is Span.NIGHT else 1
    enough = count >= min_windows
    missing_reason: list[str | None] = []
    reasons = np.array([reason or "" for reason in found.missing_reason], dtype=object).reshape(
        shape
    )
    for row in range(ratings):
        if enough[row]:
            missing_reason.append(None)
        elif count[row]:
            missing_reason.append("less than an hour of usable beats in the night")
        else:
            common = Counter(reason for reason in reasons[row] if reason)
            # Beats that were too disturbed say more than the windows without any beside them.
            common.pop(MissingReason.NO_BEATS, None)
            missing_reason.append(
                str(common.most_common(1)[0][0] if common else MissingReason.NO_BEATS)
            )
    return HrvBeforeRating(
        _row_means(hearts.ln_rmssd.reshape(shape), enough),
        _row_means(hearts.heart_rate.reshape(shape), enough),
        _row_means(hearts.motion_mg.reshape(shape), enough),
        count,
        missing_reason,
        index,
    )


def _row_means(values: FloatArray, enough: BoolArray) -> FloatArray:
    finite = np.isfinite(values)
    count = np.count_nonzero(finite, axis=1)
    total = np.sum(np.where(finite, values, 0.0), axis=1)
    result: FloatArray = np.where(enough & (count > 0), total / np.maximum(count, 1), np.nan)
    return result
