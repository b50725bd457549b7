"""Read nights of Polar's account export: ``nightly_recovery`` has the averages of a night, and
``sleep_result`` when it began and ended.

The shape is that which other programs read; it could not be checked against a real export. The
samples of ``nightly_recovery_blob`` are not read: what their times are is written nowhere.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from ebbtide.errors import EbbtideError
from ebbtide.nights import Night, NightBasis, local_date
from ebbtide.timestamps import from_datetime, utc_offset_s
from ingest.nights.assemble import clean, once_each
from ingest.nights.clock import is_of_this_century, local_to_utc, require_zone
from ingest.nights.daily import night_of_day
from ingest.nights.json_objects import find_objects, load_json
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks

_SOURCE = "Polar"
_RMSSD = ("meanNightlyRecoveryRmssd", "meanNightlyRecoveryRMSSD")
_RR = ("meanNightlyRecoveryRri", "meanNightlyRecoveryRRI")
_BEGIN, _END = "sleepStart", "sleepEnd"
_DAYS = ("night", "date", "sleepResultDate", "nightDate")


def _matches(member: Member) -> bool:
    text = member.text
    is_sleep = '"hypnogram"' in text and f'"{_BEGIN}"' in text
    return member.is_json and (is_sleep or any(f'"{name}"' in text for name in _RMSSD))


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    zone = require_zone(context.zone, "nights of Polar")
    nights: dict[str, Night] = {}
    times: dict[str, tuple[int, int, int]] = {}
    for number, member in enumerate(found):
        for item in find_objects(load_json(members, member)):
            night = _night(item, zone, remarks)
            if night is not None:
                nights.setdefault(night.day, night)
            times.update(_times(item, zone, remarks))
        context.show((number + 1) / len(found))
    if not nights:
        raise EbbtideError(
            f"{members.path} holds sleep of Polar and no heart rate variability of a night.",
            "Import the whole account export: it is in the files nightly_recovery_*.json.",
        )
    with_times = [_with_time(night, times.get(day)) for day, night in nights.items()]
    remarks.note("averages of a night are Polar's own (of its first four hours asleep)")
    if any(day not in times for day in nights):
        remarks.note("the date of a night is taken for that on which it ended")
    return NightFile(
        "Polar account",
        once_each(with_times, remarks),
        remarks.all_problems(),
        tuple(remarks.notes),
    )


def _night(item: dict[str, Any], zone: str, remarks: Remarks) -> Night | None:
    rmssd = _first(item, _RMSSD)
    if rmssd is None:
        return None
    day = _day(item)
    figure, interval_ms = clean(rmssd, "rmssd_ms"), _first(item, _RR)
    if day is None or figure is None:
        remarks.add("nights have no date or no heart rate variability; left out", str(day))
        return None
    rate = None
    if isinstance(interval_ms, int | float) and interval_ms > 0:
        rate = clean(60_000 / interval_ms, "hr_bpm")
    return night_of_day(_SOURCE, day, zone, NightBasis.DEVICE, rmssd_ms=figure, mean_hr_bpm=rate)


def _first(item: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((item[name] for name in names if item.get(name) is not None), None)


def _day(item: dict[str, Any]) -> date | None:
    try:
        day = date.fromisoformat(str(_first(item, _DAYS))[:10])
    except ValueError:
        return None
    return day if is_of_this_century(day) else None


def _times(item: dict[str, Any], zone: str, remarks: Remarks) -> dict[str, tuple[int, int, int]]:
    """When a sleep began and ended, and the clock's offset, by the date on which it ended."""
    try:
        moments = [datetime.fromisoformat(str(item[name])) for name in (_BEGIN, _END)]
    except (KeyError, ValueError):
        return {}
    if not all(map(is_of_this_century, moments)):
        return {}
    instants = [
        from_datetime(moment)
        if moment.tzinfo is not None
        else local_to_utc([moment], zone, remarks)[0]
        for moment in moments
    ]
    if instants[0] < 0 or instants[1] <= instants[0]:
        return {}
    shift = moments[1].utcoffset()
    offset_s = utc_offset_s(instants[1], zone) if shift is None else int(shift.total_seconds())
    return {local_date(instants[1], offset_s): (instants[0], instants[1], offset_s)}


def _with_time(night: Night, times: tuple[int, int, int] | None) -> Night:
    if times is None:
        return night
    start_ns, end_ns, offset_s = times
    return replace(night, start_ns=start_ns, end_ns=end_ns, offset_s=offset_s)


FORMAT = NightFormat("Polar account", _matches, _read, _RMSSD)
