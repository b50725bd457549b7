"""The stress index: how far a window of heartbeats is from the person's own usual, 0 to 100.

Three things are compared with a baseline: ln RMSSD (lower under stress), heart rate and the
logarithm of Baevsky's stress index (higher). The effects of the time of day and of movement are
removed from each, and it is divided by its own spread. The mean of the three, divided by its
spread, is z; the index is 100 Phi(z): of how many in a hundred comparable windows of the baseline
it was lower. 50 is usual.

- The baseline is estimated from up to the first 14 days with usable windows, only from days before
  the one that is judged, and then stays: a change over a programme stays visible. It needs 5 days
  and 25 still windows; before that the index is NaN.
- Time of day: a weighted median around the hour (Gaussian, 2 h), where at least 3 days have
  windows within 3 h; elsewhere the index is NaN.
- Movement: a robust line on ln(1 + mg), where movement was measured. Windows with more than 50 mg
  (about slow walking) are left out: there the heart works for the legs.
- The interval (95%) has two parts: the baseline's, by leaving out one day at a time (delete-one
  jackknife), and the window's, by how much neighbouring windows differ.

Evidence and limits: vagal HRV falls and heart rate rises under acute mental stress (Kim et al.
2018, Psychiatry Investigation 15:235; Castaldo et al. 2015, Biomedical Signal Processing and
Control 18:370). So they do with food, alcohol, illness, talking, posture and many medicines, none
of which is seen here. The index is no measure of felt stress: it is compared with ratings, not put
in their place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.requirements import MissingReason
from analytics.hrv.windows import HrvWindows

METHOD = "stress index: ln RMSSD, heart rate, Baevsky; own first 14 days; version 1"
MAX_BASELINE_DAYS, MIN_BASELINE_DAYS, MIN_WINDOWS = 14, 5, 25
MAX_MOTION_MG = 50.0
_HOUR_SD, _HOUR_REACH, _MIN_DAYS_AT_HOUR = 2.0, 3.0, 3
_GRID = np.arange(0, 24, 0.5)
_SIGNS = np.array([-1.0, 1.0, 1.0])
_MAD_TO_SD = 1.4826
_MIDDLE_95 = 1.959964


@dataclass(frozen=True, slots=True, eq=False)
class StressIndexInput:
    """What the index is made of; all of shape (w,).

    ``day``: a number per local day, increasing with time; ``hour``: local, 0 to 24; ``time_s``;
    ``ln_rmssd`` (ms), ``heart_rate`` (bpm), ``ln_baevsky``: NaN where unusable; ``motion_mg``: NaN
    where not measured.
    """

    day: IntArray
    hour: FloatArray
    time_s: FloatArray
    ln_rmssd: FloatArray
    heart_rate: FloatArray
    ln_baevsky: FloatArray
    motion_mg: FloatArray

    def at(self, where: BoolArray | IntArray) -> StressIndexInput:
        """Those of a mask or of places."""
        return StressIndexInput(
            self.day[where],
            self.hour[where],
            self.time_s[where],
            self.ln_rmssd[where],
            self.heart_rate[where],
            self.ln_baevsky[where],
            self.motion_mg[where],
        )

    @property
    def measures(self) -> FloatArray:
        """Shape (w, 3)."""
        return np.column_stack([self.ln_rmssd, self.heart_rate, self.ln_baevsky])

    @property
    def still(self) -> BoolArray:
        """Usable, and not measured to move."""
        usable = np.all(np.isfinite(self.measures), axis=1)
        result: BoolArray = usable & ~(self.motion_mg > MAX_MOTION_MG)
        return result


@dataclass(frozen=True, slots=True, eq=False)
class StressIndex:
    """All of shape (w,): 0 to 100 with its 95% interval, NaN where ``missing_reason`` says why.

    ``baseline_days`` is how many days each was compared with.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    missing_reason: list[MissingReason | None]
    baseline_days: IntArray


