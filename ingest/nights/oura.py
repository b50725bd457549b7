"""Read nights of Oura: JSON of its API and of its account export, of both versions.

Each sleep has its own average, which is over all that the ring measured; the list of every five
minutes has holes. The night has the ring's own average, marked as such, and the list as values.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from ebbtide.errors import EbbtideError
from ebbtide.nights import (
    MAX_NIGHT_NS,
    MIN_NIGHT_NS,
    STEP_S,
    Night,
    NightBasis,
    NightValue,
    local_date,
)
from ebbtide.timestamps import DAY, EARLIEST, LATEST, SECOND, from_datetime
from ingest.nights.assemble import clean, keep_fuller, low_quarter, mean, once_each
from ingest.nights.clock import is_of_this_century
from ingest.nights.json_objects import load_json
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks, csv_names
from ingest.nights.people import ObjectsOfOne, rows_of_one
from ingest.nights.tables import read_rows

_SOURCE = "Oura"
_NOT_SLEEP = {"deleted", "rest"}


# Of the export of Oura's web page, whose columns have names of their own.
_OTHER_NAMES = {"average_resting_heart_rate": "average_heart_rate", "date": "day"}


def _matches(member: Member) -> bool:
    return _is_table(member) or (member.is_json and '"bedtime_start"' in member.text)


def _is_table(member: Member) -> bool:
    return {"bedtime_start", "bedtime_end"} <= {
        name.replace(" ", "_") for name in csv_names(member.text)
    }


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    by_day: dict[str, Night] = {}
    seen: set[str] = set()
    people = ObjectsOfOne()
    for number, member in enumerate(found):
        rows = (
            _table_rows(members, member, remarks)
            if _is_table(member)
            else _sleeps(people.find(member, load_json(members, member, remarks, is_lines=True)))
        )
        for row in rows:
            night = _night(row, remarks)
            # Exports without an identifier name a sleep by its times.
            key = str(row.get("id") or (row.get("bedtime_start"), row.get("bedtime_end")))
            if night is None or key in seen:
                continue
            seen.add(key)
            keep_fuller(by_day, night, remarks)
        context.show((number + 1) / len(found))
    if not by_day:
        raise EbbtideError(
            f"{members.path} is an export of Oura without a night of three hours or more.",
            "Export sleep, for the time in which the ring was worn.",
        )
    nights = once_each(by_day.values(), remarks)
    remarks.note("averages of a night are Oura's own; its five-minute values have holes")
    return NightFile("Oura", nights, remarks.all_problems(), tuple(remarks.notes))


def _table_rows(members: Members, member: Member, remarks: Remarks) -> Iterator[dict[str, Any]]:
    """The rows of a table, whose lists are cells of JSON; an empty cell is none."""
    for cells in rows_of_one(member, read_rows(members, member, remarks), remarks):
        row: dict[str, Any] = {}
        for name, cell in cells.items():
            key = name.replace(" ", "_")
            if cell:
                row[_OTHER_NAMES.get(key, key)] = _cell(cell)
        yield row


def _cell(text: str) -> Any:
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _sleeps(objects: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The sleeps, in their order, wherever in the file they are."""
    return (item for item in objects if "bedtime_start" in item)


def _night(row: dict[str, Any], remarks: Remarks) -> Night | None:
    if row.get("type") in _NOT_SLEEP:
        return None
    begin, end = _moment(row.get("bedtime_start")), _moment(row.get("bedtime_end"))
    if begin is None or end is None or end <= begin:
        remarks.add("sleeps have no beginning or end with an offset; left out", str(row.get("day")))
        return None
    start_ns, end_ns = from_datetime(begin), from_datetime(end)
    shift = end.utcoffset() or timedelta()
    day = local_date(end_ns, int(shift.total_seconds()))
    if not EARLIEST <= start_ns < LATEST or end_ns - start_ns > MAX_NIGHT_NS:
        remarks.add("sleeps are longer than 20 hours or not of this century; left out", day)
        return None
    if end_ns - start_ns < MIN_NIGHT_NS or row.get("type") == "late_nap":
        remarks.add("sleeps are naps, shorter than three hours; left out", f"on {day}")
        return None
    values = _values(row, start_ns)
    rates = [value.hr_bpm for value in values]
    own = clean(row.get("average_hrv", row.get("rmssd")), "rmssd_ms")
    own_rate = clean(row.get("average_heart_rate", row.get("hr_average")), "hr_bpm")
    basis = NightBasis.DEVICE if own is not None else NightBasis.VALUES
    rmssd = own if own is not None else mean(value.rmssd_ms for value in values)
    rate = own_rate if own_rate is not None else mean(rates)
    nothing = rmssd is None and rate is None
    return Night(
        day,
        _SOURCE,
        start_ns,
        end_ns,
        int(shift.total_seconds()),
        basis,
        rmssd_ms=rmssd,
        mean_hr_bpm=rate,
        low_quarter_hr_bpm=low_quarter(rates),
        windows=sum(value.rmssd_ms is not None for value in values),
        steps=max(
            round((end_ns - start_ns) / (STEP_S * SECOND)),
            1 + values[-1].at_s // STEP_S if values else 0,
        ),
        values=values,
        missing_reason="asleep, but nothing was measured" if nothing else None,
    )


def _values(row: dict[str, Any], start_ns: int) -> tuple[NightValue, ...]:
    """The lists of heart rate variability and of heart rate, by seconds since the sleep began."""
    found: dict[int, list[float | None]] = {}
    for place, key, old, kind in (
        (0, "hrv", "rmssd_5min", "rmssd_ms"),
        (1, "heart_rate", "hr_5min", "hr_bpm"),
    ):
        series = row.get(key)
        if isinstance(series, dict):
            items, step = series.get("items"), series.get("interval")
            begin = _moment(series.get("timestamp"))
        else:
            items, step, begin = row.get(old), STEP_S, None
        if not isinstance(items, list) or not _is_step(step):
            continue
        shift = 0 if begin is None else (from_datetime(begin) - start_ns) // SECOND
        for number, item in enumerate(items):
            value, at_s = clean(item, kind), shift + number * step
            # Outside of it, and where the step is no number, it is not of this sleep.
            if value is not None and 0 <= at_s <= DAY // SECOND:
                found.setdefault(int(at_s), [None, None])[place] = value
    return tuple(
        NightValue(at_s, rmssd_ms=pair[0], hr_bpm=pair[1]) for at_s, pair in sorted(found.items())
    )


def _is_step(step: object) -> TypeGuard[float]:
    return isinstance(step, int | float) and 0 < step <= DAY // SECOND


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return None if moment.tzinfo is None or not is_of_this_century(moment) else moment


FORMAT = NightFormat("Oura", _matches, _read, ("bedtime_start",))
