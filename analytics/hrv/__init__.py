"""Heart-rate variability of RR intervals: labels, correction, metrics, windows, stress index.

The function ``stress_index`` is in ``analytics``: here, its name is that of its module.
"""

from typing import TYPE_CHECKING

from ebbtide._lazy import lazy_members

if TYPE_CHECKING:
    from analytics.hrv.artefacts import Beat, BeatLabels, label_beats
    from analytics.hrv.correction import CorrectedSeries, correct_beats
    from analytics.hrv.engine import WindowMetrics, window_metrics
    from analytics.hrv.live_windows import extend_windows
    from analytics.hrv.metric import Domain, Metric
    from analytics.hrv.relative_stress import (
        StressIndex,
        StressIndexInput,
        StressPeriods,
        stress_index_of_periods,
    )
    from analytics.hrv.requirements import METRICS, MissingReason
    from analytics.hrv.summary import SLOW_BREATHING, HrvSummary, Quality, hrv_summary
    from analytics.hrv.windows import (
        WINDOW_NS,
        BeatArrays,
        HrvWindows,
        Movement,
        concat_windows,
        hrv_windows,
        starts_by_stretch,
    )
else:  # hidden from the type checker, to which other names stay errors
    __getattr__ = lazy_members(
        __name__,
        {
            "analytics.hrv.artefacts": ("Beat", "BeatLabels", "label_beats"),
            "analytics.hrv.correction": ("CorrectedSeries", "correct_beats"),
            "analytics.hrv.engine": ("WindowMetrics", "window_metrics"),
            "analytics.hrv.live_windows": ("extend_windows",),
            "analytics.hrv.metric": ("Domain", "Metric"),
            "analytics.hrv.requirements": ("METRICS", "MissingReason"),
            "analytics.hrv.relative_stress": (
                "StressIndex",
                "StressIndexInput",
                "StressPeriods",
                "stress_index_of_periods",
            ),
            "analytics.hrv.summary": ("HrvSummary", "Quality", "SLOW_BREATHING", "hrv_summary"),
            "analytics.hrv.windows": (
                "BeatArrays",
                "HrvWindows",
                "Movement",
                "WINDOW_NS",
                "concat_windows",
                "hrv_windows",
                "starts_by_stretch",
            ),
        },
    )

__all__ = [
    "METRICS",
    "SLOW_BREATHING",
    "WINDOW_NS",
    "Beat",
    "BeatArrays",
    "BeatLabels",
    "CorrectedSeries",
    "Domain",
    "HrvSummary",
    "HrvWindows",
    "Metric",
    "MissingReason",
    "Movement",
    "Quality",
    "StressIndex",
    "StressIndexInput",
    "StressPeriods",
    "WindowMetrics",
    "concat_windows",
    "correct_beats",
    "extend_windows",
    "hrv_summary",
    "hrv_windows",
    "label_beats",
    "starts_by_stretch",
    "stress_index_of_periods",
    "window_metrics",
]
