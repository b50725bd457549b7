"""What each metric needs to mean something, and in words why one is missing.

The minimum lengths stand with the metrics. Sources: Task Force (1996) for frequencies (ten cycles
of the slowest wave: HF 1 minute, LF 2 to 4, VLF 5 and more, of which a tenth may be missing) and
for the geometric metrics (20 minutes, better 24 hours); Munoz et al. (2015), PLOS ONE 10:e0138921,
for RMSSD and SDNN (1 minute, better 5); Yentes et al. (2013), Annals of Biomedical Engineering
41:349, for the entropies (200 intervals); Peng et al. (1995) for DFA (four boxes of the longest
size). Baevsky's index is defined on 100 beats or more.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from analytics.hrv.entropy import MAX_ENTROPY_INTERVALS
from analytics.hrv.frequency_domain import FREQUENCY_DOMAIN
from analytics.hrv.metric import Domain, Metric
from analytics.hrv.nonlinear import NONLINEAR
from analytics.hrv.time_domain import TIME_DOMAIN

_ROWS: tuple[Metric[Any], ...] = (*TIME_DOMAIN, *FREQUENCY_DOMAIN, *NONLINEAR)
METRICS: dict[str, Metric[Any]] = {metric.name: metric for metric in _ROWS}
MIN_SECONDS = {name: metric.min_seconds for name, metric in METRICS.items() if metric.min_seconds}
MIN_INTERVALS = {
    name: metric.min_intervals for name, metric in METRICS.items() if metric.min_intervals
}
# Of the corrected series, not of measured NN intervals.
REQUIRES_CORRECTED = frozenset(name for name, metric in METRICS.items() if metric.of_corrected)
MIN_NORMAL_SHARE = 0.8


class MissingReason(StrEnum):
    """Why a window, or its stress index, has no value."""

    TOO_SHORT = "window too short"
    NO_BEATS = "no beats recorded"
    DISTURBED = "too disturbed"
    TOO_FEW_BEATS = "too few usable beats"
    BASELINE = "not known yet: learning the usual takes two worn days before"
    MOVING = "moving: the heart works for the muscles"
    ACTIVE = "active: a heart rate far above rest is not judged"
    PRACTICE = "during a practice: slow breathing changes the heart by itself"


def disturbed_reason(intervals: int, normal_share: float) -> str | None:
    """Say why no metric at all can be given; None where they can."""
    if not intervals:
        return "there are no intervals"
    if normal_share < MIN_NORMAL_SHARE:
        needed = f"{MIN_NORMAL_SHARE:.0%} are needed"
        return f"only {normal_share:.0%} of the intervals are normal; {needed}"
    return None


def insufficient_reason(name: str, seconds: float, intervals: int) -> str | None:
    """Say why this much is too little for a metric; None where it is enough.

    ``intervals``: of the series that the metric is computed from.
    """
    min_seconds = MIN_SECONDS.get(name, 0)
    if seconds < min_seconds:
        return f"{seconds:.0f} s of NN intervals; {min_seconds} s are needed"
    count = MIN_INTERVALS.get(name, 0)
    if intervals < count:
        return f"{intervals} NN intervals; {count} are needed"
    return None


def undefined_reason(name: str, intervals: int, holed: bool = False) -> str:
    """Say why a metric is missing although there is enough to compute it from.

    ``holed``: whether its spectrum has gaps.
    """
    if name == "breathing_per_min":
        return "no narrow peak that would be breathing"
    if holed and METRICS[name].domain is Domain.FREQUENCY:
        return "the gaps leave stretches too short for waves this slow, or hardly any power"
    if name in ("sampen", "apen") and intervals > MAX_ENTROPY_INTERVALS:
        return f"longer than {MAX_ENTROPY_INTERVALS:,} intervals; ask for windows of fewer"
    return "the intervals do not vary enough, or a hole is too long, to work it out"
