"""Whether prompts were let go when things were bad: what the last rating and the heart say.

With prompts known, nothing has to be guessed from gaps. Two tests, each with autocorrelated errors
and net of a straight course and of the time of day:

- the rating before: was it worse before prompts that were let go? Each rating is used once, for the
  first prompt after it, so that a silent week counts as one.
- the heart in the five minutes before the prompt, which is there when the rating is not.

The p values are corrected for each other (Holm). How often either is wrong, and how often it finds
what is there: docs/evidence/prompts.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import BoolArray, FloatArray
from analytics.association.detrending import independent_columns, is_flat, linear_basis, residuals
from analytics.association.group_difference import group_difference
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

MIN_OF_EACH = 8  # prompts answered and let go, each with a value
MAX_BEFORE_DAYS = 1.0  # a rating older than that says little of the prompt
_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class LetGo:
    """What prompts that were let go went with.

    ``sent``: prompts that can not be answered any more, or were; ``answered`` of them. ``p_rating``
    and ``p_heart``: corrected for each other; None where there are too few with a value.
    ``worse_by`` and ``faster_by``: how much worse the rating before and how much faster the heart
    was before prompts that were let go, in the person's own standard deviations.
    """

    sent: int
    answered: int
    p_rating: float | None = None
    p_heart: float | None = None
    worse_by: float | None = None
    faster_by: float | None = None

    @property
    def goes_with_rating(self) -> bool:
        """Whether prompts were let go more, or less, after worse ratings."""
        return self.p_rating is not None and self.p_rating < _ALPHA

    @property
    def goes_with_heart(self) -> bool:
        """Whether prompts were let go more, or less, while the heart was fast."""
        return self.p_heart is not None and self.p_heart < _ALPHA


def prompts_let_go(
    days: FloatArray,
    answered: BoolArray,
    rating_days: FloatArray,
    x: FloatArray,
    y: FloatArray,
    heart: FloatArray | None = None,
) -> LetGo:
    """Test what letting prompts go went with.

    Parameters
    ----------
    days : array of float64, shape (m,)
        When each prompt was sent, in local days (the fraction is the time of day), in order.
    answered : array of bool, shape (m,)
        Whether it was answered.
    rating_days : array of float64, shape (n,)
        When each rating was, on the same clock, in order.
    x, y : array of float64, shape (n,)
        Both ratings, such as stress and pain; what is bad is high.
    heart : array of float64, shape (m,), optional
        Heart rate before each prompt; NaN where there is none.

    Returns
    -------
    LetGo
        Counts, and p values where there are enough of both kinds.

    Raises
    ------
    ValueError
        If shapes differ.

    Notes
    -----
    Generalised least squares of the value on whether the prompt was let go, errors AR(1) from
    prompt to prompt; two-sided. Correction: Holm (1979), Scandinavian Journal of Statistics 6:65.
    """
    if days.shape != answered.shape or not rating_days.shape == x.shape == y.shape:
        raise ValueError("days and answered have one shape; rating_days, x and y have one")
    if heart is not None and heart.shape != days.shape:
        raise ValueError("heart has the shape of days")
    counts = len(days), int(np.count_nonzero(answered))
    before = _compare(days, ~answered, _bad_before(days, rating_days, x, y))
    by_heart = None if heart is None else _compare(days, ~answered, heart)
    p_values = [None if found is None else found[1] for found in (before, by_heart)]
    there = sorted(p for p in p_values if p is not None)

    def corrected(p: float | None) -> float | None:
        if p is None:
            return None
        if len(there) == 2 and p == there[0]:
            return min(1.0, 2 * p)
        return max(p, min(1.0, 2 * there[0])) if len(there) == 2 else p

    return LetGo(
        *counts,
        p_rating=corrected(p_values[0]),
        p_heart=corrected(p_values[1]),
        worse_by=None if before is None else before[0],
        faster_by=None if by_heart is None else by_heart[0],
    )


def _bad_before(
    days: FloatArray, rating_days: FloatArray, x: FloatArray, y: FloatArray
) -> FloatArray:
    """How bad the last rating before each prompt was, NaN where it was that of a prompt before."""
    bad = np.full(len(days), np.nan)
    if len(rating_days) < MIN_OF_EACH:
        return bad
    basis = linear_basis(rating_days)
    rest = [residuals(values - np.median(values), basis) for values in (x, y)]
    if any(is_flat(left, whole) for left, whole in zip(rest, (x, y), strict=True)):
        return bad
    level = rest[0] / np.std(rest[0]) + rest[1] / np.std(rest[1])
    last = np.searchsorted(rating_days, days, side="left") - 1
    is_first = np.append(True, np.diff(last) != 0) & (last >= 0)
    is_first &= days - rating_days[np.maximum(last, 0)] <= MAX_BEFORE_DAYS
    bad[is_first] = level[last[is_first]]
    return bad


def _compare(days: FloatArray, let_go: BoolArray, value: FloatArray) -> tuple[float, float] | None:
    """How much higher the value is where a prompt was let go, and the two-sided p value.

    In its own standard deviations. None where there are too few of either kind.
    """
    there = np.isfinite(value)
    days, gone, value = days[there], let_go[there].astype(np.float64), value[there]
    many = int(np.sum(gone))
    if min(many, len(days) - many) < MIN_OF_EACH:
        return None
    turn = 2 * np.pi * days
    basis = independent_columns(
        np.column_stack([linear_basis(days), np.cos(turn), np.sin(turn), np.cos(2 * turn)])
    )
    rest = residuals(value - np.median(value), basis)
    if is_flat(rest, value):
        return None
    found = group_difference(basis, gone, rest / np.std(rest), MIN_OF_EACH)
    if found is None:
        return None
    slope, error, dof = found
    return slope, float(2 * special.stdtr(dof, -abs(slope) / max(error, 1e-12)))
