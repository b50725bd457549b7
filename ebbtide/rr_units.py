"""RR intervals in the strap's own unit.

A Bluetooth heart-rate strap counts RR in ticks of 1/1024 s (Heart Rate Service 1.0,
section 3.1.1.5), not in milliseconds: taking one for the other is wrong by 2.3%.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STRAP_TICKS_PER_SECOND = 1024
MAX_TICKS = 0xFFFF  # the field has 16 bits


def ticks_from_ms(milliseconds: float, ticks_per_second: int = STRAP_TICKS_PER_SECOND) -> int:
    """The nearest number of ticks to an interval in milliseconds."""
    return round(milliseconds * ticks_per_second / 1000)


def ms_from_ticks(
    ticks: NDArray[np.int32] | NDArray[np.uint16], ticks_per_second: int | NDArray[np.int32]
) -> NDArray[np.float64]:
    """Milliseconds, shape as ``ticks``."""
    milliseconds: NDArray[np.float64] = np.asarray(ticks, dtype=np.float64) * 1000.0
    return milliseconds / ticks_per_second
