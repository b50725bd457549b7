"""Sample and approximate entropy of NN intervals: how predictable they are.

Every pair of intervals is compared. Which ones are near to one is a row of bits, made from their
order, so that 64 pairs are one word: a day takes a quarter of the time of comparing them all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv import compiled

MIN_ENTROPY_INTERVALS = 200
# Every pair is compared, and no heart stays the same so long.
MAX_ENTROPY_INTERVALS = 20_000
TOLERANCE = 0.2  # of SDNN
_SIDE_BY_SIDE = 4096  # intervals: windows of more go one by one
_IN_CACHE = 32_000  # words of windows side by side
_BLOCK = 500_000  # words of one long window held at once
Words = NDArray[np.uint64]


def window_entropies(
    nn_ms: FloatArray, follows: BoolArray, first: IntArray, last: IntArray
) -> FloatArray:
    """Sample and approximate entropy of the intervals [first, last) of each row, shape (2, w).

    NaN outside 200 to 20,000 intervals. ``nn_ms``, ``follows``: shape (n,).
    """
    result = np.full((2, len(first)), np.nan)
    length = last - first
    enough = (length >= MIN_ENTROPY_INTERVALS) & (length <= MAX_ENTROPY_INTERVALS)
    rows = np.flatnonzero(enough & (length <= _SIDE_BY_SIDE))
    loops = compiled.loops()
    if loops is not None:
        result[:, rows] = loops.entropies(nn_ms, follows, first[rows], last[rows], TOLERANCE)
    else:
        at = 0
        while at < len(rows):
            most = int(length[rows[at]])
            many = max(1, _IN_CACHE // (most * ((most + 63) // 64)))
            some = rows[at : at + many]
            result[:, some] = _side_by_side(nn_ms, follows, first[some], length[some])
            at += many
    for row in np.flatnonzero(enough & (length > _SIDE_BY_SIDE)):
        part = slice(first[row], last[row])
        found = entropies(nn_ms[part], follows[part])
        result[:, row] = found.sample, found.approximate
    return result


@dataclass(frozen=True, slots=True)
class Entropies:
    """NaN where nothing matches, or nothing varies."""

    sample: float
    approximate: float


def entropies(
    nn_ms: FloatArray, follows: BoolArray | None = None, tolerance: float = TOLERANCE
) -> Entropies:
    """Sample and approximate entropy with m = 2 and r = ``tolerance`` times SDNN.

    Two templates match when their largest difference is at most r. Sample entropy (Richman and
    Moorman 2000, Am J Physiol 278:H2039): -ln(A / B), of pairs of different templates that agree
    for 3 and for 2 intervals, among those that have a third. Approximate entropy (Pincus 1991, PNAS
    88:2297): the mean over all templates of ln of the share that match, themselves included, for 2
    less that for 3. ``nn_ms``, ``follows``: shape (n,).
    """
    n = len(nn_ms)
    # A difference of exactly r matches, however r was rounded.
    reach = tolerance * float(np.std(nn_ms, ddof=1)) * (1 + 1e-12) if n > 3 else 0.0
    if not reach > 0:
        return Entropies(math.nan, math.nan)
    two, three = np.ones(n - 1, np.bool_), np.ones(n - 2, np.bool_)
    if follows is not None:
        two = follows[1:]
        three = two[:-1] & two[1:]
    templates = int(np.count_nonzero(three))
    if not templates:
        return Entropies(math.nan, math.nan)
    with_two, with_three = _as_bits(two, n), _as_bits(three, n)
    matches_two, matches_three = np.zeros(n - 1, np.int64), np.zeros(n - 2, np.int64)
    pairs = 0
    near = _NearRows(nn_ms, reach)
    step = max(2, _BLOCK // len(with_two))
    for first in range(0, n - 1, step):
        rows = near.rows(first, min(first + step + 2, n))
        agree = rows[:-1] & _next_bit(rows[1:])
        longer = agree[:-1] & _next_bit(agree[1:])
        # The last of a block, which only the one before it needed, is the first of the next.
        agree = agree[: min(step, n - 1 - first)]
        longer = longer[:step]
        matches_two[first : first + len(agree)] = _ones(agree & with_two)
        matches_three[first : first + len(longer)] = _ones(longer & with_three)
        third = _ones(agree[: len(longer)] & with_three)
        pairs += int(np.sum(third, where=three[first : first + len(longer)]))
    same_two = (pairs - templates) // 2
    same_three = (int(np.sum(matches_three[three])) - templates) // 2
    sample = -math.log(same_three / same_two) if same_two and same_three else math.nan
    phi_two = float(np.mean(np.log(matches_two[two]))) - math.log(np.count_nonzero(two))
    phi_three = float(np.mean(np.log(matches_three[three]))) - math.log(templates)
    return Entropies(sample, phi_two - phi_three)


def _side_by_side(
    nn_ms: FloatArray, follows: BoolArray, first: IntArray, length: IntArray
) -> FloatArray:
    """Compute what ``entropies`` does of several windows of much the same length, shape (2, w).

    Bits are kept words first, with all intervals of all windows in a row: each step is one
    operation on them.
    """
    windows, n = len(first), int(np.max(length))
    place = np.arange(n)
    inside = place < length[:, None]
    at = np.minimum(first[:, None] + place, len(nn_ms) - 1)
    x = np.where(inside, nn_ms[at], 0.0)
    mean = np.sum(x, axis=1) / length
    squares = np.sum((x - mean[:, None]) ** 2, axis=1, where=inside)
    reach = (TOLERANCE * np.sqrt(squares / (length - 1)) * (1 + 1e-12))[:, None]
    x[~inside] = np.inf
    order = np.argsort(x, axis=1)
    ordered = np.take_along_axis(x, order, axis=1)
    with np.errstate(invalid="ignore"):
        furthest = _furthest(ordered, reach)
    end = np.array(
        [row.searchsorted(value, "right") for row, value in zip(ordered, furthest, strict=True)]
    )
    end = np.minimum(end, length[:, None])
    offset = (np.arange(windows) * (n + 1))[:, None]
    # A range begins behind those whose own range ends before it.
    counted = np.bincount((end + offset)[inside], minlength=windows * (n + 1))
    begin = np.cumsum(counted.reshape(windows, n + 1), axis=1)[:, :n]
    words = (n + 63) // 64
    upto = np.zeros((windows, n + 1, words), np.uint64)
    bit = np.uint64(1) << (order & 63).astype(np.uint64)
    upto[np.arange(windows)[:, None], place + 1, order >> 6] = np.where(inside, bit, 0)
    np.cumsum(upto, axis=1, out=upto)
    flat = upto.reshape(-1, words)
    where = np.empty((2, windows, n), np.int64)
    np.put_along_axis(where[0], order, end + offset, axis=1)
    np.put_along_axis(where[1], order, begin + offset, axis=1)
    near = np.ascontiguousarray(
        (flat.take(where[0].ravel(), axis=0) ^ flat.take(where[1].ravel(), axis=0)).T
    )
    two = np.zeros((windows, n), np.bool_)
    two[:, :-1] = follows[at[:, 1:]] & inside[:, 1:]
    three = two.copy()
    three[:, :-1] &= two[:, 1:]
    three[:, -1] = False
    agree = near & _next_column(near)
    longer = agree & _next_column(agree)
    with_two, with_three = _as_columns(two, words), _as_columns(three, words)
    matches_two = _count_columns(agree, with_two)
    third = _count_columns(agree, with_three)
    matches_three = _count_columns(longer, with_three)
    templates_two, templates = np.sum(two, axis=1), np.sum(three, axis=1)
    same_two = (np.sum(third, axis=1, where=three) - templates) // 2
    same_three = (np.sum(matches_three, axis=1, where=three) - templates) // 2
    with np.errstate(all="ignore"):
        sample = np.where((same_two > 0) & (same_three > 0), -np.log(same_three / same_two), np.nan)
        logs = np.log(np.arange(n + 1))
        phi_two = np.sum(logs[matches_two], axis=1, where=two) / templates_two
        phi_three = np.sum(logs[matches_three], axis=1, where=three) / templates
        approximate = phi_two - np.log(templates_two) - (phi_three - np.log(templates))
    found = np.stack([sample, approximate])
    found[:, ~(reach[:, 0] > 0) | (templates == 0)] = np.nan
    return found


def _next_column(columns: Words) -> Words:
    """Bits of the next interval, each one place down; shape (words, intervals of all windows)."""
    result = np.zeros_like(columns)
    np.right_shift(columns[:, 1:], np.uint64(1), out=result[:, :-1])
    result[:-1, :-1] |= columns[1:, 1:] << np.uint64(63)
    return result


def _as_columns(mask: BoolArray, words: int) -> Words:
    """Bits of a mask of each window: shape (words, w, 1)."""
    padded = np.zeros((len(mask), words * 64), np.bool_)
    padded[:, : mask.shape[1]] = mask
    bits = np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    return np.ascontiguousarray(bits.T)[:, :, None]


def _count_columns(columns: Words, mask: Words) -> IntArray:
    """Count the bits under the mask of each interval, shape (w, n)."""
    words, windows, _ = mask.shape
    ones = np.bitwise_count(columns.reshape(words, windows, -1) & mask)
    total = np.zeros(ones.shape[1:], np.int64)
    for word in ones:
        total += word
    return total


def _furthest(values: FloatArray, reach: FloatArray | float) -> FloatArray:
    """Find the largest number whose difference from each value, as rounded, is within reach."""
    result = values + reach
    result = np.where(result - values > reach, np.nextafter(result, -np.inf), result)
    beyond = np.nextafter(result, np.inf)
    return np.where(beyond - values <= reach, beyond, result)


class _NearRows:
    """Which of n values are within ``reach`` of each: rows of bits, 64 comparisons a word.

    In ascending order those near to a value are a range, and the bits of a range are those of all
    values up to its end without those before its beginning.
    """

    def __init__(self, values: FloatArray, reach: float) -> None:
        n = len(values)
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        end = np.searchsorted(ordered, _furthest(ordered, reach), "right")
        begin = np.searchsorted(end, np.arange(n), "right")
        self._end, self._begin = np.empty(n, np.int64), np.empty(n, np.int64)
        self._end[order], self._begin[order] = end, begin
        upto = np.zeros((n + 1, (n + 63) // 64), np.uint64)
        upto[np.arange(1, n + 1), order >> 6] = np.uint64(1) << (order & 63).astype(np.uint64)
        self._upto = np.cumsum(upto, axis=0, out=upto)

    def rows(self, first: int, last: int) -> Words:
        """Rows [first, last)."""
        result: Words = np.bitwise_xor(
            self._upto.take(self._end[first:last], axis=0),
            self._upto.take(self._begin[first:last], axis=0),
        )
        return result


def _as_bits(mask: BoolArray, n: int) -> Words:
    """Bits of a mask, in as many words as ``n`` need."""
    padded = np.zeros((n + 63) // 64 * 64, np.bool_)
    padded[: len(mask)] = mask
    return np.packbits(padded, bitorder="little").view("<u8").astype(np.uint64)


def _next_bit(rows: Words) -> Words:
    """Move every bit one place down, over the words."""
    result: Words = rows >> np.uint64(1)
    result[:, :-1] |= rows[:, 1:] << np.uint64(63)
    return result


def _ones(rows: Words) -> IntArray:
    """Count the bits of each row."""
    result: IntArray = np.bitwise_count(rows).sum(axis=1, dtype=np.int64)
    return result
