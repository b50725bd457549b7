"""Restricted maximum likelihood of the stress model's variances, for ``benchmarks.stress_index``.

A level and a scale of their own for each recording; slow is 1, fast and noise of a minute on a grid
(Patterson and Thompson 1971, Biometrika 58:545).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.hrv.stress_model import CELL_S, SLOW_S, VARIANCES, Variances

Floats = NDArray[np.float64]
FAST = np.exp(np.linspace(-2.5, 1.0, 15))
NOISE = np.exp(np.linspace(-2.5, 0.5, 13))


def likelihoods(series: list[tuple[Floats, Floats]]) -> Floats:
    """Compute minus the log likelihood of times (s) and rates, shape (recordings, fast, noise)."""
    result = np.empty((len(series), len(FAST), len(NOISE)))
    for number, (at_s, bpm) in enumerate(series):
        far = np.abs(at_s[:, None] - at_s)
        slow, near = np.exp(-far / SLOW_S), np.maximum(0.0, 1.0 - far / CELL_S)
        columns = np.column_stack([np.ones(len(bpm)), bpm])
        for row, fast in enumerate(FAST):
            for column, noise in enumerate(NOISE):
                lower = np.linalg.cholesky(slow + fast * near + noise * np.eye(len(bpm)))
                level, y = np.linalg.solve(lower, columns).T
                left = y @ y - (level @ y) ** 2 / (level @ level)
                result[number, row, column] = (
                    np.sum(np.log(np.diag(lower)))
                    + np.log(level @ level) / 2
                    + (len(bpm) - 1) / 2 * np.log(left / (len(bpm) - 1))
                )
    return result


def best(table: Floats) -> Variances:
    """Choose the grid point, as shares of one with the day's share as assumed."""
    row, column = np.unravel_index(int(np.argmin(table)), table.shape)
    fast, noise = float(FAST[row]), float(NOISE[column]) / 5  # of five minutes
    slow = (1 - VARIANCES.day) / (1 + fast + noise)
    return Variances(slow=round(slow, 3), fast=round(slow * fast, 3), noise=round(slow * noise, 3))
