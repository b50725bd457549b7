"""Associations of ratings and HRV: within one person, of many people, and in words."""

from typing import TYPE_CHECKING

from ebbtide._lazy import lazy_members

if TYPE_CHECKING:
    from analytics.association.group import GroupLink, PersonSlope, group_link
    from analytics.association.hrv_before_rating import HrvBeforeRating, Span, window_starts
    from analytics.association.missingness import (
        MissingPattern,
        WhatIf,
        missing_pattern,
        what_if_worse,
    )
    from analytics.association.rmcorr import RmCorr, repeated_measures_correlation
    from analytics.association.within_person import (
        Association,
        day_to_day_link,
        lagged_link,
        within_person_link,
    )
    from analytics.association.wording import AssociationText, Comparison, Verdict, association_text
else:  # hidden from the type checker, to which other names stay errors
    __getattr__ = lazy_members(
        __name__,
        {
            "analytics.association.group": ("GroupLink", "PersonSlope", "group_link"),
            "analytics.association.hrv_before_rating": ("HrvBeforeRating", "Span", "window_starts"),
            "analytics.association.missingness": (
                "MissingPattern",
                "WhatIf",
                "missing_pattern",
                "what_if_worse",
            ),
            "analytics.association.rmcorr": ("RmCorr", "repeated_measures_correlation"),
            "analytics.association.within_person": (
                "Association",
                "day_to_day_link",
                "lagged_link",
                "within_person_link",
            ),
            "analytics.association.wording": (
                "AssociationText",
                "Comparison",
                "Verdict",
                "association_text",
            ),
        },
    )

__all__ = [
    "Association",
    "AssociationText",
    "Comparison",
    "GroupLink",
    "HrvBeforeRating",
    "MissingPattern",
    "PersonSlope",
    "RmCorr",
    "Span",
    "Verdict",
    "WhatIf",
    "association_text",
    "day_to_day_link",
    "group_link",
    "lagged_link",
    "missing_pattern",
    "repeated_measures_correlation",
    "what_if_worse",
    "window_starts",
    "within_person_link",
]
