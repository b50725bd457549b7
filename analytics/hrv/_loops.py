"""Loops over beats, for Numba: see ``analytics.hrv.compiled``. Each names what it equals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from analytics._types import BoolArray, FloatArray, IntArray

MAX_BITS = 4096  # intervals of a window whose pairs are held as bits: 2 MB
_IN_CACHE = 4000  # intervals of one group of windows
_jit = njit(cache=True, nogil=True)
# Sums in any order: several numbers at a time.
_jit_sums = njit(cache=True, nogil=True, fastmath={"reassoc"})


@intrinsic
def _count_ones(typing_context: Any, word: Any) -> Any:
    """Count the bits that are 1: an instruction of the processor."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code


@_jit
def _sort_window(
    values: FloatArray, first: int, last: int, order: IntArray, many: int, spare: IntArray
) -> None:
    """Put the places [first, last) into ``order`` by their values.

    Its first ``many`` places are those of the window before, sorted: what both have is kept.
    """
    kept = 0
    done = first
    for k in range(many):
        place = order[k]
        if first <= place < last:
            spare[kept] = place
            kept += 1
            done = max(done, place + 1)
    if kept != done - first:  # not the window that begins next
        kept, done = 0, first
    fresh = last - done
    added = np.arange(done, last)
    if fresh > 64:
        added = done + np.argsort(values[done:last])
    else:
        for k in range(1, fresh):
            place = added[k]
            at = k
            while at > 0 and values[added[at - 1]] > values[place]:
                added[at] = added[at - 1]
                at -= 1
            added[at] = place
    old = new = 0
    for k in range(last - first):
        if new >= fresh or (old < kept and values[spare[old]] <= values[added[new]]):
            order[k] = spare[old]
            old += 1
        else:
            order[k] = added[new]
            new += 1


@_jit
def _near_bits(values: FloatArray, order: IntArray, begin: int, reach: float, near: Any) -> None:
    """Set bit j of column i of ``near`` where values i and j differ by at most ``reach``.

    In ascending order those near to a value are a range, of which the next changes the two ends.
    """
    n, many = len(order), len(near) - 1
    ordered, place = np.empty(n), np.empty(n, np.uint32)
    for k in range(n):
        ordered[k] = values[order[k]]
        place[k] = order[k] - begin
    now = np.zeros(many, np.uint64)
    one, six, rest = np.uint64(1), np.uint32(6), np.uint32(63)
    low = high = 0
    for k in range(n):
        value = ordered[k]
        while high < n and ordered[high] - value <= reach:
            at = place[high]
            now[at >> six] |= one << np.uint64(at & rest)
            high += 1
        while value - ordered[low] > reach:
            at = place[low]
            now[at >> six] ^= one << np.uint64(at & rest)
            low += 1
        column = np.uint64(place[k])
        for w in range(many):
            near[w, column] = now[w]


@_jit
def _and_next(word: Any, above: Any, out: Any, n: int) -> None:
    """Keep the bits of ``word`` that the next column has one place further."""
    for i in range(n):
        out[i] = word[i] & ((word[i + 1] >> np.uint64(1)) | (above[i + 1] << np.uint64(63)))


@_jit
def _add_ones(word: Any, mask: Any, count: Any, n: int) -> None:
    for i in range(n):
        count[i] += _count_ones(word[i] & mask)  # type: ignore[call-arg]


