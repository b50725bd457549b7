"""Nights of which an export says one figure and the date, and no times of sleep."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ebbtide.nights import OF_DATE_NS, Night, NightBasis
from ebbtide.timestamps import from_datetime, utc_offset_s
from ingest.nights.assemble import SAME_MS
from ingest.nights.night_file import Remarks


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


@dataclass(slots=True)
class Averages:
    """The device's own averages of nights, each by the date on which the night ended."""

    source: str
    zone: str | None
    remarks: Remarks
    _nights: dict[str, Night] = field(default_factory=dict)

    def add(self, day: date, rmssd_ms: float, where: str, mean_hr_bpm: float | None = None) -> None:
        """Add an average. Of a second one that differs it is said ``where`` it stands."""
        night = night_of_day(
            *(self.source, day, self.zone, NightBasis.DEVICE),
            rmssd_ms=rmssd_ms,
            mean_hr_bpm=mean_hr_bpm,
        )
        keep_first(self._nights, night, self.remarks, where)

    def add_to(self, nights: list[Night]) -> None:
        """Add a night of each date of which no values are there."""
        days = {night.day for night in nights}
        missing = [night for day, night in self._nights.items() if day not in days]
        if missing:
            self.remarks.note("some nights have the device's own average and no values")
        nights += missing


def keep_first(by_day: dict[str, Night], night: Night, remarks: Remarks, where: str) -> None:
    """Keep the first average of a date. Of a second one that differs it is said ``where``."""
    first = by_day.setdefault(night.day, night)
    if _is_other(first.rmssd_ms, night.rmssd_ms) or _is_other(first.mean_hr_bpm, night.mean_hr_bpm):
        kind = "dates have a second average that differs; the first was kept"
        remarks.add(kind, f"{night.day} in {where}")


def _is_other(first: float | None, second: float | None) -> bool:
    return second is not None and (first is None or abs(first - second) > SAME_MS)
