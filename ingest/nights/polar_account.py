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
from ebbtide.nights import MAX_NIGHT_NS, MIN_NIGHT_NS, Night, NightBasis, local_date
from ebbtide.timestamps import from_datetime, utc_offset_s
from ingest.nights.assemble import clean, once_each
from ingest.nights.clock import is_of_this_century, local_to_utc, require_zone
from ingest.nights.daily import keep_first, night_of_day
from ingest.nights.json_objects import first_of, load_json
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks
from ingest.nights.people import ObjectsOfOne

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
    people = ObjectsOfOne()
    for number, member in enumerate(found):
        for item in people.find(member, load_json(members, member, remarks)):
            night = _night(item, zone, remarks)
            if night is not None:
                keep_first(nights, night, remarks, member.base)
            _keep_longest(times, _times(item, zone, remarks))
        context.show((number + 1) / len(found))
    if not nights:
        for problem in remarks.all_problems():
            raise EbbtideError(
                f"{members.path} holds no night of Polar that can be read: {problem}.",
                "Export it again.",
            )
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
    rmssd = first_of(item, _RMSSD)
    if rmssd is None:
        return None
    day = _day(item)
    figure, interval_ms = clean(rmssd, "rmssd_ms"), first_of(item, _RR)
    if day is None or figure is None:
        remarks.add("nights have no date or no heart rate variability; left out", str(day))
        return None
    rate = None
    if isinstance(interval_ms, int | float) and interval_ms > 0:
        rate = clean(60_000 / interval_ms, "hr_bpm")
    return night_of_day(_SOURCE, day, zone, NightBasis.DEVICE, rmssd_ms=figure, mean_hr_bpm=rate)


def _day(item: dict[str, Any]) -> date | None:
    try:
        day = date.fromisoformat(str(first_of(item, _DAYS))[:10])
    except ValueError:
        return None
    return day if is_of_this_century(day) else None


def _keep_longest(
    times: dict[str, tuple[int, int, int]], found: dict[str, tuple[int, int, int]]
) -> None:
    """Of several sleeps that end on one date the longest is the night; shorter ones are naps."""
    for day, sleep in found.items():
        length = sleep[1] - sleep[0]
        there = times.get(day, (0, 0, 0))
        if MIN_NIGHT_NS <= length <= MAX_NIGHT_NS and length > there[1] - there[0]:
            times[day] = sleep


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
