"""The heart before each rating."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.windows import BeatArrays, WindowHrv, window_hrv


@dataclass(frozen=True, slots=True)
class Alignment:
    """One window for each rating, in the order of the ratings."""

    windows: tuple[WindowHrv, ...]

    @property
    def usable(self) -> int:
        """Ratings with usable beats before them."""
        return sum(window.usable for window in self.windows)

    @property
    def ln_rmssd(self) -> NDArray[np.float64]:
        """Natural logarithm of RMSSD in ms, shape (ratings,); NaN where there is none.

        RMSSD is skewed; its logarithm is what is compared (Task Force 1996; Plews et al. 2013,
        Sports Medicine 43:773).
        """
        values = [w.rmssd_ms if w.rmssd_ms else np.nan for w in self.windows]
        return np.log(np.array(values, dtype=np.float64))


def align(
    rating_ns: NDArray[np.int64], beats: BeatArrays, window_ns: int = 300_000_000_000
) -> Alignment:
    """HRV of the window that ends at each rating, [rating - window_ns, rating).

    ``rating_ns``: shape (ratings,), UTC ns, what the rating is about, in any order.
    """
    return Alignment(
        tuple(window_hrv(beats, int(moment) - window_ns, int(moment)) for moment in rating_ns)
    )
