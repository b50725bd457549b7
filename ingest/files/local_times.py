"""Turn the local times that an app wrote into UTC, also in the nights in which clocks change.

An hour that comes twice is read by order: the local time steps back by an hour (half an hour on
Lord Howe Island) while the file's own elapsed seconds, or its intervals, go on. In spring the clock
jumps by an hour in which they do not.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ebbtide.timestamps import HOUR, SECOND, from_datetime
from ingest.files.choices import ChoiceError
from ingest.files.text_table import CLOCK

_SPARE = 90 * SECOND  # by which the step may differ from an hour
_HALF_HOURS = {"Australia/Lord_Howe", "Australia/LHI"}
_NAMES = {HOUR: "hour", HOUR // 2: "half hour"}
_GAPS = {HOUR: "an hour", HOUR // 2: "half an hour"}
_SHIFTS = (HOUR, HOUR // 2)  # by which clocks change: half an hour on Lord Howe Island
_AT_THE_HOUR = 5 * SECOND


def parse_clock(text: str) -> tuple[datetime | None, int] | None:
    """(date and time, ns of the day). The date is None for a time of day, or where day and month
    could be exchanged (01/02/2026).
    """
    found = CLOCK.fullmatch(text)
    if found is None:
        return None
    part = found.groupdict()
    fraction = int((part["f"] or "0").ljust(9, "0"))
    hour, minute, second = int(part["H"]), int(part["M"]), int(part["S"] or 0)
    year = part["y"] or part["y2"]
    if hour > 23 or minute > 59 or second > 59:
        return None
    if part["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if part["half"] in "pP" else 0)
    of_day = (hour * 3600 + minute * 60 + second) * SECOND + fraction
    if year is None:
        return None, of_day
    zone = part["z"]
    try:
        moment = datetime(  # noqa: DTZ001 - the zone is applied by the caller
            int(year),
            int(part["m"] or part["m2"]),
            int(part["d"] or part["d2"]),
            hour,
            minute,
            second,
            fraction // 1000,
        )
    except ValueError:
        return None
    if not 1900 <= moment.year < 2200:
        return None  # nanoseconds since 1970 hold 1678 to 2261; clocks that were never set say 1970
    if zone == "Z":
        moment = moment.replace(tzinfo=UTC)
    elif zone:
        moment = datetime.fromisoformat(moment.isoformat() + zone)
    return moment, of_day


def to_utc(
    path: str,
    lines: Iterable[int],
    cells: Iterable[str],
    going_on_s: Iterable[float],
    *,
    has_elapsed: bool,
    zone: str | None,
) -> tuple[NDArray[np.int64], bool, list[str], list[tuple[int, str]]]:
    """(ns a row, -1 where it has none; whether the file names the date; notes; problems).

    ``going_on_s``: how far the file's own seconds or intervals went on at each row. ``zone``: of
    times without an offset; None where none is given. Raises EbbtideError where an hour is
    missing and nothing says whether clocks went forward.
    """
    where = ZoneInfo(zone or "UTC")
    out = array("q")
    notes: list[str] = []
    problems: list[tuple[int, str]] = []
    offset = 0
    dated = False
    before: int | None = None
    before_local: datetime | None = None
    day = 0
    since = 0.0
    for number, cell, step_s in zip(lines, cells, going_on_s, strict=True):
        found = parse_clock(cell)
        since += 0.0 if math.isnan(step_s) else step_s
        if found is None:
            out.append(-1)
            problems.append((number, f"{cell[:60]!r} is not a time"))
            continue
        moment, of_day = found
        naive = moment is None or moment.tzinfo is None
        if moment is None:
            time = day + of_day
            if before is not None and time + offset < before - 12 * HOUR:
                day += 24 * HOUR
                time += 24 * HOUR
        else:
            dated = True
            time = from_datetime(moment.replace(tzinfo=where) if naive else moment)
        time += offset if naive else 0
        if before is not None and naive:
            step = time - before
            elapsed_ns = round(since * SECOND)
            back = _shift(-step + elapsed_ns, zone) if step < 0 else 0
            forward = _shift(step - elapsed_ns, zone)
            later = time
            if not back and step < 0 and moment is not None:
                later = from_datetime(moment.replace(tzinfo=where, fold=1))
                if later - time not in _SHIFTS or step >= -(later - time) // 2:
                    later = time
            if back or (later != time and 0 <= later - before < 2 * HOUR):
                back = back or later - time
                offset += back
                time += back
                notes.append(
                    f"line {number}: clocks went back; the {_NAMES[back]} that comes twice is read "
                    "by order"
                )
            elif forward and (offset == forward or (has_elapsed and not offset)):
                time -= forward
                if offset:
                    offset -= forward
                elif (
                    moment is not None
                    and before_local is not None
                    and _is_double(before_local, where)
                ):
                    # The recording began in the second of the two hours.
                    out = array("q", (ns if ns < 0 else ns + forward for ns in out))
                    before += forward
                    time += forward
                    notes.append(f"line {number}: the lines before are of the second of two hours")
                else:
                    offset -= forward
                    notes.append(
                        f"line {number}: clocks went forward; there is no gap of {_GAPS[forward]}"
                    )
            elif (
                zone is None
                and not has_elapsed
                and forward
                and abs(step - forward - elapsed_ns) < _AT_THE_HOUR
                and HOUR - before % HOUR < _AT_THE_HOUR
                and (time - forward) % HOUR < _AT_THE_HOUR
            ):
                raise ChoiceError(
                    f"In line {number} of {path} the time goes on from an hour to "
                    f"{_GAPS[forward]} after the next: either clocks went forward, or there is a "
                    f"gap of {_GAPS[forward]}.",
                    "Name the zone of the times: --zone Europe/Berlin (or --zone UTC for a gap).",
                    {"zone": ()},
                )
        if before is not None and time < before:
            out.append(-1)
            problems.append((number, f"{cell} is before the line above"))
            continue
        out.append(time)
        before, before_local, since = time, moment, 0.0
    return np.frombuffer(out, dtype=np.int64), dated, notes, problems


def _shift(step_ns: int, zone: str | None) -> int:
    """The change of clocks that a step is, within what its rows may be off; 0 for none.

    Half an hour only in the zone that has it: elsewhere it is a pause.
    """
    shifts = _SHIFTS if zone in _HALF_HOURS else _SHIFTS[:1]
    return next((shift for shift in shifts if abs(step_ns - shift) < _SPARE), 0)


def _is_double(moment: datetime, zone: ZoneInfo) -> bool:
    first = moment.replace(tzinfo=zone, fold=0).utcoffset() or timedelta()
    second = moment.replace(tzinfo=zone, fold=1).utcoffset() or timedelta()
    return first > second
