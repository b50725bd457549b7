"""What a person's stress index is relative to, as services and exports take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.relative_stress import (
    FittedBaseline,
    StressIndex,
    StressIndexInput,
    StressPeriods,
    stress_index,
    stress_index_of_groupings,
    stress_index_of_periods,
)


@dataclass(frozen=True, slots=True, eq=False)
class StressBaseline:
    """A fitted baseline, the name of all it was made from, and how many days were worn in it since
    it last began anew.
    """

    fitted: FittedBaseline
    fingerprint: str
    worn_days: int = 0

    def judge(self, windows: StressIndexInput) -> StressIndex:
        """Compare each window with the usual that was known before its day."""
        return stress_index(self.fitted, windows)

    def judge_periods(self, windows: StressIndexInput, periods: StressPeriods) -> StressIndex:
        """Compare hours, days or weeks."""
        return stress_index_of_periods(self.fitted, windows, periods)

    def judge_groupings(
        self,
        windows: StressIndexInput,
        periods: StressPeriods,
        groups: Sequence[NDArray[np.int64]],
    ) -> list[StressIndex]:
        """Compare the same periods in several groupings."""
        return stress_index_of_groupings(self.fitted, windows, periods, groups)


def reported_shares(windows: StressIndexInput, periods: StressPeriods) -> NDArray[np.float64]:
    """Compute of each group which share of its heart rates a device reported without beats, by
    minutes; shape (groups,), 0 where there are none.
    """
    groups = int(np.max(periods.group, initial=-1)) + 1
    if windows.reported is None:
        return np.zeros(groups)
    order = np.argsort(windows.time_s, kind="stable")
    times = windows.time_s[order]
    # One at the least: five beats may be scattered over the minutes of a window.
    minutes = np.maximum(np.count_nonzero(np.isfinite(windows.minute_bpm[order]), axis=1), 1.0)
    minutes *= np.isfinite(windows.window_bpm[order])
    first = np.searchsorted(times, periods.start_s, "left")
    end = np.searchsorted(times, periods.end_s, "left")

    def total(of: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.append(0.0, np.cumsum(of))
        weights = sums[end] - sums[first]
        return np.bincount(periods.group, weights=weights, minlength=groups).astype(np.float64)

    known, reported = total(minutes), total(minutes * windows.reported[order])
    return np.divide(reported, known, out=np.zeros(groups), where=known > 0)
