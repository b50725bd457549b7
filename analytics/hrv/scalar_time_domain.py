"""Time-domain HRV of NN intervals.

Source of the definitions: Task Force of the European Society of Cardiology and NASPE (1996),
Circulation 93:1043, table 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def mean_hr_bpm(nn_ms: NDArray[np.float64]) -> float:
    """60,000 over the mean NN, beats a minute (not the mean of the instantaneous rates).

    NaN for no interval.
    """
    return float(60_000 / np.mean(nn_ms)) if len(nn_ms) else float("nan")


def sdnn_ms(nn_ms: NDArray[np.float64]) -> float:
    """Standard deviation of the NN intervals, n - 1 in the denominator. NaN for fewer than 2."""
    return float(np.std(nn_ms, ddof=1)) if len(nn_ms) > 1 else float("nan")


def rmssd_ms(rr_ms: NDArray[np.float64], neighbours: NDArray[np.bool_]) -> float:
    """Root mean square of the differences of neighbouring NN intervals.

    ``rr_ms``: shape (n,). ``neighbours``: shape (n,), True where interval i and i - 1 are both NN
    and nothing lies between them; the first is ignored. NaN when there is no such pair.
    """
    pairs = np.array(neighbours, dtype=np.bool_)
    pairs[:1] = False
    if not pairs.any():
        return float("nan")
    differences = (rr_ms[1:] - rr_ms[:-1])[pairs[1:]]
    return float(np.sqrt(np.mean(differences**2)))
