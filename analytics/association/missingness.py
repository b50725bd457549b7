"""Ratings that were not given: the pattern, and how the link would move if they were the worse.

People who rate less on bad days bias every answer, by an amount that the data cannot tell. So the
answer is computed again with the missing ratings filled in by the person's own usual for the time,
made worse by two points: once in both pain and stress (the worst for the link's strength upwards),
once in pain alone (downwards). It is a what-if, not an estimate (delta adjustment; National
Research Council 2010, The Prevention and Treatment of Missing Data in Clinical Trials, chapter 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.detrending import trend_basis
from analytics.association.within_person import MIN_RATINGS, same_moment_slope

WORSE_BY = 2.0
_MAX_FILLED = 1.0  # as many again as were given


@dataclass(frozen=True, slots=True)
class MissingPattern:
    """How many ratings there are and how many are missing.

    ``days``: from the first to the last rating; ``with_ratings`` of them; ``a_day``: ratings on a
    usual day with any; ``expected`` in all; ``longest_pause`` in days without one.
    """

    given: int
    days: int
    with_ratings: int
    a_day: float
    expected: int
    longest_pause: int

    @property
    def missing(self) -> int:
        """How many were not given."""
        return max(0, self.expected - self.given)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The link if the missing ratings had been worse by two points; None where it has no number."""

    filled: int
    both_worse: float | None
    pain_worse: float | None


def missing_pattern(day: IntArray) -> MissingPattern:
    """Of ratings on these local days (a number a day), shape (n,), in any order."""
    if not len(day):
        return MissingPattern(0, 0, 0, 0.0, 0, 0)
    which, many = np.unique(day, return_counts=True)
    days = int(which[-1] - which[0]) + 1
    # Of a good day: with a fifth missing, the median day has one missing already.
    a_day = float(np.quantile(many, 0.75))
    pause = int(np.max(np.diff(which), initial=1)) - 1
    return MissingPattern(len(day), days, len(which), a_day, round(days * a_day), pause)


def what_if_worse(
    time_ns: IntArray, day: IntArray, x: FloatArray, y: FloatArray, hour_of_day: FloatArray
) -> WhatIf:
    """Fill in missing ratings on days that have fewer than usual, and estimate; all (n,)."""
    pattern = missing_pattern(day)
    if len(x) < MIN_RATINGS or not pattern.missing:
        return WhatIf(0, None, None)
    which, many = np.unique(day, return_counts=True)
    every = np.arange(which[0], which[-1] + 1)
    given = np.zeros(len(every), np.int64)
    given[which - which[0]] = many
    lacking = np.maximum(0, round(pattern.a_day) - given)
    fill_day = np.repeat(every, lacking)
    if not len(fill_day) or len(fill_day) > _MAX_FILLED * len(x):
        return WhatIf(0, None, None)
    order = np.argsort(time_ns, kind="stable")
    time_ns, x, y, hour = time_ns[order], x[order], y[order], hour_of_day[order]
    # At the person's usual hours, in turn.
    usual = np.quantile(hour, (np.arange(len(fill_day)) % 3 + 0.5) / 3)
    noon = time_ns[0] + ((fill_day - day[order][0]) * 86_400e9).astype(np.int64)
    fill_ns = noon + ((usual - hour[0]) * 3_600e9).astype(np.int64)
    all_ns = np.concatenate([time_ns, fill_ns])
    all_hours = np.concatenate([hour, usual])
    put = np.argsort(all_ns, kind="stable")
    filled = put >= len(time_ns)
    basis = trend_basis((all_ns[put] - all_ns[put][0]) / 86_400e9, all_hours[put])
    columns = []
    for values in (x, y):
        filled_values = np.concatenate([values, np.full(len(fill_ns), np.nan)])[put]
        fit, *_ = np.linalg.lstsq(basis[~filled], filled_values[~filled], rcond=None)
        columns.append(np.where(filled, basis @ fit, filled_values))
    x_all, y_all = columns
    worse = np.where(filled, WORSE_BY, 0.0)

    def slope(extra_x: FloatArray) -> float | None:
        return same_moment_slope(
            all_ns[put],
            np.clip(x_all + extra_x, 0, 10),
            np.clip(y_all + worse, 0, 10),
            all_hours[put],
        )

    return WhatIf(len(fill_ns), slope(worse), slope(np.zeros(len(put))))
