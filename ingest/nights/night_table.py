"""Read nights of a plain table, a row a night: a spreadsheet's, or Ebbtide's own table ``nights``.

`night_columns` says which column is what. A row that has two readings is left out, in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from zoneinfo import ZoneInfo

from ebbtide.errors import EbbtideError
from ebbtide.nights import (
    MAX_NIGHT_NS,
    MAX_STEPS,
    MIN_NIGHT_NS,
    Night,
    NightBasis,
    local_date,
)
from ebbtide.timestamps import from_datetime, utc_offset_s
from ingest.nights.assemble import clean, keep_fuller, once_each
from ingest.nights.clock import require_zone
from ingest.nights.daily import night_of_day
from ingest.nights.date_order import DateOrder, find_order, iso_date
from ingest.nights.members import Member, Members
from ingest.nights.night_columns import (
    Columns,
    find_columns,
    is_in_seconds,
    is_in_utc,
    matches,
    read_date,
    read_time,
    research_error,
)
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks, plain_name
from ingest.nights.people import OnePerson
from ingest.nights.tables import read_rows

_SOURCE = "Table of nights"
_NONE = frozenset({"", "-", "--", "na", "n/a", "nan", "nat", "none", "null"})
_PSEUDONYM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAP = re.compile(r"\b(nap|naps|siesta|mittagsschlaf|nickerchen|sieste)\b")
_MAX_CELL = 100  # letters of a date, a time or a figure
MAX_ROWS = 50_000  # a person has at most 20,000 nights
_UNIT = re.compile(
    r"(?<![a-z])(?:(ms|msec)|(s|sec)|(bpm|/min|1/min|s/min|beats/min))\.?$", re.IGNORECASE
)
_YES = frozenset({"1", "x", "yes", "true", "ja", "wahr"})


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    by_source: dict[str, dict[str, Night]] = {}
    for number, member in enumerate(found):
        columns = find_columns(member)
        people = columns.person, columns.row_number
        seen = OnePerson(member.base, *people, columns.unread)
        order = _find_order(members, member, columns)
        for cells in _rows(members, member, columns, remarks):
            _refuse_research(member, columns, cells)
            seen.add(cells)
            bounded = _bounded(cells, columns, remarks)
            night = _night(_with_dates(bounded, columns, order), columns, context, remarks)
            if night is not None:
                _keep(by_source.setdefault(night.source, {}), night, member, columns, remarks)
        seen.finish(remarks)
        if columns.unread:
            remarks.note(f"columns that were not read: {', '.join(columns.unread[:12])}")
        if columns.source is None:
            remarks.note(
                f"the table names no device, so its nights are of {_SOURCE!r}; a column 'source' "
                "with the device's name tells them from another's"
            )
        if columns.begin is None:
            remarks.note("the date of a night is taken for that on which it ended")
        context.show((number + 1) / len(found))
    found_nights = [night for by_day in by_source.values() for night in by_day.values()]
    if not any(night.is_measured for night in found_nights):
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
    nights = once_each(found_nights, remarks)
    return NightFile("Table of nights", nights, remarks.all_problems(), tuple(remarks.notes))


def _rows(
    members: Members, member: Member, columns: Columns, remarks: Remarks
) -> Iterator[dict[str, str]]:
    skip = columns.skip
    return read_rows(members, member, remarks, skip=skip, exact=True, max_rows=MAX_ROWS)


def _refuse_research(member: Member, columns: Columns, cells: Mapping[str, str]) -> None:
    if columns.person == "person" and _PSEUDONYM.fullmatch(cells.get("person", "")):
        raise research_error(member)


def _find_order(members: Members, member: Member, columns: Columns) -> DateOrder | None:
    """Find which number is the day, by all dates of the table."""
    dated = [one for one in (columns.date, columns.begin, columns.end) if one is not None]
    rows = _rows(members, member, columns, Remarks())
    return find_order(cells.get(one, "") for cells in rows for one in dated)


def _bounded(cells: Mapping[str, str], columns: Columns, remarks: Remarks) -> Mapping[str, str]:
    """The cells without those that are longer than anything that is read of them."""
    times = columns.date, columns.begin, columns.end
    figures = columns.rmssd, columns.sdnn, columns.rate
    long = {name for name in (*times, *figures) if name and len(cells.get(name, "")) > _MAX_CELL}
    for name in long:
        remarks.add(f"cells have more than {_MAX_CELL} letters; left out", f"in {name!r}")
    return {name: "" if name in long else cell for name, cell in cells.items()}


def _with_dates(
    cells: Mapping[str, str], columns: Columns, order: DateOrder | None
) -> dict[str, str]:
    """The cells of a row with its dates in one form."""
    dated = {columns.date, columns.begin, columns.end} - {None}
    return {name: iso_date(cell, order) if name in dated else cell for name, cell in cells.items()}


def _keep(
    by_day: dict[str, Night], night: Night, member: Member, columns: Columns, remarks: Remarks
) -> None:
    there = by_day.get(night.day, night)
    if columns.begin is None and _figures(there) != _figures(night):
        raise EbbtideError(
            f"{member.base} has two rows of {night.day} with different figures.",
            "Keep one row a night; of several devices, name each in a column 'source'.",
        )
    keep_fuller(by_day, night, remarks)


def _figures(night: Night) -> tuple[float | None, float | None, float | None]:
    return night.rmssd_ms, night.sdnn_ms, night.mean_hr_bpm


def _night(
    cells: Mapping[str, str], columns: Columns, context: NightContext, remarks: Remarks
) -> Night | None:
    source = plain_name(_cell(cells, columns.source)) or _SOURCE
    if _is_nap(cells, columns.kind):
        remarks.add("rows are naps and no nights; left out", ", ".join(cells.values())[:60])
        return None
    figures = {
        "rmssd_ms": _figure(cells, columns, columns.rmssd, "rmssd_ms", remarks),
        "sdnn_ms": _figure(cells, columns, columns.sdnn, "sdnn_ms", remarks),
        "mean_hr_bpm": _figure(cells, columns, columns.rate, "hr_bpm", remarks),
    }
    missing = None
    if all(value is None for value in figures.values()):
        missing = "the table has no figure of it"
    begin, end = _cell(cells, columns.begin), _cell(cells, columns.end)
    if columns.begin is None:
        day = read_date(_cell(cells, columns.date))
        if day is None:
            remarks.add(
                "rows have no date that has one reading (2026-11-24); left out",
                _cell(cells, columns.date) or "an empty cell",
            )
            return None
        made = night_of_day(source, day, context.zone, NightBasis.DEVICE, missing_reason=missing)
        return _with(made, figures, missing, cells)
    start_ns, end_ns = (
        _moment(_cell(cells, column), context, remarks, is_utc=is_in_utc(column))
        for column in (columns.begin, columns.end)
    )
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


def _is_nap(cells: Mapping[str, str], column: str | None) -> bool:
    text = _cell(cells, column).lower()
    return bool(_NAP.search(text)) or (text in _YES and "nap" in str(column))


def _figure(
    cells: Mapping[str, str], columns: Columns, column: str | None, kind: str, remarks: Remarks
) -> float | None:
    text = _cell(cells, column)
    unit = _UNIT.search(text)
    if unit is not None and (unit[3] is not None) != (kind == "hr_bpm"):
        remarks.add(
            "values have a unit that their column cannot have; left out", f"{column} {text}"
        )
        return None
    # The unit in a cell wins over that of its column.
    is_seconds = is_in_seconds(column) if unit is None else unit[2] is not None
    scale = 1000.0 if kind != "hr_bpm" and is_seconds else 1.0
    text = text[: unit.start()].rstrip() if unit else text
    # 1,044 between commas, and 1.044 between semicolons, may be a thousand and more.
    thousands = r"[1-9]\d{0,2},\d{3}" if columns.delimiter == "," else r"[1-9]\.\d{3}"
    if re.fullmatch(thousands, text):
        remarks.add("values may be thousands or decimals; left out", f"{column} {text}")
        return None
    value = clean(text, kind, scale)
    if value is None and text:
        remarks.add("values are none that a person asleep has; left out", f"{column} {text[:30]}")
    return value


def _count(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,4}", text) and int(text) <= MAX_STEPS else 0


def _moment(
    text: str, context: NightContext, remarks: Remarks, *, is_utc: bool = False
) -> int | None:
    """UTC ns of a time in a table: local, with an offset, or since 1970."""
    moment = read_time(text)
    if moment is None:
        kind = "times have no sure reading (2026-11-24 23:10); left out"
        remarks.add(kind, text or "an empty cell")
        return None
    if moment.tzinfo is None and is_utc:
        moment = moment.replace(tzinfo=UTC)
    if moment.tzinfo is not None:
        return int(text) if len(text) > 17 and text.isdecimal() else from_datetime(moment)
    zone = ZoneInfo(require_zone(context.zone, "this table"))
    first, second = (from_datetime(moment.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first != second:
        remarks.add("times lie in the hour in which clocks changed; left out", text)
        return None
    return first


def _offset(cells: Mapping[str, str], end_ns: int, end: str, context: NightContext) -> int:
    if (
        re.fullmatch(r"-?\d{1,5}", cells.get("offset_s", ""))
        and abs(int(cells["offset_s"])) < 86_400
    ):
        return int(cells["offset_s"])
    moment = None if end.isdecimal() else read_time(end)
    shift = None if moment is None else moment.utcoffset()
    if shift is not None:
        return int(shift.total_seconds())
    return utc_offset_s(end_ns, require_zone(context.zone, "this table"))


FORMAT = NightFormat("Table of nights", matches, _read)
