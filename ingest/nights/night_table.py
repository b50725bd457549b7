"""Read nights of a plain table, a row a night: a spreadsheet's, or Ebbtide's own table ``nights``.

Which column is what, its name says. Where it may be two things (``hrv`` may be RMSSD or SDNN, a
figure of a date may be of the night, the morning or the whole day), the table is refused in words.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ebbtide.errors import EbbtideError
from ebbtide.nights import (
    MAX_NIGHT_NS,
    MAX_STEPS,
    MIN_NIGHT_NS,
    Night,
    NightBasis,
    is_fuller,
    local_date,
)
from ebbtide.timestamps import EARLIEST, LATEST, from_datetime, to_datetime, utc_offset_s
from ingest.files.local_times import parse_clock
from ingest.nights.assemble import clean, once_each
from ingest.nights.clock import is_of_this_century, require_zone
from ingest.nights.daily import night_of_day
from ingest.nights.members import Member, Members
from ingest.nights.night_file import (
    NightContext,
    NightFile,
    NightFormat,
    Remarks,
    find_delimiter,
    plain_name,
)
from ingest.nights.tables import read_rows

_SOURCE = "Table of nights"
_NONE = frozenset({"", "-", "--", "na", "n/a", "nan", "nat", "none", "null"})
_OF_SLEEP = re.compile(r"night|sleep|nocturn|asleep|bedtime|nacht|nächt|schlaf")
_NIGHT_NAMES = ("night", "night_of", "nacht", "date_of_night", "sleep_date", "night_date")
_DATE_NAMES = ("day", "date", "datum", "tag", "calendar_date", "summary_date", *_NIGHT_NAMES)
_BEGIN = re.compile(
    r"(sleep|night|bedtime|schlaf|nacht)?_?(start|begin|beginning|onset|beginn|from|bedtime)"
)
_END = re.compile(
    r"(sleep|night|bedtime|wake|schlaf|nacht)?_?(end|stop|offset_time|ende|wake|until)"
)
_TIMES = frozenset({"", "time", "at", "date", "datetime", "local", "ns"})
_INTERVALS = re.compile(r"(^|_)(rrs?|rri|nns?|nni|ibis?|ppi?|rr_intervals?)(_|$)")
_PEOPLE = re.compile(
    r"(participant|subject|person|patient|user|pid|proband\w*|teilnehmer\w*)(_?id)?"
)
_LOGARITHM = re.compile(r"(^|_)(ln|log)")
_RATE = re.compile(r"(^|_)(hr|bpm|heart_?rate|herzfrequenz|puls|pulse)(_|$)")
_OTHER_RATE = re.compile(r"rest|rhr|min|low|max|high|peak|std|sd|recovery|ruhe|delta|change|zone")
_OTHER_HRV = re.compile(r"min|max|std|sd$|delta|change|status|baseline|balance|score|cv|count")
_DOT_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a table by what they hold, as the table names them in lower case."""

    date: str | None
    begin: str | None
    end: str | None
    rmssd: str | None
    sdnn: str | None
    rate: str | None
    source: str | None
    person: str | None
    unread: tuple[str, ...]


def _matches(member: Member) -> bool:
    if member.is_json or "\x00" in member.text[:200]:
        return False
    names = {_plain(name): name for name in _names(member.text)}
    if len(names) < 2 or any(_INTERVALS.search(name) for name in names):
        return False
    if not any(_is_hrv(name) for name in names):
        return False
    times = _find_times(names)
    if times is None or any(_OF_SLEEP.search(name) for name in names):
        return times is not None or _find_date(names) is not None
    return not _is_of_windows(member.text, times)


def _is_of_windows(text: str, times: tuple[str, str]) -> bool:
    """Whether the first row is too short for a night: a table of windows has the same columns."""
    lines = text.splitlines()
    row = dict(
        zip(_names(text), _cells(lines[1], lines[0]) if len(lines) > 1 else (), strict=False)
    )
    begin, end = (_read_time(row.get(name, "")) for name in times)
    try:
        return begin is None or end is None or end - begin < timedelta(hours=3)
    except TypeError:  # one of them has an offset: the reader says so
        return False


