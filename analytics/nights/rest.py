"""Sleep in recordings of heartbeats: the rest periods, found from heart rate and movement.

Heart rate alone finds sleep in a free life where it is compared with the person's own level by day
(Perez-Pozuelo et al. 2022, Scientific Reports 12:7956). Here each window
of five minutes gets a score: positive where its heart rate is on the lower side of the person's own
two levels (Otsu 1979), and where movement was recorded, on the lower side of that as well. Rest
periods are the maximal scoring stretches (Ruzzo and Tompa 1999, ISMB), wherever on the clock. Then
each edge moves to the largest step of the heart rate near it, since an evening on a sofa is at rest
and not asleep. ``docs/evidence/nights.md`` has how well it works, by simulation.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray

METHOD = "rest: Otsu's levels over nine days, maximal scoring stretches, edges by step; version 1"
STEP_NS = 300_000_000_000
_HOUR = 12  # steps
_DAY = 288
#: Half of the days whose levels are compared.
_REACH = 4 * _DAY
#: Of the two levels: so much known, the higher one so long, and so far apart.
_MIN_KNOWN, _MIN_HIGH = 6 * _HOUR, 6
_MIN_APART_BPM, _MIN_APART_LOG_MG = 5.0, 0.6
_CAP = 5.0  # times that, above the lowest tenth: what is higher counts as much
_NEAR = 0.35
_MIN_SEPARATION = 2.2  # of the spread within the levels
_UNKNOWN = -0.15
#: A longer time awake, or without any heart rate, ends a rest period.
MAX_AWAKE = 2 * _HOUR
#: A rest period is known for at least half of it.
MIN_SHARE = 0.5
_MAX_RESTLESS, _RESTLESS_BPM = 0.22, 6.0
#: How far an edge moves: earlier, or later, as after an evening on a sofa.
_OUT, _IN = _HOUR, 3 * _HOUR
_MIN_STEP_BPM = 2.0
# Of who never wears the strap asleep, the calmest hours awake are the lower level. So a rest is of
# a night where two hours of it are known between midnight and six, or where the day and the night
# around it were recorded, so that there is no lower level that is not known (sleep by day).
_NIGHT_ENDS_H, _MIN_AT_NIGHT, _AROUND_THE_CLOCK = 6, 2 * _HOUR, 0.9


@dataclass(frozen=True, slots=True)
class RestPeriod:
    """A time asleep, as far as heart rate and movement show it, from ``start_ns`` to ``end_ns``.

    ``known_share``: of its windows of five minutes, those with a heart rate; ``with_movement``:
    whether movement was recorded in most of it.
    """

    start_ns: int
    end_ns: int
    known_share: float
    with_movement: bool


def find_rest(
    start_ns: IntArray, bpm: FloatArray, motion_mg: FloatArray | None = None
) -> list[RestPeriod]:
    """Find the rest periods in windows of five minutes.

    Parameters
    ----------
    start_ns : array of int64, shape (w,)
        Beginnings of the windows in UTC nanoseconds, in order; times without one are gaps.
    bpm : array of float64, shape (w,)
        Heart rate of each; NaN where it is not known.
    motion_mg : array of float64, shape (w,), optional
        Mean amplitude deviation of acceleration; NaN where it is not known.

    Returns
    -------
    list of RestPeriod
        By time, of any length from half an hour. Empty where the recordings hold too little time
        awake beside that asleep to tell one from the other.

    Raises
    ------
    ValueError
        If the arrays differ in shape or the windows are not in order.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.nights import find_rest
    >>> step = 300_000_000_000
    >>> bpm = np.r_[np.full(60, 75.0), np.full(84, 55.0), np.full(60, 80.0)]
    >>> bpm += np.random.default_rng(1).normal(size=204)
    >>> (rest,) = find_rest(step * np.arange(204), bpm)
    >>> rest.start_ns // step, rest.end_ns // step, rest.known_share
    (60, 144, 1.0)
    """
    start_ns, bpm = np.asarray(start_ns, np.int64), np.asarray(bpm, np.float64)
    motion = np.full(len(bpm), np.nan) if motion_mg is None else np.asarray(motion_mg, np.float64)
    if not start_ns.shape == bpm.shape == motion.shape:
        raise ValueError("each window needs a beginning, a heart rate and a movement (or NaN)")
    if np.any(np.diff(start_ns) < 0):
        raise ValueError("windows must be in order of time")
    found: list[RestPeriod] = []
    for first, last in _recordings(start_ns):
        found += _find_in(start_ns[first:last], bpm[first:last], motion[first:last])
    return found


def is_of_night(rest: RestPeriod, start_ns: IntArray, bpm: FloatArray, clock_s: int) -> bool:
    """Whether a rest period can be a night's sleep, and not calm hours awake.

    Parameters
    ----------
    rest : RestPeriod
    start_ns, bpm : arrays of shape (w,)
        The windows that it was found in.
    clock_s : int
        Seconds by which the person's clock is before UTC then.

    Returns
    -------
    bool
        True where two hours of it are known between 0:00 and 6:00 of that clock, or nine tenths
        of the 24 hours around its middle are.
    """
    inside = _known_steps(start_ns, bpm, rest.start_ns, rest.end_ns)
    clock = (inside * (STEP_NS // 1_000_000_000) + clock_s) % 86_400
    if np.count_nonzero(clock < _NIGHT_ENDS_H * 3600) >= _MIN_AT_NIGHT:
        return True
    middle, half = (rest.start_ns + rest.end_ns) // 2, _DAY * STEP_NS // 2
    around = _known_steps(start_ns, bpm, middle - half, middle + half)
    return len(around) >= _AROUND_THE_CLOCK * _DAY


def _known_steps(start_ns: IntArray, bpm: FloatArray, from_ns: int, to_ns: int) -> IntArray:
    a, b = np.searchsorted(start_ns, [from_ns, to_ns])
    steps: IntArray = np.unique(start_ns[a:b][np.isfinite(bpm[a:b])] // STEP_NS)
    return steps


def _recordings(start_ns: IntArray) -> list[tuple[int, int]]:
    """Split where nothing was recorded for longer than levels reach: years apart cost no memory."""
    cuts = np.flatnonzero(np.diff(start_ns) > _REACH * STEP_NS) + 1
    edges = [0, *cuts.tolist(), len(start_ns)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def _find_in(start_ns: IntArray, bpm: FloatArray, motion: FloatArray) -> list[RestPeriod]:
    origin = int(start_ns[0])
    place = (start_ns - origin) // STEP_NS
    rate = np.full(int(place[-1]) + 1, np.nan)
    moved = rate.copy()
    known = np.isfinite(bpm)
    rate[place[known]] = bpm[known]
    seen = np.isfinite(motion)
    moved[place[seen]] = np.log1p(np.maximum(motion[seen], 0.0))
    score = _scores(rate, moved)
    periods = []
    for a, b in _stretches(score):
        start, end = _edge(rate, moved, a), _end_edge(rate, moved, b)
        inside = np.isfinite(rate[start:end])
        if end - start < _HOUR // 2 or inside.mean() < MIN_SHARE:
            continue
        known = rate[start:end][inside]
        # Sitting and standing by turns is even over an hour, and uneven from step to step.
        if np.mean(np.abs(known - np.median(known)) > _RESTLESS_BPM) > _MAX_RESTLESS:
            continue
        periods.append(
            RestPeriod(
                origin + start * STEP_NS,
                origin + end * STEP_NS,
                float(inside.mean()),
                bool(np.isfinite(moved[start:end]).mean() > 0.5),
            )
        )
    return periods


def _scores(rate: FloatArray, moved: FloatArray) -> FloatArray:
    """Score each step, from -1 (awake) to 1 (at rest); a little below 0 where nothing is known."""
    score = np.full(len(rate), _UNKNOWN)
    for begin in range(0, len(rate), _DAY):
        near = slice(max(0, begin - _REACH), begin + _DAY + _REACH)
        inside = slice(begin - near.start, begin - near.start + _DAY)
        of_rate = _relative(rate[near], _MIN_APART_BPM)
        if of_rate is None:
            continue
        total = of_rate[inside]
        of_motion = _relative(moved[near], _MIN_APART_LOG_MG)
        if of_motion is not None:
            still = of_motion[inside]
            total = np.where(np.isfinite(still), 0.5 * (total + still), total)
        score[begin : begin + _DAY] = np.where(np.isfinite(total), total, _UNKNOWN)
    return score


def _relative(values: FloatArray, min_apart: float) -> FloatArray | None:
    """Score values about the limit between their two levels; None where there are not two."""
    known = values[np.isfinite(values)]
    if len(known) < _MIN_KNOWN:
        return None
    # Exercise is far from both: without a cap it would be the higher level, and all else rest.
    lowest = np.quantile(known, 0.1)
    smooth = _hour_mean(np.minimum(values, lowest + _CAP * min_apart))
    levels = _two_levels(smooth, min_apart)
    return None if levels is None else _side(smooth, *levels)


def _hour_mean(values: FloatArray) -> FloatArray:
    """Average the hour around each step: sitting and standing by turns is one level, above sleep.

    NaN where less than a third of the hour is known.
    """
    known = np.isfinite(values)
    ones = np.ones(_HOUR + 1)
    count = np.convolve(known, ones, "full")[_HOUR // 2 :][: len(values)]
    total = np.convolve(np.where(known, values, 0.0), ones, "full")[_HOUR // 2 :][: len(values)]
    with np.errstate(invalid="ignore", divide="ignore"):
        result: FloatArray = np.where(count >= _HOUR // 3, total / count, np.nan)
    return result


def _side(values: FloatArray, limit: float, apart: float) -> FloatArray:
    result: FloatArray = np.clip((limit - values) / (0.25 * apart), -1.0, 1.0)
    return result


def _two_levels(values: FloatArray, min_apart: float) -> tuple[float, float] | None:
    """Find the limit of rest and how far the levels are apart (Otsu 1979).

    None where they are not two, or one is hardly there.
    """
    ordered = np.sort(values[np.isfinite(values)])
    n = len(ordered)
    sums = np.cumsum(ordered)
    count = np.arange(1, n)
    low, high = sums[:-1] / count, (sums[-1] - sums[:-1]) / (n - count)
    between = count * (n - count) * (high - low) ** 2
    best = int(np.argmax(between))
    apart = float(high[best] - low[best])
    lower, upper = ordered[: best + 1], ordered[best + 1 :]
    spread = np.sqrt((lower.var() * len(lower) + upper.var() * len(upper)) / n)
    if min(len(lower), len(upper)) < _MIN_HIGH or apart < min_apart:
        return None
    if apart < _MIN_SEPARATION * spread:
        return None
    # Sitting is near sleep: the limit is near the lowest tenth, and not in the middle.
    floor = float(ordered[n // 10])
    apart = float(high[best]) - floor
    return floor + _NEAR * apart, apart


def _stretches(score: FloatArray) -> list[tuple[int, int]]:
    """Find the maximal scoring stretches (Ruzzo and Tompa 1999) between long times awake."""
    found: list[tuple[int, int]] = []
    for begin, end in _between_long(score <= 0):
        found += [(begin + a, begin + b) for a, b in _maximal(score[begin:end])]
    return found


def _between_long(off: BoolArray) -> list[tuple[int, int]]:
    """Split at runs of two hours in which no step is at rest."""
    padded = np.r_[False, off, False].astype(np.int8)
    begins, ends = np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1)
    long = ends - begins >= MAX_AWAKE
    edges = [0, *np.column_stack([begins[long], ends[long]]).ravel().tolist(), len(off)]
    return [(edges[k], edges[k + 1]) for k in range(0, len(edges), 2) if edges[k + 1] > edges[k]]


def _maximal(score: FloatArray) -> list[tuple[int, int]]:
    stack: list[tuple[int, int, float, float]] = []  # begin, end, sum before it, sum with it
    total = 0.0
    for k, value in enumerate(score.tolist()):
        before, total = total, total + value
        if value <= 0:
            continue
        item = (k, k + 1, before, total)
        while True:
            j = len(stack) - 1
            while j >= 0 and stack[j][2] >= item[2]:
                j -= 1
            if j < 0 or stack[j][3] >= item[3]:
                stack.append(item)
                break
            item = (stack[j][0], item[1], stack[j][2], item[3])
            del stack[j:]
    return [(a, b) for a, b, _, _ in stack]


def _edge(rate: FloatArray, moved: FloatArray, at: int) -> int:
    """Move a beginning to the largest fall of the heart rate near it."""
    begin, end = max(0, at - _OUT), min(len(rate), at + _IN)
    return _largest_step(rate, moved, begin, end, at)


def _end_edge(rate: FloatArray, moved: FloatArray, at: int) -> int:
    """Move an end to the largest rise near it: time turned round, it is a beginning."""
    n = len(rate)
    return n - _edge(rate[::-1], moved[::-1], n - at)


def _largest_step(rate: FloatArray, moved: FloatArray, begin: int, end: int, at: int) -> int:
    """Find where one mean before and one after fit best; ``at`` where the step is small."""
    piece = rate[begin:end]
    known = np.flatnonzero(np.isfinite(piece))
    if len(known) < _HOUR:
        return at
    gain = np.zeros(len(known) - 1)
    values = piece[known]
    count = np.arange(1, len(values))
    n = len(values)
    drop: FloatArray = np.zeros(n - 1)
    for column, is_rate in ((values, True), (moved[begin:end][known], False)):
        if not np.isfinite(column).all() or column.std() < 1e-9:
            continue
        sums = np.cumsum(column)
        before, after = sums[:-1] / count, (sums[-1] - sums[:-1]) / (n - count)
        fall = before - after
        gain += np.where(fall > 0, count * (n - count) / n * fall**2, 0.0) / column.var()
        if is_rate:
            drop = fall
    gain[:2] = gain[-2:] = 0.0  # a mean of one or two is none
    best = int(np.argmax(gain))
    if gain[best] <= 0 or drop[best] < _MIN_STEP_BPM:
        return at
    return begin + int(known[best + 1])
