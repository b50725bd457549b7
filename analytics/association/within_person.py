"""Whether two series of one person moved together, net of their common trend.

The effect is the slope of ``y`` on ``x`` (points of pain for one unit of ``x``), net of a common
trend (``detrending``) and with autocorrelated errors (``slope_posterior``). Interval and p value
are of one and the same posterior, so they cannot disagree.

Earlier and later: does ``x`` at one rating go with ``y`` at the next, beyond what ``x`` is then?
Without the last condition, an autocorrelated series would seem to precede whatever it is
associated with.

From day to day: the changes of daily means, which removes whatever changes slowly.

That it holds was measured, not assumed: ``benchmarks/false_alarms.py`` draws unrelated series that
both fall; its table is in ``docs/evidence/false-alarms.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.detrending import (
    detrend,
    independent_columns,
    is_flat,
    steps_at,
    trend_basis,
)
from analytics.association.slope_posterior import CHANGE_RHOS, RHOS, slope_posterior

METHOD = (
    "slope beyond a natural spline, one step and a daily rhythm, averaged over where the step lies "
    "and over the autocorrelation of the errors; version 2"
)
# Below these the simulation had more than 6% false alarms.
MIN_RATINGS = 30
MIN_DAYS = 7.0
MIN_CHANGES = 30
MAX_STEP_DAYS = 1.5  # from one rating to the next, to speak of earlier and later
_ALPHA = 0.05
_MIN_COVARIATE_SHARE = 0.8  # of the pairs must have the covariate


@dataclass(frozen=True, slots=True, eq=False)
class Association:
    """Slope of y on x with its 95% interval and p value, or the reason why there is none.

    ``n``: pairs used. ``x_residual``, ``y_residual``: shape (n,), the pairs net of the common
    trend, for a plot. ``autocorrelation``: of the errors, from one rating to the next.
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

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
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
) -> Association:
    """Estimate how ``y`` moves with ``x`` within one person, net of their common trend.

    Parameters
    ----------
    time_ns : array of int64, shape (n,)
        UTC nanoseconds, in any order.
    x, y : array of float64, shape (n,)
        Paired ratings. Pairs with a NaN are dropped.
    hour_of_day : array of float64, shape (n,), optional
        Local hour, 0 to 24, to remove a daily rhythm from both.
    x_name, y_name : str
        What the two are called in a ``missing_reason``.
    covariates : array of float64, shape (n,) or (n, k), optional
        What to adjust for, such as movement. NaN counts as the mean.

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
    A natural spline, one step and a daily rhythm are removed; the errors are autocorrelated, and
    their autocorrelation and the place of the step are averaged over (Zellner and Tiao 1964, JASA
    59:763; Harville 1974, Biometrika 61:383). ``docs/evidence/false-alarms.md`` has how often it is
    wrong.

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
    time_ns = np.asarray(time_ns, dtype=np.int64)
    columns = _prepare_covariates(time_ns, x, y, covariates)
    time_ns, x, y, hours = _in_order(time_ns, x, y, hour_of_day)
    days = (time_ns - time_ns[:1]) / 86_400e9 if len(time_ns) else np.empty(0)
    missing_reason = _find_missing_reason(days, x, y, x_name, y_name)
    if missing_reason is not None:
        return _no_association(len(x), missing_reason)
    basis = trend_basis(days, hours)
    if columns is not None:
        basis = independent_columns(np.column_stack([basis, columns]))
    return _estimate(days, x, y, basis, x_name, y_name)


def lagged_link(
    time_ns: IntArray,
    x: FloatArray,
    y: FloatArray,
    hour_of_day: FloatArray | None = None,
    *,
    x_name: str = "stress",
    y_name: str = "pain",
) -> Association:
    """Estimate how ``y`` moves with ``x`` at the rating before, beyond ``x`` at the same moment.

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
    The method is that of ``within_person_link`` with ``x`` at the same moment as a covariate.

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
    time_ns, x, y, hours = _in_order(time_ns, x, y, hour_of_day)
    days = (time_ns - time_ns[:1]) / 86_400e9 if len(time_ns) else np.empty(0)
    next_to = np.flatnonzero(np.diff(days) <= MAX_STEP_DAYS) + 1
    before, now, then, at = x[next_to - 1], x[next_to], y[next_to], days[next_to]
    missing_reason = _find_missing_reason(at, before, then, x_name, y_name)
    if missing_reason is not None:
        return _no_association(len(at), missing_reason)
    smooth = trend_basis(at, None if hours is None else hours[next_to])
    basis = independent_columns(np.column_stack([smooth, now - np.mean(now)]))
    return _estimate(at, before, then, basis, x_name, y_name)


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
    steps = steps_at(np.arange(3, len(place) - 2), len(place))
    steps_by_day = np.array([np.bincount(place, step) / count for step in steps.T]).T
    changes = np.diff(steps_by_day, axis=0)[next_to]
    # The change of a smooth trend is small; a straight line covers it.
    u = (at - np.mean(at)) / max(float(np.ptp(at)), 1.0)
    basis = independent_columns(np.column_stack([np.ones_like(u), u]))
    beyond = changes - basis @ (basis.T @ changes)
    changes = changes[:, np.sum(beyond**2, axis=0) > 1e-3]
    return _estimate(at, x_change, y_change, basis, x_name, y_name, changes, CHANGE_RHOS)


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
