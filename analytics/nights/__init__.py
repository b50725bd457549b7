"""Nights: found in recordings, one series a person, agreement of devices, links with the day."""

from typing import TYPE_CHECKING

from ebbtide._lazy import lazy_members

if TYPE_CHECKING:
    from analytics.nights.agreement import Agreement, device_agreement
    from analytics.nights.links import (
        DaysAround,
        NightLink,
        NightQuestion,
        days_around_nights,
        night_links,
        waking_columns,
    )
    from analytics.nights.rest import RestPeriod, find_rest, is_of_night
    from analytics.nights.series import NightSeries, calmer_than, night_series
else:  # hidden from the type checker, to which other names stay errors
    __getattr__ = lazy_members(
        __name__,
        {
            "analytics.nights.agreement": (
                "Agreement",
                "device_agreement",
            ),
            "analytics.nights.links": (
                "DaysAround",
                "NightLink",
                "NightQuestion",
                "days_around_nights",
                "night_links",
                "waking_columns",
            ),
            "analytics.nights.rest": (
                "RestPeriod",
                "find_rest",
                "is_of_night",
            ),
            "analytics.nights.series": (
                "NightSeries",
                "calmer_than",
                "night_series",
            ),
        },
    )

__all__ = [
    "Agreement",
    "DaysAround",
    "NightLink",
    "NightQuestion",
    "NightSeries",
    "RestPeriod",
    "calmer_than",
    "days_around_nights",
    "device_agreement",
    "find_rest",
    "is_of_night",
    "night_links",
    "night_series",
    "waking_columns",
]