@_jit
def entropies(
    nn: FloatArray, follows: BoolArray, first: IntArray, last: IntArray, tolerance: float
) -> FloatArray:
    """Sample and approximate entropy of windows, as ``nonlinear.entropies``; shape (2, w).

    Which intervals are near to one is a column of bits: 64 pairs are compared at once, and the
    loops run along the columns, so that the compiler takes several of them at a time. NaN for
    windows of more than ``MAX_BITS`` intervals.
    """
    result = np.full((2, len(first)), np.nan)
    widest = 1
    for row in range(len(first)):
        if last[row] - first[row] <= MAX_BITS:
            widest = max(widest, last[row] - first[row])
    words = (widest + 63) // 64
    order, spare = np.empty(widest, np.int64), np.empty(widest, np.int64)
    # One word more than there are: nothing comes into the last from above.
    bits, pairs = np.zeros((words + 1, widest), np.uint64), np.zeros((words + 1, widest), np.uint64)
    longer = np.empty(widest, np.uint64)
    counts = np.empty((3, widest), np.uint64)
    twos, thirds, threes = counts[0], counts[1], counts[2]
    logs = np.log(np.maximum(np.arange(widest + 1), 1).astype(np.float64))
    before = 0
    for row in range(len(first)):
        begin, n = first[row], last[row] - first[row]
        if n > MAX_BITS or n <= 3:
            continue
        _sort_window(nn, begin, last[row], order, before, spare)
        before = n
        window = nn[begin : begin + n]
        squares = _squares(window, _sum(window) / n)
        reach = tolerance * math.sqrt(squares / (n - 1)) * (1 + 1e-12)
        if not reach > 0 or nn[order[0]] == nn[order[n - 1]]:
            continue
        many = (n + 63) // 64
        with_two, with_three = np.zeros(many, np.uint64), np.zeros(many, np.uint64)
        templates_two = templates = 0
        for j in range(n - 1):
            if follows[begin + j + 1]:
                bit = np.uint64(1) << np.uint64(j & 63)
                with_two[j >> 6] |= bit
                templates_two += 1
                if j < n - 2 and follows[begin + j + 2]:
                    with_three[j >> 6] |= bit
                    templates += 1
        if not templates:
            continue
        near, agree = bits[: many + 1], pairs[: many + 1]
        near[many] = 0
        agree[many] = 0
        _near_bits(nn, order[:n], begin, reach, near)
        twos[:n] = 0
        thirds[:n] = 0
        threes[:n] = 0
        for w in range(many):
            _and_next(near[w], near[w + 1], agree[w], n - 1)
            _add_ones(agree[w], with_two[w], twos, n - 1)
            _add_ones(agree[w], with_three[w], thirds, n - 2)
        for w in range(many):
            _and_next(agree[w], agree[w + 1], longer, n - 2)
            _add_ones(longer, with_three[w], threes, n - 2)
        same_two = same_three = np.int64(0)
        phi_two = phi_three = 0.0
        for i in range(n - 1):
            if follows[begin + i + 1]:
                phi_two += logs[np.int64(twos[i])]
                if i < n - 2 and follows[begin + i + 2]:
                    same_two += np.int64(thirds[i])
                    same_three += np.int64(threes[i])
                    phi_three += logs[np.int64(threes[i])]
        same_two, same_three = (same_two - templates) // 2, (same_three - templates) // 2
        if same_two and same_three:
            result[0, row] = -math.log(same_three / same_two)
        phi_two = phi_two / templates_two - logs[templates_two]
        result[1, row] = phi_two - (phi_three / templates - logs[templates])
    return result


# Two loops: of more than a few arrays the compiler does not prove that they are different ones,
# and takes one number at a time.
@_jit
def _lengthen_boxes(
    profile: FloatArray, total: FloatArray, moment: FloatArray, squares: FloatArray, size: int
) -> None:
    """Add the last of ``size`` values to the sums of the box at every place."""
    ahead = float(size - 1)
    for p in range(len(profile) - size + 1):
        y = profile[p + size - 1] - profile[p]
        total[p] += y
        moment[p] += ahead * y
        squares[p] += y * y


@_jit
def _leave_line(
    total: FloatArray, moment: FloatArray, squares: FloatArray, left: FloatArray, size: int
) -> None:
    """Sum of squares from the straight line of the box at every place."""
    half, scale = (size - 1) / 2.0, 1.0 / size
    tilted = 12.0 / (size * (size * size - 1.0))
    for p in range(len(total) - size + 1):
        tilt = moment[p] - half * total[p]
        left[p] = squares[p] - total[p] * total[p] * scale - tilt * tilt * tilted


@_jit
def fluctuation(
    nn: FloatArray,
    follows: BoolArray,
    first: IntArray,
    last: IntArray,
    smallest: int,
    largest: int,
) -> FloatArray:
    """F(n) of each box size, as ``nonlinear._fluctuation``; shape (w, largest + 1).

    Windows are taken as many at a time as have their boxes in the cache.
    """
    windows = len(first)
    result = np.full((windows, largest + 1), np.nan)
    row = 0
    while row < windows:
        low, high, end = first[row], last[row], row + 1
        while end < windows and first[end] >= low and last[end] <= low + _IN_CACHE:
            high = max(high, last[end])
            end += 1
        part = nn[low:high]
        n = len(part)
        profile = np.cumsum(part - np.mean(part)) if n else part
        breaks = np.cumsum(~follows[low:high])
        unbroken = n == 0 or breaks[n - 1] == breaks[0]
        total, moment = np.zeros(n), np.zeros(n)
        squares, left = np.zeros(n), np.zeros(n)
        for size in range(2, min(largest, n) + 1):
            _lengthen_boxes(profile, total, moment, squares, size)
            if size < smallest:
                continue
            _leave_line(total, moment, squares, left, size)
            for one in range(row, end):
                at = first[one] - low
                boxes = (last[one] - first[one]) // size
                found, whole = 0.0, 0
                if unbroken:
                    whole = boxes
                    found = _sum(left[at : at + boxes * size : size])
                else:
                    for p in range(at, at + boxes * size, size):
                        if breaks[p + size - 1] == breaks[p]:
                            found += left[p]
                            whole += 1
                if whole:
                    result[one, size] = math.sqrt(max(found, 0.0) / (whole * size))
        row = end
    return result


