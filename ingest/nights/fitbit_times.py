"""Times as Fitbit and the tables of studies write them: ISO 8601, or between slashes.

Takeout writes ``10/20/26 23:00:00``, month first, and a year of two digits only there. With four,
which number is the day is what all times of the file leave open or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from ebbtide.errors import EbbtideError
from ingest.nights.clock import is_of_this_century
from ingest.nights.date_order import DateOrder, find_order
from ingest.nights.members import Member

_SLASHED = re.compile(r"(\d\d?)/(\d\d?)/(\d\d|\d{4})(?: (\d\d?):(\d\d)(?::(\d\d))?(?: ([AP])M)?)?")


class Times:
    """Reads the times of a file, of which ``texts`` are all."""

    def __init__(self, member: Member, texts: Iterable[str | None]) -> None:
        self._member = member
        self._order = find_order(text for text in texts if text and "/" in text[1:3])

    def read(self, text: str | None) -> datetime | None:
        """The time; None where it is none of this century.

        Raises EbbtideError for one between slashes where nothing says which number is the day.
        """
        if text is None:
            return None
        moment = self._read_slashed(text) if "/" in text[1:3] else _read_iso(text)
        return moment if moment is not None and is_of_this_century(moment) else None

    def _read_slashed(self, text: str) -> datetime | None:
        """Years have ten million of them, for which strptime takes minutes."""
        found = _SLASHED.fullmatch(text)
        if found is None:
            return None
        month, day, year, hour, minute, second, half = found.groups()
        if len(year) == 2:
            year = f"20{year}"
        elif self._order is None:
            raise EbbtideError(
                f"The dates of {self._member.base}, as {text[:40]!r}, have two readings: nothing "
                "says whether the day comes first or the month.",
                "Write them as 2026-11-24, or import a longer time, in which a day is after the "
                "12th.",
            )
        elif self._order is DateOrder.DAY_FIRST:
            month, day = day, month
        if half is not None:
            hour = str(int(hour) % 12 + (12 if half == "P" else 0))
        try:
            return datetime(  # noqa: DTZ001 - UTC, as the caller knows
                *(int(year), int(month), int(day)),
                *(int(hour or 0), int(minute or 0), int(second or 0)),
            )
        except ValueError:
            return None


def _read_iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
