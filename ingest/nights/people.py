"""Refuse files that hold nights of several people: each is to be imported into an own account."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from ebbtide.errors import EbbtideError
from ingest.nights.json_objects import find_objects
from ingest.nights.members import Member
from ingest.nights.night_file import Remarks, plain_name

_PEOPLE = re.compile(
    r"(participants?|subjects?|subj|person|patient\w*|user|member|pid|case|study|record|client"
    r"|proband\w*|versuchsperson\w*|vpn?|teilnehmer\w*|sujet|participante?|paciente?|paziente"
    r"|soggetto|sujeto)"
    r"(_?(id|no|nr|num|number|nummer|code|name))?"
    r"|(first_?|last_?|sur|vor|nach)?name|initials?|initialen|kürzel|kuerzel"
    r"|e_?mail(_?address|_?adresse)?"
)
# With a number behind them, whose a row is; alone they are many other things.
_ALONE = frozenset({"case", "study", "record", "client"})
_ROW_NUMBERS = frozenset({"id", "nr", "no", "number", "nummer", "code", "uid"})
_NUMBERED = re.compile(r"\w+_(id|nr)|\w*number|\w*nummer")
_OF_TIME = re.compile(r"(week|day|month|year|night|cycle|woche|tag|monat|jahr|nacht)\w*")
_MAX_VALUES = 1000  # of a column: with more, it is none of people
# In JSON, in which "name" may be of anything.
_JSON_PEOPLE = re.compile(
    r"user_?(id|profile_?(pk|id)|name)|polar_user|owner_?id"
    r"|(participant|subject|patient|person|member|record|study|case)_?id|e_?mail"
)


def plain_column(name: str) -> str:
    """``HRV (RMSSD, ms)`` as ``hrv_rmssd_ms``."""
    return re.sub(r"[\W_]+", "_", name).strip("_").lower()


def find_people(names: Iterable[str]) -> tuple[str | None, str | None]:
    """Find the column of whom a row is of, and that of a number which may be of a person."""
    known = list(names)
    person = next((name for name in known if _is_person(plain_column(name))), None)
    number = next((name for name in known if plain_column(name) in _ROW_NUMBERS), None)
    return person, number


def _is_person(plain: str) -> bool:
    return plain not in _ALONE and _PEOPLE.fullmatch(plain) is not None


def _several_people(file: str, column: str, people: Iterable[str]) -> EbbtideError:
    first, second = sorted(people)[:2]
    return EbbtideError(
        f"{file} holds nights of several people: {column!r} is {first[:40]!r} and {second[:40]!r}.",
        "Keep the rows of one person and import that file into their account.",
    )


class OnePerson:
    """Whose nights the rows of a table are, as far as they were read.

    ``further``: columns that nothing was read of, which may number people under other names.
    """

    def __init__(
        self, file: str, person: str | None, number: str | None, further: Iterable[str] = ()
    ) -> None:
        self._file, self._person, self._number = file, person, number
        self._people: set[str] = set()
        self._numbers: set[str] = set()
        self._has_repeats = False
        self._further: dict[str, Counter[str]] = {
            name: Counter() for name in further if _is_numbered(name)
        }

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
        for name, counts in self._further.items():
            if len(counts) <= _MAX_VALUES and cells.get(name):
                counts[cells[name]] += 1

    def finish(self, remarks: Remarks) -> None:
        """Judge all rows together. Raises EbbtideError where they may be several people's."""
        for name, counts in self._further.items():
            if 1 < len(counts) <= _MAX_VALUES and min(counts.values()) > 1:
                first, second = sorted(counts)[:2]
                raise EbbtideError(
                    f"{self._file} may hold nights of several people: {name!r} has {len(counts)} "
                    f"values, {first[:40]!r} and {second[:40]!r} among them, each in several rows.",
                    "Keep the rows of one person. If they are, take that column out.",
                )
        if self._person is None and self._number is not None and len(self._numbers) > 1:
            remarks.note(
                f"{plain_name(self._number)!r} is another in each row, and was taken for a number "
                "of the row and not of a person"
            )

    def _require_one(self, column: str, people: set[str]) -> None:
        if len(people) > 1:
            raise _several_people(self._file, column, people)


def _is_numbered(name: str) -> bool:
    plain = plain_column(name)
    return _NUMBERED.fullmatch(plain) is not None and not _OF_TIME.fullmatch(plain)


def rows_of_one(
    member: Member, rows: Iterable[dict[str, str]], remarks: Remarks
) -> Iterator[dict[str, str]]:
    """Yield the rows of a table. Raises EbbtideError at the first that is another person's.

    As in tables for research, which have a device's columns and beside them whose they are.
    """
    seen: OnePerson | None = None
    for cells in rows:
        if seen is None:
            seen = OnePerson(member.base, *find_people(cells), cells)
        seen.add(cells)
        yield cells
    if seen is not None:
        seen.finish(remarks)


@lru_cache(maxsize=256)  # the objects of a file have few names, millions of times
def _is_of_whom(name: str) -> bool:
    return _JSON_PEOPLE.fullmatch(plain_column(name)) is not None


class ObjectsOfOne:
    """The objects of all files of JSON of an export, which are one person's."""

    def __init__(self) -> None:
        self._people: dict[str, str] = {}

    def find(self, member: Member, whole: Any) -> Iterator[dict[str, Any]]:
        """Yield all objects. Raises EbbtideError at the first that is another person's."""
        for item in find_objects(whole):
            for name, value in item.items():
                if isinstance(value, str | int) and _is_of_whom(name):
                    first = self._people.setdefault(name, str(value))
                    if first != str(value):
                        raise _several_people(member.base, name, (first, str(value)))
            yield item
