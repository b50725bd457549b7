"""Find the beats in rows of a fixed rate that repeat the latest interval until the next one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# As many equal intervals in a row are taken for beats; a value that stays longer stands still.
_MAX_EQUAL = 12
_MAX_MISMATCH = 0.03


def find_beats(
    at_s: NDArray[np.float64], rr_s: NDArray[np.float64], end_s: float, every_s: float
) -> list[tuple[int, float]]:
    """(change, time) of each beat, from the rows in which the value changed.

    ``at_s``, ``rr_s``: time and value of the first row and of each change. ``end_s``: the last row.
    ``every_s``: between rows. A beat shows in the first row after it. Equal intervals in a row are
    as many beats as the time between the changes holds.
    """
    last = float(at_s[0]) - every_s / 2  # the latest beat, as far as is known
    beats = [(0, last)]
    for place in range(len(at_s)):
        ends = place + 1 < len(at_s)
        rr = float(rr_s[place])
        if ends:
            then = float(rr_s[place + 1])
            more = max(0, round((at_s[place + 1] - every_s / 2 - then - last) / rr))
        else:
            more = max(0, math.floor((end_s - last) / rr + 1e-6))
        if more > _MAX_EQUAL:
            more = 0
            last = float(at_s[place + 1]) - then if ends else last
        for _ in range(more):
            last += rr
            beats.append((place, last))
        if ends:
            change = float(at_s[place + 1])
            last = min(max(last + then, change - every_s), change)
            beats.append((place + 1, last))
    if len(beats) > 1 and beats[1][1] - beats[0][1] < float(rr_s[beats[1][0]]):
        # The first beat was before the first row: the next one's interval says when.
        beats[0] = (0, beats[1][1] - float(rr_s[beats[1][0]]))
    return beats


def fills_time(beats: list[tuple[int, float]], rr_s: NDArray[np.float64]) -> bool:
    """Whether the intervals of the beats add up to the time that they take."""
    times = np.array([time for _, time in beats])
    intervals = np.array([rr_s[change] for change, _ in beats[1:]])
    steps = np.diff(times)
    still = steps > intervals * (_MAX_EQUAL - 1)
    span = float(steps[~still].sum())
    return abs(float(intervals[~still].sum()) / max(span, 1e-9) - 1) <= _MAX_MISMATCH
