"""Effects of one person's own weeks in a clinic: a cycle of days, a block of hours and days.

Where each has working hours, or shifts, of their own, the mean over people is sure of a link that
is none. So the likeliest of each kind is taken out of a person's ratings where its evidence is
strong.
"""

from __future__ import annotations

import numpy as np

from analytics._types import BoolArray, FloatArray
from analytics.association.calendar_effects import CYCLES_DAYS, MIN_CYCLES, NEW_SHARE
from analytics.association.column_gain import column_gain
from analytics.association.detrending import TINY, independent_columns, spline_basis, spline_df
from analytics.association.hour_day_blocks import MIN_SPAN_DAYS, likely_blocks
from analytics.association.shift_cycles import likely_runs
from analytics.association.slope_posterior import typical_spacing, whiten

_LEAST_BESIDE = 3.0  # ratings' worth of an effect, net of the course
_MIN_RATINGS = 24
# Of 56 ratings at even hours a block is found in 7, 3, 2 and 1%, a run in 2, 6, 2 and 2% of people
# without any (autocorrelation 0, 0.3, 0.6 and 0.8; 150 drawn each), a block in 95% of those with
# working hours of their own and a run in 95% of those with shifts of eight days, 2 up in both.
# Where errors linger from rating to rating whatever the time between, at irregular hours, up to 17%
# and 29% at 0.6: that takes a column, and makes no link.
_RHOS = (0.0, 0.2, 0.4, 0.6, 0.75, 0.9)  # from one typical step to the next
_STRONG = 3.0  # log evidence: 20 to 1


def find_own_effects(days: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Find what both follow of the person's own: columns (n, k).

    A cycle of two to six days, a block of hours and days, and a run of days in a longer cycle.
    ``days``: local, in order, multiples of seven are Mondays. ``x``, ``y``: one person's, (n,).
    Where nothing has strong evidence, no column.
    """
    n = len(days)
    nothing = np.empty((n, 0))
    if n < _MIN_RATINGS:
        return nothing
    basis = independent_columns(spline_basis(days, spline_df(n)))
    values = np.column_stack([x - np.median(x), y - np.median(y)])
    values = values - basis @ (basis.T @ values)
    if np.any(np.sum(values**2, axis=0) <= 0):
        return nothing
    found = [_find_cycle(days, values, basis)]
    if days[-1] - days[0] >= MIN_SPAN_DAYS:
        day = np.floor(days).astype(np.int64)
        u, v = values.T
        for likeliest in (likely_blocks(days, u, v, 1), likely_runs(day, u, v, 1)):
            found.append(_if_strong(days, values, basis, *likeliest))
    return np.column_stack(found)


def _find_cycle(days: FloatArray, values: FloatArray, basis: FloatArray) -> FloatArray:
    """Find the cycle of two to six days with the most evidence in both (BIC), (n, k).

    20 people with a medication every three days were called linked in 24 of 25 clinics.
    """
    n, whole = len(days), np.sum(values**2, axis=0)
    day = np.floor(days).astype(np.int64)
    best, found = _STRONG, np.empty((n, 0))
    for length in CYCLES_DAYS:
        if days[-1] - days[0] < MIN_CYCLES * length - 1:
            break
        columns = (day[:, None] % length == np.arange(length - 1)).astype(np.float64)
        net = columns - basis @ (basis.T @ columns)
        if np.min(np.linalg.norm(net, axis=0)) < NEW_SHARE * np.sqrt(n):
            continue
        own = independent_columns(net)
        left = whole - np.sum((own.T @ values) ** 2, axis=0)
        gain = float(n / 2 * np.sum(np.log(whole / np.maximum(left, 1e-12 * whole))))
        gain -= own.shape[1] * float(np.log(n))
        if gain > best:
            best, found = gain, columns
    return found


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
    return (
        column[:, None]
        if _log_evidence(days, values, basis, net) + np.log(prior[0]) > _STRONG
        else nothing
    )


def _log_evidence(
    days: FloatArray, values: FloatArray, basis: FloatArray, net: FloatArray
) -> float:
    """Weigh one column ``net`` of the basis against none, over autocorrelations of the errors.

    Errors that linger look like an effect. The likelihood of each autocorrelation is that of
    residuals (REML; Patterson and Thompson 1971, Biometrika 58:545): the plain one is drawn down by
    as many columns as a course has, and found an effect in a quarter of people without any.
    """
    n, width = basis.shape
    spacing = typical_spacing(days)
    without, beside = [], []
    for rho in _RHOS:
        white, half_log_det = whiten(np.column_stack([basis, values, net]), spacing, rho)
        orthonormal, factor = np.linalg.qr(white[:, :width])
        rest = white[:, width:] - orthonormal @ (orthonormal.T @ white[:, width:])
        x, y = rest[:, 0], rest[:, 1]
        unit = rest[:, 2] / max(float(np.linalg.norm(rest[:, 2])), TINY)
        xx = max(float(x @ x), TINY)
        left = max(float(y @ y - (x @ y) ** 2 / xx), TINY)
        log_norm = 2 * (half_log_det - float(np.sum(np.log(np.abs(np.diag(factor))))))
        without.append(log_norm - (n - width) / 2 * float(np.log(xx * left)))
        gain = float(column_gain(x, y, unit @ x, unit @ y))
        beside.append(without[-1] + gain * (n - width) / n)
    return float(np.logaddexp.reduce(beside) - np.logaddexp.reduce(without))
