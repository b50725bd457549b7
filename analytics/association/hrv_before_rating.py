"""HRV before each rating.

It is the mean of the usable five-minute windows in a span that ends at the rating, or in the night
before it.

Five minutes are what HRV metrics are defined for (Task Force 1996), and a strap that was put on ten
minutes before a rating still says something of the half hour before it. RMSSD and Baevsky's index
are skewed; their logarithms are averaged (Plews et al. 2013, Sports Medicine 43:773).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.requirements import MissingReason
from analytics.hrv.stress_index import StressIndexInput, stress_index
from analytics.hrv.windows import WINDOW_NS, HrvWindows

NIGHT_FROM_H, NIGHT_TO_H = 22.0, 7.0
MIN_NIGHT_WINDOWS = 12  # windows: an hour


class Span(StrEnum):
    """Which heartbeats count for a rating."""

    MINUTES_5 = "5 minutes"
    MINUTES_30 = "30 minutes"
    MINUTES_60 = "60 minutes"
    NIGHT = "night before"


_COUNT = {Span.MINUTES_5: 1, Span.MINUTES_30: 6, Span.MINUTES_60: 12}


@dataclass(frozen=True, slots=True, eq=False)
class HrvBeforeRating:
    """HRV before each rating, shape (n,).

    NaN where nothing was usable, with a ``missing_reason`` (None where usable). ``windows``: how
    many usable ones.
    """

    ln_rmssd: FloatArray
    heart_rate: FloatArray
    stress_index: FloatArray
    motion_mg: FloatArray
    windows: IntArray
    missing_reason: list[str | None]

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
    return HrvBeforeRating(
        nothing,
        nothing,
        nothing,
        nothing,
        np.zeros(ratings, np.int64),
        [str(MissingReason.NO_BEATS)] * ratings,
    )


def hrv_before_rating(
    found: HrvWindows, hearts: StressIndexInput, history: StressIndexInput, span: Span, ratings: int
) -> HrvBeforeRating:
    """Put the windows of all ratings together.

    ``found`` and ``hearts``: the windows of ``window_starts``, row by row. ``history``: the
    person's first fortnight, for the stress index.
    """
    shape = (ratings, len(found) // max(ratings, 1))
    usable = found.usable.reshape(shape)
    count = np.count_nonzero(usable, axis=1)
    min_windows = MIN_NIGHT_WINDOWS if span is Span.NIGHT else 1
    enough = count >= min_windows
    index = stress_index(history, hearts).value.reshape(shape)
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
        _row_means(index, enough),
        _row_means(hearts.motion_mg.reshape(shape), enough),
        count,
        missing_reason,
    )


def _row_means(values: FloatArray, enough: BoolArray) -> FloatArray:
    finite = np.isfinite(values)
    count = np.count_nonzero(finite, axis=1)
    total = np.sum(np.where(finite, values, 0.0), axis=1)
    result: FloatArray = np.where(enough & (count > 0), total / np.maximum(count, 1), np.nan)
    return result