def _names(text: str) -> list[str]:
    first = next(iter(text.splitlines()), "")
    return [cell.lower() for cell in _cells(first, first)]


def _cells(line: str, first: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=find_delimiter(first)), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in cells]


def _plain(name: str) -> str:
    """``HRV (RMSSD, ms)`` as ``hrv_rmssd_ms``."""
    return re.sub(r"[\W_]+", "_", name).strip("_")


def _is_hrv(name: str) -> bool:
    return re.search(r"rmssd|sdnn|hrv", name) is not None


def _find_date(names: Mapping[str, str]) -> str | None:
    return next((names[name] for name in (*_NIGHT_NAMES, *_DATE_NAMES) if name in names), None)


def _find_times(names: Mapping[str, str]) -> tuple[str, str] | None:
    """The columns of when a night began and ended."""

    def find(pattern: re.Pattern[str]) -> str | None:
        for name, own in names.items():
            found = pattern.match(name)
            if found and set(name[found.end() :].split("_")) <= _TIMES:
                return own
        return None

    begin, end = find(_BEGIN), find(_END)
    return None if begin is None or end is None else (begin, end)


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    by_key: dict[tuple[str, str], Night] = {}
    for number, member in enumerate(found):
        columns = _find_columns(member)
        people: set[str] = set()
        for cells in read_rows(members, member, remarks):
            if columns.person is not None:
                people.add(cells.get(columns.person, ""))
                _require_one(member, columns.person, people)
            night = _night(cells, columns, context, remarks)
            if night is not None:
                _keep(by_key, night, member, columns)
        if columns.unread:
            remarks.note(f"columns that were not read: {', '.join(columns.unread[:12])}")
        if columns.source is None:
            remarks.note(
                f"the table names no device, so its nights are of {_SOURCE!r}; a column 'source' "
                "with the device's name tells them from another's"
            )
        context.show((number + 1) / len(found))
    if not any(night.is_measured for night in by_key.values()):
        name = members.path
        for problem in remarks.all_problems():
            raise EbbtideError(
                f"{name} is a table of nights without a figure that can be read: {problem}.",
                "Give each night a row with its date and RMSSD or SDNN in ms.",
            )
        raise EbbtideError(
            f"{name} is a table of nights without a figure that can be read.",
            "Give each night a row with its date and RMSSD or SDNN in ms.",
        )
    nights = once_each(by_key.values(), remarks)
    return NightFile("Table of nights", nights, remarks.all_problems(), tuple(remarks.notes))


def _find_columns(member: Member) -> _Columns:
    own = _names(member.text)
    names = {_plain(name): name for name in own}
    times = _find_times(names)
    day = _find_date(names)
    if times is None and not _OF_SLEEP.search(day or ""):
        # Then each figure says it for itself.
        names = {name: own for name, own in names.items() if _OF_SLEEP.search(name)}
    if times is None and not any(_is_hrv(name) for name in names):
        raise EbbtideError(
            f"{member.base} has a figure a day and does not say whether it is of the night, of the "
            "morning or of the whole day.",
            f"If it is of the night that ended on that date, name the column {day!r} 'night'.",
        )
    rmssd = _one(member, names, "rmssd", "rmssd_ms")
    sdnn = _one(member, names, "sdnn", "sdnn_ms")
    if rmssd is None and sdnn is None:
        vague = next((names[name] for name in names if _is_hrv(name)), "")
        raise EbbtideError(
            f"The column {vague!r} of {member.base} does not say which heart rate variability it is"
            " in ms: RMSSD and SDNN are different quantities.",
            "Name it 'rmssd_ms' or 'sdnn_ms', as the device's documentation says.",
        )
    rates = [
        name
        for name in names
        if _RATE.search(name) and not _is_hrv(name) and not _OTHER_RATE.search(name)
    ]
    rate = names.get("mean_hr_bpm")
    if rate is None and len(rates) == 1:
        rate = names[rates[0]]
    person = next((names[name] for name in names if _PEOPLE.fullmatch(name)), None)
    source = next((names[name] for name in ("source", "device") if name in names), None)
    read = {day, *(times or ()), rmssd, sdnn, rate, person, source}
    read |= {"basis", "windows", "steps", "offset_s", "low_quarter_hr_bpm", "missing", "night"}
    begin, end = times or (None, None)
    unread = tuple(plain_name(name) for name in own if name and name not in read)
    return _Columns(day, begin, end, rmssd, sdnn, rate, source, person, unread)


