"""Whether ratings are missing when things were bad: a test, since no answer can correct for it.

What is bad lingers, so ratings beside a gap tell what the gap was like. Each rating's badness is
the sum of both series net of a straight course, each in its own standard deviations; it is compared
between ratings next to missing ones and the others, with autocorrelated errors, one-sided. A curved
course would take away what is looked for: with a straight one 52% of people with 60 ratings who
leave out most of the worst third are found, with the spline of the link 45%.
"""

from __future__ import annotations

import numpy as np

from analytics._types import FloatArray
from analytics.association.detrending import is_flat, linear_basis, residuals
from analytics.association.group_difference import group_difference
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

MIN_BESIDE = 6  # ratings beside a gap, and as many others
_SAME_TIME_DAYS = 1.5 / 24
_PLACES_A_DAY = 48
_LONGER_BY = 0.6  # of the usual short gap


def count_missing_beside(days: FloatArray) -> FloatArray:
    """Count the sides (0, 1, 2) of each rating on which one is missing; shape (n,).

    A pause is a gap where it is longer than usual after that time of day: the 30th percentile of
    the pauses after ratings within an hour and a half of it.
    """
    pauses = np.diff(days)
    if len(pauses) < 4:
        return np.zeros(len(days))
    clock = days[:-1] % 1
    places = np.floor(clock * _PLACES_A_DAY).astype(np.int64) % _PLACES_A_DAY
    expected = np.empty(len(pauses))
    for place in np.unique(places):
        apart = np.abs((clock - (place + 0.5) / _PLACES_A_DAY + 0.5) % 1 - 0.5)
        expected[places == place] = np.quantile(pauses[apart <= _SAME_TIME_DAYS], 0.3)
    short = float(np.quantile(pauses[pauses > 0], 0.25)) if np.any(pauses > 0) else 0.0
    gap = pauses > expected + _LONGER_BY * short
    result: FloatArray = np.append(gap, False).astype(np.float64) + np.append(False, gap)
    return result


def badness_beside_gaps(
    days: FloatArray, x: FloatArray, y: FloatArray
) -> tuple[float, float, int] | None:
    """How much worse ratings beside a gap are: per side, its standard error, degrees of freedom.

    ``days``: (n,), local, in order. In standard deviations of the sum of both. None where there are
    too few of either kind.
    """
    beside = count_missing_beside(days)
    many = int(np.count_nonzero(beside))
    if min(many, len(days) - many) < MIN_BESIDE:
        return None
    basis = linear_basis(days)
    rest = [residuals(values - np.median(values), basis) for values in (x, y)]
    if any(is_flat(left, whole) for left, whole in zip(rest, (x, y), strict=True)):
        return None
    bad = rest[0] / np.std(rest[0]) + rest[1] / np.std(rest[1])
    if np.std(bad) < 1e-6:
        return None
    return group_difference(basis, beside, bad / np.std(bad), MIN_BESIDE)


def missing_when_bad(days: FloatArray, x: FloatArray, y: FloatArray) -> float | None:
    """P value, one-sided, of ratings missing when both were bad; None where none can be had."""
    found = badness_beside_gaps(days, x, y)
    if found is None:
        return None
    slope, error, dof = found
    return float(special.stdtr(dof, -slope / max(error, 1e-12)))
