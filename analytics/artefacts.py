"""Which beats are missed, extra, long, short or ectopic: the method of Lipponen and Tarvainen.

Source: Lipponen and Tarvainen (2019), "A robust algorithm for heart rate variability time series
artefact correction using novel beat classification", Journal of Medical Engineering & Technology
43:173, equations 1 to 9. Two series are compared with thresholds that follow the person: the
difference of neighbouring intervals (dRR), and the distance from the median of 11 (mRR). A
threshold is 5.2 times the quartile deviation of the 91 values around a beat.

Differences to the paper, and why:

- A gap ends the series: no difference, median or threshold reaches over it.
- Intervals that no heart makes (under 250 or over 3,000 ms) are labelled first and left out, so
  that a burst of them cannot hide itself; what is before and after such a one is compared over it.
- A threshold never falls under 2% of the median interval (some 15 ms): where the heart is as
  regular as a paced one, the quartile deviation is nearly zero and every beat would be an artefact.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

METHOD = "Lipponen and Tarvainen 2019, gap-aware; version 1"
SHORTEST_MS = 250.0
LONGEST_MS = 3000.0
FEWEST_BEATS = 12  # of an unbroken run; fewer say nothing about what is usual
_ALPHA = 5.2
_QUARTILE_WIDTH = 91
_MEDIAN_WIDTH = 11
_C1, _C2 = 0.13, 0.17
_FAR_FROM_MEDIAN = 3.0
_SMALLEST_THRESHOLD = 0.02

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_Kind = TypeVar("_Kind", np.float64, np.bool_)


class Beat(IntEnum):
    """What a beat (the end of its interval) is taken for."""

    NORMAL = 0
    ECTOPIC = 1
    LONG = 2
    SHORT = 3
    MISSED = 4  # a beat was missed: the interval holds two
    EXTRA = 5  # a beat too many: this interval and the next are one
    IMPOSSIBLE = 6  # no heart makes such an interval
    UNKNOWN = 7  # too few beats in a row to tell


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """``beat``: shape (n,), a Beat for each interval. ``median_ms``: shape (n,), the median of the
    11 intervals around it (NaN where unknown).
    """

    beat: NDArray[np.int8]
    median_ms: FloatArray

    @property
    def normal(self) -> BoolArray:
        """Mask of the intervals between two normal beats."""
        result: BoolArray = self.beat == np.int8(Beat.NORMAL)
        return result


def label(rr_ms: FloatArray, run: NDArray[np.int64] | None = None) -> Labelled:
    """Label RR intervals.

    ``rr_ms``: shape (n,), in order. ``run``: a number per unbroken run of beats, not decreasing;
    one run if left out. Raises ValueError for other shapes, or runs out of order.
    """
    rr = np.asarray(rr_ms, dtype=np.float64)
    if rr.ndim != 1:
        raise ValueError(f"rr_ms must have shape (n,), not {rr.shape}")
    runs = np.zeros(len(rr), np.int64) if run is None else np.asarray(run)
    if runs.shape != rr.shape:
        raise ValueError("run must have the shape of rr_ms")
    if np.any(np.diff(runs) < 0):
        raise ValueError("run must not decrease: intervals come in order of time")
    beat = np.full(len(rr), Beat.UNKNOWN, dtype=np.int8)
    median = np.full(len(rr), np.nan)
    possible = np.isfinite(rr) & (rr >= SHORTEST_MS) & (rr <= LONGEST_MS)
    beat[~possible] = Beat.IMPOSSIBLE
    where = np.flatnonzero(possible)
    for piece in _pieces(runs[where]):
        at = where[piece]
        if len(at) >= FEWEST_BEATS:
            beat[at], median[at] = _label_run(rr[at])
    return Labelled(beat, median)


def _pieces(runs: NDArray[np.int64]) -> list[slice]:
    if not len(runs):
        return []
    edges = np.flatnonzero(np.diff(runs)) + 1
    return [slice(int(a), int(b)) for a, b in zip([0, *edges], [*edges, len(runs)], strict=True)]


def _label_run(rr: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Labels and medians of one unbroken run of possible intervals."""
    n = len(rr)
    smallest = _SMALLEST_THRESHOLD * float(np.median(rr))
    drr = np.diff(rr, prepend=rr[0])
    drr[0] = drr[1:].mean()  # as the paper's implementation: the first has no difference
    d_threshold = np.maximum(_threshold(drr), smallest)
    d = drr / d_threshold
    median = ndimage.median_filter(rr, size=min(_MEDIAN_WIDTH, n), mode="nearest")
    distance = rr - median
    distance = np.where(distance < 0, 2 * distance, distance)
    m_threshold = np.maximum(_threshold(distance), smallest)
    m = distance / m_threshold

    before, after, after_next = _shifted(d, -1), _shifted(d, 1), _shifted(d, 2)
    # Equations 4 and 5, subspace S1: an early beat and its pause.
    s12 = np.where(d > 0, np.maximum(before, after), np.minimum(before, after))
    ectopic = ((d > 1) & (s12 < -_C1 * d - _C2)) | ((d < -1) & (s12 > -_C1 * d + _C2))
    # Equations 6 and 7, subspace S2: a step away and back.
    s22 = np.where(d >= 0, np.minimum(after, after_next), np.maximum(after, after_next))
    far = np.abs(m) > _FAR_FROM_MEDIAN
    long = ((d > 1) & (s22 < -1)) | (far & (m > 0))
    short = ((d < -1) & (s22 > 1)) | (far & (m < 0))
    # Equations 8 and 9: two intervals in one, or one in two.
    following = np.append(rr[1:], rr[-1:])
    missed = long & (np.abs(rr / 2 - median) < m_threshold)
    extra = short & (np.abs(rr + following - median) < m_threshold)
    extra[-1] = False

    beat = np.full(n, Beat.NORMAL, dtype=np.int8)
    beat[long] = Beat.LONG
    beat[short] = Beat.SHORT
    # An ectopic beat shows twice, as a short interval and a long one: both are its own.
    beat[ectopic] = Beat.ECTOPIC
    pair = (_shifted(ectopic & (d > 1), 1) & short) | (_shifted(ectopic & (d < -1), 1) & long)
    beat[pair] = Beat.ECTOPIC
    beat[missed] = Beat.MISSED
    beat[extra] = Beat.EXTRA
    return beat, median


def _threshold(values: FloatArray) -> FloatArray:
    """5.2 times the quartile deviation of |values| in the 91 around each; shape as ``values``."""
    size = min(_QUARTILE_WIDTH, len(values))
    size -= 1 - size % 2
    absolute = np.abs(values)
    low = ndimage.percentile_filter(absolute, 25, size=size, mode="nearest")
    high = ndimage.percentile_filter(absolute, 75, size=size, mode="nearest")
    result: FloatArray = _ALPHA * (high - low) / 2
    return result


def _shifted(values: NDArray[_Kind], by: int) -> NDArray[_Kind]:
    """``values[i + by]``; 0 beyond the ends."""
    result = np.zeros_like(values)
    if by > 0:
        result[:-by] = values[by:]
    else:
        result[-by:] = values[:by]
    return result
