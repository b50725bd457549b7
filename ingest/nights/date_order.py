"""Dates of a table in one form, where the table says which of their numbers is the day.

``20/10/2026`` has one reading, and so have the other dates of its column: people and spreadsheets
write one order throughout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?=$|[ T,])")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?=$|[ T,])")
_NAMED = re.compile(r"(\d{1,2})\.?[ -]([^\W\d_]{3,10})\.?,?[ -](\d{4})(?=$|[ T,])")
_NAMED_FIRST = re.compile(r"([^\W\d_]{3,10})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})(?=$|[ T,])")
_WEEKDAY = re.compile(r"[^\W\d_]{2,10}\.?, *(?=[\d])|[^\W\d_]{3,10}day,? *", re.IGNORECASE)
# English, German, French, Spanish, Italian, Dutch, Portuguese and Scandinavian, with and without
# accents; a shorter form begins one of them, or stands behind it. A name that only begins as one of
# these may be of another month: marraskuu is November.
_MONTHS = tuple(
    frozenset(names.split())
    for names in (
        "january januar jänner jaenner janvier enero gennaio januari janeiro",
        "february februar feber février fevrier febrero febbraio februari fevereiro",
        "march märz maerz marz mars marzo maart março marco mrz mrt",
        "april avril abril aprile",
        "may mai mayo maggio mei maio maj",
        "june juni juin junio giugno junho",
        "july juli juillet julio luglio julho",
        "august août aout agosto augustus augusti",
        "september septembre septiembre setiembre settembre setembro",
        "october oktober octobre octubre ottobre outubro",
        "november novembre noviembre novembro",
        "december dezember décembre decembre diciembre dicembre dezembro desember",
    )
)


class DateOrder(StrEnum):
    """Which number of a date between slashes is the day."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


def find_order(texts: Iterable[str]) -> DateOrder | None:
    """Find the order of dates between slashes; None where they leave both open, or have both."""
    is_day_first = is_month_first = False
    for text in texts:
        found = _SLASHED.match(text)
        if found:
            is_day_first |= int(found[1]) > 12
            is_month_first |= int(found[2]) > 12
    if is_day_first == is_month_first:
        return None
    return DateOrder.DAY_FIRST if is_day_first else DateOrder.MONTH_FIRST


def iso_date(text: str, order: DateOrder | None) -> str:
    """Write the date at the beginning of a text as 2026-11-24, where it has one reading.

    >>> iso_date("24.11.2026 07:00", None), iso_date("Nov 24, 2026", None)
    ('2026-11-24 07:00', '2026-11-24')
    >>> iso_date("11/24/2026", DateOrder.MONTH_FIRST), iso_date("01/02/2026", None)
    ('2026-11-24', '01/02/2026')
    """
    text = _WEEKDAY.sub("", text, count=1) if text[:1].isalpha() else text
    dotted, slashed = _DOTTED.match(text), _SLASHED.match(text)
    if dotted:
        return _written(dotted[3], dotted[2], dotted[1]) + text[dotted.end() :]
    if slashed and order is not None:
        day, month = (1, 2) if order is DateOrder.DAY_FIRST else (2, 1)
        return _written(slashed[3], slashed[month], slashed[day]) + text[slashed.end() :]
    for pattern, day, month in ((_NAMED, 1, 2), (_NAMED_FIRST, 2, 1)):
        named = pattern.match(text)
        number = None if named is None else _month(named[month])
        if named is not None and number is not None:
            return _written(named[3], str(number), named[day]) + text[named.end() :]
    return text


def _written(year: str, month: str, day: str) -> str:
    return f"{year}-{int(month):02}-{int(day):02}"


def _month(name: str) -> int | None:
    low = name.lower()
    found = [k for k, names in enumerate(_MONTHS, 1) if any(n.startswith(low) for n in names)]
    return found[0] if len(found) == 1 else None
