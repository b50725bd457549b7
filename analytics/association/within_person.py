"""Whether two series of one person moved together, net of their common trend.

The effect is the slope of ``y`` on ``x`` (points of pain for one unit of ``x``), net of a common
trend (``detrending``) and with autocorrelated errors (``slope_posterior``). Interval and p value
are of one and the same posterior, so they cannot disagree.

Earlier and later: does ``x`` at one rating go with ``y`` at the next, beyond what ``x`` is then and
``y`` was before, and more than the other way round? Without these conditions, an autocorrelated
series would seem to precede whatever it is associated with.

From day to day: the changes of daily means, which removes whatever changes slowly.

That it holds was measured, not assumed: ``benchmarks/false_alarms.py`` draws unrelated series that
both fall; its table is in ``docs/evidence/false-alarms.md``.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.calendar_effects import CalendarSets, calendar_sets, local_calendar
from analytics.association.detrending import (
    detrend,
    independent_columns,
    is_flat,
    residuals,
    spline_basis,
    spline_df,
    steps_at,
    trend_basis,
)
from analytics.association.missing_when_bad import missing_when_bad
from analytics.association.sensitivity import (
    reliability_from_repeats,
    robustness_value,
    share_of_day,
)
from analytics.association.slope_average import SlopeAverage, average_slope
from analytics.association.slope_posterior import (
    CHANGE_RHOS,
    RHOS,
    SlopePosterior,
    slope_posterior,
)
from analytics.association.temporal_order import compare_directions
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

METHOD = (
    "slope beyond a natural spline, averaged over one or two steps, effects of the hour and the "
    "weekday, and two parameters of the errors' autocorrelation, by their evidence; HC3 errors "
    "where they are much larger; version 3"
)
# Below these the simulation had more than 6% false alarms.
MIN_RATINGS = 30
MIN_DAYS = 7.0
MIN_CHANGES = 30
MAX_STEP_DAYS = 1.5  # from one rating to the next, to speak of earlier and later
MAX_DAY_STEPS = 600  # from day to day; the work grows with them and the days
MAX_SPLINE_DF = 48  # so that the work grows with the ratings; the errors carry what is slower
_OUTLYING_SHARE = 0.35  # of all influence on the slope: one rating decides
# In standard deviations of a rating's distance from the median of the four around it: of both, and
# the sum of squares.
_BOTH_JUMP, _JOINT_JUMP = 1.5, 16.0
_MOST_ASIDE_SHARE, _MOST_ASIDE = 0.08, 8
# Times the limit of t that is left, by the influence of the likeliest rating, from which on the
# answer is not computed again without it.
_STILL_CLEAR = 1.5
_ALPHA = 0.05
_MIN_COVARIATE_SHARE = 0.8  # of the pairs must have the covariate


@dataclass(frozen=True, slots=True, eq=False)
class Association:
    """Slope of y on x with its 95% interval and p value, or the reason why there is none.

    ``n``: pairs used. ``x_residual``, ``y_residual``: shape (n,), the pairs net of the course, the
    steps and the effects of hour and weekday that the answer used, for a plot. ``autocorrelation``:
    of the errors, from one rating to the next.

    ``copies``: rows that repeated another one, not used. ``held_back_for``: "weekday", "time of
    day", where the answer would be clear without their effect. ``outlying_ns``: the moment without
    which the answer is another, ``without_outlying`` the estimate and interval then, and
    ``clear_without_outlying`` whether they leave out zero. ``changes``: how often either of the two
    changed from one rating to the next. ``robustness``: see ``sensitivity``; ``day_share`` its
    benchmark. ``reliability``: of x, where it can be estimated. ``missing_when_bad_p``: of the test
    in ``missing_when_bad``, None where it cannot be made. ``order_p``: of ``lagged_link``, of being
    no stronger than the other direction; ``p_value`` is then the larger of the two.
    """

    n: int
    estimate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    autocorrelation: float | None
    missing_reason: str | None
    x_residual: FloatArray
    y_residual: FloatArray
    copies: int = 0
    held_back_for: tuple[str, ...] = ()
    outlying_ns: int | None = None
    without_outlying: tuple[float, float, float] | None = None
    clear_without_outlying: bool = False
    changes: int | None = None
    robustness: float | None = None
    day_share: float | None = None
    reliability: float | None = None
    missing_when_bad_p: float | None = None
    order_p: float | None = None

    @property
    def clear(self) -> bool:
        """Whether it can be said: p below 0.05."""
        return self.p_value is not None and self.p_value < _ALPHA


def within_person_link(
    time_ns: IntArray,
    x: FloatArray,
    y: FloatArray,
    hour_of_day: FloatArray | None = None,
    *,
    x_name: str = "stress",
    y_name: str = "pain",
    covariates: FloatArray | None = None,
    drop_copies: bool = True,
    calendar: bool = True,
) -> Association:
    """Estimate how ``y`` moves with ``x`` within one person, net of their common trend.

    Parameters
    ----------
    time_ns : array of int64, shape (n,)
        UTC nanoseconds, in any order.
    x, y : array of float64, shape (n,)
        Paired ratings. Pairs with a NaN are dropped.
    hour_of_day : array of float64, shape (n,), optional
        Local hour, 0 to 24; the local weekday follows from it. Without it the times are taken to
        be local.
    x_name, y_name : str
        What the two are called in a ``missing_reason``.
    covariates : array of float64, shape (n,) or (n, k), optional
        What to adjust for, such as movement. NaN counts as the mean.
    drop_copies : bool
        Whether rows that repeat another one of the same moment are dropped.
    calendar : bool
        Whether the times are of a calendar, so that the hour and the weekday may have effects.

    Returns
    -------
    Association
        Slope with 95% interval and p value, or ``missing_reason``.

    Raises
    ------
    ValueError
        If the arrays differ in shape.

    Notes
    -----
    A natural spline is removed; where one or two steps lie, which effects the hour and the weekday
    have, and how long errors linger is averaged over by the evidence (``slope_average``). Rows that
    repeat another one of the same moment are dropped. ``docs/evidence/false-alarms.md`` has how
    often it is wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import within_person_link
    >>> rng = np.random.default_rng(1)
    >>> time_ns = np.arange(60) * 28_800_000_000_000  # every 8 hours
    >>> fall = np.linspace(0, -4, 60)
    >>> stress = 6 + fall + rng.normal(size=60)
    >>> pain = 6 + fall + 0.5 * (stress - fall) + 0.5 * rng.normal(size=60)
    >>> link = within_person_link(time_ns, stress, pain)
    >>> link.clear, bool(link.low < 0.5 < link.high)
    (True, True)
    >>> within_person_link(time_ns[:20], stress[:20], pain[:20]).missing_reason[:38]
    '20 of at least 30 ratings with stress;'
    """
    time_ns, x, y, hours, columns, copies = _without_copies(
        time_ns, x, y, hour_of_day, covariates, drop_copies
    )
    days = (time_ns - time_ns[:1]) / 86_400e9 if len(time_ns) else np.empty(0)
    missing_reason = _find_missing_reason(days, x, y, x_name, y_name)
    if missing_reason is not None:
        return replace(_no_association(len(x), missing_reason), copies=copies)
    problem = _Person(time_ns, days, x, y, hours, columns, calendar)
    fit = problem.fit()
    for name, rest, whole in ((x_name, fit.x_residual, x), (y_name, fit.y_residual, y)):
        if is_flat(rest, whole):
            why = f"{name} followed its course with no ups and downs of its own"
            return replace(_no_association(len(x), why), copies=copies)
    return replace(problem.describe(fit), copies=copies)


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """An average of fits with its plain numbers."""

    average: SlopeAverage
    basis: FloatArray
    estimate: float
    low: float
    high: float
    p_value: float
    x_residual: FloatArray
    y_residual: FloatArray


@dataclass(frozen=True, eq=False)
class _Person:
    """Ratings in order of time, without copies; ``covariates``: (n, k), centred."""

    time_ns: IntArray
    days: FloatArray
    x: FloatArray
    y: FloatArray
    hours: FloatArray | None
    covariates: FloatArray | None
    calendar: bool = True

    def basis(self) -> FloatArray:
        smooth = spline_basis(self.days, min(spline_df(len(self.days)), MAX_SPLINE_DF))
        if self.covariates is not None:
            smooth = np.column_stack([smooth, self.covariates])
        aside = self.bad_moments
        if len(aside):
            smooth = np.column_stack([smooth, np.arange(len(self.x))[:, None] == aside])
        return independent_columns(smooth)

    @functools.cached_property
    def bad_moments(self) -> IntArray:
        """Rows at which both jump away from the ratings around them and back, the largest first.

        Two steps make up for one such moment only: three of 4 points gave 52% alarms (25 draws),
        with these set aside 1 of 25. Of ratings without any about one in 600 is set aside.
        """
        n, sizes = len(self.x), []
        for values in (self.x, self.y):
            padded = np.concatenate([values[2:0:-1], values, values[-2:-4:-1]])
            around = np.stack([padded[k : k + n] for k in (0, 1, 3, 4)])
            off = values - np.median(around, axis=0)
            typical = float(np.median(np.abs(off)))
            if typical == 0:  # most ratings are the same as those around them
                return np.empty(0, np.int64)
            scale = max(typical / 0.6745, 0.75 * float(np.mean(np.abs(off))))
            sizes.append(off / scale)
        joint = sizes[0] ** 2 + sizes[1] ** 2
        smaller = np.minimum(np.abs(sizes[0]), np.abs(sizes[1]))
        bad = np.flatnonzero((smaller > _BOTH_JUMP) & (joint > _JOINT_JUMP))
        most = min(int(_MOST_ASIDE_SHARE * n), _MOST_ASIDE)
        result: IntArray = bad[np.argsort(-joint[bad], kind="stable")][:most]
        return result

    def fit(self, with_calendar: bool = True) -> _Fit:
        basis = self.basis()
        hours, weekday = local_calendar(self.time_ns, self.hours)
        calendar = CalendarSets(np.empty((len(self.x), 0)), (((), 0.0),), (((), 0.0),))
        if with_calendar and self.calendar:
            calendar = calendar_sets(hours, weekday, float(self.days[-1]), basis)
        # Centred first: the rounding of values that are large beside their differences.
        x, y = (residuals(v - np.median(v), basis) for v in (self.x, self.y))
        if is_flat(x, self.x) or is_flat(y, self.y):
            empty = np.zeros(len(x))
            nothing = SlopePosterior(np.ones(1), np.zeros(1), np.ones(1), 3, 0.0)
            average = SlopeAverage(nothing, 0.0, 0.0, np.empty((len(x), 0)), empty)
            return _Fit(average, basis, 0.0, -1.0, 1.0, 1.0, x, y)
        average = average_slope(self.days, x, y, basis, calendar)
        found = average.posterior
        beyond = average.nuisance - basis @ (basis.T @ average.nuisance)
        removed = independent_columns(beyond)
        return _Fit(
            average,
            basis,
            found.mean,
            found.quantile(_ALPHA / 2),
            found.quantile(1 - _ALPHA / 2),
            found.p_value,
            residuals(x, removed),
            residuals(y, removed),
        )

    def without(self, row: int) -> _Person:
        """Leave out one rating."""
        kept = np.arange(len(self.x)) != row
        time_ns = self.time_ns[kept]
        return _Person(
            time_ns,
            (time_ns - time_ns[0]) / 86_400e9,
            self.x[kept],
            self.y[kept],
            None if self.hours is None else self.hours[kept],
            None if self.covariates is None else self.covariates[kept],
            self.calendar,
        )

    def describe(self, fit: _Fit) -> Association:
        """Say what a fit rests on."""
        average = fit.average
        clear = fit.p_value < _ALPHA
        held_back: tuple[str, ...] = ()
        weights = (("weekday", average.week_weight), ("time of day", average.hour_weight))
        likely = tuple(name for name, weight in weights if weight > 0.5)
        if not clear and likely and self.fit(with_calendar=False).p_value < _ALPHA:
            held_back = likely
        hours, _ = local_calendar(self.time_ns, self.hours)
        dof = average.posterior.dof
        outlying = self._find_outlying(fit, clear)
        return Association(
            len(self.x),
            fit.estimate,
            fit.low,
            fit.high,
            fit.p_value,
            average.posterior.rho,
            None,
            fit.x_residual,
            fit.y_residual,
            held_back_for=held_back,
            outlying_ns=None if outlying is None else int(self.time_ns[outlying[0]]),
            without_outlying=None if outlying is None else outlying[1],
            clear_without_outlying=outlying is not None and outlying[2],
            changes=int(np.count_nonzero((np.diff(self.x) != 0) | (np.diff(self.y) != 0))),
            robustness=robustness_value(fit.estimate, fit.low, fit.high, dof),
            day_share=share_of_day(hours, self.x, self.y, fit.basis) if self.calendar else None,
            reliability=reliability_from_repeats(self.days, self.x, fit.x_residual),
            missing_when_bad_p=missing_when_bad(_local_days(self.time_ns, hours), self.x, self.y),
        )

    def _find_outlying(
        self, fit: _Fit, clear: bool
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
            return int(alone[0]), numbers, apart.p_value < _ALPHA
        # A rating moves its own whitened row most, and the next one.
        likeliest = int(np.argmax(size))
        if not clear and size[likeliest] < _OUTLYING_SHARE * total:
            return None
        influence = float(fit.average.influence[likeliest])
        error = (fit.high - fit.low) / 2
        limit = float(special.stdtrit(max(fit.average.posterior.dof, 1), 1 - _ALPHA / 2))
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
        still = other.p_value < _ALPHA
        if clear == still and size[likeliest] < _OUTLYING_SHARE * total:
            return None
        return row, (other.estimate, other.low, other.high), still


def lagged_link(
    time_ns: IntArray,
    x: FloatArray,
    y: FloatArray,
    hour_of_day: FloatArray | None = None,
    *,
    x_name: str = "stress",
    y_name: str = "pain",
) -> Association:
    """Estimate how ``y`` moves with ``x`` at the rating before, where that way is the clearer.

    Parameters
    ----------
    time_ns : array of int64, shape (n,)
        UTC nanoseconds, in any order.
    x, y : array of float64, shape (n,)
        Paired ratings. Pairs with a NaN are dropped, and pairs of ratings more than a day and a
        half apart are not used.
    hour_of_day : array of float64, shape (n,), optional
        Local hour, 0 to 24.
    x_name, y_name : str
        What the two are called in a ``missing_reason``.

    Returns
    -------
    Association
        Slope of ``y`` on the ``x`` of the rating before, with its 95% interval and p value; or
        ``missing_reason``.

    Raises
    ------
    ValueError
        If ``time_ns``, ``x`` and ``y`` differ in shape.

    Notes
    -----
    ``x`` at the same moment and ``y`` at the rating before are held still, and so are the course,
    steps and calendar effects of ``within_person_link``. Both directions are estimated together
    (``temporal_order``); the p value is the larger of that of no slope and that of a slope no
    larger than the other direction's, so a hidden mood that moves both is not called an order.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import lagged_link
    >>> rng = np.random.default_rng(2)
    >>> time_ns = np.arange(80) * 28_800_000_000_000
    >>> stress = rng.normal(5, 1, 80)
    >>> pain = 3 + 0.6 * np.roll(stress, 1) + 0.4 * rng.normal(size=80)
    >>> lagged_link(time_ns, stress, pain).clear
    True
    """
    time_ns, x, y, hours, _, copies = _without_copies(time_ns, x, y, hour_of_day, None)
    days = (time_ns - time_ns[:1]) / 86_400e9 if len(time_ns) else np.empty(0)
    next_to = np.flatnonzero(np.diff(days) <= MAX_STEP_DAYS) + 1
    before, then, at = x[next_to - 1], y[next_to], days[next_to]
    missing_reason = _find_missing_reason(at, before, then, x_name, y_name)
    if missing_reason is not None:
        return replace(_no_association(len(at), missing_reason), copies=copies)
    person = _Person(time_ns, days, x, y, hours, None)
    # The course of both, with the effects and steps of the likeliest fit, is taken out first.
    fit = person.fit()
    for name, rest, whole in ((x_name, fit.x_residual, x), (y_name, fit.y_residual, y)):
        if is_flat(rest, whole):
            return _no_association(
                len(at), f"{name} followed its course with no ups and downs of its own"
            )
    local, _ = local_calendar(time_ns, hours)  # of UTC where an hour is missing
    basis = trend_basis(at, None if hours is None else local[next_to])
    nuisance = fit.average.nuisance
    if nuisance.shape[1]:
        basis = independent_columns(np.column_stack([basis, nuisance[next_to]]))
    direction, _ = compare_directions(before, x[next_to], y[next_to - 1], then, basis)
    reach = float(special.stdtrit(direction.dof, 1 - _ALPHA / 2)) * direction.error
    return Association(
        len(at),
        direction.slope,
        direction.slope - reach,
        direction.slope + reach,
        direction.p_value,
        None,
        None,
        direction.before_residual,
        direction.after_residual,
        copies=copies,
        order_p=direction.order_p,
    )


def day_to_day_link(
    day: IntArray,
    x: FloatArray,
    y: FloatArray,
    *,
    x_name: str = "stress",
    y_name: str = "pain",
) -> Association:
    """Estimate how the changes of daily means move together from one day to the next.

    Parameters
    ----------
    day : array of int64, shape (n,)
        A number per local day.
    x, y : array of float64, shape (n,)
        Paired ratings. Pairs with a NaN are dropped.
    x_name, y_name : str
        What the two are called in a ``missing_reason``.

    Returns
    -------
    Association
        Slope of the changes of ``y`` on those of ``x``, in units of both; or
        ``missing_reason``.

    Raises
    ------
    ValueError
        If ``day``, ``x`` and ``y`` differ in shape.

    Notes
    -----
    Differences remove whatever changes slowly; the rest of the method is that of
    ``within_person_link``.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import day_to_day_link
    >>> rng = np.random.default_rng(3)
    >>> stress = rng.normal(5, 1, 60)
    >>> pain = 2 + 0.6 * stress + 0.4 * rng.normal(size=60)
    >>> day_to_day_link(np.arange(60), stress, pain).clear
    True
    """
    day, x, y, _ = _in_order(day, x, y, None)
    which, place = np.unique(day, return_inverse=True)
    count = np.bincount(place)
    x_mean, y_mean = np.bincount(place, x) / count, np.bincount(place, y) / count
    next_to = np.flatnonzero(np.diff(which) == 1)
    x_change, y_change = np.diff(x_mean)[next_to], np.diff(y_mean)[next_to]
    at = which[next_to + 1].astype(np.float64)
    if len(at) < MIN_CHANGES:
        more = MIN_CHANGES - len(at)
        return _no_association(
            len(at),
            f"{len(at)} of at least {MIN_CHANGES} changes from one day to the next; "
            f"about {more} more days are needed",
        )
    missing_reason = _constant(x_change, y_change, x_name, y_name)
    if missing_reason is not None:
        return _no_association(len(at), missing_reason)
    # A step in the ratings is one large change, or two when it falls into a day.
    places = np.arange(3, len(place) - 2)
    if len(places) > MAX_DAY_STEPS:
        places = places[np.linspace(0, len(places) - 1, MAX_DAY_STEPS).round().astype(np.int64)]
    steps = steps_at(places, len(place))
    steps_by_day = np.array([np.bincount(place, step) / count for step in steps.T]).T
    changes = np.diff(steps_by_day, axis=0)[next_to]
    # The change of a smooth trend is small; a straight line covers it.
    u = (at - np.mean(at)) / max(float(np.ptp(at)), 1.0)
    basis = independent_columns(np.column_stack([np.ones_like(u), u]))
    beyond = changes - basis @ (basis.T @ changes)
    changes = changes[:, np.sum(beyond**2, axis=0) > 1e-3]
    return _estimate(at, x_change, y_change, basis, x_name, y_name, changes, CHANGE_RHOS)


def _local_days(time_ns: IntArray, hours: FloatArray) -> FloatArray:
    """Days since the first with the local hour as their fraction, shape (n,)."""
    days = (time_ns - time_ns[0]) / 86_400e9
    result: FloatArray = days - days[0] + hours[0] / 24
    return result


def _without_copies(
    time_ns: IntArray,
    x: FloatArray,
    y: FloatArray,
    hour_of_day: FloatArray | None,
    covariates: FloatArray | None,
    drop_copies: bool = True,
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray | None, FloatArray | None, int]:
    """Pairs by time without those that repeat one of the same moment; and how many did.

    A file that was read in twice has every row twice; counted as ratings, they make an interval
    narrower than it is (18 to 23% alarms).
    """
    time_ns = np.asarray(time_ns, dtype=np.int64)
    columns = None
    if covariates is not None and np.asarray(x).shape == np.asarray(y).shape == time_ns.shape:
        columns = _prepare_covariates(time_ns, x, y, covariates)
    time_ns, x, y, hours = _in_order(time_ns, x, y, hour_of_day)
    if len(x) < 2 or not drop_copies:
        return time_ns, x, y, hours, columns, 0
    order = np.lexsort((y, x, time_ns))
    same = (np.diff(time_ns[order]) == 0) & (np.diff(x[order]) == 0) & (np.diff(y[order]) == 0)
    kept = np.sort(order[np.append(True, ~same)])
    return (
        time_ns[kept],
        x[kept],
        y[kept],
        None if hours is None else hours[kept],
        None if columns is None else columns[kept],
        len(x) - len(kept),
    )


def _prepare_covariates(
    time_ns: IntArray, x: FloatArray, y: FloatArray, covariates: FloatArray | None
) -> FloatArray | None:
    """Centre the covariates, in the order of the pairs; None where none of them varies."""
    if covariates is None or not len(time_ns):
        return None
    finite = np.isfinite(np.asarray(x)) & np.isfinite(np.asarray(y))
    order = np.argsort(time_ns[finite], kind="stable")
    columns = []
    for column in np.asarray(covariates, dtype=np.float64).reshape(len(time_ns), -1).T:
        values = column[finite][order]
        there = np.isfinite(values)
        if not len(there) or np.mean(there) < _MIN_COVARIATE_SHARE or np.ptp(values[there]) == 0:
            continue
        columns.append(np.where(there, values - np.mean(values[there]), 0.0))
    return np.column_stack(columns) if columns else None


def _in_order(
    time_ns: IntArray, x: FloatArray, y: FloatArray, hours: FloatArray | None
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray | None]:
    """Pairs without a NaN, by time."""
    time_ns = np.asarray(time_ns, dtype=np.int64)
    x = np.asarray(x, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64)
    if not time_ns.shape == x.shape == y.shape or x.ndim != 1:
        raise ValueError("time_ns, x and y must all have shape (n,)")
    finite = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(time_ns[finite], kind="stable")
    if hours is not None:
        hours = np.asarray(hours, dtype=np.float64)[finite][order]
    return time_ns[finite][order], x[finite][order], y[finite][order], hours


def _estimate(
    days: FloatArray,
    x: FloatArray,
    y: FloatArray,
    basis: FloatArray,
    x_name: str,
    y_name: str,
    steps: FloatArray | None = None,
    rhos: FloatArray = RHOS,
) -> Association:
    series = detrend(days, x, y, basis, step_columns=steps)
    for name, rest, whole in ((x_name, series.x_residual, x), (y_name, series.y_residual, y)):
        if is_flat(rest, whole):
            return _no_association(
                len(x), f"{name} followed its course with no ups and downs of its own"
            )
    found = slope_posterior(series, rhos)
    plotted = series.with_step(series.shared_step())
    return Association(
        len(x),
        found.mean,
        found.quantile(_ALPHA / 2),
        found.quantile(1 - _ALPHA / 2),
        found.p_value,
        found.rho,
        None,
        plotted.x_residual,
        plotted.y_residual,
    )


def _find_missing_reason(
    days: FloatArray, x: FloatArray, y: FloatArray, x_name: str, y_name: str
) -> str | None:
    if len(x) < MIN_RATINGS:
        more = MIN_RATINGS - len(x)
        return (
            f"{len(x)} of at least {MIN_RATINGS} ratings with {x_name}; {more} more "
            f"{'is' if more == 1 else 'are'} needed, "
            f"{_about_days(more, days)}"
        )
    span = float(days[-1] - days[0])
    if span < MIN_DAYS:
        return (
            f"the ratings span {span:.0f} of at least {MIN_DAYS:.0f} days; "
            f"{np.ceil(MIN_DAYS - span):.0f} more are needed"
        )
    return _constant(x, y, x_name, y_name)


def _about_days(more: int, days: FloatArray) -> str:
    """How long that takes at the person's own pace; at two a day before there is one."""
    pace = 2
    if len(days) >= 4:
        pace = max(1, round(len(days) / len(np.unique(np.floor(days)))))
    needed = -(-more // pace)
    ratings = "one rating" if pace == 1 else f"{pace} ratings"
    return f"about {needed} more {'day' if needed == 1 else 'days'} at {ratings} a day"


def _constant(x: FloatArray, y: FloatArray, x_name: str, y_name: str) -> str | None:
    for name, values in ((x_name, x), (y_name, y)):
        if np.ptp(values) == 0:
            return f"{name} was the same at every rating, so nothing could move with it"
    return None


def _no_association(n: int, missing_reason: str) -> Association:
    empty = np.empty(0)
    return Association(n, None, None, None, None, None, missing_reason, empty, empty)
