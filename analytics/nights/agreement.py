"""How far two devices agree on the same nights: bias and limits of agreement.

Bland and Altman 1986, Lancet 327:307, with the intervals of Bland and Altman 1999, Stat Methods Med
Res 8:135. RMSSD and SDNN differ the more the larger they are, so they are compared as ratios
(differences of logarithms), heart rates as differences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

#: Below, limits of agreement are wider than what they are to judge.
MIN_PAIRS = 14
_LIMIT = 1.96


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of one device with another on ``n`` nights.

    ``bias``: mean of first less second, or their ratio where ``is_ratio``; ``low`` and ``high``:
    between which 95 of 100 nights lie; ``bias_low`` to ``bias_high`` the 95% interval of the bias,
    ``low_outer`` and ``high_outer`` the outer ends of the intervals of the limits. All None where
    ``missing_reason`` says why.
    """

    n: int
    is_ratio: bool
    bias: float | None = None
    bias_low: float | None = None
    bias_high: float | None = None
    low: float | None = None
    high: float | None = None
    low_outer: float | None = None
    high_outer: float | None = None
    missing_reason: str | None = None


def device_agreement(first: FloatArray, second: FloatArray, *, is_ratio: bool) -> Agreement:
    """Compare two devices that measured the same nights.

    Parameters
    ----------
    first, second : array of float64, shape (n,)
        The same metric of each night, in the same unit. Pairs with a NaN are dropped.
    is_ratio : bool
        Whether to compare as ratios; then values must be above 0.

    Returns
    -------
    Agreement
        Bias and 95% limits of agreement with their intervals, or ``missing_reason``.

    Raises
    ------
    ValueError
        If the arrays differ in shape, or ratios are asked of values that are not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics.nights import device_agreement
    >>> ring = np.array([40.0, 44, 38, 52, 47, 41, 39, 50, 45, 43, 42, 46, 48, 37])
    >>> found = device_agreement(1.1 * ring, ring, is_ratio=True)
    >>> found.n, round(found.bias, 3), round(found.low, 3), round(found.high, 3)
    (14, 1.1, 1.1, 1.1)
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError("both devices need one value a night")
    kept = np.isfinite(first) & np.isfinite(second)
    first, second = first[kept], second[kept]
    n = len(first)
    if is_ratio and n and min(first.min(), second.min()) <= 0:
        raise ValueError("ratios need values above 0")
    if n < MIN_PAIRS:
        why = f"{n} of at least {MIN_PAIRS} nights that both measured"
        return Agreement(n, is_ratio, missing_reason=why)
    gap = np.log(first) - np.log(second) if is_ratio else first - second
    mean, sd = float(np.mean(gap)), float(np.std(gap, ddof=1))
    t = float(special.stdtrit(n - 1, 0.975))
    of_mean = t * sd / np.sqrt(n)
    of_limit = t * sd * np.sqrt(1 / n + _LIMIT**2 / (2 * (n - 1)))
    ends = (
        *(mean, mean - of_mean, mean + of_mean, mean - _LIMIT * sd, mean + _LIMIT * sd),
        *(mean - _LIMIT * sd - of_limit, mean + _LIMIT * sd + of_limit),
    )
    bias, bias_low, bias_high, low, high, low_outer, high_outer = (
        float(np.exp(end)) if is_ratio else float(end) for end in ends
    )
    return Agreement(n, is_ratio, bias, bias_low, bias_high, low, high, low_outer, high_outer)
