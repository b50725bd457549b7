"""Effects of one person's own weeks in a clinic: a block of hours and days, a run of days.

Where each has working hours, or shifts, of their own, the mean over people is sure of a link that
is none. So the likeliest of each kind is taken out of a person's ratings where its evidence is
strong.
"""

from __future__ import annotations

import numpy as np

from analytics._types import BoolArray, FloatArray
from analytics.association.detrending import TINY, independent_columns, spline_basis, spline_df
from analytics.association.hour_day_blocks import MIN_SPAN_DAYS, likely_blocks
from analytics.association.shift_cycles import likely_runs
from analytics.association.slope_posterior import typical_spacing, whiten

_LEAST_BESIDE = 3.0  # ratings' worth of an effect, net of the course
_MIN_RATINGS = 24
# Of 56 ratings one is found in 6, 4, 2 and 0% of people without any (autocorrelation 0, 0.3, 0.6
# and 0.8, 200 drawn each), and in 75% of those with working hours of their own, 2 up in both.
_STRONG_OWN = 3.0  # log likelihood with the prior: 20 to 1


def find_own_effects(days: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Find the block of hours and days, and the run of days, that both follow: columns (n, k).

    ``days``: local, in order, multiples of seven are Mondays. ``x``, ``y``: one person's, (n,).
    Where nothing has strong evidence, no column.
    """
    n = len(days)
    nothing = np.empty((n, 0))
    if n < _MIN_RATINGS or days[-1] - days[0] < MIN_SPAN_DAYS:
        return nothing
    basis = independent_columns(spline_basis(days, spline_df(n)))
    values = np.column_stack([x - np.median(x), y - np.median(y)])
    values = values - basis @ (basis.T @ values)
    if np.any(np.sum(values**2, axis=0) <= 0):
        return nothing
    block = likely_blocks(days, values[:, 0], values[:, 1], 1)
    run = likely_runs(np.floor(days).astype(np.int64), values[:, 0], values[:, 1], 1)
    found = [_if_strong(days, values, basis, *likeliest) for likeliest in (block, run)]
    return np.column_stack(found)


def _if_strong(
    days: FloatArray, values: FloatArray, basis: FloatArray, likeliest: BoolArray, prior: FloatArray
) -> FloatArray:
    """Keep the likeliest effect, (n, 1), where its evidence is strong; else no column."""
    nothing = np.empty((len(days), 0))
    if not len(prior):
        return nothing
    column = likeliest[:, 0].astype(np.float64)
    net = column - basis @ (basis.T @ column)
    size = float(net @ net)
    if size < _LEAST_BESIDE:
        return nothing
    # Errors that linger look like blocks: at an autocorrelation of 0.8 one was found in 26% of
    # 300 people without any, so its evidence is that of the whitened ratings.
    left = values - net[:, None] * (net @ values) / size
    lag = np.sum(left[1:] * left[:-1], axis=0) / np.maximum(np.sum(left**2, axis=0), TINY)
    rho = float(np.clip(np.mean((lag + _pull(basis)) / (1 - _pull(basis))), 0.0, 0.9))
    white, _ = whiten(np.column_stack([basis, values, net]), typical_spacing(days), rho)
    width = basis.shape[1]
    white_basis = independent_columns(white[:, :width])
    rest = white[:, width:] - white_basis @ (white_basis.T @ white[:, width:])
    unit = rest[:, 2] / max(float(np.linalg.norm(rest[:, 2])), TINY)
    gain = _gain_of(unit, rest[:, :2]) + float(np.log(prior[0]))
    return column[:, None] if gain > _STRONG_OWN else nothing


def _pull(basis: FloatArray) -> float:
    """By how much fitting so many columns draws an autocorrelation down."""
    columns: int = basis.shape[1]
    return columns / len(basis)


def _gain_of(unit: FloatArray, values: FloatArray) -> float:
    """Log likelihood that one column adds to x and to what x leaves of y."""
    x, y = values.T
    left = values - unit[:, None] * (unit @ values)
    a, b = left.T
    before: float = float(x @ x) * float(y @ y - (x @ y) ** 2 / max(x @ x, TINY))
    after = float(a @ a) * float(b @ b - (a @ b) ** 2 / max(a @ a, TINY))
    ratio = max(float(before), TINY) / max(float(after), TINY)
    return float(len(x) / 2 * np.log(ratio))
