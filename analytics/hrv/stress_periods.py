"""Judge periods by the windows of their days, and combine them: for ``relative_stress``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.requirements import MissingReason
from analytics.hrv.stress_baseline import (
    BASELINE_REASON,
    MIN_BASELINE_DAYS,
    REASONS,
    FittedBaseline,
    StressIndexInput,
    judge_minutes,
    quarter_of,
)
from analytics.hrv.stress_model import CELL_S, Deviation, Usual, Variances, deviate
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

# A window without beats is judged by its neighbours where they tell this share of its variance.
_MIN_EXPLAINED = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class StressIndex:
    """All of shape (w,): 0 to 100, NaN where ``missing_reason`` says why.

    ``low`` and ``high``: 95% interval; ``own_low`` and ``own_high``: without the baseline's doubt,
    which is ``usual_low`` to ``usual_high``, around 50. ``baseline_days``: how many days each was
    compared with; ``known_minutes``: how many minutes were judged, 0 where neighbours tell.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    missing_reason: list[MissingReason | None]
    baseline_days: IntArray
    own_low: FloatArray
    own_high: FloatArray
    usual_low: FloatArray
    usual_high: FloatArray
    known_minutes: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class StressPeriods:
    """Periods to judge as a whole, of shape (p,): [start_s, end_s), ``day`` of the middle.

    Periods with the same ``group`` (0, 1, ...) are averaged: the days of a week.
    """

    day: IntArray
    start_s: FloatArray
    end_s: FloatArray
    group: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class FoundPeriods:
    """Of periods, shape (p,): deviation in units of s, its doubts, and how that was found."""

    mean: FloatArray
    own: FloatArray
    pull: FloatArray  # (p, 5)
    spread: FloatArray
    state: IntArray  # place in ``usual``
    usual: list[Usual]
    minutes: IntArray
    reason: IntArray  # place in REASONS
    baseline_days: IntArray


def judge_periods(
    fitted: FittedBaseline,
    windows: StressIndexInput,
    periods: StressPeriods,
    own_row: IntArray | None,
) -> FoundPeriods:
    """Judge each period by the windows of its day, which are in order of day and time."""
    variances, many_periods = fitted.variances, len(periods.day)
    days, of_period = np.unique(periods.day, return_inverse=True)
    era, worn = fitted.of_days(days)
    states, of_day = np.unique(np.column_stack([era, worn]), axis=0, return_inverse=True)
    of_day = of_day.ravel()
    usual = [fitted.usual(int(one), int(many)) for one, many in states]
    first, last = (np.searchsorted(windows.day, days, side) for side in ("left", "right"))
    of_window = np.minimum(np.searchsorted(days, windows.day), max(len(days) - 1, 0))
    rest = np.zeros(0)
    if len(days):
        rest = fitted.rest_bpm(*states.T)[of_day[of_window], quarter_of(windows.hour)]
    judged = judge_minutes(windows, rest, fitted.practices_s)
    distinct = np.append(True, np.diff(windows.time_s) != 0)[: len(windows.day)]
    found = FoundPeriods(
        np.full(many_periods, np.nan),
        np.full(many_periods, np.nan),
        np.zeros((many_periods, 5)),
        np.full(many_periods, np.nan),
        of_day[of_period],
        usual,
        np.zeros(many_periods, np.int64),
        np.zeros(many_periods, np.int64),
        worn[of_period],
    )
    by_day = np.argsort(of_period, kind="stable")
    bounds = np.searchsorted(of_period[by_day], np.arange(len(days) + 1))
    for number in range(len(days)):
        where = by_day[bounds[number] : bounds[number + 1]]
        rows = slice(int(first[number]), int(last[number]))
        if own_row is not None:
            found.minutes[where] = judged.minutes[own_row[where]]
            found.reason[where] = judged.reason[own_row[where]]
        else:
            inside = _inside(windows.time_s[rows], periods, where)
            found.minutes[where] = inside @ judged.minutes[rows]
            found.reason[where] = np.max(inside * judged.reason[rows], axis=1, initial=0)
        evidence = rows.start + np.flatnonzero((judged.minutes[rows] > 0) & distinct[rows])
        known = found.minutes[where] > 0
        if worn[number] < MIN_BASELINE_DAYS:
            found.reason[where[known]] = BASELINE_REASON
            continue
        if own_row is not None:  # neighbours may tell of windows that have no beats
            known |= REASONS.index(MissingReason.TOO_FEW_BEATS) >= found.reason[where]
        chosen = where[known]
        if not len(evidence) or not len(chosen):
            continue
        day = judged.to_day(windows, evidence, variances)
        result = deviate(
            usual[of_day[number]],
            day,
            *_moments(periods, chosen, single=own_row is not None),
            variances,
        )
        _keep(found, chosen, result)
    return found


