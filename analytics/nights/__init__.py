"""Nights of watches and rings: one series a person, agreement of devices, links with the day."""

from analytics.nights.agreement import Agreement, device_agreement
from analytics.nights.links import (
    DaysAround,
    NightLink,
    NightQuestion,
    days_around_nights,
    night_links,
)
from analytics.nights.series import NightSeries, calmer_than, night_series

__all__ = [
    "Agreement",
    "DaysAround",
    "NightLink",
    "NightQuestion",
    "NightSeries",
    "calmer_than",
    "days_around_nights",
    "device_agreement",
    "night_links",
    "night_series",
]
