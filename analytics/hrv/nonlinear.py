"""Entropies and DFA of many windows at once; defined in ``complexity``.

A box of DFA is freed of its own straight line, and so does not know in which window it lies: the
fluctuation of every possible box is worked out once, and each window adds up its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.complexity import ALPHA_1, ALPHA_2, entropies

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def entropy_rows(
    nn: FloatArray, follows: BoolArray, first: IntArray, last: IntArray, least: int, most: int
) -> dict[str, FloatArray]:
    """Entropies of the intervals [first, last) of each row that has ``least`` to ``most``."""
    sample, approximate = np.full(len(first), np.nan), np.full(len(first), np.nan)
    length = last - first
    for row in np.flatnonzero((length >= least) & (length <= most)):
        part = slice(first[row], last[row])
        found = entropies(nn[part], follows[part])
        sample[row], approximate[row] = found.sample, found.approximate
    return {"sampen": sample, "apen": approximate}


def dfa_rows(
    nn: FloatArray, follows: BoolArray, first: IntArray, last: IntArray
) -> dict[str, FloatArray]:
    """DFA exponents of the intervals [first, last) of each row."""
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
        kept = np.count_nonzero(inside, axis=1)
        sums = np.sum(left[at], axis=1, where=inside)
        with np.errstate(all="ignore"):
            fluctuation[:, size] = np.sqrt(np.maximum(sums, 0) / (kept * size))
    return {
        name: np.where(count >= 2 * sizes[1], _slopes(fluctuation, *sizes), np.nan)
        for name, sizes in (("dfa_alpha1", ALPHA_1), ("dfa_alpha2", ALPHA_2))
    }


def _slopes(fluctuation: FloatArray, shortest: int, longest: int) -> FloatArray:
    part = fluctuation[:, shortest : longest + 1]
    x = np.log(np.arange(shortest, longest + 1))
    x -= np.mean(x)
    with np.errstate(all="ignore"):
        slopes: FloatArray = np.log(np.where(part > 0, part, np.nan)) @ x / (x @ x)
    return slopes