def stress_index(history: StressIndexInput, windows: StressIndexInput) -> StressIndex:
    """Compare windows with the person's own first days.

    Parameters
    ----------
    history : StressIndexInput
        Windows to take the baseline from, shape (m,), in any order. It may contain ``windows``:
        only earlier days count.
    windows : StressIndexInput
        The windows to judge, shape (w,), in any order.

    Returns
    -------
    StressIndex
        0 to 100 with its 95% interval, shape (w,); 50 is usual. NaN where ``missing_reason`` says
        why.

    Notes
    -----
    The module has the method, its evidence and its limits: Kim et al. (2018), Psychiatry
    Investigation 15:235; Castaldo et al. (2015), Biomedical Signal Processing and Control 18:370.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import stress_index
    >>> from analytics.hrv import StressIndexInput
    >>> rng = np.random.default_rng(1)
    >>> day = np.repeat(np.arange(8), 24)
    >>> arousal = rng.normal(size=192)
    >>> arousal[-1] = 3.0
    >>> windows = StressIndexInput(
    ...     day=day,
    ...     hour=np.tile(np.arange(24.0), 8),
    ...     time_s=3600.0 * np.arange(192),
    ...     ln_rmssd=3.5 - 0.2 * arousal,
    ...     heart_rate=70 + 4 * arousal,
    ...     ln_baevsky=4.5 + 0.3 * arousal,
    ...     motion_mg=np.full(192, np.nan),
    ... )
    >>> index = stress_index(windows, windows)
    >>> bool(index.value[-1] > 95), str(index.missing_reason[0])[:13]
    (True, 'not known yet')
    """
    count = len(windows.day)
    value, low, high = (np.full(count, np.nan) for _ in range(3))
    days_used = np.zeros(count, np.int64)
    missing_reason: list[MissingReason | None] = [MissingReason.BASELINE] * count
    still_history = history.at(history.still)
    still_history = still_history.at(np.argsort(still_history.time_s, kind="stable"))
    days = np.unique(still_history.day)
    usable = np.all(np.isfinite(windows.measures), axis=1)
    still = windows.still
    for row in np.flatnonzero(~usable):
        missing_reason[row] = MissingReason.TOO_FEW_BEATS
    for row in np.flatnonzero(usable & ~still):
        missing_reason[row] = MissingReason.MOVING
    # How many days came before each; beyond 14 the baseline stays as it is.
    before = np.minimum(np.searchsorted(days, windows.day, "left"), MAX_BASELINE_DAYS)
    for many in np.unique(before[still]):
        rows = np.flatnonzero(still & (before == many))
        days_used[rows] = many
        base = still_history.at(np.isin(still_history.day, days[:many]))
        if many < MIN_BASELINE_DAYS or len(base.day) < MIN_WINDOWS:
            continue
        z, error, comparable = _compare(base, windows.at(rows))
        for row, here in zip(rows, comparable, strict=True):
            missing_reason[row] = None if here else MissingReason.HOUR
        at = rows[comparable]
        value[at] = 100 * ndtr(z[comparable])
        low[at] = 100 * ndtr(z[comparable] - _MIDDLE_95 * error[comparable])
        high[at] = 100 * ndtr(z[comparable] + _MIDDLE_95 * error[comparable])
    return StressIndex(value, low, high, missing_reason, days_used)


