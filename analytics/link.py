"""Whether two series of one person moved together, beyond the course they share.

The effect is the slope of ``y`` on ``x`` (points of pain for one unit of ``x``), both person's own,
freed of the shared course (``shared_course``), by generalised least squares with first-order
autocorrelated errors: ratings close in time resemble each other, and taking them for independent
makes false alarms. The autocorrelation is estimated from the residuals (Prais and Winsten 1954,
Cowles Commission Discussion Paper 383) and corrected for the bias that freeing of the course
brings. The p value and the interval are of one and the same t statistic, so they cannot disagree.

That it holds was measured, not assumed: ``benchmarks/false_alarms.py`` draws unrelated series that
both fall; its table is in ``docs/false-alarms.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analytics.shared_course import course_basis, freed

METHOD = (
    "slope by generalised least squares with AR(1) errors, after removing a natural spline, one "
    "common step and a daily rhythm; t interval; version 1"
)
LEAST_RATINGS = 20
LEAST_DAYS = 7.0
_ALPHA = 0.05
# More than this much autocorrelation cannot be told from a course; less than this is noise.
_LARGEST_RHO = 0.95
_SMALLEST_RHO = -0.2
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """Slope of y on x with its 95% interval and p value, or the reason why there is none.

    ``n``: pairs used. ``x_freed``, ``y_freed``: shape (n,), the pairs without the shared course,
    for a picture. ``autocorrelation``: of the errors, from one rating to the next.
    """

    n: int
    estimate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    autocorrelation: float | None
    missing: str | None
    x_freed: FloatArray
    y_freed: FloatArray

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.p_value is not None and self.p_value < _ALPHA


def within_person_link(
    time_ns: NDArray[np.int64],
    x: FloatArray,
    y: FloatArray,
    hour_of_day: FloatArray | None = None,
    *,
    x_name: str = "stress",
    y_name: str = "pain",
) -> Link:
    """The link of one person's ``x`` and ``y``.

    All of shape (n,). ``time_ns``: UTC ns, in any order. Pairs with a NaN are left out.
    ``hour_of_day``: local hour, 0 to 24, to take a daily rhythm out of both. Raises ValueError
    for unequal shapes.
    """
    time_ns = np.asarray(time_ns, dtype=np.int64)
    x = np.asarray(x, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64)
    if not time_ns.shape == x.shape == y.shape or x.ndim != 1:
        raise ValueError("time_ns, x and y must all have shape (n,)")
    known = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(time_ns[known], kind="stable")
    time_ns, x, y = time_ns[known][order], x[known][order], y[known][order]
    hours = None
    if hour_of_day is not None:
        hours = np.asarray(hour_of_day, dtype=np.float64)[known][order]
    days = (time_ns - time_ns[:1]) / 86_400e9 if len(time_ns) else np.empty(0)
    missing = _what_is_missing(days, x, y, x_name, y_name)
    if missing is not None:
        return _no_link(len(x), missing)
    basis = course_basis(days, x, y, hours)
    x_freed, y_freed = freed(x, basis), freed(y, basis)
    for name, left, whole in ((x_name, x_freed, x), (y_name, y_freed, y)):
        if np.std(left) < 1e-6 * max(1.0, float(np.std(whole))):
            return _no_link(len(x), f"{name} followed its course with no ups and downs of its own")
    slope, error, freedom, rho = _slope(x, y, basis)
    reach = float(stats.t.ppf(1 - _ALPHA / 2, freedom)) * error
    p_value = float(2 * stats.t.sf(abs(slope) / error, freedom))
    return Link(len(x), slope, slope - reach, slope + reach, p_value, rho, None, x_freed, y_freed)


def _what_is_missing(
    days: FloatArray, x: FloatArray, y: FloatArray, x_name: str, y_name: str
) -> str | None:
    if len(x) < LEAST_RATINGS:
        more = LEAST_RATINGS - len(x)
        return f"{len(x)} of at least {LEAST_RATINGS} ratings with {x_name}; {more} more are needed"
    span = float(days[-1] - days[0])
    if span < LEAST_DAYS:
        return (
            f"the ratings span {span:.0f} of at least {LEAST_DAYS:.0f} days; "
            f"{np.ceil(LEAST_DAYS - span):.0f} more are needed"
        )
    for name, values in ((x_name, x), (y_name, y)):
        if np.ptp(values) == 0:
            return f"{name} was the same at every rating, so nothing could move with it"
    return None


def _no_link(n: int, missing: str) -> Link:
    empty = np.empty(0)
    return Link(n, None, None, None, None, None, missing, empty, empty)


def _slope(x: FloatArray, y: FloatArray, basis: FloatArray) -> tuple[float, float, int, float]:
    """Slope, its standard error, degrees of freedom, autocorrelation of the errors."""
    n, columns = basis.shape
    x_left, y_left = freed(x, basis), freed(y, basis)
    slope = float(x_left @ y_left / (x_left @ x_left))
    rho = 0.0
    for _ in range(3):  # settles to the third digit in two rounds
        rho = _autocorrelation(y_left - slope * x_left, columns)
        whitened, _ = np.linalg.qr(_whiten(basis, rho))
        x_white, y_white = _whiten(x[:, None], rho)[:, 0], _whiten(y[:, None], rho)[:, 0]
        x_white, y_white = freed(x_white, whitened), freed(y_white, whitened)
        slope = float(x_white @ y_white / (x_white @ x_white))
    freedom = n - columns - 2  # the slope, and the autocorrelation
    residual = y_white - slope * x_white
    error = float(np.sqrt(residual @ residual / freedom / (x_white @ x_white)))
    return slope, error, freedom, rho


def _autocorrelation(residual: FloatArray, columns: int) -> float:
    """Lag-1 autocorrelation, corrected for the pull to about -columns/n that fitting brings."""
    n = len(residual)
    raw = float(residual[1:] @ residual[:-1] / (residual @ residual))
    corrected = (raw + columns / n) / (1 - columns / n)
    return float(np.clip(corrected, _SMALLEST_RHO, _LARGEST_RHO))


def _whiten(columns: FloatArray, rho: float) -> FloatArray:
    """Prais-Winsten transform along axis 0: errors with autocorrelation rho become white."""
    first = np.sqrt(1 - rho**2) * columns[:1]
    return np.concatenate([first, columns[1:] - rho * columns[:-1]])
