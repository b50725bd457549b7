"""What the stress index is made of, which minutes are judged, and the person's own usual.

The baseline starts from population values and takes in worn days until each quarter of the day has
28; then it stays. A quarter that is first worn later is learnt then.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.requirements import MissingReason
from analytics.hrv.stress_model import (
    HR_SCALE_BPM,
    LEVEL_BPM,
    VARIANCES,
    Baseline,
    DayWindows,
    Usual,
    Variances,
)

MAX_BASELINE_DAYS, MIN_BASELINE_DAYS = 28, 2
MAX_MOTION_MG = 50.0
ACTIVE_ABOVE_REST_BPM = 20.0
STEP_BPM = 10.0
_QUIET_QUANTILE = 0.2
_POPULATION_REST_BPM, _POPULATION_MINUTES = 65.5, 10  # Quer et al. 2020; counts as ten minutes
# In the order in which one explains a period: of two that hold, the later.
REASONS = (
    MissingReason.NO_BEATS,
    MissingReason.TOO_FEW_BEATS,
    MissingReason.PRACTICE,
    MissingReason.ACTIVE,
    MissingReason.MOVING,
    MissingReason.BASELINE,
)
_TOO_FEW, _PRACTICE, _ACTIVE, _MOVING = 1, 2, 3, 4
BASELINE_REASON = 5


@dataclass(frozen=True, slots=True, eq=False)
class StressIndexInput:
    """What the index is made of; of shape (w,), and ``minute_bpm`` of shape (w, minutes).

    ``day``: a number per local day, increasing with time; ``hour``: local, 0 to 24; ``time_s``: of
    the middle; ``minute_bpm`` and ``window_bpm``: heart rate by accepted beats; ``motion_mg``; NaN
    where not known. ``reported``: whether the rate is the device's own, in place of beats; none if
    left out. ``vagal`` (ln ms), and ``ln_rmssd`` and ``heart_rate`` of windows that meet the
    requirements of HRV, are for other comparisons; the index does not use them.
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
    reported: BoolArray | None = None

    def at(self, where: BoolArray | IntArray) -> StressIndexInput:
        """Those of a mask or of places."""
        reported = None if self.reported is None else self.reported[where]
        columns = {item.name: getattr(self, item.name)[where] for item in fields(self)[:-1]}
        return StressIndexInput(**columns, reported=reported)

    @property
    def measures(self) -> FloatArray:
        """Shape (w, minutes + 3) or, with ``reported``, + 4: all that an index may depend on."""
        columns = [self.minute_bpm, self.window_bpm, self.vagal, self.motion_mg]
        return np.column_stack(columns if self.reported is None else [*columns, self.reported])

    @property
    def still(self) -> BoolArray:
        """With a heart rate, and not measured to move."""
        result: BoolArray = np.isfinite(self.window_bpm) & ~(self.motion_mg > MAX_MOTION_MG)
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Of windows, shape (w,): rate over judged minutes, how many there are, place in REASONS."""

    bpm: FloatArray
    minutes: IntArray
    reason: IntArray

    def to_day(self, windows: StressIndexInput, rows: IntArray, variances: Variances) -> DayWindows:
        """Build the windows of one day for the model; ``rows`` by time, all judged."""
        # Half the windows' minutes are half the evidence of the measurement.
        noise = variances.noise * 5 / self.minutes[rows]
        if windows.reported is not None:
            noise = np.where(windows.reported[rows], variances.reported, noise)
        rate = (self.bpm[rows] - LEVEL_BPM) / HR_SCALE_BPM
        return DayWindows(windows.time_s[rows], windows.hour[rows], rate, noise)


def judge_minutes(
    windows: StressIndexInput, rest_bpm: FloatArray, practices_s: FloatArray | None
) -> Judged:
    """Leave out active minutes, those after a rise, moving windows and practices.

    ``rest_bpm``: the person's quiet rate in that quarter of the day, shape (w,). Minutes above it
    by 20 bpm are active. After a rise of more than 10 bpm from one minute to the next (standing up)
    two minutes are left out.
    Where movement was measured, and was little, neither is assumed from the heart.
    """
    bpm = windows.minute_bpm
    count, minutes = bpm.shape
    measured_still = windows.motion_mg <= MAX_MOTION_MG
    active_bpm = np.where(measured_still, np.inf, rest_bpm + ACTIVE_ABOVE_REST_BPM)
    rise = np.diff(np.column_stack([_two_before(windows), bpm]), axis=1) > STEP_BPM
    rise &= ~measured_still[:, None]
    judged = np.isfinite(bpm) & ~rise[:, 1:] & ~rise[:, :-1] & (bpm <= active_bpm[:, None])
    many = np.count_nonzero(judged, axis=1)
    table = np.sort(np.where(judged, bpm, np.inf), axis=1)
    line, middle = np.arange(count), np.maximum(many, 1)
    rate = (table[line, (middle - 1) // 2] + table[line, middle // 2]) / 2
    any_minute = np.any(np.isfinite(bpm), axis=1)
    has_rate = np.isfinite(windows.window_bpm) | any_minute
    # Five beats in the window, and in no minute of it.
    scattered = ~any_minute & (windows.window_bpm <= active_bpm)
    rate = np.where(scattered, windows.window_bpm, rate)
    many = np.where(scattered, 1, many)
    reason = np.where(has_rate, _ACTIVE, _TOO_FEW)
    for out, why in (
        (_in_practice(windows.time_s, 30.0 * minutes, practices_s), _PRACTICE),
        (windows.motion_mg > MAX_MOTION_MG, _MOVING),
    ):
        many = np.where(out, 0, many)
        reason = np.where(out & has_rate, why, reason)
    return Judged(np.where(many > 0, rate, np.nan), many.astype(np.int64), reason)


class FittedBaseline:
    """The usual of one person after each number of worn days; made by ``fit_baseline``."""

    def __init__(
        self,
        history: StressIndexInput,
        variances: Variances,
        restart_days: IntArray | None,
        practices_s: FloatArray | None,
    ) -> None:
        self.variances = variances
        self.practices_s = practices_s
        self._restarts = np.unique(np.asarray([] if restart_days is None else restart_days))
        half_s = 30.0 * history.minute_bpm.shape[1]
        still = history.at(history.still & ~_in_practice(history.time_s, half_s, practices_s))
        # A window that was asked for twice is one piece of evidence.
        still = still.at(np.unique(still.time_s, return_index=True)[1])
        era = np.searchsorted(self._restarts, still.day, "right")
        self._eras = [
            _Era(still.at(era == number), variances) for number in range(len(self._restarts) + 1)
        ]

    def of_days(self, day: IntArray) -> tuple[IntArray, IntArray]:
        """Find the era of each day, and how many days were worn in it before; shape (d,) each."""
        era = np.searchsorted(self._restarts, day, "right")
        many = np.zeros(len(day), np.int64)
        for number, one in enumerate(self._eras):
            here = era == number
            many[here] = np.searchsorted(one.days, day[here], "left")
        return era, many

    def usual(self, era: int, many: int) -> Usual:
        """Get the usual after so many days."""
        return self._eras[era].usual(many)

    def rest_bpm(self, era: IntArray, many: IntArray) -> FloatArray:
        """Get the quiet rate of each quarter of the day after so many days, shape (d, 4)."""
        found = [self._eras[one].rest_bpm[days] for one, days in zip(era, many, strict=True)]
        return np.array(found, np.float64).reshape(-1, 4)


def quarter_of(hour: FloatArray) -> IntArray:
    """Find the quarter of the day, 0 to 3."""
    return (np.asarray(hour) // 6.0).astype(np.int64) % 4


def quiet_bpm(minute_bpm: FloatArray) -> float:
    """Compute the quiet rate of minutes: their 20% quantile, drawn to the population's.

    Of each quarter of the day: by day a heart that was first known by night is not active.
    """
    known = minute_bpm[np.isfinite(minute_bpm)]
    quiet = float(np.quantile(known, _QUIET_QUANTILE)) if len(known) else 0.0
    total = quiet * len(known) + _POPULATION_REST_BPM * _POPULATION_MINUTES
    return total / (len(known) + _POPULATION_MINUTES)


def fit_baseline(
    history: StressIndexInput,
    *,
    variances: Variances = VARIANCES,
    restart_days: IntArray | None = None,
    practices_s: FloatArray | None = None,
) -> FittedBaseline:
    """Fit the usual of one person once, to judge many windows with it.

    Parameters
    ----------
    history : StressIndexInput
        Windows to take the baseline from, shape (m,), in any order.
    variances : Variances
        Of the model.
    restart_days : array of int64, shape (r,), optional
        Days, numbered as in ``history.day``, from which the usual starts anew: an illness, a new
        strap. Days before it keep theirs.
    practices_s : array of float64, shape (q, 2), optional
        From when to when the person practised; windows that touch one are left out of baseline and
        index: slow breathing changes the heart by itself.

    Returns
    -------
    FittedBaseline
        To be passed as ``history`` to ``stress_index`` and ``stress_index_of_periods``.
    """
    return FittedBaseline(history, variances, restart_days, practices_s)


class _Era:
    """The baseline of the time between two restarts."""

    def __init__(self, still: StressIndexInput, variances: Variances) -> None:
        kept = still.at(_first_days_of_quarters(still))
        self.days, of_day = np.unique(kept.day, return_inverse=True)
        quarter = quarter_of(kept.hour)
        minutes = [kept.minute_bpm[quarter == each] for each in range(4)]
        in_quarter = [of_day[quarter == each] for each in range(4)]
        self.rest_bpm = [
            [quiet_bpm(minutes[each][in_quarter[each] < many]) for each in range(4)]
            for many in range(len(self.days) + 1)
        ]
        self._usual: dict[int, Usual] = {}
        self._baselines = [Baseline()]
        judged = judge_minutes(kept, np.array(self.rest_bpm)[of_day + 1, quarter], None)
        for number in range(len(self.days)):
            rows = np.flatnonzero((of_day == number) & (judged.minutes > 0))
            baseline = self._baselines[-1]
            if len(rows):
                baseline = baseline.add(judged.to_day(kept, rows, variances), variances)
            self._baselines.append(baseline)

    def usual(self, many: int) -> Usual:
        if many not in self._usual:
            self._usual[many] = self._baselines[many].fit()
        return self._usual[many]


def _first_days_of_quarters(windows: StressIndexInput) -> BoolArray:
    """Find the windows of the first 28 days on which their quarter of the day was worn."""
    quarter = quarter_of(windows.hour)
    result = np.zeros(len(windows.day), np.bool_)
    for each in np.unique(quarter):
        here = quarter == each
        days = np.unique(windows.day[here])[:MAX_BASELINE_DAYS]
        result |= here & (windows.day <= days[-1])
    return result


def _two_before(windows: StressIndexInput) -> FloatArray:
    """Find the two minutes before each window, shape (w, 2), where the windows join; else NaN."""
    bpm = windows.minute_bpm
    count, minutes = bpm.shape
    result = np.full((count, 2), np.nan)
    if not count:
        return result
    order = np.argsort(windows.time_s, kind="stable")
    ends = windows.time_s[order] + minutes * 30.0
    starts = windows.time_s - minutes * 30.0
    place = np.minimum(np.searchsorted(ends, starts - 0.5), count - 1)
    before = np.where(np.abs(ends[place] - starts) < 0.5, order[place], -1)
    further = before if minutes >= 2 else np.where(before >= 0, before[before], -1)
    result[:, 1] = np.where(before >= 0, bpm[before, -1], np.nan)
    result[:, 0] = np.where(further >= 0, bpm[further, -2 if minutes >= 2 else -1], np.nan)
    return result


def _in_practice(time_s: FloatArray, half_s: float, practices_s: FloatArray | None) -> BoolArray:
    result = np.zeros(len(time_s), np.bool_)
    if practices_s is None or not len(practices_s):
        return result
    begin, end = np.asarray(practices_s, np.float64).reshape(-1, 2).T
    order = np.argsort(begin, kind="stable")
    begin, end = begin[order], np.maximum.accumulate(end[order])
    # The last practice that begins before the window ends: does any so far reach into it?
    last = np.searchsorted(begin, time_s + half_s, "left") - 1
    result = (last >= 0) & (end[np.maximum(last, 0)] > time_s - half_s)
    return result
