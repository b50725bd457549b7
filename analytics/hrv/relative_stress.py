"""The chance that a moment was less calm than a usual one of its hour: stress index, version 2.

Heart rate is compared with the person's own usual at the same hour
(``analytics.hrv.stress_model``). The index of five minutes, an hour, a day or a week is the chance,
in percent, that a random moment of it was less calm than a random usual one. 50 is usual.

- Baseline: from the first day with population priors, of the first 28 worn days (of each quarter of
  the day) before the one that is judged; then it stays, so that a change over a programme stays
  visible. It starts anew on days that the person declares. An index is given from the third worn
  day.
- Movement: minutes above the person's quiet rate (20% quantile of that quarter of the day, at first
  the population's) + 20 bpm are active and not judged; nor are two minutes after a rise of more
  than 10 bpm from one minute to the next (standing up), nor windows with more than 50 mg (about
  slow walking). Where an accelerometer says that a window was still, no minute of it is left out
  for its heart rate.
- Practices, if given, are left out of baseline and index.
- A window is judged with one minute of it that has five accepted beats
  (``analytics.hrv.heart_rate``); the fewer minutes, the wider its interval. One without beats is
  judged by its neighbours where they tell more than half of its variance: one within about three
  minutes. A device's own rate counts with the larger error that it has.
- Two doubts: the period's own (``own_low`` to ``own_high``), and the baseline's, which moves all
  days alike (``usual_low`` to ``usual_high``, a band round 50). ``low`` to ``high`` has both.

Evidence and limits: docs/evidence/stress-index.md.
Heart rate rises under acute mental stress (Kim et al. 2018,
Psychiatry Investigation 15:235; Iqbal et al. 2022, Sensors 22:8135), and with food, alcohol, fever,
posture and medicines, which are not seen here. Some hearts do not tell. The index is no measure of
felt stress: it is compared with ratings, not put in their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtr
from scipy.stats import t as student_t

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.requirements import MissingReason
from analytics.hrv.stress_baseline import (
    ACTIVE_ABOVE_REST_BPM,
    BASELINE_REASON,
    MAX_BASELINE_DAYS,
    MAX_MOTION_MG,
    MIN_BASELINE_DAYS,
    REASONS,
    STEP_BPM,
    FittedBaseline,
    StressIndexInput,
    fit_baseline,
    judge_minutes,
    quarter_of,
)
from analytics.hrv.stress_model import (
    CELL_S,
    VARIANCES,
    Deviation,
    Usual,
    Variances,
    deviate,
)
from analytics.hrv.windows import HrvWindows

__all__ = [
    "ACTIVE_ABOVE_REST_BPM",
    "MAX_BASELINE_DAYS",
    "MAX_MOTION_MG",
    "METHOD",
    "MIN_BASELINE_DAYS",
    "STEP_BPM",
    "WAKING_FROM_H",
    "WAKING_TO_H",
    "FittedBaseline",
    "StressIndex",
    "StressIndexInput",
    "StressPeriods",
    "fit_baseline",
    "logarithm",
    "stress_index",
    "stress_index_input",
    "stress_index_of_periods",
]

METHOD = "stress index: heart rate against own usual of the hour; version 2"
# Of days and weeks, where nothing else is said.
WAKING_FROM_H, WAKING_TO_H = 7.0, 23.0
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


def stress_index(
    history: StressIndexInput | FittedBaseline,
    windows: StressIndexInput,
    *,
    variances: Variances = VARIANCES,
    restart_days: IntArray | None = None,
    practices_s: FloatArray | None = None,
) -> StressIndex:
    """Compare windows with the person's own usual at that hour.

    Parameters
    ----------
    history : StressIndexInput or FittedBaseline
        Windows to take the baseline from, shape (m,), in any order. It may contain ``windows``:
        only earlier days count. Or what ``fit_baseline`` made of them, with its variances, restarts
        and practices; those given here do not count then.
    windows : StressIndexInput
        The windows to judge, shape (w,), in any order.
    variances : Variances
        Of the model.
    restart_days, practices_s : arrays, optional
        As for ``fit_baseline``.

    Returns
    -------
    StressIndex
        0 to 100 with its 95% interval, shape (w,); 50 is usual. NaN where ``missing_reason`` says
        why.

    Notes
    -----
    The module has the method, its evidence and its limits.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.hrv.relative_stress import StressIndexInput, stress_index
    >>> rng = np.random.default_rng(1)
    >>> bpm = 70 + 4 * rng.normal(size=192)
    >>> bpm[-1] = 84.0
    >>> nothing = np.full(192, np.nan)
    >>> windows = StressIndexInput(
    ...     day=np.repeat(np.arange(8), 24),
    ...     hour=np.tile(np.arange(24.0), 8),
    ...     time_s=3600.0 * np.arange(192),
    ...     minute_bpm=np.tile(bpm[:, None], 5),
    ...     window_bpm=bpm,
    ...     vagal=nothing,
    ...     motion_mg=nothing,
    ...     ln_rmssd=nothing,
    ...     heart_rate=bpm,
    ... )
    >>> index = stress_index(windows, windows)
    >>> bool(index.value[-1] > 95), str(index.missing_reason[0])[:13]
    (True, 'not known yet')
    """
    half = CELL_S / 2
    return stress_index_of_periods(
        history,
        windows,
        StressPeriods(
            windows.day, windows.time_s - half, windows.time_s + half, np.arange(len(windows.day))
        ),
        variances=variances,
        restart_days=restart_days,
        practices_s=practices_s,
        own_window=True,
    )


def stress_index_of_periods(
    history: StressIndexInput | FittedBaseline,
    windows: StressIndexInput,
    periods: StressPeriods,
    *,
    variances: Variances = VARIANCES,
    restart_days: IntArray | None = None,
    practices_s: FloatArray | None = None,
    own_window: bool = False,
) -> StressIndex:
    """Compare hours, days or weeks with the person's own usual.

    Parameters
    ----------
    history : StressIndexInput or FittedBaseline
        As for ``stress_index``.
    windows : StressIndexInput
        The windows of the days of the periods, shape (w,), in any order, no two of the same time.
    periods : StressPeriods
        Shape (p,), in any order.
    variances : Variances
        Of the model.
    restart_days, practices_s : arrays, optional
        As for ``fit_baseline``.
    own_window : bool
        Period i is the time of window i, and judged only if that window is.

    Returns
    -------
    StressIndex
        Of each group, shape (groups,): of the mean of all moments of its periods, also of those
        without beats, which the interval accounts for. Periods without a judged window are left
        out of their group.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.hrv.relative_stress import (
    ...     StressIndexInput,
    ...     StressPeriods,
    ...     stress_index_of_periods,
    ... )
    >>> hour = np.tile(np.arange(8.0, 20.0), 6)
    >>> bpm, nothing = np.tile([68.0, 72.0], 36), np.full(72, np.nan)
    >>> day = np.repeat(np.arange(6), 12)
    >>> windows = StressIndexInput(
    ...     day, hour, 86400.0 * day + 3600 * hour, np.tile(bpm[:, None], 5), bpm, nothing,
    ...     nothing, nothing, bpm
    ... )
    >>> last = StressPeriods(
    ...     np.array([5]), np.array([457_200.0]), np.array([514_800.0]), np.array([0])
    ... )
    >>> index = stress_index_of_periods(windows, windows, last)
    >>> bool(index.low[0] < 50 < index.high[0]), int(index.known_minutes[0])
    (True, 60)
    """
    fitted = (
        history
        if isinstance(history, FittedBaseline)
        else fit_baseline(
            history, variances=variances, restart_days=restart_days, practices_s=practices_s
        )
    )
    windows_by_time = np.lexsort((windows.time_s, windows.day))
    found = _judge(
        fitted,
        windows.at(windows_by_time),
        periods,
        np.argsort(windows_by_time) if own_window else None,
    )
    return _combine(found, periods.group, fitted.variances)


def stress_index_input(windows: HrvWindows, day: IntArray, hour: FloatArray) -> StressIndexInput:
    """Build the input of the stress index from HRV windows, shape (w,).

    It also takes the local day and hour of each window's middle.
    """
    return StressIndexInput(
        day,
        hour,
        (windows.start_ns + windows.window_ns // 2) / 1e9,
        windows.rates.minute_bpm,
        windows.rates.window_bpm,
        windows.rates.vagal,
        windows.metrics.motion_mg,
        logarithm(windows.value("rmssd_ms")),
        windows.value("mean_hr_bpm"),
    )


def logarithm(values: FloatArray) -> FloatArray:
    """Natural; NaN where there is none."""
    result: FloatArray = np.log(np.where(values > 0, values, np.nan))
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
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


def _judge(
    fitted: FittedBaseline,
    windows: StressIndexInput,
    periods: StressPeriods,
    own_row: IntArray | None,
) -> _Found:
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
    found = _Found(
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


def _keep(found: _Found, where: IntArray, result: Deviation) -> None:
    """Keep what windows of their own tell, and neighbours that tell enough."""
    kept = (found.minutes[where] > 0) | (result.own < (1 - _MIN_EXPLAINED) * result.spread)
    at = where[kept]
    found.mean[at] = result.mean[kept]
    found.own[at] = result.own[kept]
    found.pull[at] = result.pull[kept]
    found.spread[at] = result.spread[kept]


def _combine(found: _Found, group: IntArray, variances: Variances) -> StressIndex:
    """Compute the index of the mean of the known periods of each group."""
    groups = int(group.max()) + 1 if len(group) else 0
    known = np.isfinite(found.mean)
    at = group[known]

    def total(values: FloatArray | IntArray) -> FloatArray:
        return np.bincount(at, values[known], groups)

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
    value, low, high, own_low, own_high, usual_low, usual_high = 100 * ndtr(
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
    return float(student_t.ppf(0.975, dof))
