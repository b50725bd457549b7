"""Read nights of devices that export sleep and heart rates, and no heart rate variability.

Withings, Zepp (Amazfit) and Mi Fitness (Xiaomi). A night has its mean heart rate.

The shapes are those which other programs read; none could be checked against a real export.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from ebbtide.errors import EbbtideError
from ebbtide.nights import MAX_NIGHT_NS, MIN_NIGHT_NS, STEP_S, Night, NightBasis, local_date
from ebbtide.timestamps import DAY, EARLIEST, LATEST, SECOND, from_datetime, utc_offset_s
from ingest.nights.assemble import (
    Measured,
    Sleep,
    clean_in_words,
    keep_fuller,
    make_nights,
    once_each,
)
from ingest.nights.clock import is_of_this_century, require_zone
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks, csv_names
from ingest.nights.people import OnePerson, rows_of_one
from ingest.nights.tables import read_rows

_STEP_NS = STEP_S * SECOND
_NO_TIME = "rows have no time that can be read; left out"
_NO_DURATIONS = "rows have values that do not last from a moment to a day; left out"
_NO_JSON = "rows have a value that is damaged JSON; left out"
_LIST = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(slots=True)
class _Found:
    """Of one device: sleeps, with the average that it gave itself, and heart rates by step."""

    remarks: Remarks
    sleeps: list[tuple[Sleep, float | None]] = field(default_factory=list)
    rates: dict[int, list[float]] = field(default_factory=dict)

    def add_rate(self, time_ns: int | None, rate: object) -> None:
        bpm = clean_in_words(rate, "hr_bpm", self.remarks, "as a heart rate")
        if time_ns is not None and bpm is not None and EARLIEST <= time_ns < LATEST:
            total = self.rates.setdefault(time_ns // _STEP_NS * _STEP_NS, [0.0, 0.0])
            total[0] += bpm
            total[1] += 1


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of a device: whose, which columns tell it, how a row of it is taken (a row that is
    not gives the problem), and in which column the device says whose it is.
    """

    device: str
    columns: frozenset[str]
    take: Callable[[Mapping[str, str], _Found, ZoneInfo], str | None]
    person: str | None = None


def _instant(text: str, zone: ZoneInfo) -> int | None:
    """UTC ns of a time: with an offset, in s since 1970, or local. None of one that comes twice."""
    if re.fullmatch(r"\d{10}", text):
        return int(text) * SECOND
    try:
        moment = datetime.fromisoformat(text.replace(" +", "+"))
    except ValueError:
        return None
    if not is_of_this_century(moment):
        return None
    if moment.tzinfo is not None:
        return from_datetime(moment)
    both = {from_datetime(moment.replace(tzinfo=zone, fold=fold)) for fold in (0, 1)}
    return both.pop() if len(both) == 1 else None


def _add_sleep(
    found: _Found, zone: ZoneInfo, begin: str, end: str, rate: object = None
) -> str | None:
    start_ns, end_ns = _instant(begin, zone), _instant(end, zone)
    if start_ns is None or end_ns is None or not EARLIEST <= start_ns <= end_ns < LATEST:
        return _NO_TIME
    if end_ns > start_ns:  # Zepp writes days without sleep as one that ends as it begins
        sleep = Sleep(start_ns, end_ns, utc_offset_s(end_ns, zone.key))
        found.sleeps.append(
            (sleep, clean_in_words(rate, "hr_bpm", found.remarks, "as a heart rate"))
        )
    return None


def _withings_sleep(row: Mapping[str, str], found: _Found, zone: ZoneInfo) -> str | None:
    return _add_sleep(found, zone, row["from"], row["to"], row.get("average heart rate"))


