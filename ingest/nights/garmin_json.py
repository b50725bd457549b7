"""Read nights of Garmin Connect as JSON: ``hrvSummary`` and ``hrvReadings`` of five minutes, which
programs save that ask Garmin's pages, and HRV in the health status of an account's export.

RMSSD. The shapes are those which other programs read; none could be checked against a real export.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from ebbtide.errors import EbbtideError
from ebbtide.nights import NightBasis
from ebbtide.timestamps import from_datetime, utc_offset_s
from ingest.nights.assemble import Measured, clean, make_nights, once_each
from ingest.nights.clock import is_of_this_century, require_zone
from ingest.nights.daily import night_of_day
from ingest.nights.json_objects import find_objects, load_json
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks

_SOURCE = "Garmin"
_DAY, _AVERAGE = "calendarDate", "lastNightAvg"
_TIME, _VALUE = "readingTimeGMT", "hrvValue"
_SLEEP = "sleepStartTimestampGMT"
_MARKS = (_AVERAGE, _TIME, _SLEEP)


def _matches(member: Member) -> bool:
    text = member.text
    is_status = f'"{_DAY}"' in text and '"metrics"' in text and '"HRV"' in text
    return member.is_json and (is_status or any(f'"{mark}"' in text for mark in _MARKS))


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    zone = require_zone(context.zone, "nights of Garmin")
    values: list[Measured] = []
    averages: dict[date, float] = {}
    for number, member in enumerate(found):
        for item in find_objects(load_json(members, member)):
            value = _value(item, zone)
            if value is not None:
                values.append(value)
            average = _average(item)
            if average is not None:
                averages.setdefault(*average)
        context.show((number + 1) / len(found))
    nights = make_nights(_SOURCE, values, remarks)
    days = {night.day for night in nights}
    for day, rmssd in averages.items():
        if day.isoformat() not in days:
            nights.append(night_of_day(_SOURCE, day, zone, NightBasis.DEVICE, rmssd_ms=rmssd))
            remarks.note("some nights have the device's own average and no values")
    if not nights:
        raise EbbtideError(
            f"{members.path} holds no nightly heart rate variability of Garmin.",
            "Export the wellness data of a watch that measures HRV status.",
        )
    return NightFile(
        "Garmin Connect", once_each(nights, remarks), remarks.all_problems(), tuple(remarks.notes)
    )


def _value(item: dict[str, Any], zone: str) -> Measured | None:
    rmssd = clean(item.get(_VALUE), "rmssd_ms")
    try:
        moment = datetime.fromisoformat(str(item.get(_TIME)))
    except ValueError:
        return None
    if rmssd is None or not is_of_this_century(moment):
        return None
    time_ns = from_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
    return Measured(time_ns, utc_offset_s(time_ns, zone), rmssd)


def _average(item: dict[str, Any]) -> tuple[date, float] | None:
    """The device's average of the night that ended on a date."""
    own = item.get(_AVERAGE)
    metrics = item.get("metrics")
    for metric in metrics if isinstance(metrics, list) else []:
        if isinstance(metric, dict) and metric.get("type") == "HRV":
            own = metric.get("value")
    rmssd = clean(own, "rmssd_ms")
    try:
        day = date.fromisoformat(str(item.get(_DAY))[:10])
    except ValueError:
        return None
    return None if rmssd is None or not is_of_this_century(day) else (day, rmssd)


FORMAT = NightFormat("Garmin Connect", _matches, _read, (_AVERAGE, _TIME))
