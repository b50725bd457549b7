"""Heart-rate variability, associations of ratings, and outcomes: arrays in, results out.

No I/O, no clock, no state. What others may use is here and in the faces of ``analytics.hrv``,
``analytics.association`` and ``analytics.programme``.
"""

from typing import TYPE_CHECKING

from ebbtide._lazy import lazy_members

if TYPE_CHECKING:
    from analytics.association.group import group_link
    from analytics.association.rmcorr import repeated_measures_correlation
    from analytics.association.within_person import day_to_day_link, lagged_link, within_person_link
    from analytics.hrv.artefacts import label_beats
    from analytics.hrv.correction import correct_beats
    from analytics.hrv.relative_stress import stress_index
    from analytics.hrv.summary import hrv_summary
    from analytics.hrv.windows import BeatArrays, HrvWindows, hrv_windows
    from analytics.programme.change import change_between
    from analytics.programme.outcomes import group_outcome, hedges_g
    from analytics.report import person_report
else:  # hidden from the type checker, to which other names stay errors
    __getattr__ = lazy_members(
        __name__,
        {
            "analytics.association.group": ("group_link",),
            "analytics.association.rmcorr": ("repeated_measures_correlation",),
            "analytics.association.within_person": (
                "day_to_day_link",
                "lagged_link",
                "within_person_link",
            ),
            "analytics.hrv.artefacts": ("label_beats",),
            "analytics.hrv.correction": ("correct_beats",),
            "analytics.hrv.relative_stress": ("stress_index",),
            "analytics.hrv.summary": ("hrv_summary",),
            "analytics.hrv.windows": ("BeatArrays", "HrvWindows", "hrv_windows"),
            "analytics.programme.change": ("change_between",),
            "analytics.programme.outcomes": ("group_outcome", "hedges_g"),
            "analytics.report": ("person_report",),
        },
    )

__all__ = [
    "BeatArrays",
    "HrvWindows",
    "change_between",
    "correct_beats",
    "day_to_day_link",
    "group_link",
    "group_outcome",
    "hedges_g",
    "hrv_summary",
    "hrv_windows",
    "label_beats",
    "lagged_link",
    "person_report",
    "repeated_measures_correlation",
    "stress_index",
    "within_person_link",
]
