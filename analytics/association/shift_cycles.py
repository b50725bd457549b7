"""Runs of days in cycles longer than a week: shifts, such as four days on and four off.

A cycle of two to six days has a level for each of its days (``calendar_effects``). A longer one
would take a column for each of eight to 21 days, of which a few weeks say nothing, so here it has
two levels: some days in a row, and the rest.
"""

from __future__ import annotations

import functools

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.association.column_gain import column_gain

LENGTHS = (*range(8, 15), 21)
_MIN_CYCLES = 2.5  # that the ratings must span
_LEAST_BESIDE = 3.0  # ratings' worth of a run
_MIN_RATINGS = 24


@functools.cache
def _runs(length: int) -> BoolArray:
    """List the runs of one day to half a cycle, by their days, shape (runs, length)."""
    day = np.arange(length)
    return np.array(
        [
            (day - start) % length < days
            for days in range(1, length // 2 + 1)
            for start in range(length if 2 * days < length else days)
        ]
    )


def likely_runs(
    day: IntArray, x: FloatArray, y: FloatArray, most: int
) -> tuple[BoolArray, FloatArray]:
    """Find the runs that explain most of both: columns (n, k), and their priors, (k,).

    ``day``: local day of each rating, a number. ``x``, ``y``: (n,), net of the course. All cycles
    that the ratings span two and a half times have the same prior, and so have the runs of one;
    those of all runs, found or not, add up to 1.
    """
    n = len(day)
    nothing = np.empty((n, 0), bool), np.empty(0)
    span = int(day[-1] - day[0]) if n else 0
    lengths = [length for length in LENGTHS if span >= _MIN_CYCLES * length - 1]
    if n < _MIN_RATINGS or not lengths:
        return nothing
    x, y = x - np.mean(x), y - np.mean(y)
    columns, gains, priors = [], [], []
    for length in lengths:
        runs = _runs(length)
        inside = runs[:, day % length]
        count = np.sum(inside, axis=1).astype(np.float64)
        size = count * (1 - count / n)
        usable = size >= _LEAST_BESIDE
        root = np.sqrt(np.where(usable, size, 1.0))
        gain = column_gain(x, y, inside @ x / root, inside @ y / root)
        columns.append(inside[usable])
        gains.append(gain[usable])
        priors.append(np.full(int(np.sum(usable)), 1 / len(runs) / len(lengths)))
    gain, prior = np.concatenate(gains), np.concatenate(priors)
    if not len(gain):
        return nothing
    top = np.argsort(-(gain + np.log(prior)), kind="stable")[:most]
    return np.vstack(columns)[top].T, prior[top]
