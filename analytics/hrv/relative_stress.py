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

from collections.abc import Sequence

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.hrv.stress_baseline import (
    ACTIVE_ABOVE_REST_BPM,
    MAX_BASELINE_DAYS,
    MAX_MOTION_MG,
    MIN_BASELINE_DAYS,
    STEP_BPM,
    FittedBaseline,
    StressIndexInput,
    fit_baseline,
)
from analytics.hrv.stress_model import CELL_S, VARIANCES, Variances
from analytics.hrv.stress_periods import (
    StressIndex,
    StressPeriods,
    combine_periods,
    judge_periods,
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
    "stress_index_of_groupings",
    "stress_index_of_periods",
]

METHOD = "stress index: heart rate against own usual of the hour; version 2"
# Of days and weeks, where nothing else is said.
WAKING_FROM_H, WAKING_TO_H = 7.0, 23.0


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
    return stress_index_of_groupings(
        fitted, windows, periods, [periods.group], own_window=own_window
    )[0]


def stress_index_of_groupings(
    fitted: FittedBaseline,
    windows: StressIndexInput,
    periods: StressPeriods,
    groups: Sequence[IntArray],
    *,
    own_window: bool = False,
) -> list[StressIndex]:
    """Compare the same periods in several groupings: days alone, and by week.

    As ``stress_index_of_periods`` with each of ``groups``, shape (p,), in place of
    ``periods.group``; the periods are judged once.
    """
    windows_by_time = np.lexsort((windows.time_s, windows.day))
    found = judge_periods(
        fitted,
        windows.at(windows_by_time),
        periods,
        np.argsort(windows_by_time) if own_window else None,
    )
    return [combine_periods(found, group, fitted.variances) for group in groups]


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
        windows.reported,
    )


def logarithm(values: FloatArray) -> FloatArray:
    """Natural; NaN where there is none."""
    result: FloatArray = np.log(np.where(values > 0, values, np.nan))
    return result