@_jit_sums
def _sum(values: FloatArray) -> float:
    total = 0.0
    for i in range(len(values)):
        total += values[i]
    return total


@_jit_sums
def _squares(values: FloatArray, middle: float) -> float:
    """Sum of the squared distances from ``middle``."""
    total = 0.0
    for i in range(len(values)):
        total += (values[i] - middle) * (values[i] - middle)
    return total


@_jit
def _between(ordered: FloatArray, count: int, share: float) -> float:
    place = share * (count - 1)
    low = math.floor(place)
    high = min(low + 1, count - 1)
    result: float = ordered[low] + (place - low) * (ordered[high] - ordered[low])
    return result


@_jit
def _spread(ordered: FloatArray, count: int, median: float) -> float:
    """Median distance from the median, of sorted values."""
    above = np.searchsorted(ordered[:count], median)
    below = above - 1
    wanted = 0.5 * (count - 1)
    low = math.floor(wanted)
    at_low = at_high = 0.0
    for k in range(min(low + 2, count)):
        if below < 0 or (above < count and ordered[above] - median <= median - ordered[below]):
            distance = ordered[above] - median
            above += 1
        else:
            distance = median - ordered[below]
            below -= 1
        if k == low:
            at_low = at_high = distance
        elif k > low:
            at_high = distance
    return at_low + (wanted - low) * (at_high - at_low)


@_jit
def time_domain(
    rr: FloatArray,
    normal: BoolArray,
    follows: BoolArray,
    first: IntArray,
    last: IntArray,
    bin_ms: float,
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Compute the sums that metrics of ``time_domain`` are made of.

    Returns the count and the sum of the NN intervals of each window, and of shape (11, w): SDNN,
    root mean square, standard deviation of differences and of sums of neighbours, shares of
    differences above 20 and 50 ms, median distance from the median, 80th less 20th percentile,
    range, fullest bin of ``bin_ms`` and how many are in it.
    """
    windows = len(first)
    count, sums = np.zeros(windows, np.int64), np.zeros(windows)
    result = np.full((11, windows), np.nan)
    widest = 1
    for row in range(windows):
        widest = max(widest, last[row] - first[row])
    order, spare = np.empty(widest, np.int64), np.empty(widest, np.int64)
    held = np.empty((4, widest))
    nn, steps, both, ordered = held[0], held[1], held[2], held[3]
    before = 0
    for row in range(windows):
        begin, end = first[row], last[row]
        n = pairs = above_20 = above_50 = 0
        for i in range(begin, end):
            if not normal[i]:
                continue
            nn[n] = rr[i]
            n += 1
            if i > begin and normal[i - 1] and follows[i]:
                step = rr[i] - rr[i - 1]
                steps[pairs] = step
                both[pairs] = rr[i] + rr[i - 1]
                pairs += 1
                above_20 += abs(step) > 20.0
                above_50 += abs(step) > 50.0
        total = _sum(nn[:n])
        count[row], sums[row] = n, total
        if not n:
            continue
        squares = _squares(nn[:n], total / n)
        step_squares = _squares(steps[:pairs], 0.0)
        step_spread = _squares(steps[:pairs], _sum(steps[:pairs]) / max(pairs, 1))
        both_spread = _squares(both[:pairs], _sum(both[:pairs]) / max(pairs, 1))
        if n > 1:
            result[0, row] = math.sqrt(squares / (n - 1))
        if pairs:
            result[1, row] = math.sqrt(step_squares / pairs)
            result[4, row] = 100.0 * above_20 / pairs
            result[5, row] = 100.0 * above_50 / pairs
        if pairs > 1:
            result[2, row] = math.sqrt(step_spread / (pairs - 1))
            result[3, row] = math.sqrt(both_spread / (pairs - 1))
        _sort_window(rr, begin, end, order, before, spare)
        before = end - begin
        k = 0
        for j in range(before):
            if normal[order[j]]:
                ordered[k] = rr[order[j]]
                k += 1
        median = _between(ordered, n, 0.5)
        result[6, row] = _spread(ordered, n, median)
        result[7, row] = _between(ordered, n, 0.8) - _between(ordered, n, 0.2)
        result[8, row] = ordered[n - 1] - ordered[0]
        fullest, height, in_bin, last_bin = 0.0, 0, 0, -1.0
        for j in range(n):
            this = math.floor(ordered[j] / bin_ms)
            in_bin = in_bin + 1 if this == last_bin else 1
            last_bin = this
            if in_bin > height:
                fullest, height = this, in_bin
        result[9, row], result[10, row] = fullest, height
    return count, sums, result
