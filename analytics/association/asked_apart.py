"""How pain moves with stress where the two were asked for at different moments.

A habit of answering that moves both ratings of one moment cannot move two that were given at
different moments. So ratings of one of the two alone are paired with the nearest of the other, half
an hour to four hours away, each used once: pairing of irregular series by time, without
interpolation, whose bias and smoothing are those of Rehfeld et al. (2011), Nonlinear Processes in
Geophysics 18:389. The pairs are then fitted as those of one moment are, with the same protection
against what both share over the weeks. What stress does between the two moments makes the slope
smaller than that of one moment; nothing is corrected for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.rating_pairs import MIN_RATINGS, Association, no_association
from analytics.association.within_person import within_person_link

_MINUTE_NS = 60_000_000_000
# Nearer than that, two ratings are of one moment; farther away one says little of the other.
MIN_APART_NS, MAX_APART_NS = 30 * _MINUTE_NS, 240 * _MINUTE_NS
# Ratings on each side of one that it may be paired with, the nearest: a person gives a handful in
# four hours, and of thousands not every pair is looked at.
_MAX_CANDIDATES = 25


@dataclass(frozen=True, slots=True, eq=False)
class ApartPairs:
    """Pairs of ratings of different moments, by time.

    Attributes
    ----------
    x_index, y_index : array of int64, shape (n,)
        Which rating of each of the two.
    time_ns : array of int64, shape (n,)
        Half-way between them, UTC nanoseconds.
    gap_min : array of float64, shape (n,)
        Minutes from x to y; below 0 where y came first.
    """

    x_index: IntArray
    y_index: IntArray
    time_ns: IntArray
    gap_min: FloatArray


def pair_apart(x_time_ns: IntArray, y_time_ns: IntArray) -> ApartPairs:
    """Pair ratings of one thing with the nearest of another, each used once.

    Parameters
    ----------
    x_time_ns, y_time_ns : array of int64, shape (k,) and (m,)
        UTC nanoseconds, in any order.

    Returns
    -------
    ApartPairs
        The nearest two first, then the nearest of those that are left, from half an hour to four
        hours apart; by time. Of more than 25 before or after a rating, it may be paired with the
        25 nearest.

    Examples
    --------
    >>> import numpy as np
    >>> hours = 3_600_000_000_000
    >>> pairs = pair_apart(np.array([9, 15]) * hours, np.array([10, 14, 20]) * hours)
    >>> pairs.gap_min.tolist()
    [60.0, -60.0]
    """
    x_time_ns = np.asarray(x_time_ns, dtype=np.int64)
    y_time_ns = np.asarray(y_time_ns, dtype=np.int64)
    y_order = np.argsort(y_time_ns, kind="stable")
    y_sorted = y_time_ns[y_order]
    before_end = np.searchsorted(y_sorted, x_time_ns - MIN_APART_NS, side="right")
    before = np.searchsorted(y_sorted, x_time_ns - MAX_APART_NS)
    after = np.searchsorted(y_sorted, x_time_ns + MIN_APART_NS)
    after_end = np.searchsorted(y_sorted, x_time_ns + MAX_APART_NS, side="right")
    begin = np.concatenate([np.maximum(before, before_end - _MAX_CANDIDATES), after])
    end = np.concatenate([before_end, np.minimum(after_end, after + _MAX_CANDIDATES)])
    x_at = np.repeat(np.tile(np.arange(len(x_time_ns)), 2), end - begin)
    first = np.cumsum(end - begin) - (end - begin)
    y_at = np.arange(len(x_at)) - np.repeat(first - begin, end - begin)
    gaps = np.abs(y_sorted[y_at] - x_time_ns[x_at])
    x_used = np.zeros(len(x_time_ns), dtype=np.bool_)
    y_used = np.zeros(len(y_time_ns), dtype=np.bool_)
    chosen = []
    for row in np.lexsort((x_time_ns[x_at], gaps)).tolist():
        if not x_used[x_at[row]] and not y_used[y_at[row]]:
            x_used[x_at[row]] = y_used[y_at[row]] = True
            chosen.append(row)
    x_index, y_index = x_at[chosen], y_order[y_at[chosen]]
    between = y_time_ns[y_index] - x_time_ns[x_index]
    time_ns = x_time_ns[x_index] + between // 2
    order = np.argsort(time_ns, kind="stable")
    return ApartPairs(
        x_index[order], y_index[order], time_ns[order], between[order] / float(_MINUTE_NS)
    )


def apart_link(
    x_time_ns: IntArray,
    x: FloatArray,
    x_hour: FloatArray,
    y_time_ns: IntArray,
    y: FloatArray,
) -> Association:
    """Estimate how ``y`` moves with ``x``, which were asked for at different moments.

    Parameters
    ----------
    x_time_ns, y_time_ns : array of int64, shape (k,) and (m,)
        UTC nanoseconds, in any order.
    x, y : array of float64, shape (k,) and (m,)
        Ratings of stress and of pain.
    x_hour : array of float64, shape (k,)
        Local hour of day of each rating of ``x``.

    Returns
    -------
    Association
        As of ``within_person_link``, with ``n`` pairs; or the reason why there is none.

    Notes
    -----
    ``benchmarks/asked_apart.py`` has how often it errs.
    """
    pairs = pair_apart(x_time_ns, y_time_ns)
    n = len(pairs.time_ns)
    if n < MIN_RATINGS:
        return no_association(
            n,
            f"{n} of at least {MIN_RATINGS} pairs of a rating of stress and one of pain, half an "
            "hour to four hours apart",
        )
    hour = np.mod(np.asarray(x_hour)[pairs.x_index] + pairs.gap_min / 120, 24)
    return within_person_link(
        pairs.time_ns,
        np.asarray(x, dtype=np.float64)[pairs.x_index],
        np.asarray(y, dtype=np.float64)[pairs.y_index],
        hour,
    )
