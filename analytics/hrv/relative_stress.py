"""The chance that a moment was less calm than a usual one of its hour: stress index, version 2.

Not in use yet: pages, exports and the API have version 1 (``analytics.hrv.stress_index``).

Heart rate, and with a small weight the absolute differences of neighbouring intervals, are compared
with the person's own usual at the same hour (``analytics.hrv.stress_model``):
z = (rate - usual) / 4.5 bpm - 0.3 (vagal - usual) / 0.27. The index of five minutes, an hour, a day
or a week is the chance, in percent, that a random moment of it was less calm than a random usual
one. 50 is usual.

- Baseline: from the first day with population priors, of up to 28 worn days before the one that is
  judged; then it stays, so that a change over a programme stays visible. An index is given from the
  third worn day.
- Movement: minutes above the person's quiet rate + 20 bpm are active and not judged; nor are two
  minutes after a rise of more than 10 bpm from one minute to the next (standing up), nor windows
  with more than 50 mg (about slow walking).
- A window is judged with one minute of it that has five accepted beats
  (``analytics.hrv.heart_rate``); the fewer minutes, the wider its interval.
- Two doubts: the period's own (``own_low`` to ``own_high``), and the baseline's, which moves all
  days alike (``usual_low`` to ``usual_high``, a band round 50). ``low`` to ``high`` has both.

Evidence and limits: docs/evidence/stress-index.md has recordings of 17 people; the weights of z
were chosen on the same people. The model's variances are assumptions.
Heart rate rises under acute mental stress (Kim et al. 2018,
Psychiatry Investigation 15:235; Iqbal et al. 2022, Sensors 22:8135), and with food, alcohol, fever,
posture and medicines, which are not seen here. Some hearts do not tell. The index is no measure of
felt stress: it is compared with ratings, not put in their place.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from scipy.special import ndtr
from scipy.stats import t as student_t

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.requirements import MissingReason
from analytics.hrv.stress_model import (
    CELL_S,
    HR_SCALE_BPM,
    LEVEL_BPM,
    VARIANCES,
    Baseline,
    DayWindows,
    Deviation,
    Usual,
    Variances,
    deviate,
)
from analytics.hrv.windows import HrvWindows

METHOD = "stress index: heart rate and vagal part against own usual of the hour; version 2"
MAX_BASELINE_DAYS, MIN_BASELINE_DAYS = 28, 2
MAX_MOTION_MG = 50.0
ACTIVE_ABOVE_REST_BPM = 20.0
STEP_BPM = 10.0
WAKING_FROM_H, WAKING_TO_H = 7.0, 23.0
_QUIET_QUANTILE = 0.2
_POPULATION_REST_BPM, _POPULATION_MINUTES = 65.5, 10  # Quer et al. 2020; counts as ten minutes
_POPULATION_VAGAL, _POPULATION_WINDOWS = 3.2, 1  # ln(4 + 20 ms)


@dataclass(frozen=True, slots=True, eq=False)
class StressIndexInput:
    """What the index is made of; of shape (w,), and ``minute_bpm`` of shape (w, minutes).

    ``day``: a number per local day, increasing with time; ``hour``: local, 0 to 24; ``time_s``: of
    the middle; ``minute_bpm`` and ``window_bpm``: heart rate by accepted beats; ``vagal``: ln ms;
    ``motion_mg``; NaN where not known. ``ln_rmssd`` and ``heart_rate`` are of windows that meet
    the requirements of HRV; the index does not use them.
    """

    day: IntArray
    hour: FloatArray
    time_s: FloatArray
    minute_bpm: FloatArray
    window_bpm: FloatArray
    vagal: FloatArray
    motion_mg: FloatArray
    ln_rmssd: FloatArray
    heart_rate: FloatArray

    def at(self, where: BoolArray | IntArray) -> StressIndexInput:
        """Those of a mask or of places."""
        return StressIndexInput(*(getattr(self, item.name)[where] for item in fields(self)))

    @property
    def measures(self) -> FloatArray:
        """Shape (w, minutes + 3): all that the index depends on beside the time."""
        return np.column_stack([self.minute_bpm, self.window_bpm, self.vagal, self.motion_mg])

    @property
    def still(self) -> BoolArray:
        """With a heart rate, and not measured to move."""
        result: BoolArray = np.isfinite(self.window_bpm) & ~(self.motion_mg > MAX_MOTION_MG)
        return result


@dataclass(frozen=True, slots=True, eq=False)
class StressIndex:
    """All of shape (w,): 0 to 100, NaN where ``missing_reason`` says why.

    ``low`` and ``high``: 95% interval; ``own_low`` and ``own_high``: without the baseline's doubt,
    which is ``usual_low`` to ``usual_high``, around 50. ``baseline_days``: how many days each was
    compared with; ``known_minutes``: how many minutes were judged.
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
    history: StressIndexInput, windows: StressIndexInput, *, variances: Variances = VARIANCES
) -> StressIndex:
    """Compare windows with the person's own usual at that hour.

    Parameters
    ----------
    history : StressIndexInput
        Windows to take the baseline from, shape (m,), in any order. It may contain ``windows``:
        only earlier days count.
    windows : StressIndexInput
        The windows to judge, shape (w,), in any order.
    variances : Variances
        Of the model; assumptions.

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
        own_window=True,
    )


def stress_index_of_periods(
    history: StressIndexInput,
    windows: StressIndexInput,
    periods: StressPeriods,
    *,
    variances: Variances = VARIANCES,
    own_window: bool = False,
) -> StressIndex:
    """Compare hours, days or weeks with the person's own usual.

    Parameters
    ----------
    history : StressIndexInput
        Windows to take the baseline from, shape (m,), in any order.
    windows : StressIndexInput
        The windows of the days of the periods, shape (w,), in any order, no two of the same time.
    periods : StressPeriods
        Shape (p,), in any order.
    variances : Variances
        Of the model.
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
    groups = int(periods.group.max()) + 1 if len(periods.group) else 0
    result = _nothing(groups)
    fitted = _Fitted(history, variances)
    fallback: list[MissingReason | None] = [MissingReason.NO_BEATS] * groups
    parts: list[list[tuple[Usual, Deviation, int]]] = [[] for _ in range(groups)]
    for day in np.unique(periods.day):
        many = fitted.days_before(int(day))
        where = np.flatnonzero(periods.day == day)
        rows = np.flatnonzero(windows.day == day)
        judged = _judge_minutes(windows.at(rows), fitted.rest_bpm[many])
        inside = _inside(windows.time_s[rows], periods, where, own=own_window)
        for line, place in enumerate(where.tolist()):
            group = int(periods.group[place])
            result.baseline_days[group] = max(result.baseline_days[group], many)
            fallback[group] = _reason(judged, inside[line])
        minutes = inside @ judged.minutes
        known = np.flatnonzero((minutes > 0) & (many >= MIN_BASELINE_DAYS))
        if many < MIN_BASELINE_DAYS:
            for group in periods.group[where[minutes > 0]].tolist():
                fallback[group] = MissingReason.BASELINE
        if not len(known):
            continue
        chosen = np.flatnonzero(judged.minutes > 0)
        order = chosen[np.argsort(windows.time_s[rows][chosen], kind="stable")]
        # A window that was asked for twice is one piece of evidence.
        _, unique = np.unique(windows.time_s[rows][order], return_index=True)
        day_windows = judged.to_day(windows.at(rows), order[unique], variances)
        moments, which = _moments(periods, where[known], single=own_window)
        usual = fitted.usual(many)
        found = deviate(usual, day_windows, moments, which, len(known), variances)
        for line, place in enumerate(where[known].tolist()):
            one = slice(line, line + 1)
            part = Deviation(found.mean[one], found.own[one], found.pull[one], found.spread[one])
            parts[periods.group[place]].append((usual, part, int(minutes[known[line]])))
    for group, some in enumerate(parts):
        result.missing_reason[group] = None if some else fallback[group]
        if some:
            _fill(result, group, some, variances)
    return result


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
class _Judged:
    """Of windows of one day, shape (w,): rate over judged minutes, and how many there are."""

    bpm: FloatArray
    minutes: IntArray
    has_rate: BoolArray
    share: FloatArray  # of the window's minutes

    def to_day(self, windows: StressIndexInput, rows: IntArray, variances: Variances) -> DayWindows:
        return DayWindows(
            windows.time_s[rows],
            windows.hour[rows],
            (self.bpm[rows] - LEVEL_BPM) / HR_SCALE_BPM,
            windows.vagal[rows],
            variances.noise / self.share[rows],
        )


