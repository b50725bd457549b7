"""Local times without an offset, in UTC, also in the nights in which clocks change."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ebbtide.timestamps import MINUTE, from_datetime
from ingest.files.choices import ChoiceError
from ingest.nights.night_file import Remarks

_NEAR_NS = 20 * MINUTE  # values asleep follow each other every five minutes

_OFFSET = re.compile(r"(?:UTC|GMT|Z)?\s*(?:([+-])(\d{1,2}):?(\d{2})?)?")


def is_of_this_century(day: date) -> bool:
    """Whether a device can have written the date: others cannot even be counted in ns, at times."""
    return 2000 <= day.year < 2100


def parse_offset(text: str) -> int | None:
    """Seconds of ``UTC+02:00``, ``-0530`` or ``Z``; None of anything else, and of a day or more."""
    found = _OFFSET.fullmatch(text.strip().upper())
    if found is None or not found[0]:
        return None
    shift = int(found[2] or 0) * 3600 + int(found[3] or 0) * 60
    if shift >= 86_400:
        return None
    return -shift if found[1] == "-" else shift


def require_zone(zone: str | None, what: str) -> str:
    """Refuse local times without a zone: they have as many readings as there are zones."""
    if zone is None:
        raise ChoiceError(
            f"The times of {what} are local and name no zone.",
            "Name the zone in which it was worn: --zone Europe/Berlin",
            {"zone": ()},
        )
    return zone


def local_to_utc(times: Sequence[datetime], zone: str, remarks: Remarks) -> array[int]:
    """UTC ns of naive local times in the order of a file; -1 for one that has no sure reading.

    An hour that comes twice is read by its order (the time steps back), or by what it follows or
    what follows it within twenty minutes. Where neither says which it is, it is left out, in words.
    """
    where = ZoneInfo(zone)
    first = array("q", (from_datetime(t.replace(tzinfo=where)) for t in times))
    second = array("q", (from_datetime(t.replace(tzinfo=where, fold=1)) for t in times))
    out = array("q", first)
    place = 0
    while place < len(times):
        if first[place] == second[place]:
            place += 1
            continue
        if second[place] < first[place]:  # a time that this zone never had: clocks went forward
            remarks.add(
                f"times do not exist in {zone}, where clocks went forward; left out",
                times[place].isoformat(" "),
            )
            out[place] = -1
            place += 1
            continue
        end = place
        while end < len(times) and second[end] > first[end]:
            if end > place and times[end] - times[end - 1] > timedelta(hours=12):
                break
            end += 1
        _read_double(times, first, second, out, place, end, remarks)
        place = end
    return out


def _read_double(
    times: Sequence[datetime],
    first: array[int],
    second: array[int],
    out: array[int],
    begin: int,
    end: int,
    remarks: Remarks,
) -> None:
    """Decide between the two readings of the places from ``begin`` to before ``end``."""
    back = next((k for k in range(begin + 1, end) if times[k] <= times[k - 1]), None)
    if back is not None:
        out[back:end] = second[back:end]
        return
    follows = begin > 0 and 0 <= first[begin] - out[begin - 1] <= _NEAR_NS
    leads = end < len(times) and 0 <= first[end] - second[end - 1] <= _NEAR_NS
    if follows and not leads:
        return
    if leads and not follows:
        out[begin:end] = second[begin:end]
        return
    if follows and leads:  # one pass and both neighbours: an hour of values is missing somewhere
        late = next(
            (k for k in range(begin + 1, end) if times[k] - times[k - 1] > timedelta(minutes=20)),
            None,
        )
        if late is not None:
            out[late:end] = second[late:end]
            return
    for k in range(begin, end):
        out[k] = -1
        remarks.add(
            "values lie in the hour that came twice and nothing says in which; left out",
            times[k].isoformat(" "),
        )
