"""The heart before each rating."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.windows import BeatArrays, HrvWindows, Movement, WindowHrv, hrv_windows, single


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """One window for each rating, in the order of the ratings."""

    found: HrvWindows

    @property
    def windows(self) -> tuple[WindowHrv, ...]:
        """The windows one by one."""
        return tuple(single(self.found, row) for row in range(len(self.found)))

    @property
    def usable(self) -> int:
        """Ratings with usable beats before them."""
        return int(np.count_nonzero(self.found.usable))

    @property
    def ln_rmssd(self) -> NDArray[np.float64]:
        """Natural logarithm of RMSSD in ms, shape (ratings,); NaN where there is none.

        RMSSD is skewed; its logarithm is what is compared (Task Force 1996; Plews et al. 2013,
        Sports Medicine 43:773).
        """
        return _logarithm(self.found.value("rmssd_ms"))

    @property
    def heart_rate(self) -> NDArray[np.float64]:
        """Beats a minute, shape (ratings,); NaN where there is none."""
        return self.found.value("mean_hr_bpm")

    @property
    def ln_baevsky(self) -> NDArray[np.float64]:
        """Natural logarithm of Baevsky's index, shape (ratings,); NaN where there is none."""
        return _logarithm(self.found.value("stress_index_baevsky"))


def align(
    rating_ns: NDArray[np.int64],
    beats: BeatArrays,
    window_ns: int = 300_000_000_000,
    movement: Movement | None = None,
) -> Alignment:
    """HRV of the window that ends at each rating, [rating - window_ns, rating).

    ``rating_ns``: shape (ratings,), UTC ns, what the rating is about, in any order.
    """
    starts = np.asarray(rating_ns, dtype=np.int64) - window_ns
    return Alignment(hrv_windows(beats, starts, window_ns, movement=movement))


def _logarithm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.log(np.where(values > 0, values, np.nan))
    return result