def stress_index_input(windows: HrvWindows, day: IntArray, hour: FloatArray) -> StressIndexInput:
    """Build the input of the stress index from HRV windows, shape (w,).

    It also takes the local day and hour of each window's middle.
    """
    return StressIndexInput(
        day,
        hour,
        (windows.start_ns + windows.window_ns // 2) / 1e9,
        logarithm(windows.value("rmssd_ms")),
        windows.value("mean_hr_bpm"),
        logarithm(windows.value("stress_index_baevsky")),
        windows.metrics.motion_mg,
    )


def logarithm(values: FloatArray) -> FloatArray:
    """Natural; NaN where there is none."""
    result: FloatArray = np.log(np.where(values > 0, values, np.nan))
    return result


def _compare(
    base: StressIndexInput, windows: StressIndexInput
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Z of each windows window, its standard error, and whether its hour is known."""
    model = _fit_baseline(base)
    z = model.z(windows)
    days = np.unique(base.day)
    left_out = np.array([_fit_baseline(base.at(base.day != day)).z(windows) for day in days])
    many = len(days)
    jackknife = (many - 1) / many * np.sum((left_out - left_out.mean(axis=0)) ** 2, axis=0)
    own = model.z(base)
    steps = np.diff(own)
    length = np.median(np.diff(base.time_s))
    together = (np.diff(base.time_s) <= 2.5 * length) & (np.diff(base.day) == 0)
    repeat = _spread(steps[together]) / np.sqrt(2) if np.count_nonzero(together) >= 10 else 1.0
    away = np.abs((base.hour[None, :] - windows.hour[:, None] + 12) % 24 - 12) <= _HOUR_REACH
    comparable = np.zeros(len(windows.day), np.bool_)
    seen = np.zeros(len(windows.day), np.int64)
    for day in days:
        seen += np.any(away[:, base.day == day], axis=1)
    comparable = seen >= _MIN_DAYS_AT_HOUR
    return z, np.sqrt(jackknife + repeat**2), comparable


@dataclass(frozen=True, slots=True, eq=False)
class _Baseline:
    usual: FloatArray  # (hours of the grid, 3)
    slope: FloatArray  # (3,), for one of ln(1 + mg)
    motion: float  # the usual ln(1 + mg)
    spread: FloatArray  # (3,)
    of_mean: float

    def z(self, windows: StressIndexInput) -> FloatArray:
        far = self.residuals(windows) / self.spread
        result: FloatArray = np.mean(far * _SIGNS, axis=1) / self.of_mean
        return result

    def residuals(self, windows: StressIndexInput) -> FloatArray:
        grid = np.append(_GRID, 24.0)
        usual = np.vstack([self.usual, self.usual[:1]])
        expected = np.column_stack([np.interp(windows.hour, grid, usual[:, k]) for k in range(3)])
        move = np.log1p(windows.motion_mg) - self.motion
        return windows.measures - expected - np.nan_to_num(move)[:, None] * self.slope


def _fit_baseline(base: StressIndexInput) -> _Baseline:
    away = np.abs((base.hour[None, :] - _GRID[:, None] + 12) % 24 - 12)
    # A little weight for every hour, so that an hour without windows has the overall median.
    weight = np.exp(-0.5 * (away / _HOUR_SD) ** 2) + 1e-6
    # Each day weighs the same, however long the strap was worn.
    _, place, many = np.unique(base.day, return_inverse=True, return_counts=True)
    weight /= many[place]
    usual = np.column_stack([_weighted_medians(base.measures[:, k], weight) for k in range(3)])
    move = np.log1p(base.motion_mg)
    comparable = np.isfinite(move)
    middle = float(np.median(move[comparable])) if np.any(comparable) else 0.0
    rough = _Baseline(usual, np.zeros(3), middle, np.ones(3), 1.0)
    left = rough.residuals(base)
    slope = np.zeros(3)
    if np.count_nonzero(comparable) >= MIN_WINDOWS and np.std(move[comparable]) > 0.1:
        slope = np.array(
            [_robust_slope(move[comparable] - middle, left[comparable, k]) for k in range(3)]
        )
        left -= np.nan_to_num(move - middle)[:, None] * slope
    spread = np.array([_spread(left[:, k]) for k in range(3)])
    together = np.mean(left / spread * _SIGNS, axis=1)
    return _Baseline(usual, slope, middle, spread, _spread(together))


def _weighted_medians(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Compute the median of ``values`` (n,) under each row of ``weight`` (h, n)."""
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(weight[:, order], axis=1)
    place = np.argmax(upto >= upto[:, -1:] / 2, axis=1)
    result: FloatArray = values[order][place]
    return result


def _robust_slope(x: FloatArray, y: FloatArray) -> float:
    """Huber's line through the origin of the medians, by reweighting."""
    y = y - np.median(y)
    slope = 0.0
    for _ in range(20):
        left = y - slope * x
        scale = _spread(left)
        weight = np.minimum(1.0, 1.345 * scale / np.maximum(np.abs(left), 1e-12))
        slope = float(np.sum(weight * x * y) / max(float(np.sum(weight * x * x)), 1e-12))
    return slope


def _spread(values: FloatArray) -> float:
    """Robust standard deviation, never 0: a heart that never varies has no scale to judge by."""
    middle = float(np.median(values))
    return max(_MAD_TO_SD * float(np.median(np.abs(values - middle))), 1e-6)
