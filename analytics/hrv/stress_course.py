"""The course of one recording without a baseline, and gaps filled with the device's own rate.

For recordings of an hour or so, where there is no usual to compare with: which moments were less
calm than others of the same recording. The model is that of the stress index.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray, IntArray
from analytics.hrv.heart_rate import WindowRates
from analytics.hrv.stress_baseline import Judged, StressIndexInput, judge_minutes, quiet_bpm
from analytics.hrv.stress_model import HR_SCALE_BPM, LEVEL_BPM, VARIANCES, Usual, Variances, deviate


@dataclass(frozen=True, slots=True, eq=False)
class StressCourse:
    """All of shape (w,), in units of 4.5 bpm above the recording's median window.

    ``z`` of each window, from its own beats and its neighbours'; ``sd``: its standard deviation,
    large where no beats are near; ``known``: whether the window has judged minutes of its own.
    """

    z: FloatArray
    sd: FloatArray
    known: BoolArray


def stress_course(
    rates: WindowRates,
    start_ns: IntArray,
    window_ns: int,
    *,
    reported: BoolArray | None = None,
    seated: bool = False,
    variances: Variances = VARIANCES,
) -> StressCourse:
    """Compare the windows of one recording with each other.

    Parameters
    ----------
    rates : WindowRates
        Of the windows, shape (w,), as from ``window_rates`` or ``fill_with_reported``.
    start_ns : array of int64, shape (w,)
        Their starts in UTC nanoseconds, in any order, all within three weeks.
    window_ns : int
        Their length.
    reported : array of bool, shape (w,), optional
        Which rates are the device's own.
    seated : bool
        The wearer is known to have sat: no minutes are left out as active or standing up.
    variances : Variances
        Of the model.

    Returns
    -------
    StressCourse
        A value for every window, NaN only if none has a heart rate.

    Notes
    -----
    The posterior mean of the Gaussian process of ``analytics.hrv.stress_model`` (Rasmussen and
    Williams 2006, ch. 2.2), with the median of the recording as its mean.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.hrv.heart_rate import WindowRates
    >>> from analytics.hrv.stress_course import stress_course
    >>> bpm = np.array([70.0, 71.0, np.nan, 80.0, 81.0])
    >>> rates = WindowRates(bpm[:, None], bpm, np.full(5, np.nan))
    >>> course = stress_course(rates, 60_000_000_000 * np.arange(5), 60_000_000_000)
    >>> bool(course.z[1] < course.z[2] < course.z[3]), bool(course.sd[2] > course.sd[1])
    (True, True)
    >>> course.known.tolist()
    [True, True, False, True, True]
    """
    time_s = (np.asarray(start_ns) - int(np.min(start_ns, initial=0))) / 1e9 + window_ns / 2e9
    nothing = np.full(len(time_s), np.nan)
    windows = StressIndexInput(
        np.zeros(len(time_s), np.int64),
        np.zeros(len(time_s)),
        time_s,
        rates.minute_bpm,
        rates.window_bpm,
        *(nothing,) * 4,
        reported,
    )
    if seated:
        judged = _all_minutes(rates)
    else:
        rest = quiet_bpm(rates.minute_bpm)
        judged = judge_minutes(windows, np.full(len(time_s), rest), None)
    order = np.argsort(time_s, kind="stable")
    rows = order[judged.minutes[order] > 0]
    if not len(rows):
        return StressCourse(nothing, nothing, np.zeros(len(time_s), np.bool_))
    level = (float(np.median(judged.bpm[rows])) - LEVEL_BPM) / HR_SCALE_BPM
    usual = Usual(np.array([level, 0.0, 0.0, 0.0, 0.0]), np.zeros((5, 5)), 1.0, np.inf)
    count, step_s = np.ones(len(time_s), np.int64), np.full(len(time_s), window_ns / 1e9)
    day = judged.to_day(windows, rows, variances)
    found = deviate(usual, day, time_s, count, step_s, variances)
    return StressCourse(found.mean, np.sqrt(found.own), judged.minutes > 0)


def fill_with_reported(rates: WindowRates, reported: WindowRates) -> tuple[WindowRates, BoolArray]:
    """Fill windows that have no heart rate from beats with the device's own.

    Parameters
    ----------
    rates, reported : WindowRates
        Of the same windows, shape (w,): by ``window_rates`` and by ``reported_rates``, the latter
        with the lag of the device.

    Returns
    -------
    WindowRates, array of bool of shape (w,)
        The windows, and which of them have the device's rate.
    """
    filled = ~np.isfinite(rates.window_bpm) & np.isfinite(reported.window_bpm)
    return (
        WindowRates(
            np.where(filled[:, None], reported.minute_bpm, rates.minute_bpm),
            np.where(filled, reported.window_bpm, rates.window_bpm),
            rates.vagal,
        ),
        filled,
    )


def _all_minutes(rates: WindowRates) -> Judged:
    known = np.isfinite(rates.window_bpm)
    many = np.maximum(np.count_nonzero(np.isfinite(rates.minute_bpm), axis=1), 1)
    many = np.where(known, many, 0)
    return Judged(rates.window_bpm, many, np.zeros(len(known), np.int64))