def _withings_rates(row: Mapping[str, str], found: _Found, zone: ZoneInfo) -> str | None:
    """A row has a beginning, and lists of how long each value lasts, and of the values."""
    start_ns = _instant(row["start"], zone)
    seconds, values = (_LIST.findall(row.get(name, "")) for name in ("duration", "value"))
    if start_ns is None:
        return _NO_TIME
    durations_s = [float(text) for text in seconds]
    if len(seconds) != len(values) or not all(0 < one <= DAY // SECOND for one in durations_s):
        return _NO_DURATIONS
    for duration_s, value in zip(durations_s, values, strict=True):
        found.add_rate(start_ns, value)
        start_ns += int(duration_s * SECOND)
    return None


def _zepp_sleep(row: Mapping[str, str], found: _Found, zone: ZoneInfo) -> str | None:
    return _add_sleep(found, zone, row["start"], row["stop"])


def _zepp_rates(row: Mapping[str, str], found: _Found, zone: ZoneInfo) -> str | None:
    time_ns = _instant(f"{row['date']} {row['time']}", zone)
    found.add_rate(time_ns, row.get("heartrate"))
    return None if time_ns is not None else _NO_TIME


def _mi_fitness(row: Mapping[str, str], found: _Found, zone: ZoneInfo) -> str | None:
    """A row is of one kind of value, which is JSON."""
    if row["key"] not in ("heart_rate", "sleep", "watch_night_sleep"):
        return None
    try:
        value = json.loads(row.get("value", ""))
    except (ValueError, RecursionError):
        return _NO_JSON
    if not isinstance(value, dict):
        return _NO_JSON
    if row["key"] == "heart_rate":
        time_ns = _instant(str(value.get("time", row["time"])), zone)
        found.add_rate(time_ns, value.get("bpm"))
        return None if time_ns is not None else _NO_TIME
    begin, end = (str(value.get(name, "")) for name in ("bedtime", "wake_up_time"))
    return _add_sleep(found, zone, begin, end, value.get("avg_hr"))


_SLEEPS = (
    _Table("Withings", frozenset({"from", "to", "light (s)", "deep (s)"}), _withings_sleep),
    _Table("Zepp", frozenset({"deepsleeptime", "shallowsleeptime", "start", "stop"}), _zepp_sleep),
    _Table("Mi Fitness", frozenset({"uid", "sid", "key", "time", "value"}), _mi_fitness, "uid"),
)
# Others have such tables of other things (raw_spo2_auto_spo2.csv), so their names count as well.
_RATES = (
    _Table("Zepp", frozenset({"date", "time", "heartrate"}), _zepp_rates),
    _Table("Withings", frozenset({"start", "duration", "value"}), _withings_rates),
)


def _table_of(member: Member) -> _Table | None:
    """Find what a file is; plain heart rates are of such a device where the file is named so."""
    if member.is_json:
        return None
    is_rates = member.base.upper().startswith(("HEARTRATE", "RAW_TRACKER_HR"))
    tables = (*_SLEEPS, *_RATES) if is_rates else _SLEEPS
    names = set(csv_names(member.text))
    return next((table for table in tables if table.columns <= names), None)


def _matches(member: Member) -> bool:
    return _table_of(member) is not None


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    zone = ZoneInfo(require_zone(context.zone, "this export"))
    by_device: dict[str, _Found] = {}
    people: dict[str, OnePerson] = {}  # of all files of a device
    tables = [(one, table) for one in found if (table := _table_of(one)) is not None]
    for number, (member, table) in enumerate(tables):
        of_device = by_device.setdefault(table.device, _Found(remarks))
        person = people.setdefault(table.device, OnePerson(members.path.name, table.person, None))
        for row in rows_of_one(member, read_rows(members, member, remarks), remarks):
            is_whole = table.columns <= row.keys()
            if is_whole:
                person.add(row)
            problem = table.take(row, of_device, zone) if is_whole else _NO_TIME
            if problem is not None:
                remarks.add(problem, f"in {member.base}")
        context.show((number + 1) / len(tables))
    nights = [
        night
        for device, of_device in sorted(by_device.items())
        for night in _nights(device, of_device)
    ]
    if not nights:
        for problem in remarks.all_problems():
            raise EbbtideError(
                f"{members.path} holds no sleep with heart rates that can be read: {problem}.",
                "Import the whole export: sleep and heart rates are in files of their own.",
            )
        raise EbbtideError(
            f"{members.path} holds no sleep with heart rates in it.",
            "Import the whole export: sleep and heart rates are in files of their own.",
        )
    remarks.note("this device exports no heart rate variability: nights have their heart rate")
    files = " and ".join(sorted({night.source for night in nights}))
    return NightFile(
        files, once_each(nights, remarks), remarks.all_problems(), tuple(remarks.notes)
    )


def _nights(device: str, found: _Found) -> list[Night]:
    """With the device's own average, where a sleep has one, or from its heart rates within it."""
    by_day: dict[str, Night] = {}
    others: list[Sleep] = []
    for sleep, rate in found.sleeps:
        if rate is None:
            others.append(sleep)
            continue
        night = _with_average(device, sleep, rate, found.remarks)
        if night is not None:
            keep_fuller(by_day, night, found.remarks)
    values = [
        Measured(time, others[0].offset_s, hr_bpm=total / count)
        for time, (total, count) in sorted(found.rates.items())
        if others
    ]
    for night in make_nights(device, values, found.remarks, others):
        if night.is_measured:
            keep_fuller(by_day, night, found.remarks)
    return list(by_day.values())


def _with_average(device: str, sleep: Sleep, rate: float, remarks: Remarks) -> Night | None:
    day = local_date(sleep.end_ns, sleep.offset_s)
    if not MIN_NIGHT_NS <= sleep.end_ns - sleep.start_ns <= MAX_NIGHT_NS:
        kind = "rows last less than three or more than 20 hours; left out"
        remarks.add(kind, f"on {day}")
        return None
    return Night(
        *(day, device, sleep.start_ns, sleep.end_ns, sleep.offset_s, NightBasis.DEVICE),
        mean_hr_bpm=rate,
    )


FORMAT = NightFormat("Sleep and heart rates", _matches, _read)