def _one(member: Member, names: Mapping[str, str], measure: str, exact: str) -> str | None:
    """The column of a measure in ms. Raises EbbtideError where several may be it."""
    if exact in names:
        return names[exact]
    found = [
        name
        for name in names
        if measure in name
        and not _LOGARITHM.search(name)
        and not _OTHER_HRV.search(name.replace(measure, "").replace("hrv", ""))
    ]
    if len(found) > 1:
        of_sleep = [name for name in found if _OF_SLEEP.search(name)]
        if len(of_sleep) != 1:
            several = ", ".join(repr(names[name]) for name in found[:5])
            raise EbbtideError(
                f"{member.base} has several columns of a night's {measure.upper()}: {several}.",
                f"Name the one that is to be read {exact!r}.",
            )
        found = of_sleep
    return names[found[0]] if found else None


def _require_one(member: Member, column: str, people: set[str]) -> None:
    if len(people) > 1:
        first, second = sorted(people)[:2]
        raise EbbtideError(
            f"{member.base} holds nights of several people: {column!r} is {first[:40]!r} and "
            f"{second[:40]!r}.",
            "Keep the rows of one person and import that file into their account.",
        )


def _keep(
    by_key: dict[tuple[str, str], Night], night: Night, member: Member, columns: _Columns
) -> None:
    key = (night.source, night.day)
    there = by_key.get(key)
    if there is None:
        by_key[key] = night
    elif columns.begin is None and _figures(there) != _figures(night):
        raise EbbtideError(
            f"{member.base} has two rows of {night.day} with different figures.",
            "Keep one row a night; of several devices, name each in a column 'source'.",
        )
    elif is_fuller(night, there):
        by_key[key] = night


def _figures(night: Night) -> tuple[float | None, float | None, float | None]:
    return night.rmssd_ms, night.sdnn_ms, night.mean_hr_bpm


def _night(
    cells: Mapping[str, str], columns: _Columns, context: NightContext, remarks: Remarks
) -> Night | None:
    source = plain_name(_cell(cells, columns.source)) or _SOURCE
    figures = {
        "rmssd_ms": _figure(cells, columns.rmssd, "rmssd_ms", remarks),
        "sdnn_ms": _figure(cells, columns.sdnn, "sdnn_ms", remarks),
        "mean_hr_bpm": _figure(cells, columns.rate, "hr_bpm", remarks),
    }
    missing = None
    if all(value is None for value in figures.values()):
        missing = "the table has no figure of it"
    begin, end = _cell(cells, columns.begin), _cell(cells, columns.end)
    if columns.begin is None:
        day = _date(_cell(cells, columns.date))
        if day is None:
            remarks.add(
                "rows have no date that has one reading (2026-11-24); left out",
                _cell(cells, columns.date) or "an empty cell",
            )
            return None
        made = night_of_day(source, day, context.zone, NightBasis.DEVICE, missing_reason=missing)
        return _with(made, figures, missing, cells)
    start_ns, end_ns = (_moment(text, context, remarks) for text in (begin, end))
    if start_ns is None or end_ns is None:
        return None
    if not MIN_NIGHT_NS <= end_ns - start_ns <= MAX_NIGHT_NS:
        remarks.add(
            "rows last less than three or more than 20 hours; left out", f"{begin} to {end}"
        )
        return None
    offset_s = _offset(cells, end_ns, end, context)
    day_text = local_date(end_ns, offset_s)
    night = Night(day_text, source, start_ns, end_ns, offset_s, NightBasis.DEVICE)
    return _with(night, figures, missing, cells)


