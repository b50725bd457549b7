"""Turn the local times that an app wrote into UTC, also in the nights in which clocks change.

An hour that comes twice is read by order: the local time steps back by an hour while the file's own
elapsed seconds, or its intervals, go on. In spring the clock jumps by an hour in which they do not.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import HOUR, SECOND, from_datetime
from ingest.files.text_table import CLOCK

_SPARE = 90 * SECOND  # by which the step may differ from an hour
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
            if abs(step + HOUR - elapsed_ns) < _SPARE and step < 0:
                offset += HOUR
                time += HOUR
                notes.append(
                    f"line {number}: clocks went back; the hour that comes twice is read by order"
                )
            elif moment is not None and step < 0:
                later = from_datetime(moment.replace(tzinfo=where, fold=1))
                if step < -HOUR // 2 and later != time and 0 <= later - before < 2 * HOUR:
                    offset += later - time
                    time = later
                    notes.append(
                        f"line {number}: clocks went back; the hour that comes twice is read by "
                        "order"
                    )
            elif abs(step - HOUR - elapsed_ns) < _SPARE and (offset or has_elapsed):
                time -= HOUR
                if offset:
                    offset -= HOUR
                elif (
                    moment is not None
                    and before_local is not None
                    and _is_double(before_local, where)
                ):
                    # The recording began in the second of the two hours.
                    out = array("q", (ns if ns < 0 else ns + HOUR for ns in out))
                    before += HOUR
                    time += HOUR
                    notes.append(f"line {number}: the lines before are of the second of two hours")
                else:
                    offset -= HOUR
                    notes.append(f"line {number}: clocks went forward; there is no gap of an hour")
            elif (
                zone is None
                and not has_elapsed
                and abs(step - HOUR - elapsed_ns) < _AT_THE_HOUR
                and HOUR - before % HOUR < _AT_THE_HOUR
                and time % HOUR < _AT_THE_HOUR
            ):
                raise EbbtideError(
                    f"In line {number} of {path} the time goes on from an hour to the hour after "
                    "the next: either clocks went forward, or there is a gap of an hour.",
                    "Name the zone of the times: --zone Europe/Berlin (or --zone UTC for a gap).",
                )
        if before is not None and time < before:
            out.append(-1)
            problems.append((number, f"{cell} is before the line above"))
            continue
        out.append(time)
        before, before_local, since = time, moment, 0.0
    return np.frombuffer(out, dtype=np.int64), dated, notes, problems


def _is_double(moment: datetime, zone: ZoneInfo) -> bool:
    first = moment.replace(tzinfo=zone, fold=0).utcoffset() or timedelta()
    second = moment.replace(tzinfo=zone, fold=1).utcoffset() or timedelta()
    return first > second
