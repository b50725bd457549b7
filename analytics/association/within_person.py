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

from dataclasses import replace

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.calendar_effects import local_calendar
from analytics.association.detrending import (
    detrend,
    independent_columns,
    is_flat,
    steps_at,
    trend_basis,
)
from analytics.association.person_fit import PersonRatings
from analytics.association.rating_pairs import (
    ALPHA,
    MIN_DAYS,
    MIN_RATINGS,
    Association,
    find_constant,
    find_missing_reason,
    in_order,
    no_association,
    without_copies,
)
from analytics.association.slope_posterior import CHANGE_RHOS, RHOS, slope_posterior
from analytics.association.temporal_order import compare_directions
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

__all__ = [
    "METHOD",
    "MIN_DAYS",
    "MIN_RATINGS",
    "Association",
    "day_to_day_link",
    "lagged_link",
    "same_moment_slope",
    "within_person_link",
]

METHOD = (
    "slope beyond a natural spline, averaged over one or two steps, effects of the hour, the "
    "weekday and cycles of days, and two parameters of the errors' autocorrelation, by their "
    "evidence; HC3 errors where they are much larger; version 6"
)
MIN_CHANGES = 30
MAX_STEP_DAYS = 1.5  # from one rating to the next, to speak of earlier and later
MAX_DAY_STEPS = 600  # from day to day; the work grows with them and the days


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
    usual_a_day: int = 2,
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
    usual_a_day : int
        Pairs a day that a ``missing_reason`` reckons with before these show how many.

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
    time_ns, x, y, hours, columns, copies = without_copies(
        time_ns, x, y, hour_of_day, covariates, drop_copies
    )
    days = (time_ns - time_ns[:1]) / 86_400e9 if len(time_ns) else np.empty(0)
    missing_reason = find_missing_reason(days, x, y, x_name, y_name, usual_a_day)
    if missing_reason is not None:
        return replace(no_association(len(x), missing_reason), copies=copies)
    problem = PersonRatings(time_ns, days, x, y, hours, columns, calendar)
    fit = problem.fit()
    for name, rest, whole in ((x_name, fit.x_residual, x), (y_name, fit.y_residual, y)):
        if is_flat(rest, whole):
            why = f"{name} followed its course with no ups and downs of its own"
            return replace(no_association(len(x), why), copies=copies)
    return replace(problem.describe(fit), copies=copies)


def same_moment_slope(
    time_ns: IntArray, x: FloatArray, y: FloatArray, hour_of_day: FloatArray | None = None
) -> float | None:
    """Estimate the slope of ``within_person_link`` alone, without what it rests on.

    All of shape (n,). None where there is no number. Leaves out the fits without single moments,
    which are half of the work or more.
    """
    time_ns, x, y, hours, _, _ = without_copies(time_ns, x, y, hour_of_day, None)
    days = (time_ns - time_ns[:1]) / 86_400e9 if len(time_ns) else np.empty(0)
    if find_missing_reason(days, x, y, "stress", "pain") is not None:
        return None
    fit = PersonRatings(time_ns, days, x, y, hours, None).fit()
    flat = is_flat(fit.x_residual, x) or is_flat(fit.y_residual, y)
    return None if flat else fit.estimate


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
    time_ns, x, y, hours, _, copies = without_copies(time_ns, x, y, hour_of_day, None)
    days = (time_ns - time_ns[:1]) / 86_400e9 if len(time_ns) else np.empty(0)
    next_to = np.flatnonzero(np.diff(days) <= MAX_STEP_DAYS) + 1
    before, then, at = x[next_to - 1], y[next_to], days[next_to]
    missing_reason = find_missing_reason(at, before, then, x_name, y_name)
    if missing_reason is not None:
        return replace(no_association(len(at), missing_reason), copies=copies)
    person = PersonRatings(time_ns, days, x, y, hours, None)
    # The course of both, with the effects and steps of the likeliest fit, is taken out first.
    fit = person.fit()
    for name, rest, whole in ((x_name, fit.x_residual, x), (y_name, fit.y_residual, y)):
        if is_flat(rest, whole):
            return no_association(
                len(at), f"{name} followed its course with no ups and downs of its own"
            )
    local, _ = local_calendar(time_ns, hours)  # of UTC where an hour is missing
    basis = trend_basis(at, None if hours is None else local[next_to])
    nuisance = fit.average.nuisance
    if nuisance.shape[1]:
        basis = independent_columns(np.column_stack([basis, nuisance[next_to]]))
    direction, _ = compare_directions(before, x[next_to], y[next_to - 1], then, basis)
    reach = float(special.stdtrit(direction.dof, 1 - ALPHA / 2)) * direction.error
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
    day, x, y, _ = in_order(day, x, y, None)
    which, place = np.unique(day, return_inverse=True)
    count = np.bincount(place)
    x_mean, y_mean = np.bincount(place, x) / count, np.bincount(place, y) / count
    next_to = np.flatnonzero(np.diff(which) == 1)
    x_change, y_change = np.diff(x_mean)[next_to], np.diff(y_mean)[next_to]
    at = which[next_to + 1].astype(np.float64)
    if len(at) < MIN_CHANGES:
        more = MIN_CHANGES - len(at)
        return no_association(
            len(at),
            f"{len(at)} of at least {MIN_CHANGES} changes from one day to the next; "
            f"about {more} more {'day is' if more == 1 else 'days are'} needed",
        )
    missing_reason = find_constant(x_change, y_change, x_name, y_name)
    if missing_reason is not None:
        return no_association(len(at), missing_reason)
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
            return no_association(
                len(x), f"{name} followed its course with no ups and downs of its own"
            )
    found = slope_posterior(series, rhos)
    plotted = series.with_step(series.shared_step())
    return Association(
        len(x),
        found.mean,
        found.quantile(ALPHA / 2),
        found.quantile(1 - ALPHA / 2),
        found.p_value,
        found.rho,
        None,
        plotted.x_residual,
        plotted.y_residual,
    )
