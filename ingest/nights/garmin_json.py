"""Read nights of Garmin Connect as JSON: ``hrvSummary`` and ``hrvReadings`` of five minutes, which
programs save that ask Garmin's pages, and HRV in the health status of an account's export.

RMSSD. The shapes are those which other programs read; none could be checked against a real export.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

from ebbtide.errors import EbbtideError
from ebbtide.nights import STEP_S, local_date
from ebbtide.timestamps import SECOND, from_datetime, utc_offset_s
from ingest.nights.assemble import (
    SAME_MS,
    Measured,
    clean_in_words,
    make_nights,
    once_each,
)
from ingest.nights.clock import is_of_this_century, require_zone
from ingest.nights.daily import Averages
from ingest.nights.json_objects import load_json
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks
from ingest.nights.people import ObjectsOfOne

_SOURCE = "Garmin"
_DAY, _AVERAGE = "calendarDate", "lastNightAvg"
_TIME, _VALUE = "readingTimeGMT", "hrvValue"
_SLEEP = "sleepStartTimestampGMT"
_STEP_NS = STEP_S * SECOND
_MAX_DIFFERING = 3
_MARKS = (_AVERAGE, _TIME, _SLEEP)


def _matches(member: Member) -> bool:
    text = member.text
    is_status = f'"{_DAY}"' in text and '"metrics"' in text and '"HRV"' in text
    return member.is_json and (is_status or any(f'"{mark}"' in text for mark in _MARKS))


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    zone = require_zone(context.zone, "nights of Garmin")
    values: list[Measured] = []
    averages = Averages(_SOURCE, zone, remarks)
    people = ObjectsOfOne()
    for number, member in enumerate(found):
        for item in people.find(member, load_json(members, member, remarks)):
            value = _value(item, zone, remarks) if _VALUE in item else None
            if value is not None:
                values.append(value)
            average = _average(item, remarks)
            if average is not None:
                averages.add(*average, member.base)
        context.show((number + 1) / len(found))
    _refuse_two_series(members, values)
    nights = make_nights(_SOURCE, values, remarks)
    averages.add_to(nights)
    if not nights:
        for problem in remarks.all_problems():
            raise EbbtideError(
                f"{members.path} holds no night of Garmin that can be read: {problem}.",
                "Export the wellness data of a watch that measures HRV status.",
            )
        raise EbbtideError(
            f"{members.path} holds no nightly heart rate variability of Garmin.",
            "Export the wellness data of a watch that measures HRV status.",
        )
    return NightFile(
        "Garmin Connect", once_each(nights, remarks), remarks.all_problems(), tuple(remarks.notes)
    )


def _value(item: dict[str, Any], zone: str, remarks: Remarks) -> Measured | None:
    where = f"at {str(item.get(_TIME))[:40]}"
    rmssd = clean_in_words(item[_VALUE], "rmssd_ms", remarks, where)
    moment = _moment(item.get(_TIME))
    if moment is None:
        remarks.add("values have no time of this century; left out", where)
    if rmssd is None or moment is None:
        return None
    time_ns = from_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
    return Measured(time_ns, utc_offset_s(time_ns, zone), rmssd)


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if is_of_this_century(moment) else None


def _average(item: dict[str, Any], remarks: Remarks) -> tuple[date, float] | None:
    """The device's average of the night that ended on a date."""
    own = item.get(_AVERAGE)
    metrics = item.get("metrics")
    for metric in metrics if isinstance(metrics, list) else []:
        if isinstance(metric, dict) and metric.get("type") == "HRV":
            own = metric.get("value")
    if own is None:
        return None
    where = f"of {str(item.get(_DAY))[:40]}"
    rmssd = clean_in_words(own, "rmssd_ms", remarks, where)
    moment = _moment(str(item.get(_DAY))[:10])
    if moment is None:
        remarks.add("averages have no date of this century; left out", where)
    return None if rmssd is None or moment is None else (moment.date(), rmssd)


def _refuse_two_series(members: Members, values: list[Measured]) -> None:
    """Refuse values of two people, or of two watches: files of such pages need not say whose.

    One watch has a value every five minutes. A few others are those of a clock that was set.
    """
    ordered = sorted(values, key=lambda value: value.time_ns)
    differing = [
        value
        for before, value in pairwise(ordered)
        if value.time_ns - before.time_ns < _STEP_NS // 2
        and abs((value.rmssd_ms or 0) - (before.rmssd_ms or 0)) > SAME_MS
    ]
    if len(differing) > _MAX_DIFFERING:
        day = local_date(differing[0].time_ns, differing[0].offset_s)
        raise EbbtideError(
            f"{members.path} holds values of several people, or of several watches: at "
            f"{len(differing)} times there are two that differ, the first on {day}.",
            "Import the files of each person into their own account, and of two watches one.",
        )


FORMAT = NightFormat("Garmin Connect", _matches, _read, (_AVERAGE, _TIME))