def _with(
    night: Night,
    figures: Mapping[str, float | None],
    missing: str | None,
    cells: Mapping[str, str],
) -> Night:
    """A night with its figures, and with what Ebbtide's own table says beside them."""
    basis = night.basis
    if cells.get("basis") in set(NightBasis):
        basis = NightBasis(cells["basis"])
    return Night(
        night.day,
        night.source,
        night.start_ns,
        night.end_ns,
        night.offset_s,
        basis,
        rmssd_ms=figures["rmssd_ms"],
        sdnn_ms=figures["sdnn_ms"],
        mean_hr_bpm=figures["mean_hr_bpm"],
        low_quarter_hr_bpm=clean(cells.get("low_quarter_hr_bpm"), "hr_bpm"),
        windows=_count(cells.get("windows")),
        steps=_count(cells.get("steps")),
        missing_reason=plain_name(cells.get("missing", "")) or missing if missing else None,
    )


def _cell(cells: Mapping[str, str], column: str | None) -> str:
    text = "" if column is None else cells.get(column, "")
    return "" if text.lower() in _NONE else text


def _figure(
    cells: Mapping[str, str], column: str | None, kind: str, remarks: Remarks
) -> float | None:
    text = _cell(cells, column)
    value = clean(text, kind)
    if value is None and text:
        remarks.add("values are none that a person asleep has; left out", f"{column} {text[:30]}")
    return value


def _count(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,4}", text) and int(text) <= MAX_STEPS else 0


def _date(text: str) -> date | None:
    """A date as 2026-11-24 or 24.11.2026; one of two possible orders (01/02/2026) is none."""
    dotted = _DOT_DATE.fullmatch(text)
    try:
        if dotted:
            found = date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
        else:
            found = datetime.fromisoformat(text.replace("/", "-")).date()
    except ValueError:
        return None
    return found if is_of_this_century(found) else None


def _moment(text: str, context: NightContext, remarks: Remarks) -> int | None:
    """UTC ns of a time in a table: local, with an offset, or ns since 1970."""
    moment = _read_time(text)
    if moment is None:
        kind = "times have no sure reading (2026-11-24 23:10); left out"
        remarks.add(kind, text or "an empty cell")
        return None
    if moment.tzinfo is not None:
        return int(text) if text.isdecimal() else from_datetime(moment)
    zone = ZoneInfo(require_zone(context.zone, "this table"))
    first, second = (from_datetime(moment.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first != second:
        remarks.add("times lie in the hour in which clocks changed; left out", text)
        return None
    return first


def _read_time(text: str) -> datetime | None:
    """A time of this century, with its offset if it has one."""
    moment: datetime | None
    if re.fullmatch(r"[0-9]{18,19}", text):
        moment = to_datetime(int(text)) if EARLIEST <= int(text) < LATEST else None
    else:
        try:
            moment = datetime.fromisoformat(text.replace("/", "-"))
        except ValueError:
            found = parse_clock(text)
            moment = None if found is None else found[0]
    return None if moment is None or not is_of_this_century(moment) else moment


def _offset(cells: Mapping[str, str], end_ns: int, end: str, context: NightContext) -> int:
    if (
        re.fullmatch(r"-?\d{1,5}", cells.get("offset_s", ""))
        and abs(int(cells["offset_s"])) < 86_400
    ):
        return int(cells["offset_s"])
    moment = None if end.isdecimal() else _read_time(end)
    shift = None if moment is None else moment.utcoffset()
    if shift is not None:
        return int(shift.total_seconds())
    return utc_offset_s(end_ns, require_zone(context.zone, "this table"))


FORMAT = NightFormat("Table of nights", _matches, _read)
