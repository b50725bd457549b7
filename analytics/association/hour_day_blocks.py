"""Blocks of hours on some days of the week: office hours, Sunday evenings, one's own shift.

An effect of the hour and one of the weekday that add up do not make such a block: 20 people who
share office hours at fixed times of rating were called linked in 64% of clinics, and one person
with working hours of their own in 43% of draws of 112 ratings, before blocks were looked for.

A block is any run of full hours on any run of one to seven weekdays (12,900 of them). What a block
explains needs only sums over the 24 x 7 cells of a week, so all are scored at once.
"""

from __future__ import annotations

import functools

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.association.column_gain import column_gain

MIN_SPAN_DAYS = 13.0  # with less, a weekday is one day or two

_HOURS, _DAYS = 24, 7
_LEAST_BESIDE = 3.0  # ratings' worth of a block, net of what is known
_STRONG = 5.0  # log evidence of a clinic's: 150 to 1
_MOST_COMMON = 4  # blocks of a clinic


def week_cells(days: FloatArray) -> IntArray:
    """Cell of the week, weekday * 24 + hour, of each local day with its fraction, shape (n,)."""
    hour = np.clip(np.floor((days % 1) * _HOURS), 0, _HOURS - 1)
    result: IntArray = ((np.floor(days) % _DAYS) * _HOURS + hour).astype(np.int64)
    return result


@functools.cache
def _runs() -> tuple[FloatArray, FloatArray, FloatArray]:
    """List runs of hours (300, 24), runs of days (43, 7), and the prior of the latter.

    Half of the prior is for working days against the weekend, half for all other runs.
    """
    hours = [
        (np.arange(_HOURS) >= start) & (np.arange(_HOURS) < end)
        for start in range(_HOURS)
        for end in range(start + 1, _HOURS + 1)
    ]
    days, usual = [np.ones(_DAYS, bool)], [False]
    for length in range(1, _DAYS):
        for start in range(_DAYS):
            run = (np.arange(_DAYS) - start) % _DAYS < length
            days.append(run)
            usual.append((start, length) in ((0, 5), (5, 2)))
    chosen = np.array(usual)
    prior = np.where(chosen, 0.5 / np.sum(chosen), 0.5 / np.sum(~chosen))
    return np.array(hours, np.float64), np.array(days, np.float64), prior


def _priors() -> FloatArray:
    """List the prior of every block, in the order of ``_sums``; they add up to 1."""
    hours, _, prior = _runs()
    return np.tile(prior / len(hours), len(hours))


def _sums(tables: FloatArray) -> FloatArray:
    """Add up cells (k, 168) over every block, (k, 300 * 43)."""
    hours, days, _ = _runs()
    cells = tables.reshape(len(tables), _DAYS, _HOURS)
    result: FloatArray = (hours @ cells.swapaxes(1, 2) @ days.T).reshape(len(tables), -1)
    return result


def _table_of(cells: IntArray, values: FloatArray) -> FloatArray:
    """Add up columns of values (n, k) over the cells of the week, (k, 168)."""
    return np.array([np.bincount(cells, v, minlength=_HOURS * _DAYS) for v in values.T])


def _gains(
    cells: IntArray, x: FloatArray, y: FloatArray, known: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Log likelihood that each block adds, of x and of what x leaves of y, and its net size.

    ``known``: tables (c, 168) of what ``x`` and ``y`` are net of already.
    """
    count = np.bincount(cells, minlength=_HOURS * _DAYS).astype(np.float64)
    size = _sums(count[None])[0]
    weighted = known * count
    beside = _sums(weighted)
    size = size - np.einsum("cb,cb->b", beside, np.linalg.pinv(weighted @ known.T) @ beside)
    usable = size >= _LEAST_BESIDE
    by_x, by_y = _sums(_table_of(cells, np.column_stack([x, y]))) / np.sqrt(
        np.where(usable, size, 1.0)
    )
    return np.where(usable, column_gain(x, y, by_x, by_y), -np.inf), size


def _columns_of(blocks: IntArray, cells: IntArray) -> BoolArray:
    """Whether each rating lies in each block, (n, k)."""
    hours, days, _ = _runs()
    weekday, hour = np.divmod(cells, _HOURS)
    first, second = np.divmod(blocks, len(days))
    result: BoolArray = (hours[first][:, hour] * days[second][:, weekday] > 0).T
    return result


def likely_blocks(
    days: FloatArray, x: FloatArray, y: FloatArray, most: int
) -> tuple[BoolArray, FloatArray]:
    """Find the blocks that explain most of both: columns (n, k), and their priors, (k,).

    ``days``: local. ``x``, ``y``: (n,), net of the course. Blocks that hold the same ratings are
    one, with the sum of their priors; the priors of all blocks, found or not, add up to 1.
    """
    cells = week_cells(days)
    gain, size = _gains(cells, x, y, np.ones((1, _HOURS * _DAYS)))
    usable = np.flatnonzero(np.isfinite(gain))
    if not len(usable):
        return np.empty((len(x), 0), bool), np.empty(0)
    # What holds the same ratings has the same gain and size but for rounding.
    keys = np.round(np.column_stack([gain[usable], size[usable]]), 7)
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    held = np.bincount(which.ravel(), _priors()[usable])
    weight: FloatArray = held / float(np.sum(held))
    top = np.argsort(-(gain[usable][first] + np.log(weight)), kind="stable")[:most]
    return _columns_of(usable[first[top]], cells), weight[top]


def common_blocks(
    days: FloatArray, x: FloatArray, y: FloatArray, known: FloatArray
) -> list[FloatArray]:
    """Find blocks that all people of a clinic share, one after another: tables (168,) each.

    ``days``: local, of all people; ``x``, ``y``: net of each one's course, in the same unit.
    ``known``: tables (c, 168) that are in the clinic's profile already.
    """
    cells = week_cells(days)
    log_prior = np.log(_priors())
    found: list[FloatArray] = []
    for _ in range(_MOST_COMMON):
        tables = np.vstack([known, *found])
        design = tables[:, cells].T
        both = np.column_stack([x, y])
        both = both - design @ np.linalg.lstsq(design, both, rcond=1e-6)[0]
        gain = _gains(cells, both[:, 0], both[:, 1], tables)[0] + log_prior
        best = int(np.argmax(gain))
        if not gain[best] - np.log(len(x)) > _STRONG:
            break
        week = np.arange(_HOURS * _DAYS)
        found.append(_columns_of(np.array([best]), week)[:, 0].astype(np.float64))
    return found
