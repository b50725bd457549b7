"""Read a column of times: days, dates, moments, or counts since 1970, told apart by size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from pathlib import Path

DateOrder = Literal["day-first", "month-first"]
MAX_DAYS = 36_500
# 1990 to 2100, in seconds since 1970. A thousand times as many are milliseconds, and so on; the
# ranges lie so far apart that no count can be of two units.
_EPOCH_S = (6.3e8, 4.11e9)
_UNITS = {"seconds": 0, "milliseconds": 3, "microseconds": 6, "nanoseconds": 9}
_COMPACT = re.compile(
    r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])((?:[01]\d|2[0-3])[0-5]\d)?([0-5]\d)?"
)
_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?!\d)[ T,]*(.*)")
_YEAR_FIRST = re.compile(r"(\d{4})([./])(\d{1,2})\2(\d{1,2})(?!\d)[ T,]*(.*)")
# 01 Sep 2026, 1. September 2026, Tue 01-Sep-2026; Sep 1, 2026
_DAY_MONTH = re.compile(
    r"(?:[^\W\d_]+[.,]? +)?(\d{1,2})(?:\.|st|nd|rd|th)?[ -]*(?:de )?([^\W\d_]{3,12})\.?,?"
    r"[ -]*(?:de )?(\d{4})(?!\d)[ T,]*(.*)"
)
_MONTH_DAY = re.compile(
    r"(?:[^\W\d_]+[.,]? +)??([^\W\d_]{3,12})\.? +(\d{1,2})(?:st|nd|rd|th)?,? +"
    r"(\d{4})(?!\d)[ T,]*(.*)"
)
_MONTHS = (  # beginnings in English, German, French, Spanish, Italian, Dutch
    ("jan", "jän", "ene", "gen"), ("feb", "fév", "fev"), ("mar", "mär", "maer", "mrt", "maa"),
    ("apr", "avr", "abr"), ("may", "mai", "mag", "mei"), ("jun", "juin", "giu"),
    ("jul", "juil", "lug"), ("aug", "aoû", "aou", "ago"), ("sep", "set"), ("oct", "okt", "ott"),
    ("nov",), ("dec", "dez", "déc", "dic"),
)  # fmt: skip
# Words of visits, in their order.
_VISITS = (
    ("pre", "before", "baseline", "base", "bl", "vorher", "prä", "prae", "avant", "screening"),
    ("mid", "during", "interim", "midpoint"),
    ("post", "after", "end", "nachher", "après", "discharge", "posttreatment"),
    ("follow-up", "followup", "follow up", "fu", "katamnese", "suivi"),
)
_NUMBERED_VISIT = re.compile(r"([^\W\d_]{1,12})[ _.-]*(\d{1,4})")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(:\d\d)? ?([AaPp])\.?[Mm]\.?")


@dataclass(frozen=True, slots=True)
class Times:
    """``days``: shape (n,), of dates and moments since the first. ``hours``: of the local day, or
    None where the column has none. ``is_calendar``: dates or moments, and not plain numbers.
    ``has_clock``: they have a time of day. ``read_as``: in words. ``first_in_week``: days from a
    Monday, 00:00 UTC, to the first moment; 0 where there is no calendar.
    """

    days: NDArray[np.float64]
    hours: NDArray[np.float64] | None
    is_calendar: bool
    has_clock: bool
    read_as: str
    first_in_week: float = 0.0


def read_times(words: pd.Series[str], path: Path, column: str, order: DateOrder | None) -> Times:
    """Read ``words``, none of them empty. Raises EbbtideError at the first that is no time."""
    visits = _read_visits(words)
    if visits is not None:
        return visits
    numbers = pd.to_numeric(words, errors="coerce").to_numpy(dtype=np.float64)
    units = [_epoch_unit(value) for value in numbers.tolist()]
    compact = [bool(_COMPACT.fullmatch(word)) for word in words]
    known = [
        unit is not None or is_compact for unit, is_compact in zip(units, compact, strict=True)
    ]
    if np.isfinite(numbers).all() and not all(known):
        span = float(np.ptp(numbers))
        if span > MAX_DAYS:
            raise EbbtideError(
                f"{path}, column {column!r}: {span:g} days from first to last.",
                "Numbers are taken for days. Write moments: 2026-11-24T08:30; or seconds, "
                "milliseconds, microseconds or nanoseconds since 1970, in every row.",
            )
        return Times(numbers, None, False, bool(np.any(numbers % 1 != 0)), "days")
    day_first = _date_order(words, path, column, order)
    written: list[str] = []
    for at, (word, value) in enumerate(zip(words, numbers.tolist(), strict=True)):
        unit = units[at]
        if unit is not None:
            written.append(_epoch_text(word, value, _UNITS[unit]))
        elif np.isfinite(value) and not compact[at]:
            raise EbbtideError(
                f"{path}, line {at + 2}, column {column!r}: {word!r} is no time among moments.",
                "Write every row the same way: days, or moments such as 2026-11-24T08:30.",
            )
        else:
            written.append(_iso_text(word, compact[at], day_first))
    text = pd.Series(written)
    moments = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
    wrong = moments.isna().to_numpy()
    if wrong.any():
        at = int(np.argmax(wrong))
        raise EbbtideError(
            f"{path}, line {at + 2}, column {column!r}: {words.iloc[at]!r} is no time.",
            "Write 2026-11-24T08:30, or a number (days), in every row.",
        )
    # Circadian rhythm follows local time, so the UTC offset is dropped and not applied.
    local = pd.to_datetime(
        text.str.replace(r"(?<=:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)$", "", regex=True),
        format="ISO8601",
    )
    hours = (local.dt.hour + local.dt.minute / 60).to_numpy(dtype=np.float64)
    days = (moments - moments.min()).dt.total_seconds().to_numpy(dtype=np.float64) / 86_400
    found = [f"{unit} since 1970" for unit in _UNITS if unit in units]
    if not all(unit is not None for unit in units):
        has_day_first = {True: "dates, day first", False: "dates, month first", None: "dates"}
        found.insert(0, has_day_first[day_first])
    has_clock = bool(any(units) or any(":" in word for word in written))
    varied = hours if np.ptp(hours) > 0 else None
    first = moments.min()
    in_week = first.weekday() + (first - first.normalize()).total_seconds() / 86_400
    return Times(days, varied, True, has_clock, " and ".join(found), float(in_week))


def _read_visits(words: pd.Series[str]) -> Times | None:
    """Visits by name (pre, post, follow-up) or number (week 4, T1); None where they are others."""
    different = [str(word) for word in words.unique()]
    place = {name: at for at, names in enumerate(_VISITS) for name in names}
    plain = {word: word.lower().strip(" .-_") for word in different}
    if all(plain[word] in place for word in different):
        places = sorted({place[plain[word]] for word in different})
        order = {word: places.index(place[plain[word]]) for word in different}
        shown = ", ".join(sorted(order, key=lambda word: (order[word], word)))
        days = np.array([order[word] for word in words], dtype=np.float64)
        return Times(days, None, False, False, f"visits in the order {shown}")
    found = {word: _NUMBERED_VISIT.fullmatch(word.lower()) for word in different}
    prefixes = {one[1] for one in found.values() if one}
    if all(found.values()) and len(prefixes) == 1:
        days = np.array([int(found[word][2]) for word in words], dtype=np.float64)  # type: ignore[index]
        return Times(days, None, False, False, f"the numbers of {prefixes.pop()}")
    return None


def _with_month_number(word: str) -> str:
    """Write a date with the name of its month as an ISO date; any other as it is."""
    if part := _DAY_MONTH.fullmatch(word):
        day, name, year, rest = part.groups()
    elif part := _MONTH_DAY.fullmatch(word):
        name, day, year, rest = part.groups()
    else:
        return word
    low = name.lower()
    month = next(
        (at for at, starts in enumerate(_MONTHS, 1) for start in starts if low.startswith(start)),
        None,
    )
    if month is None:
        return word
    return f"{year}-{month:02}-{int(day):02} {rest}".strip()


def _epoch_unit(value: float) -> str | None:
    """Name the unit of a count since 1970 by its size; None where it is none."""
    for unit, power in _UNITS.items():
        if _EPOCH_S[0] <= value / 10**power <= _EPOCH_S[1]:
            return unit
    return None


def _epoch_text(word: str, value: float, power: int) -> str:
    # A float64 holds nanoseconds since 1970 only to 256 ns, so whole numbers are read as such.
    digits = word if re.fullmatch(r"\d+", word) else None
    ns = int(digits) * 10 ** (9 - power) if digits else round(value * 10 ** (9 - power))
    return f"{pd.Timestamp(ns, unit='ns').isoformat(timespec='nanoseconds')}Z"


def _date_order(
    words: pd.Series[str], path: Path, column: str, order: DateOrder | None
) -> bool | None:
    """Whether dates such as 01/09/2026 have the day first; None where there are none such."""
    parts = [found for word in words if (found := _DATE.fullmatch(word))]
    if not parts:
        return None
    if order is not None:
        return order == "day-first"
    day = any(int(part[1]) > 12 for part in parts)
    month = any(int(part[3]) > 12 for part in parts)
    dotted = all(part[2] == "." for part in parts)  # nowhere written with the month first
    if day != month or (dotted and not month):
        return not month
    why = "of both orders" if day else "which can be day/month or month/day"
    raise EbbtideError(
        f"{path}, column {column!r}: holds dates such as {parts[0][0]!r}, {why}.",
        "Say which: --dates day-first or --dates month-first; or write 2026-11-24.",
    )


def _iso_text(word: str, is_compact: bool, day_first: bool | None) -> str:
    word = _with_month_number(word)
    if is_compact:
        found = word[:4] + "-" + word[4:6] + "-" + word[6:8]
        clock = word[8:]
        return found + (f"T{clock[:2]}:{clock[2:4]}:{clock[4:] or '00'}" if clock else "")
    if part := _DATE.fullmatch(word):
        first, second = int(part[1]), int(part[3])
        day, month = (first, second) if day_first else (second, first)
        date, rest = f"{part[4]}-{month:02}-{day:02}", part[5]
    elif part := _YEAR_FIRST.fullmatch(word):
        date, rest = f"{part[1]}-{int(part[3]):02}-{int(part[4]):02}", part[5]
    else:
        date, _, rest = word.partition("T" if "T" in word else " ")
    rest = rest.strip()
    if clock_12 := _CLOCK.fullmatch(rest):
        hour = int(clock_12[1]) % 12 + (12 if clock_12[4] in "pP" else 0)
        rest = f"{hour:02}:{clock_12[2]}{clock_12[3] or ''}"
    elif re.match(r"\d:", rest):
        rest = "0" + rest
    return f"{date}T{rest}" if rest else date
