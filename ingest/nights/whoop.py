"""Read nights of WHOOP: ``physiological_cycles.csv``, a row a cycle, columns in any order.

Times are local, with the cycle's offset beside them. The figures are the device's own averages. A
cycle with empty cells is a night that was not worn.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from ebbtide.errors import EbbtideError
from ebbtide.nights import MIN_NIGHT_NS, Night, NightBasis, local_date
from ebbtide.timestamps import EARLIEST, HOUR, LATEST, from_datetime
from ingest.nights.assemble import clean, keep_fuller, once_each
from ingest.nights.clock import is_of_this_century, parse_offset
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks, csv_names
from ingest.nights.people import rows_of_one
from ingest.nights.tables import read_rows

_SOURCE = "WHOOP"
_START, _ZONE = "cycle start time", "cycle timezone"
_HRV = "heart rate variability (ms)"
_RATE = "resting heart rate (bpm)"
_ONSET, _WAKE = "sleep onset", "wake onset"
_NEEDED = {_START, _HRV}
_OF_SLEEPS = {_START, _ONSET, _WAKE, "nap"}
_UTC = re.compile(r"[,;](UTC|GMT)?[+-]\d\d:?\d\d[,;]")
NOT_WORN = "not worn, or nothing was measured: the export has an empty row"


def _matches(member: Member) -> bool:
    names = set(csv_names(member.text))
    return names >= _NEEDED or names >= _OF_SLEEPS or _is_translated(member)


def _is_translated(member: Member) -> bool:
    """Whether a table has WHOOP's units and offsets, under names of another language."""
    first, _, rest = member.text.partition("\n")
    has_units = all(word in first.lower() for word in ("(ms)", "(bpm)", "vari", "%"))
    return has_units and _START not in first.lower() and _UTC.search(rest[:300]) is not None


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    by_day: dict[str, Night] = {}
    cycles = [member for member in found if set(csv_names(member.text)) >= _NEEDED]
    if not cycles and any(map(_is_translated, found)):
        raise EbbtideError(
            f"{members.path} is an export of WHOOP whose columns are not named in English.",
            "Set the app to English and export it again (WHOOP: More > App Settings > "
            "Data Export).",
        )
    if not cycles:
        raise EbbtideError(
            f"{members.path} holds sleeps of WHOOP and no heart rate variability.",
            "Import the whole export: it is in physiological_cycles.csv.",
        )
    for number, member in enumerate(cycles):
        if _ZONE not in csv_names(member.text):
            raise EbbtideError(
                f"{member.base} has no column 'Cycle timezone', so its times have no zone.",
                "Export it again (WHOOP: More > App Settings > Data Export).",
            )
        for cells in rows_of_one(member, read_rows(members, member, remarks), remarks):
            night = _night(cells, remarks)
            if night is not None:
                keep_fuller(by_day, night, remarks)
        context.show((number + 1) / len(cycles))
    if not by_day:
        for problem in remarks.all_problems():
            raise EbbtideError(
                f"{members.path} holds no cycle of WHOOP: {problem}.", "Export it again."
            )
        raise EbbtideError(f"{members.path} holds no cycle of WHOOP.", "Export it again.")
    nights = once_each(by_day.values(), remarks)
    remarks.note("averages of a night are WHOOP's own; it exports no values of a night")
    return NightFile("WHOOP", nights, remarks.all_problems(), tuple(remarks.notes))


def _night(cells: dict[str, str], remarks: Remarks) -> Night | None:
    offset = _offset(cells.get(_ZONE, ""))
    begin = _moment(cells.get(_ONSET) or cells.get(_START), offset)
    end = _moment(cells.get(_WAKE), offset)
    if begin is None:
        remarks.add("rows have no time or no offset; left out", cells.get(_START, ""))
        return None
    shift = int((begin.utcoffset() or timedelta()).total_seconds())
    start_ns = from_datetime(begin)
    if not EARLIEST <= start_ns < LATEST:
        remarks.add("rows are not of this century; left out", cells.get(_START, ""))
        return None
    rmssd, rate = clean(cells.get(_HRV), "rmssd_ms"), clean(cells.get(_RATE), "hr_bpm")
    for name, value in ((_HRV, rmssd), (_RATE, rate)):
        if value is None and cells.get(name):
            remarks.add("values are none that a person asleep has; left out", cells[name])
    # A cycle begins with the sleep; without its end, the night is that of the following morning.
    end_ns = start_ns + 8 * HOUR if end is None else from_datetime(end)
    if end_ns <= start_ns or end_ns - start_ns > 24 * HOUR:
        remarks.add("rows end before they begin, or a day later; left out", cells.get(_START, ""))
        return None
    if end_ns - start_ns < MIN_NIGHT_NS:
        remarks.add(
            "sleeps are shorter than three hours and no night; left out", cells.get(_START, "")
        )
        return None
    nothing = rmssd is None and rate is None
    return Night(
        local_date(end_ns, shift),
        _SOURCE,
        start_ns,
        end_ns,
        shift,
        NightBasis.DEVICE,
        rmssd_ms=rmssd,
        mean_hr_bpm=rate,
        missing_reason=NOT_WORN if nothing else None,
    )


def _offset(text: str) -> timezone | None:
    shift = parse_offset(text)
    return None if shift is None else timezone(timedelta(seconds=shift))


def _moment(text: str | None, offset: timezone | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not is_of_this_century(moment):
        return None
    if moment.tzinfo is not None:
        return moment
    return None if offset is None else moment.replace(tzinfo=offset)


FORMAT = NightFormat("WHOOP", _matches, _read)
