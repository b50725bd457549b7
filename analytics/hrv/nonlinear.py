"""Entropies and detrended fluctuation analysis of NN intervals.

They measure how predictable and how self-similar the intervals are, of the corrected series; no
template and no box reaches over a break (``follows`` says which intervals began where the one
before them ended).
"""

from __future__ import annotations

from functools import cached_property, partial

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv import compiled
from analytics.hrv.entropy import MIN_ENTROPY_INTERVALS, window_entropies
from analytics.hrv.metric import Domain, Metric

ALPHA_1, ALPHA_2 = (4, 16), (16, 64)  # boxes, in beats


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
        return window_entropies(self.nn_ms, self.follows, self.first, self.last)

    @cached_property
    def fluctuation(self) -> FloatArray:
        """F(n) of each box size in beats, shape (w, 65).

        The straight line of a box depends on the box alone and not on its window: the fluctuation
        of every possible box is computed once, and each window adds up its own.
        """
        arguments = (self.nn_ms, self.follows, self.first, self.last)
        loops = compiled.loops()
        if loops is not None:
            found: FloatArray = loops.fluctuation(*arguments, ALPHA_1[0], ALPHA_2[1])
            return found
        return _fluctuation(*arguments)


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
