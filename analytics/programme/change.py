"""One person's course through a programme.

Change from the first week, around sessions, and when a change began. Intervals allow for the
autocorrelation of ratings (``slope_posterior``).

A change is called reliable when its interval leaves out no change at all: the idea of Jacobson and
Truax (1991), Journal of Consulting and Clinical Psychology 59:12, with the person's own variability
in place of a questionnaire's reliability.

None of it says what brought a change: pain falls by itself too, above all after a bad time, in
which people begin a therapy (regression to the mean).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray
from analytics.association.detrending import constant_basis, detrend
from analytics.association.slope_posterior import RHOS, slope_posterior, typical_spacing, whiten
from analytics.programme.outcomes import NEARLY_FREE

MIN_PER_SIDE = 6  # ratings before, and after
MIN_FOR_ONSET = 30
SESSION_DAYS = 3.0
BASELINE_DAYS = 7.0
_ONSET_ALPHA = 0.01  # for a 5% rate of onsets found where there is none; measured


@dataclass(frozen=True, slots=True)
class Change:
    """A mean before and after, and the change with its 95% interval.

    None with a reason in ``missing_reason``. ``reliable``: the interval leaves out no change at
    all. ``percent`` of the mean before (None where that is 0).
    """

    n_before: int
    n_after: int
    before: float | None
    after: float | None
    change: float | None
    low: float | None
    high: float | None
    percent: float | None
    reliable: bool
    nearly_free: bool
    missing_reason: str | None


@dataclass(frozen=True, slots=True)
class Trend:
    """Level at the middle of a stretch and slope a day, each with a 95% interval."""

    n: int
    level: float
    slope: float
    slope_low: float
    slope_high: float


@dataclass(frozen=True, slots=True)
class AroundSession:
    """The three days before and after a session.

    The change between, and the trend on each side (None where ratings are too few).
    """

    session_day: float
    change: Change
    trend_before: Trend | None
    trend_after: Trend | None


@dataclass(frozen=True, slots=True)
class Onset:
    """The day a lasting change began, with its 95% interval, and the slope a day from then on.

    None with a reason in ``missing_reason``, also where no change is clear.
    """

    day: float | None
    low: float | None
    high: float | None
    slope: float | None
    missing_reason: str | None


def change_between(
    days: FloatArray, values: FloatArray, before: tuple[float, float], after: tuple[float, float]
) -> Change:
    """Estimate the change of ratings from one span of days to another.

    Parameters
    ----------
    days : array of float64, shape (n,)
        When each rating was given, in days, in any order.
    values : array of float64, shape (n,)
        The ratings; NaN are dropped.
    before, after : tuple of float
        The two spans, each [from, to) in days.

    Returns
    -------
    Change
        Both means and their difference with its 95% interval, or ``missing_reason``.

    Raises
    ------
    ValueError
        If ``days`` and ``values`` differ in shape.

    Notes
    -----
    Reliable change: Jacobson and Truax (1991), Journal of Consulting and Clinical Psychology 59:12,
    with the person's own autocorrelated variability.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import change_between
    >>> days = np.arange(84) / 3
    >>> pain = np.where(days < 14, 6.0, 3.0) + 0.5 * np.sin(7 * days)
    >>> change = change_between(days, pain, (0, 7), (21, 28))
    >>> round(change.change, 1), change.reliable
    (-3.0, True)
    """
    days, values = _in_order(days, values)
    early = (days >= before[0]) & (days < before[1])
    late = (days >= after[0]) & (days < after[1])
    n, m = int(np.count_nonzero(early)), int(np.count_nonzero(late))
    if n < MIN_PER_SIDE or m < MIN_PER_SIDE:
        ratings = "rating" if n == 1 else "ratings"
        why = f"{n} {ratings} before and {m} after; {MIN_PER_SIDE} each are needed"
        return Change(n, m, None, None, None, None, None, None, False, False, why)
    used = early | late
    at, y = days[used], values[used]
    x = late[used].astype(np.float64)
    first, last = float(np.mean(values[early])), float(np.mean(values[late]))
    if np.ptp(y) == 0:
        return Change(n, m, first, last, 0.0, 0.0, 0.0, 0.0, False, last <= NEARLY_FREE, None)
    constant = constant_basis(len(y))
    found = slope_posterior(detrend(at, x, y, constant, with_steps=False))
    low, high = found.quantile(0.025), found.quantile(0.975)
    change = last - first
    return Change(
        n,
        m,
        first,
        last,
        change,
        min(low, change),
        max(high, change),
        100 * change / first if first > 0 else None,
        low > 0 or high < 0,
        last <= NEARLY_FREE,
        None,
    )


def first_to_last_week(days: FloatArray, values: FloatArray) -> Change:
    """Estimate the change from the first seven days to the last seven, without overlap."""
    end = float(np.max(days, initial=0.0)) + 1e-9
    last = (max(BASELINE_DAYS, end - BASELINE_DAYS), end)
    return change_between(days, values, (0.0, BASELINE_DAYS), last)


def around_sessions(
    days: FloatArray, values: FloatArray, session_days: list[float]
) -> list[AroundSession]:
    """Compare the ratings in the three days before and after each session."""
    found = []
    for session in session_days:
        before, after = (session - SESSION_DAYS, session), (session, session + SESSION_DAYS)
        found.append(
            AroundSession(
                session,
                change_between(days, values, before, after),
                trend(days, values, *before),
                trend(days, values, *after),
            )
        )
    return found


def trend(days: FloatArray, values: FloatArray, start: float, end: float) -> Trend | None:
    """Level and slope of [start, end); None for fewer than six ratings."""
    days, values = _in_order(days, values)
    inside = (days >= start) & (days < end)
    at, y = days[inside], values[inside]
    if len(y) < MIN_PER_SIDE or np.ptp(at) == 0:
        return None
    level = float(np.mean(y))
    if np.ptp(y) == 0:
        return Trend(len(y), level, 0.0, 0.0, 0.0)
    constant = constant_basis(len(y))
    series = detrend(at, at - np.mean(at), y, constant, with_steps=False)
    found = slope_posterior(series)
    return Trend(len(y), level, found.mean, found.quantile(0.025), found.quantile(0.975))


def onset(days: FloatArray, values: FloatArray) -> Onset:
    """When a lasting change began: level until a day, a straight line from then on.

    Each day on which it may have begun, with each autocorrelation, weighs as much as its restricted
    likelihood; the interval holds 95% of the weight. It is given only where the slope
    that follows is clear at 1%: the best of many candidates always looks like an onset.
    """
    days, values = _in_order(days, values)
    n = len(days)
    if n < MIN_FOR_ONSET or np.ptp(days) < BASELINE_DAYS:
        why = f"{n} of at least {MIN_FOR_ONSET} ratings over {BASELINE_DAYS:.0f} days or more"
        return Onset(None, None, None, None, why)
    if np.ptp(values) == 0:
        return Onset(None, None, None, None, "the ratings were always the same")
    inner = np.unique(days[3:-6])
    starts = inner[np.round(np.linspace(0, len(inner) - 1, min(len(inner), 60))).astype(np.int64)]
    constant = constant_basis(n)
    spacing = typical_spacing(days)
    likely = np.empty((len(starts), len(RHOS)))
    hinges = np.clip(days[:, None] - starts[None, :], 0, None)
    dof = n - 2
    for column, rho in enumerate(RHOS):
        white, log_scale = whiten(np.column_stack([constant, hinges, values]), spacing, float(rho))
        flat = white[:, 0] / np.linalg.norm(white[:, 0])
        left = white[:, 1:] - flat[:, None] * (flat @ white[:, 1:])[None, :]
        xx = np.einsum("ij,ij->j", left[:, :-1], left[:, :-1])
        xy = left[:, :-1].T @ left[:, -1]
        squares = np.maximum(left[:, -1] @ left[:, -1] - xy**2 / xx, 1e-12)
        norm = log_scale - float(np.log(np.linalg.norm(white[:, 0])))
        likely[:, column] = norm - dof / 2 * np.log(squares)
    weight = np.exp(likely - np.max(likely))
    weight /= np.sum(weight)
    by_start = np.sum(weight, axis=1)
    best = int(np.argmax(by_start))
    series = detrend(days, hinges[:, best], values, constant, with_steps=False)
    found = slope_posterior(series)
    if found.p_value >= _ONSET_ALPHA:
        return Onset(None, None, None, None, "no lasting change is clear")
    upto = np.cumsum(by_start)
    low, middle, high = (float(starts[int(np.searchsorted(upto, q))]) for q in (0.025, 0.5, 0.975))
    return Onset(middle, low, high, found.mean, None)


def _in_order(days: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    days, values = np.asarray(days, np.float64), np.asarray(values, np.float64)
    if days.shape != values.shape or days.ndim != 1:
        raise ValueError("days and values must both have shape (n,)")
    finite = np.isfinite(values)
    order = np.argsort(days[finite], kind="stable")
    return days[finite][order], values[finite][order]
