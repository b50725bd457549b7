"""Whether the heart is a reason to ask: fast for oneself at that hour, or calm after a practice.

The usual is the median of five-minute windows without movement within an hour and a half of the
same time of day, on at least five days; the spread their median absolute deviation. Heart rate
follows the hour of the day (Massin et al. 2000, Archives of Disease in Childhood 83:179), so one
limit for the whole day would ask in the morning or never.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analytics._types import FloatArray, IntArray
from analytics.hrv.stress_baseline import MAX_MOTION_MG

MIN_DAYS, MIN_WINDOWS = 5, 24  # two hours of windows
NEAR_H = 1.5
FAST_SD, FAST_BPM = 1.0, 5.0
CALM_SD = 0.5
MIN_SD_BPM = 2.0
_TO_SD = 1.4826  # of a median absolute deviation of normal values


class HeartState(StrEnum):
    """What about the heart is a reason to ask."""

    FAST = "fast"
    CALM = "calm"


@dataclass(frozen=True, slots=True)
class UsualHeart:
    """Heart rate at a time of day, in bpm: the median and a robust standard deviation."""

    median_bpm: float
    sd_bpm: float


def usual_heart(
    day: IntArray, hour: FloatArray, bpm: FloatArray, motion_mg: FloatArray, at_hour: float
) -> UsualHeart | None:
    """Compute what is usual at a time of day.

    Parameters
    ----------
    day : array of int64, shape (w,)
        The local day of each window of five minutes.
    hour : array of float64, shape (w,)
        Its local hour, 0 to 24.
    bpm, motion_mg : array of float64, shape (w,)
        Mean heart rate, and movement where it is known; NaN elsewhere.
    at_hour : float
        The local hour that is asked about.

    Returns
    -------
    UsualHeart or None
        None from fewer than 5 days or 24 windows.
    """
    apart = np.abs((hour - at_hour + 12) % 24 - 12)
    chosen = (apart <= NEAR_H) & np.isfinite(bpm) & ~(motion_mg > MAX_MOTION_MG)
    if np.count_nonzero(chosen) < MIN_WINDOWS or len(np.unique(day[chosen])) < MIN_DAYS:
        return None
    median = float(np.median(bpm[chosen]))
    spread = _TO_SD * float(np.median(np.abs(bpm[chosen] - median)))
    return UsualHeart(median, max(spread, MIN_SD_BPM))


def heart_state(
    usual: UsualHeart, bpm: float, motion_mg: float, *, after_practice: bool
) -> HeartState | None:
    """Decide whether the heart is a reason to ask now.

    Parameters
    ----------
    usual : UsualHeart
        What is usual at this time of day.
    bpm, motion_mg : float
        Of the last five minutes; ``motion_mg`` NaN where it is not known.
    after_practice : bool
        Whether a practice ended within the last half hour.

    Returns
    -------
    HeartState or None
        FAST from one standard deviation and 5 bpm above the usual; CALM, after a practice alone,
        from half a standard deviation below it. None while moving, which makes every heart fast.

    Examples
    --------
    >>> heart_state(UsualHeart(70.0, 6.0), 77.0, float("nan"), after_practice=False)
    <HeartState.FAST: 'fast'>
    """
    if motion_mg > MAX_MOTION_MG or not np.isfinite(bpm):
        return None
    above = bpm - usual.median_bpm
    if above >= max(FAST_SD * usual.sd_bpm, FAST_BPM):
        return HeartState.FAST
    if after_practice and above <= -CALM_SD * usual.sd_bpm:
        return HeartState.CALM
    return None