def _keep(found: FoundPeriods, where: IntArray, result: Deviation) -> None:
    """Keep what windows of their own tell, and neighbours that tell enough."""
    kept = (found.minutes[where] > 0) | (result.own < (1 - _MIN_EXPLAINED) * result.spread)
    at = where[kept]
    found.mean[at] = result.mean[kept]
    found.own[at] = result.own[kept]
    found.pull[at] = result.pull[kept]
    found.spread[at] = result.spread[kept]


def combine_periods(found: FoundPeriods, group: IntArray, variances: Variances) -> StressIndex:
    """Compute the index of the mean of the known periods of each group."""
    groups = int(group.max()) + 1 if len(group) else 0
    known = np.isfinite(found.mean)
    at = group[known]

    def total(values: FloatArray | IntArray) -> FloatArray:
        result: FloatArray = np.bincount(at, values[known], groups).astype(np.float64)
        return result

    count = np.bincount(at, minlength=groups)
    many = np.maximum(count, 1)
    mean, own, spread = (
        total(found.mean) / many,
        total(found.own) / many**2,
        total(found.spread) / many**2,
    )
    pull = np.column_stack([total(column) for column in found.pull.T]) / many[:, None]
    # Of days with different baselines, the one that knows most.
    state, reason, worn = (np.zeros(groups, np.int64) for _ in range(3))
    np.maximum.at(state, at, found.state[known])
    np.maximum.at(reason, group, found.reason)
    np.maximum.at(worn, group, found.baseline_days)
    sizes = np.array([(one.s2, _t_975(one.dof)) for one in found.usual]).reshape(-1, 2)
    covariances = np.array([one.covariance for one in found.usual]).reshape(-1, 5, 5)
    shared = np.einsum("gi,gij,gj->g", pull, covariances[state], pull) if groups else mean
    scale = np.sqrt(2 * variances.real - spread)
    s2, t_975 = sizes[state].T
    z = np.where(count > 0, mean / np.sqrt(s2) / scale, np.nan)
    wide, alone, band = (t_975 * np.sqrt(each) / scale for each in (own + shared, own, shared))
    band = np.where(count > 0, band, np.nan)
    value, low, high, own_low, own_high, usual_low, usual_high = 100 * special.ndtr(
        np.stack([z, z - wide, z + wide, z - alone, z + alone, -band, band])
    )
    reasons = [
        None if is_known else REASONS[place]
        for is_known, place in zip((count > 0).tolist(), reason.tolist(), strict=True)
    ]
    minutes = np.bincount(group, found.minutes, groups).astype(np.int64)
    minutes[count == 0] = 0
    return StressIndex(
        value, low, high, reasons, worn, own_low, own_high, usual_low, usual_high, minutes
    )


def _inside(time_s: FloatArray, periods: StressPeriods, where: IntArray) -> BoolArray:
    """Which windows of a day lie in which periods, shape (p, w)."""
    result: BoolArray = (time_s[None, :] >= periods.start_s[where, None]) & (
        time_s[None, :] < periods.end_s[where, None]
    )
    return result


def _moments(
    periods: StressPeriods, where: IntArray, *, single: bool
) -> tuple[FloatArray, IntArray, FloatArray]:
    """List moments of periods five minutes apart, how many each has, and how far apart."""
    start, length = periods.start_s[where], periods.end_s[where] - periods.start_s[where]
    if single:
        return start + length / 2, np.ones(len(where), np.int64), length
    count = np.maximum(1, np.round(length / CELL_S)).astype(np.int64)
    which = np.repeat(np.arange(len(where)), count)
    place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    step = length / count
    return start[which] + (place + 0.5) * step[which], count, step


@cache
def _t_975(dof: float) -> float:
    return float(special.stdtrit(dof, 0.975))
