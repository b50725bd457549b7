"""Read nights of Fitbit, as Google Takeout exports them.

``Heart Rate Variability Details - DAY.csv``: RMSSD every five minutes asleep, in local time without
a zone; newer ones have a zone. ``heart_rate-DAY.json``: rates in UTC. Newer tables of the folders
``..._GoogleData`` have longer names of columns and UTC. ``Daily Heart Rate Variability Summary``:
the device's own average, used for a night of which no values are there. Beside them answers of the
web API (``fitbit_json``), and the tables of studies, which have such columns and whose they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import from_datetime, utc_offset_s
from ingest.nights.assemble import (
    HeartRates,
    Measured,
    clean,
    make_nights,
    once_each,
    with_rates,
)
from ingest.nights.clock import local_to_utc, require_zone
from ingest.nights.daily import Averages
from ingest.nights.fitbit_json import averages_and_values, is_answer
from ingest.nights.fitbit_times import Times
from ingest.nights.json_objects import DamagedJsonError, load_json
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks, csv_names
from ingest.nights.people import ObjectsOfOne, rows_of_one
from ingest.nights.tables import read_rows

_SOURCE = "Fitbit"
_TIME = ("timestamp", "time", "date")
_RMSSD = ("rmssd", "root mean square of successive differences milliseconds")
_SDNN = ("standard deviation milliseconds",)
_DAILY = ("average heart rate variability milliseconds", "daily_rmssd")
_NREM = ("nremhr", "non rem heart rate beats per minute")
_BPM = ("beats per minute", "bpm")
_DETAIL_MARKS = {"coverage", "low_frequency", "high_frequency", "standard deviation milliseconds"}
_EMPTY = (None, "", "NaN", "nan", "NA", "null")
_RATE = re.compile(rb'"dateTime"\s*:.{0,80}"bpm"\s*:', re.DOTALL)


def _kind(member: Member) -> str | None:
    if _RATE.search(member.head):
        return "rates"
    if is_answer(member):
        return "answer"
    names = set(csv_names(member.text))
    if not names & set(_TIME):
        return None
    if names & set(_DAILY) or (names & set(_RMSSD) and names & {*_NREM, "entropy"}):
        return "daily"
    if names & set(_RMSSD) and names & _DETAIL_MARKS:
        return "details"
    if "beats per minute" in names:
        return "rate table"
    return None


def _matches(member: Member) -> bool:
    return _kind(member) is not None


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    kinds: dict[str, list[Member]] = {}
    for member in found:
        kinds.setdefault(_kind(member) or "", []).append(member)
    total = sum(member.size for member in found) or 1
    done = 0
    values: list[Measured] = []
    for member in kinds.get("details", []):
        values += _details(members, member, context, remarks)
        done += member.size
        context.show(done / total)
    averages = Averages(_SOURCE, context.zone, remarks)
    people = ObjectsOfOne()
    for member in kinds.get("answer", []):
        own, of_minutes = averages_and_values(member, load_json(members, member, remarks), people)
        times = Times(member, (time for time, _ in (*of_minutes, *own)))
        values += _located(
            [
                (times.read(time), Measured(0, 0, clean(rmssd, "rmssd_ms")))
                for time, rmssd in of_minutes
            ],
            *(member, context, remarks),
        )
        _add_averages(own, times, member, averages)
    rates = HeartRates([value.time_ns for value in values])
    for member in (*kinds.get("rates", []), *kinds.get("rate table", [])):
        if values:
            _add_rates(members, member, rates, remarks)
        done += member.size
        context.show(done / total)
    nights = make_nights(_SOURCE, with_rates(values, rates), remarks)
    for member in kinds.get("daily", []):
        _add_daily(members, member, averages)
    averages.add_to(nights)
    if not nights:
        for problem in remarks.all_problems():
            raise EbbtideError(
                f"{members.path} holds no night of Fitbit that can be read: {problem}.",
                "In Google Takeout choose Fitbit with 'Heart Rate Variability' (all of it).",
            )
        raise EbbtideError(
            f"{members.path} holds heart rates of Fitbit and no heart rate variability.",
            "In Google Takeout choose Fitbit with 'Heart Rate Variability' (all of it).",
        )
    return NightFile(
        "Fitbit", once_each(nights, remarks), remarks.all_problems(), tuple(remarks.notes)
    )


def _cell(row: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((row[name] for name in names if row.get(name)), None)


def _details(
    members: Members, member: Member, context: NightContext, remarks: Remarks
) -> list[Measured]:
    found = []
    for row in rows_of_one(member, read_rows(members, member, remarks), remarks):
        value = Measured(
            0, 0, clean(_cell(row, _RMSSD), "rmssd_ms"), clean(_cell(row, _SDNN), "sdnn_ms")
        )
        found.append((_cell(row, _TIME), value))
    times = Times(member, (time for time, _ in found))
    return _located([(times.read(time), value) for time, value in found], member, context, remarks)


def _located(
    found: list[tuple[datetime | None, Measured]],
    member: Member,
    context: NightContext,
    remarks: Remarks,
) -> list[Measured]:
    """The values at their times: with an offset, or local in the order of the file."""
    naive: list[tuple[datetime, Measured]] = []
    values: list[Measured] = []
    for time, value in found:
        if time is None or not value.has_hrv:
            remarks.add("rows have no time or no RMSSD; left out", f"in {member.base}")
        elif time.tzinfo is None:
            naive.append((time, value))
        else:
            values.append(_at(from_datetime(time), value, context.zone, time))
    if naive:
        zone = require_zone(context.zone, member.base)
        times = local_to_utc([time for time, _ in naive], zone, remarks)
        values += [
            _at(time, value, zone, None)
            for time, (_, value) in zip(times, naive, strict=True)
            if time >= 0
        ]
    return values


def _at(time_ns: int, value: Measured, zone: str | None, moment: datetime | None) -> Measured:
    """The value at its time. Of times in UTC the zone says what a clock showed."""
    shift = moment.utcoffset() if moment is not None else None
    if zone is not None and not shift:
        offset = utc_offset_s(time_ns, zone)
    else:
        offset = 0 if shift is None else int(shift.total_seconds())
    return Measured(time_ns, offset, value.rmssd_ms, value.sdnn_ms)


def _add_rates(members: Members, member: Member, rates: HeartRates, remarks: Remarks) -> None:
    """Rates of a day. Those of confidence 0 were not measured on a wrist."""
    for moment, bpm in _rate_rows(members, member, remarks):
        rate = clean(bpm, "hr_bpm")
        if moment is None or rate is None:
            remarks.add("heart rates cannot be read; left out", f"in {member.base}")
            continue
        utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        rates.add(from_datetime(utc), rate)


def _rate_rows(
    members: Members, member: Member, remarks: Remarks
) -> Iterator[tuple[datetime | None, object]]:
    if member.name.lower().endswith(".csv"):
        # A table of seconds has millions of rows: it is read twice only where it has such dates.
        is_slashed = "/" in member.text
        rows = read_rows(members, member, Remarks()) if is_slashed else ()
        times = Times(member, (_cell(row, _TIME) for row in rows))
        for row in rows_of_one(member, read_rows(members, member, remarks), remarks):
            yield times.read(_cell(row, _TIME)), _cell(row, _BPM)
        return
    try:
        whole = load_json(members, member, remarks)
    except DamagedJsonError:
        remarks.add("files of heart rates are damaged; left out", member.base)
        return
    found: list[tuple[str | None, object]] = []
    for row in whole if isinstance(whole, list) else []:
        value = row.get("value") if isinstance(row, dict) else None
        if not isinstance(value, dict):
            found.append((None, None))
        elif value.get("confidence") != 0:
            found.append((str(row.get("dateTime", "")), value.get("bpm")))
    times = Times(member, (time for time, _ in found))
    for time, bpm in found:
        yield times.read(time), bpm


def _add_daily(members: Members, member: Member, averages: Averages) -> None:
    rows = rows_of_one(member, read_rows(members, member, averages.remarks), averages.remarks)
    found = [(_cell(row, _TIME) or "", _cell(row, (*_DAILY, *_RMSSD))) for row in rows]
    # Tables of studies have a row each day, and no figure where the watch was not worn.
    own = [one for one in found if one[1] not in _EMPTY]
    _add_averages(own, Times(member, (time for time, _ in found)), member, averages)


def _add_averages(
    found: Iterable[tuple[str, object]], times: Times, member: Member, averages: Averages
) -> None:
    for text, figure in found:
        time, rmssd = times.read(text), clean(figure, "rmssd_ms")
        if time is None or rmssd is None:
            kind = "rows of daily averages cannot be read; left out"
            averages.remarks.add(kind, f"in {member.base}")
        else:
            averages.add(time.date(), rmssd, member.base)


FORMAT = NightFormat("Fitbit", _matches, _read, ("dailyRmssd",))
