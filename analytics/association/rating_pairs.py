"""Pairs of ratings as a link takes them: in order, without copies; and what is missing of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray

# Below these the simulation had more than 6% false alarms.
MIN_RATINGS = 30
MIN_DAYS = 7.0
ALPHA = 0.05
_MIN_COVARIATE_SHARE = 0.8  # of the pairs must have the covariate


@dataclass(frozen=True, slots=True, eq=False)
class Association:
    """Slope of y on x with its 95% interval and p value, or the reason why there is none.

    ``n``: pairs used. ``x_residual``, ``y_residual``: shape (n,), or less by the moments that were
    set aside; the pairs net of the course, the steps and the effects of hour and weekday that the
    answer used, for a plot. ``autocorrelation``: of the errors, from one rating to the next.

    ``copies``: rows that repeated another one, not used. ``held_back_for``: "weekday", "time of
    day", where the answer would be clear without their effect. ``outlying_ns``: the moment without
    which the answer is another, ``without_outlying`` the estimate and interval then, and
    ``clear_without_outlying`` whether they leave out zero.
    ``few_moments``: how many moments, at which both jump, carry a clear answer (0: none do), and
    ``without_few`` the estimate and interval without them. ``changes``: how often either of the two
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
    few_moments: int = 0
    without_few: tuple[float, float, float] | None = None
    changes: int | None = None
    robustness: float | None = None
    day_share: float | None = None
    reliability: float | None = None
    missing_when_bad_p: float | None = None
    order_p: float | None = None

    @property
    def clear(self) -> bool:
        """Whether it can be said: p below 0.05."""
        return self.p_value is not None and self.p_value < ALPHA


def without_copies(
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
    time_ns, x, y, hours = in_order(time_ns, x, y, hour_of_day)
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


def in_order(
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


def find_missing_reason(
    days: FloatArray, x: FloatArray, y: FloatArray, x_name: str, y_name: str, usual_a_day: int = 2
) -> str | None:
    """Say what is missing for an answer: ratings, days or changes; None where nothing is.

    ``usual_a_day``: pairs a day to expect before these show how many.
    """
    if len(x) < MIN_RATINGS:
        more = MIN_RATINGS - len(x)
        return (
            f"{len(x)} of at least {MIN_RATINGS} ratings with {x_name}; {more} more "
            f"{'is' if more == 1 else 'are'} needed, "
            f"{_about_days(more, days, usual_a_day)}"
        )
    span = float(days[-1] - days[0])
    if span < MIN_DAYS:
        more = int(np.ceil(MIN_DAYS - span))
        return (
            f"the ratings span {np.floor(span):.0f} of at least {MIN_DAYS:.0f} days; "
            f"{more} more {'is' if more == 1 else 'are'} needed"
        )
    return find_constant(x, y, x_name, y_name)


def _about_days(more: int, days: FloatArray, usual_a_day: int) -> str:
    """How long that takes at the person's own pace; at the usual one before there is one."""
    pace = usual_a_day
    if len(days) >= 4:
        pace = max(1, round(len(days) / len(np.unique(np.floor(days)))))
    needed = -(-more // pace)
    ratings = "one rating" if pace == 1 else f"{pace} ratings"
    return f"about {needed} more {'day' if needed == 1 else 'days'} at {ratings} a day"


def find_constant(x: FloatArray, y: FloatArray, x_name: str, y_name: str) -> str | None:
    """Say which of the two never changed; None where both did."""
    for name, values in ((x_name, x), (y_name, y)):
        if np.ptp(values) == 0:
            return f"{name} was the same at every rating, so nothing could move with it"
    return None


def no_association(n: int, missing_reason: str) -> Association:
    """Build an answer without numbers."""
    empty = np.empty(0)
    return Association(n, None, None, None, None, None, missing_reason, empty, empty)
