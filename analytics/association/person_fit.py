"""The fit of one person's ratings, and what it rests on: held back, one moment, robustness."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.association.calendar_effects import (
    CalendarSets,
    calendar_sets,
    local_calendar,
    local_day,
)
from analytics.association.detrending import (
    independent_columns,
    is_flat,
    residuals,
    spline_basis,
    spline_df,
)
from analytics.association.missing_when_bad import missing_when_bad
from analytics.association.rating_pairs import ALPHA, MIN_RATINGS, Association
from analytics.association.sensitivity import (
    reliability_from_repeats,
    robustness_value,
    share_of_day,
)
from analytics.association.slope_average import SlopeAverage, average_slope
from analytics.association.slope_posterior import SlopePosterior
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

MAX_SPLINE_DF = 48  # so that the work grows with the ratings; the errors carry what is slower
_OUTLYING_SHARE = 0.35  # of all influence on the slope: one rating decides
# In standard deviations of a rating's distance from the median of the four around it: of both, and
# the sum of squares.
_BOTH_JUMP, _JOINT_JUMP = 1.5, 16.0
_MOST_ASIDE_SHARE, _MOST_ASIDE = 0.08, 8
# The same for those that may hide behind one.
_JOINT_JUMP_BESIDE, _MOST_FURTHER_SHARE, _ROUNDS = 11.0, 0.12, 6
_NOTHING_LEFT = 1e-6  # of a rating's variance
# Times the limit of t that is left, by the influence of the likeliest rating, from which on the
# answer is not computed again without it.
_STILL_CLEAR = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class PersonFit:
    """An average of fits with its plain numbers."""

    average: SlopeAverage
    basis: FloatArray
    estimate: float
    low: float
    high: float
    p_value: float
    x_residual: FloatArray
    y_residual: FloatArray

    def find_set_aside(self) -> BoolArray:
        """Rows that have a column of their own, or lie alone between two steps; shape (n,).

        Nothing is left of them, so in a plot they would lie at zero, where no rating was.
        """
        columns = independent_columns(np.column_stack([self.basis, self.average.nuisance]))
        result: BoolArray = np.sum(columns**2, axis=1) > 1 - _NOTHING_LEFT
        return result


@dataclass(frozen=True, eq=False)
class PersonRatings:
    """Ratings in order of time, without copies; ``covariates``: (n, k), centred.

    ``aside``: rows to set aside in place of those that ``bad_moments`` finds.
    """

    time_ns: IntArray
    days: FloatArray
    x: FloatArray
    y: FloatArray
    hours: FloatArray | None
    covariates: FloatArray | None
    calendar: bool = True
    aside: IntArray | None = None

    def basis(self) -> FloatArray:
        """Columns of the course, the covariates and the moments set aside; orthonormal (n, q)."""
        smooth = spline_basis(self.days, min(spline_df(len(self.days)), MAX_SPLINE_DF))
        if self.covariates is not None:
            smooth = np.column_stack([smooth, self.covariates])
        aside = self.bad_moments
        if len(aside):
            smooth = np.column_stack([smooth, np.arange(len(self.x))[:, None] == aside])
        return independent_columns(smooth)

    @functools.cached_property
    def bad_moments(self) -> IntArray:
        """Rows that are set aside: both jump away from the ratings around them, the largest first.

        Two steps make up for one such moment only: three of 4 points gave 52% alarms (25 draws),
        with these set aside 1 of 25. Of ratings without any about one in 600 is set aside.
        """
        if self.aside is not None:
            return self.aside
        joint, smaller = self._joint_jumps(np.zeros(len(self.x), np.bool_))
        bad = np.flatnonzero((smaller > _BOTH_JUMP) & (joint > _JOINT_JUMP))
        most = min(int(_MOST_ASIDE_SHARE * len(joint)), _MOST_ASIDE)
        result: IntArray = bad[np.argsort(-joint[bad], kind="stable")][:most]
        return result

    def further_moments(self) -> IntArray:
        """Rows like ``bad_moments``, with those that are large once these are left out.

        Where there is one bad moment, there may be more that hide behind it. To set them aside in
        every answer would cost links that are there (``docs/evidence/false-alarms.md``).
        """
        n = len(self.x)
        bad = np.isin(np.arange(n), self.bad_moments)
        if not np.any(bad):
            return self.bad_moments
        for _ in range(_ROUNDS):
            joint, smaller = self._joint_jumps(bad)
            more = bad | ((smaller > _BOTH_JUMP) & (joint > _JOINT_JUMP_BESIDE))
            if np.array_equal(more, bad):
                break
            bad = more
        result: IntArray = np.flatnonzero(bad)
        return result if len(result) <= _MOST_FURTHER_SHARE * n else self.bad_moments

    def _joint_jumps(self, left_out: BoolArray) -> tuple[FloatArray, FloatArray]:
        """How far both are from the median of the four ratings around: squared sum, and smaller.

        In robust standard deviations, (n,) each; zeros where most ratings are as those around them.
        """
        n, sizes = len(self.x), []
        for values in (self.x, self.y):
            seen = np.where(left_out, np.nan, values)
            padded = np.concatenate([seen[2:0:-1], seen, seen[-2:-4:-1]])
            around = np.sort(np.stack([padded[k : k + n] for k in (0, 1, 3, 4)]), axis=0)
            # NaN are sorted to the end; where all four are left out, nothing is known.
            many = np.sum(np.isfinite(around), axis=0)
            last = np.maximum(many - 1, 0)
            low, high = last // 2, np.minimum(many // 2, last)
            row = np.arange(n)
            median = (around[low, row] + around[high, row]) / 2
            off = np.where(many > 0, values - median, 0.0)
            size = np.abs(off[~left_out])
            typical = float(np.median(size))
            if typical == 0:  # most ratings are the same as those around them
                return np.zeros(n), np.zeros(n)
            sizes.append(off / max(typical / 0.6745, 0.75 * float(np.mean(size))))
        return sizes[0] ** 2 + sizes[1] ** 2, np.minimum(np.abs(sizes[0]), np.abs(sizes[1]))

    def fit(self, with_calendar: bool = True) -> PersonFit:
        """Average the fits; without effects of hour and weekday where asked."""
        basis = self.basis()
        # Centred first: the rounding of values that are large beside their differences.
        x, y = (residuals(v - np.median(v), basis) for v in (self.x, self.y))
        hours, weekday = local_calendar(self.time_ns, self.hours)
        calendar = CalendarSets(np.empty((len(self.x), 0)), (((), 0.0),), (((), 0.0),))
        if with_calendar and self.calendar:
            day = local_day(self.time_ns, hours)
            values = np.column_stack([x, y])
            calendar = calendar_sets(hours, weekday, float(self.days[-1]), basis, day, values)
        if is_flat(x, self.x) or is_flat(y, self.y):
            empty = np.zeros(len(x))
            nothing = SlopePosterior(np.ones(1), np.zeros(1), np.ones(1), 3, 0.0)
            average = SlopeAverage(nothing, 0.0, 0.0, 0.0, np.empty((len(x), 0)), empty)
            return PersonFit(average, basis, 0.0, -1.0, 1.0, 1.0, x, y)
        average = average_slope(self.days, x, y, basis, calendar)
        found = average.posterior
        beyond = average.nuisance - basis @ (basis.T @ average.nuisance)
        removed = independent_columns(beyond)
        return PersonFit(
            average,
            basis,
            found.mean,
            found.quantile(ALPHA / 2),
            found.quantile(1 - ALPHA / 2),
            found.p_value,
            residuals(x, removed),
            residuals(y, removed),
        )

    def without(self, row: int) -> PersonRatings:
        """Leave out one rating."""
        kept = np.arange(len(self.x)) != row
        time_ns = self.time_ns[kept]
        return PersonRatings(
            time_ns,
            (time_ns - time_ns[0]) / 86_400e9,
            self.x[kept],
            self.y[kept],
            None if self.hours is None else self.hours[kept],
            None if self.covariates is None else self.covariates[kept],
            self.calendar,
        )

    def describe(self, fit: PersonFit) -> Association:
        """Say what a fit rests on."""
        average = fit.average
        clear = fit.p_value < ALPHA
        held_back: tuple[str, ...] = ()
        weights = (
            ("weekday", average.week_weight),
            ("rhythm of a few days", average.cycle_weight),
            ("time of day", average.hour_weight),
        )
        likely = tuple(name for name, weight in weights if weight > 0.5)
        if not clear and likely and self.fit(with_calendar=False).p_value < ALPHA:
            held_back = likely
        hours, _ = local_calendar(self.time_ns, self.hours)
        dof = average.posterior.dof
        outlying = self._find_outlying(fit, clear)
        few, without_few = self._find_few(clear)
        used = ~fit.find_set_aside()
        return Association(
            len(self.x),
            fit.estimate,
            fit.low,
            fit.high,
            fit.p_value,
            average.posterior.rho,
            None,
            fit.x_residual[used],
            fit.y_residual[used],
            held_back_for=held_back,
            outlying_ns=None if outlying is None else int(self.time_ns[outlying[0]]),
            without_outlying=None if outlying is None else outlying[1],
            clear_without_outlying=outlying is not None and outlying[2],
            few_moments=few,
            without_few=without_few,
            changes=int(np.count_nonzero((np.diff(self.x) != 0) | (np.diff(self.y) != 0))),
            robustness=robustness_value(fit.estimate, fit.low, fit.high, dof),
            day_share=share_of_day(hours, self.x, self.y, fit.basis) if self.calendar else None,
            reliability=reliability_from_repeats(self.days, self.x, fit.x_residual),
            missing_when_bad_p=missing_when_bad(local_days(self.time_ns, hours), self.x, self.y),
        )

    def _find_few(self, clear: bool) -> tuple[int, tuple[float, float, float] | None]:
        """Count the moments that carry a clear answer, and give the slope without them."""
        if not clear or self.aside is not None:
            return 0, None
        rows = self.further_moments()
        if len(rows) == len(self.bad_moments):
            return 0, None
        other = replace(self, aside=rows).fit()
        if other.p_value < ALPHA:
            return 0, None
        return len(rows), (other.estimate, other.low, other.high)

    def _find_outlying(
        self, fit: PersonFit, clear: bool
    ) -> tuple[int, tuple[float, float, float], bool] | None:
        """Find the one rating without which the answer is another: row, slope, whether clear."""
        aside = self.bad_moments
        if len(aside):
            return int(aside[0]), (fit.estimate, fit.low, fit.high), clear
        size = np.abs(fit.average.influence)
        total = float(np.sum(size))
        if not total or len(self.x) <= MIN_RATINGS:
            return None
        pulse = np.sum(fit.average.nuisance[:, -2:], axis=1)
        alone = np.flatnonzero(pulse == 1)
        if len(alone) == 1 and set(np.unique(pulse)) <= {0.0, 1.0, 2.0}:
            # Two steps with one rating between them: the fit has set it aside already.
            apart = self.without(int(alone[0])).fit()
            numbers = (apart.estimate, apart.low, apart.high)
            return int(alone[0]), numbers, apart.p_value < ALPHA
        # A rating moves its own whitened row most, and the next one.
        likeliest = int(np.argmax(size))
        if not clear and size[likeliest] < _OUTLYING_SHARE * total:
            return None
        influence = float(fit.average.influence[likeliest])
        error = (fit.high - fit.low) / 2
        limit = float(special.stdtrit(max(fit.average.posterior.dof, 1), 1 - ALPHA / 2))
        left = max((error / limit) ** 2 - influence**2, 0.0) ** 0.5
        if (
            clear
            and size[likeliest] < _OUTLYING_SHARE * total
            and abs(fit.estimate - influence) > _STILL_CLEAR * limit * left
        ):
            return None
        score = fit.x_residual**2 / np.var(fit.x_residual) + fit.y_residual**2 / np.var(
            fit.y_residual
        )
        near = range(max(0, likeliest - 2), likeliest + 1)
        row = max(near, key=lambda k: float(score[k]))
        other = self.without(row).fit()
        still = other.p_value < ALPHA
        if clear == still and size[likeliest] < _OUTLYING_SHARE * total:
            return None
        return row, (other.estimate, other.low, other.high), still


def local_days(time_ns: IntArray, hours: FloatArray) -> FloatArray:
    """Days since the first with the local hour as their fraction, shape (n,)."""
    days = (time_ns - time_ns[0]) / 86_400e9
    result: FloatArray = days - days[0] + hours[0] / 24
    return result
