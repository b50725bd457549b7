"""A clinic's second look: the link in the changes from rating to rating, beyond a margin.

Shared moments (a bad day, a step on a date of one's own) bias every person's slope a little in the
same way, and the mean over people makes that little certain: 20 people with two steps of 3 points
each are called linked in 76% of clinics by their mean slope alone. A filter cannot tell a step from
lingering errors; that large joint changes are rare, can. So:

1. The clinic's common profile of hours and weekdays is taken out.
2. Per person: changes between ratings at most a day and a half apart, less three daily and three
   weekly waves of one's own; Tukey's weights (Beaton and Tukey 1974, Technometrics 16:147) on the
   joint size of both changes, so that a moment at which both jump counts little; their
   correlation.
3. The mean over people, with the interval of Hartung and Knapp, against a margin of 0.08 standard
   deviations per standard deviation and not against 0.

A link that lives in slow ups and downs only is not seen by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.association.detrending import independent_columns, spline_basis, spline_df
from analytics.association.hour_day_blocks import common_blocks, week_cells
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

MARGIN = 0.08  # standard deviations per standard deviation; tuned on simulated clinics
_CUTOFF = 3.5  # joint size of both changes, in standard deviations, at which the weight is 0
_RIDGE = 0.5  # prior standard deviation of the own waves
_LONGEST_DAYS = 1.5
# E[w u^2 v^2] / E[w u^2] for standard normal u and v: what the weights cost a Gaussian link.
_SHRINKAGE = 0.6629
_MIN_CHANGES = 8  # beyond the columns
_MIN_MOVING = 0.15  # of the changes' weight
_MIN_ERROR = 0.08
_ROUNDS = 10
_MIN_WEEKEND_HOUR = 10  # ratings of all people, on each side, for an hour of weekends of its own
_MIN_WEEKDAY_HOUR = 20  # ratings of all people, for an hour of one weekday of its own
_ROUNDING = 1e-9  # of the standard deviation


@dataclass(frozen=True, slots=True, eq=False)
class PersonSeries:
    """One person's ratings in order of time, each (n,).

    ``days``: local; ``effects``: (n, k), columns of known moments, such as the days after a
    session.
    """

    days: FloatArray
    x: FloatArray
    y: FloatArray
    effects: FloatArray


@dataclass(frozen=True, slots=True)
class ChangesLink:
    """Of one person: standard deviations per standard deviation, its error, and y's per x's."""

    estimate: float
    error: float
    y_per_x: float


def remove_common_profile(people: list[PersonSeries]) -> list[PersonSeries]:
    """Take out what all have in common by hour and weekday, each one's course left in.

    A level for each hour and each weekday; where there are enough ratings one for each hour of
    weekends or of one weekday; and the blocks of hours and days that all are found to share.
    """
    if not people:
        return []
    cells = [week_cells(one.days) for one in people]
    weekday, hour = np.divmod(np.arange(168), 24)
    tables = [hour == k for k in range(24)] + [weekday == k for k in range(1, 7)]
    together = np.concatenate(cells)
    known = np.array([*tables, *_joint_cells(together)], np.float64)
    bases, targets, scales = [], [], []
    for one in people:
        smooth = spline_basis(one.days, spline_df(len(one.days)))
        basis = independent_columns(np.column_stack([smooth, one.effects]))
        values = np.column_stack([one.x - np.median(one.x), one.y - np.median(one.y)])
        values = values - basis @ (basis.T @ values)
        scale = np.std(values, axis=0)
        scale[scale == 0] = 1.0
        bases.append(basis)
        targets.append(values / scale)
        scales.append(scale)
    target = np.vstack(targets)
    days = np.concatenate([one.days for one in people])
    shared = common_blocks(days, target[:, 0], target[:, 1], known)
    known = np.vstack([known, *shared])
    profiles = [known[:, cell].T for cell in cells]
    design = np.vstack(
        [part - basis @ (basis.T @ part) for part, basis in zip(profiles, bases, strict=True)]
    )
    common = np.linalg.lstsq(design, target, rcond=1e-6)[0]
    found = []
    for one, profile, scale in zip(people, profiles, scales, strict=True):
        removed = (profile @ common) * scale
        found.append(
            PersonSeries(one.days, one.x - removed[:, 0], one.y - removed[:, 1], one.effects)
        )
    return found


def _joint_cells(cells: IntArray) -> list[FloatArray]:
    """Hours of weekends, or of one weekday, with a level of their own: tables, shape (168,) each.

    Office hours are hours of workdays alone, and an hour and a weekday that add up do not make
    them: 20 people who share them at irregular hours were called linked in 11% of clinics.
    """
    count = np.bincount(cells, minlength=168).reshape(7, 24)
    tables = []
    for hour in range(24):
        chosen = []
        if min(count[5:, hour].sum(), count[:5, hour].sum()) >= _MIN_WEEKEND_HOUR:
            chosen.append([5, 6])
        chosen += [[k] for k in range(7) if count[k, hour] >= _MIN_WEEKDAY_HOUR]
        for weekdays in chosen:
            table = np.zeros((7, 24))
            table[weekdays, hour] = 1.0
            tables.append(table.ravel())
    return tables


def estimate_changes_link(one: PersonSeries) -> ChangesLink | None:
    """Estimate one person's link in the changes; None where too few change."""
    days, place = np.unique(np.round(one.days, 5), return_inverse=True)  # one rating a moment
    count = np.bincount(place)
    x, y = (np.bincount(place, v - np.median(v)) / count for v in (one.x, one.y))
    effects = [np.bincount(place, column) / count for column in one.effects.T]
    day, hour = 2 * np.pi * np.floor(days) / 7, 2 * np.pi * (days % 1)
    span = max(float(days[-1] - days[0]), 1.0)
    # With one daily wave, 20 people who each have a bad hour of their own were called linked in 67%
    # of clinics, with two in 21%, with three in none of 24.
    columns = [(days - days[0]) / span, *effects]
    columns += [
        wave(turns * angle)
        for angle in (hour, day)
        for turns in (1, 2, 3)
        for wave in (np.cos, np.sin)
    ]
    near = np.diff(days) <= _LONGEST_DAYS
    design = np.diff(np.column_stack(columns), axis=0)[near]
    design = design[:, np.linalg.norm(design, axis=0) > 1e-9]
    changes = np.diff(np.column_stack([x, y]), axis=0)[near]
    many = len(changes)
    if many < _MIN_CHANGES or not design.shape[1]:
        return None
    design = independent_columns(design)
    width = design.shape[1]
    if many < width + _MIN_CHANGES:
        return None
    spread = np.std(changes, axis=0)
    if np.any(spread <= _ROUNDING * np.max(np.abs(np.column_stack([one.x, one.y])), axis=0)):
        return None
    changes = changes / spread
    # Start from the changes as they are: a fit first would spread the large ones.
    first = changes - np.median(changes, axis=0)
    weight = _tukey(first / _scale(first))
    ridge = np.eye(width) / (_RIDGE * np.sqrt(many))
    for _ in range(_ROUNDS):
        root = np.sqrt(weight)[:, None]
        fit = np.linalg.lstsq(
            np.vstack([design * root, ridge]),
            np.vstack([changes * root, np.zeros((width, 2))]),
            rcond=None,
        )[0]
        left = changes - design @ fit
        size = _scale(left) * np.sqrt(many / (many - width))
        standard = left / size
        weight = _tukey(standard)
    u, v = standard.T
    xx, yy = float(weight @ u**2), float(weight @ v**2)
    if min(xx, yy) < _MIN_MOVING * many:
        return None
    error = float(np.sqrt(np.sum((weight * u * v) ** 2) / (xx * yy)))
    estimate = float(weight @ (u * v)) / np.sqrt(xx * yy)
    y_per_x = float(size[1] * spread[1] / (size[0] * spread[0]))
    return ChangesLink(float(estimate / _SHRINKAGE), max(error, _MIN_ERROR) / _SHRINKAGE, y_per_x)


def p_beyond_margin(mean: float, error: float, dof: int) -> float:
    """P value of a mean that lies beyond the margin, to either side."""
    below = special.stdtr(dof, -(abs(mean) - MARGIN) / error)
    above = special.stdtr(dof, -(abs(mean) + MARGIN) / error)
    return float(min(1.0, below + above))


def _tukey(standard: FloatArray) -> FloatArray:
    size = np.sqrt(np.sum(standard**2, axis=1))
    result: FloatArray = np.maximum(
        np.where(size < _CUTOFF, (1 - (size / _CUTOFF) ** 2) ** 2, 0.0), 1e-8
    )
    return result


def _scale(values: FloatArray) -> FloatArray:
    """Robust standard deviations; not 0 where half of all changes are."""
    size = np.abs(values)
    result: FloatArray = (
        np.maximum(np.median(size, axis=0) / 0.6745, 0.6 * 1.2533 * np.mean(size, axis=0)) + 1e-9
    )
    return result
