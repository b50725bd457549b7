"""Outcomes of a treatment, as pain trials report them.

Sources: at least 30% less pain is moderate, at least 50% substantial improvement (Dworkin et al.
2008, Journal of Pain 9:105); pain-free or nearly so is 0 or 1 of 10, of all who began (Ashar et al.
2022, JAMA Psychiatry 79:13); Hedges' g with its interval: Hedges and Olkin (1985), Statistical
Methods for Meta-Analysis, chapter 5. Whether one person's change is reliable: ``change``.

``before`` and ``after``: shape (n,), one row a person, NaN where not measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray
from analytics.programme.trigger_patterns import wilson_interval

NEARLY_FREE = 1.0
MIN_FOR_G = 2


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``of``, in percent with Wilson's 95% interval (1927, JASA 22:209); None of 0."""

    count: int
    of: int
    percent: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class GroupOutcome:
    """One group.

    Means and standard deviations (n - 1) are of those measured at that time; a number is None when
    no one, or for a deviation only one, was measured.
    """

    n_baseline: int
    n_after: int
    mean_before: float | None
    sd_before: float | None
    mean_after: float | None
    sd_after: float | None
    responders_30_percent: Share
    responders_50_percent: Share
    pain_free_or_nearly: Share


@dataclass(frozen=True, slots=True)
class HedgesG:
    """Standardised difference of changes, with its 95% interval; None with the reason."""

    g: float | None
    low: float | None
    high: float | None
    n_first: int
    n_second: int
    missing_reason: str | None


def group_outcome(
    before: FloatArray, after: FloatArray, scale: tuple[float, float] = (0.0, 10.0)
) -> GroupOutcome:
    """Summarise the outcome of one group of a trial.

    Parameters
    ----------
    before, after : array of float64, shape (n,)
        One row a person, NaN where not measured. People without a baseline are dropped.
    scale : tuple of float
        The ends of the scale, the lower one no pain. Shares of less pain count from there, and
        nearly free is up to a tenth of it (0 or 1 of 10; 0 to 10 of 100).

    Returns
    -------
    GroupOutcome
        Means, standard deviations, and shares with Wilson's interval. Responders are of those
        measured twice who had pain before; free of pain or nearly so, of all with a baseline: who
        was not measured again does not count as free.

    Notes
    -----
    Thresholds: Dworkin et al. (2008), Journal of Pain 9:105; Ashar et al. (2022), JAMA Psychiatry
    79:13.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import group_outcome
    >>> found = group_outcome(np.array([6.0, 4, 5, 7]), np.array([1.0, 3, 2, np.nan]))
    >>> found.n_baseline, found.n_after, found.responders_30_percent.count
    (4, 3, 2)
    """
    before, after = np.asarray(before, np.float64), np.asarray(after, np.float64)
    began = np.isfinite(before)
    twice = began & np.isfinite(after)
    first, last = before[twice], after[twice]
    low, high = scale
    had_pain = first > low
    # As thresholds of points, so that rounding of a ratio decides nothing.
    less, pain = first[had_pain] - last[had_pain], first[had_pain] - low
    free = low + (high - low) * NEARLY_FREE / 10 * (1 + 1e-9)
    return GroupOutcome(
        n_baseline=int(np.count_nonzero(began)),
        n_after=int(np.count_nonzero(twice)),
        mean_before=_mean(before[began]),
        sd_before=_sd(before[began]),
        mean_after=_mean(last),
        sd_after=_sd(last),
        responders_30_percent=share(less >= (0.3 - 1e-9) * pain),
        responders_50_percent=share(less >= (0.5 - 1e-9) * pain),
        pain_free_or_nearly=share(twice[began] & (np.nan_to_num(after[began], nan=np.inf) <= free)),
    )


def hedges_g(first_change: FloatArray, second_change: FloatArray) -> HedgesG:
    """Compute the standardised difference of two groups' changes.

    Parameters
    ----------
    first_change, second_change : array of float64, shape (n,) and (m,)
        After less before, one row a person; NaN are dropped.

    Returns
    -------
    HedgesG
        g with its 95% interval, negative where the first group fell more, or ``missing_reason``.

    Notes
    -----
    Hedges and Olkin (1985), Statistical Methods for Meta-Analysis, chapter 5.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import hedges_g
    >>> found = hedges_g(np.array([-3.0, -2, -4, -3]), np.array([-1.0, 0, -2, -1]))
    >>> round(found.g, 2)
    -2.13
    """
    one = first_change[np.isfinite(first_change)]
    two = second_change[np.isfinite(second_change)]
    n, m = len(one), len(two)
    if n < MIN_FOR_G or m < MIN_FOR_G:
        return HedgesG(None, None, None, n, m, "fewer than two people measured twice in a group")
    dof = n + m - 2
    pooled = math.sqrt(
        ((n - 1) * float(np.var(one, ddof=1)) + (m - 1) * float(np.var(two, ddof=1))) / dof
    )
    if pooled <= 0:
        return HedgesG(None, None, None, n, m, "everybody changed by the same")
    # The exact correction, as statsmodels and metafor have it, to the approximation's 4th digit.
    correct = 1 - 3 / (4 * dof - 1)
    g = correct * (float(np.mean(one)) - float(np.mean(two))) / pooled
    error = math.sqrt((n + m) / (n * m) + g**2 / (2 * (n + m)))
    return HedgesG(g, g - 1.959964 * error, g + 1.959964 * error, n, m, None)


def share(mask: BoolArray) -> Share:
    """How many, with Wilson's interval."""
    of, count = len(mask), int(np.count_nonzero(mask))
    if not of:
        return Share(0, 0, None, None, None)
    low, high = wilson_interval(count, of)
    return Share(count, of, 100 * count / of, 100 * low, 100 * high)


def _mean(values: FloatArray) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _sd(values: FloatArray) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
