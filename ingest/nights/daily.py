"""Nights of which an export says one figure and the date, and no times of sleep."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ebbtide.nights import OF_DATE_NS, Night, NightBasis
from ebbtide.timestamps import from_datetime, utc_offset_s


def night_of_day(
    source: str,
    day: date,
    zone: str | None,
    basis: NightBasis,
    *,
    rmssd_ms: float | None = None,
    mean_hr_bpm: float | None = None,
    missing_reason: str | None = None,
) -> Night:
    """A night that ends on ``day``, of unknown length: from midnight to six, by convention."""
    where = ZoneInfo(zone or "UTC")
    start = from_datetime(datetime(day.year, day.month, day.day, tzinfo=where))
    end = start + OF_DATE_NS
    return Night(
        day.isoformat(),
        source,
        start,
        end,
        utc_offset_s(end, zone or "UTC"),
        basis,
        rmssd_ms=rmssd_ms,
        mean_hr_bpm=mean_hr_bpm,
        missing_reason=missing_reason,
    )


def day_of_single(instant_local: datetime) -> date:
    """The date of the night that a single figure of a day is about: the app writes it at the
    beginning of the sleep (in the evening) or at its end.
    """
    return (instant_local + timedelta(hours=6)).date()
