"""Repeated-measures correlation: the common correlation within people.

Bakdash and Marusich (2017), Frontiers in Psychology 8:456; Bland and Altman (1995), BMJ 310:446;
and a form that is safe where both series have a trend.

The plain form is biased by anything that both series share over time, a fall during therapy above
all, and by autocorrelation. It is reported only beside the other.

The trend-safe form is the same correlation of the residuals from each person's own trend
(``detrending``). Its error on Fisher's scale is the larger of two: the spread when each person's
``x`` is shifted circularly by a random number of ratings, which preserves its autocorrelation and
breaks its relation to ``y``; and how much the people's own parts differ. p value (t, people less
one) and interval are of that one error, and agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.detrending import ROUNDING_SHARE, TINY, is_flat
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")


@dataclass(frozen=True, slots=True)
class RmCorr:
    """A repeated-measures correlation.

    ``r`` with its 95% interval, degrees of freedom and p value; None with a ``missing_reason``.
    """

    r: float | None
    dof: int
    p_value: float | None
    low: float | None
    high: float | None
    missing_reason: str | None


def repeated_measures_correlation(subject: IntArray, x: FloatArray, y: FloatArray) -> RmCorr:
    """Compute the common correlation of ``x`` and ``y`` within subjects.

    It is biased by any trend that both share; ``group_link`` gives a form that is not.

    Parameters
    ----------
    subject : array of int64, shape (n,)
        A number per subject. Subjects with one pair are dropped.
    x, y : array of float64, shape (n,)
        Paired values.

    Returns
    -------
    RmCorr
        ``r`` with 95% interval (Fisher's z), degrees of freedom (n - subjects - 1) and p value (t),
        or ``missing_reason``.

    Notes
    -----
    Bakdash and Marusich (2017), Frontiers in Psychology 8:456; Bland and Altman (1995), BMJ
    310:446.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import repeated_measures_correlation
    >>> subject = np.repeat([0, 1, 2], 4)
    >>> x = np.array([1.0, 2, 3, 4, 3, 4, 5, 6, 5, 6, 7, 8])
    >>> y = np.array([5.0, 4, 4, 2, 7, 6, 4, 5, 9, 7, 7, 6])
    >>> found = repeated_measures_correlation(subject, x, y)
    >>> round(found.r, 2), found.dof
    (-0.88, 8)
    """
    _, place, many = np.unique(subject, return_inverse=True, return_counts=True)
    repeated = many[place] > 1
    place = np.unique(place[repeated], return_inverse=True)[1]
    x, y = np.asarray(x, np.float64)[repeated], np.asarray(y, np.float64)[repeated]
    people = int(np.max(place, initial=-1)) + 1
    dof = len(x) - people - 1
    if dof < 2:
        return RmCorr(None, max(dof, 0), None, None, None, "too few pairs for their subjects")
    x_own, y_own = _centred(place, x), _centred(place, y)
    size = float(np.sqrt(x_own @ x_own) * np.sqrt(y_own @ y_own))
    if size == 0 or _is_rounding(x_own, x) or _is_rounding(y_own, y):
        return RmCorr(None, dof, None, None, None, "one of the two never changes within a subject")
    r = float(np.clip(x_own @ y_own / size, -1, 1))
    if abs(r) == 1:
        return RmCorr(r, dof, 0.0, r, r, None)
    t = r * np.sqrt(dof / (1 - r**2))
    reach = float(special.ndtri(0.975)) / np.sqrt(dof - 1)
    low, high = np.tanh(np.arctanh(r) + np.array([-reach, reach]))
    return RmCorr(r, dof, float(2 * special.stdtr(dof, -abs(t))), float(low), float(high), None)


@dataclass(frozen=True, slots=True, eq=False)
class ResidualPair:
    """One person's residuals ``x`` and ``y`` in order of time, shape (n,).

    They are taken from the columns of ``basis`` (n, q), which are orthonormal.
    """

    x: FloatArray
    y: FloatArray
    basis: FloatArray

    @classmethod
    def of(cls, x: FloatArray, y: FloatArray, basis: FloatArray, raw: FloatArray) -> ResidualPair:
        """Make a pair; what is only the rounding of its ``raw`` (n, 2) series is set to 0."""
        left = [
            np.zeros_like(rest) if is_flat(rest, raw[:, k]) else rest
            for k, rest in enumerate((x, y))
        ]
        return cls(left[0], left[1], basis)


def detrended_rmcorr(people: list[ResidualPair], dof: int, resamples: int, seed: int) -> RmCorr:
    """Compute the form that is safe where both have a trend; one pair a person."""
    if dof < 10 or not people:
        why = f"{max(dof, 0)} degrees of freedom after taking out each one's course; 10 are needed"
        return RmCorr(None, max(dof, 0), None, None, None, why)
    x_size = sum(float(one.x @ one.x) for one in people)
    y_size = sum(float(one.y @ one.y) for one in people)
    if x_size == 0 or y_size == 0:
        return RmCorr(None, dof, None, None, None, "no ups and downs besides the course")
    rng = np.random.default_rng(seed)
    total, left = np.zeros(resamples), np.zeros(resamples)
    observed = 0.0
    for one in people:
        n = len(one.x)
        # Products with every shift of x at once: circular cross-correlations. The trend is removed
        # from a shifted x again, as from the real one; its product with the residual y is the same.
        turning = np.conj(np.fft.rfft(one.x))
        product = np.fft.irfft(np.fft.rfft(one.y) * turning, n)
        in_course = np.fft.irfft(np.fft.rfft(one.basis, axis=0) * turning[:, None], n, axis=0)
        size = float(one.x @ one.x) - np.sum(in_course**2, axis=1)
        turn = rng.integers(n, size=resamples)
        total += product[turn]
        left += size[turn]
        observed += float(one.x @ one.y)
    r = float(np.clip(observed / (np.sqrt(x_size) * np.sqrt(y_size)), -1, 1))
    left = np.maximum(left, ROUNDING_SHARE * x_size + TINY)
    null = total / (np.sqrt(left) * np.sqrt(y_size))
    # Slopes that differ between people scatter r more than turning does, which breaks every link:
    # so the error is the larger of what turning gives and of what the people's own parts give
    # (Liang and Zeger 1986, Biometrika 73:13). With it p value and interval are one.
    many = len(people)
    spread = float(np.sqrt(np.mean(null**2)))
    if many > 1:
        scale = np.sqrt(x_size * y_size)
        parts = np.array(
            [
                one.x @ one.y / scale
                - r / 2 * (float(one.x @ one.x) / x_size + float(one.y @ one.y) / y_size)
                for one in people
            ]
        )
        own = float(np.sqrt(np.sum(parts**2) * many / (many - 1)))
        middle_error = max(spread, own / max(1 - r**2, 1e-9))
        limit = float(special.stdtrit(many - 1, 0.975))
    else:
        middle_error, limit = spread, 1.959964
    middle = float(np.arctanh(np.clip(r, -1 + 1e-9, 1 - 1e-9)))
    t = abs(middle) / max(middle_error, TINY)
    p_value = float(2 * (special.stdtr(many - 1, -t) if many > 1 else special.ndtr(-t)))
    low, high = np.tanh(middle + limit * middle_error * np.array([-1, 1]))
    return RmCorr(r, dof, p_value, float(low), float(high), None)


def _centred(place: IntArray, values: FloatArray) -> FloatArray:
    """Each value less its person's mean."""
    means = np.bincount(place, values) / np.bincount(place)
    first = values - means[place]
    # Once more: the mean of values that are large beside their differences is rounded itself.
    result: FloatArray = first - (np.bincount(place, first) / np.bincount(place))[place]
    return result


def _is_rounding(own: FloatArray, raw: FloatArray) -> bool:
    """Whether what varies within people is only the rounding of the values."""
    rounding = 8 * np.finfo(np.float64).eps * float(np.max(np.abs(raw)))
    return bool(np.max(np.abs(own)) <= rounding)