def _judge_minutes(windows: StressIndexInput, rest_bpm: float) -> _Judged:
    """Leave out active minutes, those after a rise, and windows that were measured to move."""
    bpm = windows.minute_bpm
    count, minutes = bpm.shape
    before = np.full((count, 2), np.nan)
    # The last two minutes of the window that ends where this one begins.
    order = np.argsort(windows.time_s, kind="stable")
    ends = windows.time_s[order] + minutes * 60.0
    place = np.minimum(np.searchsorted(ends, windows.time_s - 0.5), max(count - 1, 0))
    joined = np.abs(ends[place] - windows.time_s) < 0.5 if count else np.zeros(0, np.bool_)
    if minutes >= 2:
        before[joined] = bpm[order[place[joined]]][:, -2:]
    series = np.column_stack([before, bpm])
    rise = np.diff(series, axis=1) > STEP_BPM  # of minute -1, then 0, 1, ...
    judged = np.isfinite(bpm) & ~rise[:, 1:] & ~rise[:, :-1]
    judged &= bpm <= rest_bpm + ACTIVE_ABOVE_REST_BPM
    many = np.count_nonzero(judged, axis=1)
    table = np.sort(np.where(judged, bpm, np.inf), axis=1)
    line = np.arange(count)
    middle = np.maximum(many, 1)
    rate = (table[line, (middle - 1) // 2] + table[line, middle // 2]) / 2
    # Five beats in the window, and in no minute of it.
    scattered = ~np.any(np.isfinite(bpm), axis=1) & np.isfinite(windows.window_bpm)
    scattered &= windows.window_bpm <= rest_bpm + ACTIVE_ABOVE_REST_BPM
    rate = np.where(scattered, windows.window_bpm, rate)
    many = np.where(scattered, 1, many)
    moving = windows.motion_mg > MAX_MOTION_MG
    many = np.where(moving, 0, many)
    return _Judged(
        np.where(many > 0, rate, np.nan),
        many.astype(np.int64),
        np.isfinite(windows.window_bpm) | np.any(np.isfinite(bpm), axis=1),
        np.maximum(many, 1) / minutes,
    )


class _Fitted:
    """The baseline after each number of worn days."""

    def __init__(self, history: StressIndexInput, variances: Variances) -> None:
        still = history.at(history.still)
        self.days = np.unique(still.day)[:MAX_BASELINE_DAYS]
        self.rest_bpm = [_POPULATION_REST_BPM]
        self._baselines = [Baseline()]
        self._usual: dict[int, Usual] = {}
        for many, day in enumerate(self.days.tolist(), start=1):
            self.rest_bpm.append(_rest_bpm(still.at(np.isin(still.day, self.days[:many]))))
            windows = still.at(still.day == day)
            judged = _judge_minutes(windows, self.rest_bpm[-1])
            rows = np.flatnonzero(judged.minutes > 0)
            _, unique = np.unique(windows.time_s[rows], return_index=True)
            baseline = self._baselines[-1]
            if len(unique):
                baseline = baseline.add(judged.to_day(windows, rows[unique], variances), variances)
            vagal = still.vagal[np.isin(still.day, self.days[:many]) & np.isfinite(still.vagal)]
            middle = float(np.median(vagal)) if len(vagal) else 0.0
            total = len(vagal) * middle + _POPULATION_WINDOWS * _POPULATION_VAGAL
            self._baselines.append(baseline.with_vagal(total / (len(vagal) + _POPULATION_WINDOWS)))

    def days_before(self, day: int) -> int:
        return int(np.searchsorted(self.days, day, "left"))

    def usual(self, many: int) -> Usual:
        if many not in self._usual:
            self._usual[many] = self._baselines[many].fit()
        return self._usual[many]


def _rest_bpm(windows: StressIndexInput) -> float:
    """Find the quiet rate while awake; of all hours where none of those is known."""
    waking = (windows.hour >= WAKING_FROM_H) & (windows.hour < WAKING_TO_H)
    some = windows.minute_bpm[waking] if np.any(waking) else windows.minute_bpm
    known = some[np.isfinite(some)]
    quiet = float(np.quantile(known, _QUIET_QUANTILE)) if len(known) else 0.0
    total = quiet * len(known) + _POPULATION_REST_BPM * _POPULATION_MINUTES
    return total / (len(known) + _POPULATION_MINUTES)


def _inside(time_s: FloatArray, periods: StressPeriods, where: IntArray, *, own: bool) -> BoolArray:
    """Which windows of a day lie in which periods, shape (p, w)."""
    if own:
        return np.eye(len(where), dtype=np.bool_)
    result: BoolArray = (time_s[None, :] >= periods.start_s[where, None]) & (
        time_s[None, :] < periods.end_s[where, None]
    )
    return result


def _moments(
    periods: StressPeriods, where: IntArray, *, single: bool
) -> tuple[FloatArray, IntArray]:
    """List the five-minute moments of periods, and the number of the period of each."""
    length = periods.end_s[where] - periods.start_s[where]
    count = (
        np.ones(len(where), np.int64)
        if single
        else np.maximum(1, np.round(length / CELL_S)).astype(np.int64)
    )
    which = np.repeat(np.arange(len(where)), count)
    place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    step = length / count
    return periods.start_s[where][which] + (place + 0.5) * step[which], which


def _reason(judged: _Judged, inside: BoolArray) -> MissingReason:
    if not np.any(inside):
        return MissingReason.NO_BEATS
    if np.any(judged.has_rate[inside]):
        return MissingReason.MOVING
    return MissingReason.TOO_FEW_BEATS


def _fill(
    result: StressIndex,
    group: int,
    parts: list[tuple[Usual, Deviation, int]],
    variances: Variances,
) -> None:
    """Compute the index of the mean of some periods."""
    usual = parts[-1][0]  # of days with different baselines, the one that knows most
    many = len(parts)
    mean = sum(float(part.mean[0]) for _, part, _ in parts) / many
    own = sum(float(part.own[0]) for _, part, _ in parts) / many**2
    spread = sum(float(part.spread[0]) for _, part, _ in parts) / many**2
    pull = np.mean([part.pull[0] for _, part, _ in parts], axis=0)
    shared = float(pull @ usual.covariance @ pull)
    scale = np.sqrt(2 * variances.real - spread)
    times = _t_975(usual.dof) / scale
    z = mean / np.sqrt(usual.s2) / scale
    total, alone, band = (times * np.sqrt(each) for each in (own + shared, own, shared))
    for values, at in (
        (result.value, z),
        (result.low, z - total),
        (result.high, z + total),
        (result.own_low, z - alone),
        (result.own_high, z + alone),
        (result.usual_low, -band),
        (result.usual_high, band),
    ):
        values[group] = 100 * ndtr(at)
    result.known_minutes[group] = sum(minutes for *_, minutes in parts)


@cache
def _t_975(dof: float) -> float:
    return float(student_t.ppf(0.975, dof))


def _nothing(count: int) -> StressIndex:
    return StressIndex(
        np.full(count, np.nan),
        np.full(count, np.nan),
        np.full(count, np.nan),
        [MissingReason.NO_BEATS] * count,
        np.zeros(count, np.int64),
        np.full(count, np.nan),
        np.full(count, np.nan),
        np.full(count, np.nan),
        np.full(count, np.nan),
        np.zeros(count, np.int64),
    )
