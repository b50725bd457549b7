"""Entropies and detrended fluctuation analysis of NN intervals.

They measure how predictable and how self-similar the intervals are, of the corrected series; no
template and no box reaches over a break (``follows`` says which intervals began where the one
before them ended).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.metric import Domain, Metric

ALPHA_1, ALPHA_2 = (4, 16), (16, 64)  # boxes, in beats
MIN_ENTROPY_INTERVALS = 200
# Every pair is compared, and no heart stays the same so long.
MAX_ENTROPY_INTERVALS = 20_000
_BLOCK = 4_000_000  # comparisons held at once


class CorrectedWindows:
    """The intervals [first, last) of each row of a corrected series.

    ``nn_ms``, ``follows``: shape (n,); ``first``, ``last``: shape (w,).
    """

    def __init__(
        self, nn_ms: FloatArray, follows: BoolArray, first: IntArray, last: IntArray
    ) -> None:
        self.nn_ms, self.follows, self.first, self.last = nn_ms, follows, first, last

    @cached_property
    def entropies(self) -> FloatArray:
        """Sample and approximate entropy, shape (2, w); NaN outside 200 to 20,000 intervals."""
        result = np.full((2, len(self.first)), np.nan)
        length = self.last - self.first
        enough = (length >= MIN_ENTROPY_INTERVALS) & (length <= MAX_ENTROPY_INTERVALS)
        for row in np.flatnonzero(enough):
            part = slice(self.first[row], self.last[row])
            found = entropies(self.nn_ms[part], self.follows[part])
            result[:, row] = found.sample, found.approximate
        return result

    @cached_property
    def fluctuation(self) -> FloatArray:
        """F(n) of each box size in beats, shape (w, 65).

        The straight line of a box depends on the box alone and not on its window: the fluctuation
        of every possible box is computed once, and each window adds up its own.
        """
        return _fluctuation(self.nn_ms, self.follows, self.first, self.last)


@dataclass(frozen=True, slots=True)
class Entropies:
    """NaN where nothing matches, or nothing varies."""

    sample: float
    approximate: float


def entropies(
    nn_ms: FloatArray, follows: BoolArray | None = None, tolerance: float = 0.2
) -> Entropies:
    """Sample and approximate entropy with m = 2 and r = ``tolerance`` times SDNN.

    Two templates match when their largest difference is at most r. Sample entropy (Richman and
    Moorman 2000, Am J Physiol 278:H2039): -ln(A / B), of pairs of different templates that agree
    for 3 and for 2 intervals, among those that have a third. Approximate entropy (Pincus 1991, PNAS
    88:2297): the mean over all templates of ln of the share that match, themselves included, for 2
    less that for 3. ``nn_ms``, ``follows``: shape (n,).
    """
    n = len(nn_ms)
    reach = tolerance * float(np.std(nn_ms, ddof=1)) if n > 3 else 0.0
    if not reach > 0:
        return Entropies(math.nan, math.nan)
    two, three = np.ones(n - 1, np.bool_), np.ones(n - 2, np.bool_)
    if follows is not None:
        two = follows[1:].copy()
        three = two[:-1] & two[1:]
    whole_two, whole_three = bool(np.all(two)), bool(np.all(three))
    matches_two, matches_three = np.zeros(n - 1, np.int64), np.zeros(n - 2, np.int64)
    pairs = 0
    rows = max(1, _BLOCK // n)
    for first in range(0, n - 1, rows):
        last = min(first + rows, n - 1)
        # The matrix is symmetric: sums down the columns are those along the rows, and faster.
        near = np.subtract.outer(nn_ms[first : last + 2], nn_ms)
        match = np.abs(near, out=near) <= reach
        agree = match[: last - first, :-1] & match[1 : last - first + 1, 1:]
        longer = (
            agree[: min(last, n - 2) - first, :-1] & match[2 : min(last, n - 2) - first + 2, 2:]
        )
        with_third = agree[: len(longer), :-1]
        if not whole_two:
            agree = agree[two[first:last]]
        if not whole_three:
            longer = longer[three[first : first + len(longer)]]
            with_third = with_third[three[first : first + len(with_third)]][:, three]
        matches_two += _column_sums(agree)
        matches_three += _column_sums(longer)
        pairs += int(np.count_nonzero(with_third))
    templates = int(np.count_nonzero(three))
    same_two = (pairs - templates) // 2
    same_three = (int(np.sum(matches_three[three])) - templates) // 2
    sample = -math.log(same_three / same_two) if same_two and same_three else math.nan
    if not templates:
        return Entropies(math.nan, math.nan)
    phi_two = float(np.mean(np.log(matches_two[two] / np.count_nonzero(two))))
    phi_three = float(np.mean(np.log(matches_three[three] / templates)))
    return Entropies(sample, phi_two - phi_three)


def _column_sums(mask: BoolArray) -> IntArray:
    """Sum the columns, in bytes as long as they cannot overflow: several times faster."""
    total = np.zeros(mask.shape[1], np.int64)
    for first in range(0, len(mask), 255):
        part = mask[first : first + 255].view(np.uint8)
        total += np.sum(part, axis=0, dtype=np.uint8)
    return total


def _fluctuation(nn: FloatArray, follows: BoolArray, first: IntArray, last: IntArray) -> FloatArray:
    """Compute the root mean square deviation from the line in boxes of each size."""
    smallest, largest = ALPHA_1[0], ALPHA_2[1]
    fluctuation = np.full((len(first), largest + 1), np.nan)
    count = last - first
    profile = np.cumsum(nn - np.mean(nn)) if len(nn) else nn
    breaks = np.cumsum(~follows)
    n = len(nn)
    # Sums over j of y, j y and y² in the box that begins at each place, y counted from its first.
    total, moment, squares = np.zeros(n), np.zeros(n), np.zeros(n)
    for size in range(2, min(largest, n) + 1):
        places = n - size + 1
        y = profile[size - 1 :] - profile[:places]
        total, moment, squares = total[:places], moment[:places], squares[:places]
        total += y
        moment += (size - 1) * y
        squares += y * y
        if size < smallest:
            continue
        tilt = moment - (size - 1) / 2 * total
        left = squares - total**2 / size - tilt**2 / (size * (size**2 - 1) / 12)
        whole = breaks[size - 1 :] == breaks[:places]
        boxes = count // size
        at = first[:, None] + size * np.arange(int(np.max(boxes, initial=0)))
        inside = np.arange(at.shape[1]) < boxes[:, None]
        at = np.minimum(at, places - 1)
        inside &= whole[at]
        whole_boxes = np.count_nonzero(inside, axis=1)
        sums = np.sum(left[at], axis=1, where=inside)
        with np.errstate(all="ignore"):
            fluctuation[:, size] = np.sqrt(np.maximum(sums, 0) / (whole_boxes * size))
    return fluctuation


def dfa_alpha(windows: CorrectedWindows, sizes: tuple[int, int]) -> FloatArray:
    """Slope of log F(n) on log n for box sizes from the shortest to the longest, in beats.

    Detrended fluctuation analysis of first order (Peng, Havlin, Stanley and Goldberger 1995, Chaos
    5:82): the running sum of the deviations from the mean, in boxes that do not overlap, less each
    box's straight line. NaN when there are fewer than two boxes of the longest size, or no
    fluctuation at all.
    """
    shortest, longest = sizes
    part = windows.fluctuation[:, shortest : longest + 1]
    x = np.log(np.arange(shortest, longest + 1))
    x -= np.mean(x)
    with np.errstate(all="ignore"):
        slopes: FloatArray = np.log(np.where(part > 0, part, np.nan)) @ x / (x @ x)
    return np.where(windows.last - windows.first >= 2 * longest, slopes, np.nan)


_metric = partial(Metric[CorrectedWindows], domain=Domain.NONLINEAR, of_corrected=True)

# fmt: off
NONLINEAR: tuple[Metric[CorrectedWindows], ...] = (
    _metric("sampen", "", "sample entropy, m = 2, r = 0.2 SDNN",
            rows=lambda w: w.entropies[0], source="Richman and Moorman 2000",
            min_intervals=MIN_ENTROPY_INTERVALS),
    _metric("apen", "", "approximate entropy, m = 2, r = 0.2 SDNN",
            rows=lambda w: w.entropies[1], source="Pincus 1991",
            min_intervals=MIN_ENTROPY_INTERVALS),
    _metric("dfa_alpha1", "", "DFA exponent, boxes of 4 to 16 beats",
            rows=lambda w: dfa_alpha(w, ALPHA_1), source="Peng et al. 1995",
            min_intervals=4 * ALPHA_1[1]),
    _metric("dfa_alpha2", "", "DFA exponent, boxes of 16 to 64 beats",
            rows=lambda w: dfa_alpha(w, ALPHA_2), source="Peng et al. 1995",
            min_intervals=4 * ALPHA_2[1]),
)
# fmt: on
