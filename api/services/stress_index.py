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
