"""What happens in heart and ratings around practice: before, during, after.

Differences within each practice, and their mean over practices with a t interval. Two biases
remain: a practice is often begun at a bad moment, after which ratings fall anyway (regression to
the mean); and slow breathing itself raises RMSSD, whatever its effect on stress.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._types import FloatArray
from ebbtide._lazy import lazy_module

special = lazy_module("scipy.special")

MIN_PRACTICES = 5
METHOD = "mean of differences within practices, 95% t interval"


@dataclass(frozen=True, slots=True)
class PracticeEffect:
    """The mean difference over ``n`` practices with its 95% interval; None with a reason."""

    n: int
    before: float | None
    then: float | None
    change: float | None
    low: float | None
    high: float | None
    missing_reason: str | None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out no change."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def practice_effect(before: FloatArray, then: FloatArray) -> PracticeEffect:
    """From ``before`` to ``then``, both of shape (practices,); NaN where one is not known."""
    finite = np.isfinite(before) & np.isfinite(then)
    n = int(np.count_nonzero(finite))
    if n < MIN_PRACTICES:
        more = f"{n} practices have both; {MIN_PRACTICES} are needed"
        return PracticeEffect(n, None, None, None, None, None, more)
    differences = then[finite] - before[finite]
    if np.all(differences == differences[0]):  # an interval without width would say too much
        alike = f"the change was the same in all {n}, so how sure it is cannot be worked out"
        return PracticeEffect(n, None, None, None, None, None, alike)
    mean = float(np.mean(differences))
    error = float(np.std(differences, ddof=1)) / n**0.5
    half = float(special.stdtrit(n - 1, 0.975)) * error
    return PracticeEffect(
        n,
        float(np.mean(before[finite])),
        float(np.mean(then[finite])),
        mean,
        mean - half,
        mean + half,
        None,
    )
