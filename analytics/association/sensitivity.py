"""What could make a link without one being there: how strong it would have to be.

Whatever moves both answers of one moment (a way of filling in forms, a bad night) looks like a
link, and no statistics of the two alone can tell. Cinelli and Hazlett (2020), Journal of the Royal
Statistical Society B 82:39, give how much of what is left of both, in shares of variance, such a
cause would have to explain for the interval to reach zero: the robustness value. Beside it stands
what a known cause explains: the time of day.

A rating that is only roughly right makes a slope smaller (Spearman 1904, American Journal of
Psychology 15:72): at a reliability of 0.8 a true 0.30 appears as 0.24, and as less (0.19, measured)
where what is slow and so well measured is taken out with the course. Where ratings were given twice
within half an hour, their differences give the reliability and the slope that goes with it.
"""

from __future__ import annotations

import numpy as np

from analytics._types import FloatArray
from analytics.association.detrending import independent_columns, residuals
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

_REPEAT_DAYS = 0.5 / 24
MIN_REPEATS = 10
_LOWEST_RELIABILITY = 0.4  # below, the correction would be larger than the slope itself


def robustness_value(estimate: float, low: float, high: float, dof: int) -> float:
    """Share of the variance of both that a shared cause must explain to bring zero into reach.

    Parameters
    ----------
    estimate, low, high : float
        A slope with its 95% interval.
    dof : int
        Degrees of freedom of the errors.

    Returns
    -------
    float
        From 0, where the interval holds zero already, to 1.

    Notes
    -----
    Cinelli and Hazlett (2020), Journal of the Royal Statistical Society B 82:39, equation 18 with
    q = 1 and alpha = 0.05; the standard error is that of the interval.
    """
    limit = float(special.stdtrit(max(dof - 1, 1), 0.975))
    error = (high - low) / 2 / limit
    if error <= 0:
        return 1.0
    beyond = (abs(estimate) / error - limit) / np.sqrt(max(dof, 1))
    if low <= 0 <= high or beyond <= 0:
        return 0.0
    return float((np.sqrt(beyond**4 + 4 * beyond**2) - beyond**2) / 2)


def share_of_day(hours: FloatArray, x: FloatArray, y: FloatArray, basis: FloatArray) -> float:
    """Share of the variance beyond ``basis`` that one daily wave explains: of x or y, the larger.

    Adjusted for its two columns; all of shape (n,), ``basis`` (n, q) orthonormal.
    """
    angle = 2 * np.pi * hours / 24
    wave = np.column_stack([np.cos(angle), np.sin(angle)])
    wave = wave - basis @ (basis.T @ wave)
    if float(np.max(np.linalg.norm(wave, axis=0))) < 1e-6 * np.sqrt(len(hours)):
        return 0.0
    wave = independent_columns(wave)
    left = len(hours) - basis.shape[1] - wave.shape[1]
    shares = []
    for values in (x, y):
        rest = residuals(values, basis)
        total = float(rest @ rest)
        unexplained = float(np.sum(residuals(rest, wave) ** 2))
        if left > 0 and total > 0:
            shares.append(1 - unexplained / total * (left + wave.shape[1]) / left)
    return float(np.clip(max(shares, default=0.0), 0, 1))


def reliability_from_repeats(days: FloatArray, values: FloatArray, net: FloatArray) -> float | None:
    """Estimate the reliability of ratings from those that were given again within half an hour.

    ``values``: the ratings; ``net``: the same less their course, all (n,) in order of time. None
    with fewer than ten such pairs, or where they say nothing usable.
    """
    again = np.flatnonzero((np.diff(days) <= _REPEAT_DAYS) & (np.diff(days) > 0))
    spread = float(np.var(net))
    if len(again) < MIN_REPEATS or spread <= 0:
        return None
    noise = float(np.mean(np.diff(values)[again] ** 2)) / 2
    reliability = 1 - noise / spread
    return reliability if _LOWEST_RELIABILITY <= reliability <= 1 else None
