"""Refuse tables that hold nights of several people: each is to be imported into an own account."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ebbtide.errors import EbbtideError
from ingest.nights.members import Member

_PEOPLE = re.compile(
    r"(participant|subject|person|patient|user|member|pid|proband\w*|teilnehmer\w*)(_?(id|no|nr))?"
    r"|(first_?|last_?|vor|nach)?name|initials?|initialen|kürzel|kuerzel"
)
_ROW_NUMBERS = frozenset({"id", "nr", "no", "number", "nummer", "code"})


def plain_column(name: str) -> str:
    """``HRV (RMSSD, ms)`` as ``hrv_rmssd_ms``."""
    return re.sub(r"[\W_]+", "_", name).strip("_").lower()


def find_people(names: Iterable[str]) -> tuple[str | None, str | None]:
    """Find the column of whom a row is of, and that of a number which may be of a person."""
    known = list(names)
    person = next((name for name in known if _PEOPLE.fullmatch(plain_column(name))), None)
    number = next((name for name in known if plain_column(name) in _ROW_NUMBERS), None)
    return person, number


class OnePerson:
    """Whose nights the rows of a table are, as far as they were read."""

    def __init__(self, member: Member, person: str | None, number: str | None) -> None:
        self._member, self._person, self._number = member, person, number
        self._people: set[str] = set()
        self._numbers: set[str] = set()
        self._has_repeats = False

    def add(self, cells: Mapping[str, str]) -> None:
        """Look at a row. Raises EbbtideError where it is another person's."""
        if self._person is not None:
            self._people.add(cells.get(self._person, ""))
            self._require_one(self._person, self._people)
        elif self._number is not None:
            # A number that comes again is none of the row.
            number = cells.get(self._number, "")
            self._has_repeats |= number in self._numbers
            self._numbers.add(number)
            if self._has_repeats:
                self._require_one(self._number, self._numbers)

    def _require_one(self, column: str, people: set[str]) -> None:
        if len(people) > 1:
            first, second = sorted(people)[:2]
            raise EbbtideError(
                f"{self._member.base} holds nights of several people: {column!r} is "
                f"{first[:40]!r} and {second[:40]!r}.",
                "Keep the rows of one person and import that file into their account.",
            )


def rows_of_one(member: Member, rows: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Yield the rows of a table. Raises EbbtideError at the first that is another person's.

    As in tables for research, which have a device's columns and beside them whose they are.
    """
    seen: OnePerson | None = None
    for cells in rows:
        if seen is None:
            seen = OnePerson(member, *find_people(cells))
        seen.add(cells)
        yield cells
