"""How predictable and how self-similar NN intervals are. No template and no box reaches over a
break: ``follows`` says which intervals began where the one before them ended.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_BLOCK = 4_000_000  # comparisons held at once
ALPHA_1, ALPHA_2 = (4, 16), (16, 64)  # boxes, in beats


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


def _column_sums(mask: BoolArray) -> NDArray[np.int64]:
    """Sums of the columns, in bytes as long as they cannot overflow: several times faster."""
    total = np.zeros(mask.shape[1], np.int64)
    for first in range(0, len(mask), 255):
        part = mask[first : first + 255].view(np.uint8)
        total += np.sum(part, axis=0, dtype=np.uint8)
    return total


def dfa_alpha(
    nn_ms: FloatArray, shortest: int, longest: int, follows: BoolArray | None = None
) -> float:
    """Slope of log F(n) on log n for box sizes from ``shortest`` to ``longest`` beats.

    Detrended fluctuation analysis of first order (Peng, Havlin, Stanley and Goldberger 1995, Chaos
    5:82): the running sum of the deviations from the mean, in boxes that do not overlap, each freed
    of its straight line. Short-term alpha 1: 4 to 16; long-term alpha 2: 16 to 64. NaN when there
    are fewer than two boxes of the longest size, or no fluctuation at all.
    """
    n = len(nn_ms)
    if n < 2 * longest:
        return float("nan")
    profile = np.cumsum(nn_ms - np.mean(nn_ms))
    breaks = np.zeros(n, np.int64) if follows is None else np.cumsum(~follows)
    sizes = np.arange(shortest, longest + 1)
    fluctuation = np.empty(len(sizes))
    for index, size in enumerate(sizes):
        boxes = profile[: n // size * size].reshape(-1, size)
        within = breaks[: n // size * size].reshape(-1, size)
        boxes = boxes[within[:, 0] == within[:, -1]]
        if not len(boxes):
            return float("nan")
        x = np.arange(size) - (size - 1) / 2
        centred = boxes - boxes.mean(axis=1, keepdims=True)
        slope = centred @ x / (x @ x)
        left = centred - slope[:, None] * x
        fluctuation[index] = np.sqrt(np.mean(left**2))
    if np.any(fluctuation <= 0):
        return float("nan")
    slope, _ = np.polyfit(np.log(sizes), np.log(fluctuation), 1)
    return float(slope)
