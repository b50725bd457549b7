"""FHIR R4 search parameters: read, and applied as section 3.1.1 of the standard says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analytics.hrv.windows import WINDOW_NS
from api.export.fhir import terms
from ebbtide.timestamps import EARLIEST, FOREVER, LATEST, from_datetime

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
# Of each parameter its type, in the words of the CapabilityStatement.
OBSERVATION_PARAMETERS = {
    "_id": "token",
    "_lastUpdated": "date",
    "category": "token",
    "code": "token",
    "date": "date",
    "patient": "reference",
    "status": "token",
    "subject": "reference",
}
PATIENT_PARAMETERS = {"_id": "token", "identifier": "token"}
_CONTROL = ("_count", "_format", "cursor", "limit")
MAX_COUNT, DEFAULT_COUNT = 10_000, 1000
_YEARS = range(1971, 2110)  # whose instants 64 bits of nanoseconds surely hold
_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<time>\d\d:\d\d(:\d\d(\.\d+)?)?)(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)


class SearchError(ValueError):
    """A search that is refused: ``status`` and the code of an OperationOutcome."""

    def __init__(self, detail: str, status: int = 400, code: str = "invalid") -> None:
        super().__init__(detail)
        self.status, self.code = status, code


@dataclass(frozen=True, slots=True)
class DateFilter:
    """A prefix and the half-open range of instants that the value of the parameter covers."""

    prefix: str
    low_ns: int
    high_ns: int

    def matches(self, start_ns: int, end_ns: int) -> bool:
        """Whether a resource about [start_ns, end_ns], both included, is found."""
        inside = start_ns >= self.low_ns and end_ns < self.high_ns
        above, below = end_ns >= self.high_ns, start_ns < self.low_ns
        return {
            "eq": inside,
            "ne": not inside,
            "gt": above,
            "lt": below,
            "ge": inside or above,
            "le": inside or below,
            "sa": start_ns >= self.high_ns,
            "eb": end_ns < self.low_ns,
        }[self.prefix]


@dataclass(frozen=True, slots=True)
class Search:
    """A search of Observations. Of the lists of lists, each inner one is alternatives (comma), and
    all of the outer one hold (repeated parameters).
    """

    ids: list[list[str]] = field(default_factory=list)
    codes: list[list[str]] = field(default_factory=list)
    categories: list[list[str]] = field(default_factory=list)
    statuses: list[list[str]] = field(default_factory=list)
    dates: list[list[DateFilter]] = field(default_factory=list)
    updated: list[list[DateFilter]] = field(default_factory=list)
    subjects: list[list[str]] = field(default_factory=list)
    start_ns: int = EARLIEST
    end_ns: int = LATEST
    count: int = DEFAULT_COUNT
    applied: tuple[tuple[str, str], ...] = ()

    @property
    def with_withdrawn(self) -> bool:
        """Whether withdrawn ratings are found: by changes since a moment, by status, or by id."""
        return bool(self.updated or self.statuses or self.ids)

    def finds_code(self, code: str) -> bool:
        """Whether Observations with this code can be found."""
        system, category = terms.code_system_of(code), terms.CATEGORIES[code]
        return all(
            any(_token_matches(token, system, code) for token in tokens) for tokens in self.codes
        ) and all(
            any(_token_matches(token, terms.CATEGORY_SYSTEM, category) for token in tokens)
            for tokens in self.categories
        )

    def finds_time(self, start_ns: int, end_ns: int) -> bool:
        """Whether a resource about this time can be found."""
        return self.start_ns <= start_ns < self.end_ns and _all_match(self.dates, start_ns, end_ns)

    def finds_update(self, updated_ns: int) -> bool:
        """Whether a resource that was last changed then can be found."""
        return _all_match(self.updated, updated_ns, updated_ns)

    def finds(self, resource: Mapping[str, Any]) -> bool:
        """Whether id and status of a resource are searched for."""
        return all(resource["id"] in ids for ids in self.ids) and all(
            any(_token_matches(token, _STATUS_SYSTEM, resource["status"]) for token in tokens)
            for tokens in self.statuses
        )

    def is_about(self, person_id: str) -> bool:
        """Whether every patient that is searched for may be this person."""
        return all(any(_is_reference(item, person_id) for item in items) for items in self.subjects)

    def time_range(self) -> tuple[int, int]:
        """The half-open range of starts that can be found."""
        start, end = self.start_ns, self.end_ns
        for filters in self.dates:
            # A window that begins a little earlier may reach into the range.
            lows = [
                f.low_ns - WINDOW_NS if f.prefix in ("eq", "sa", "ge", "gt") else EARLIEST
                for f in filters
            ]
            highs = [f.high_ns if f.prefix in ("eq", "le", "eb", "lt") else LATEST for f in filters]
            start, end = max(start, min(lows)), min(end, max(highs))
        return start, end


_STATUS_SYSTEM = "http://hl7.org/fhir/observation-status"


def parse_search(
    parameters: Iterable[tuple[str, str]],
    zone: str,
    *,
    is_lenient: bool = False,
    start_ns: int = EARLIEST,
    end_ns: int = LATEST,
) -> Search:
    """Parse the parameters of a search of Observations; times without a zone are in ``zone``.
    Parameters that are not served are left out if ``is_lenient``. Raises SearchError.
    """
    applied: list[tuple[str, str]] = []
    lists: dict[str, list[list[Any]]] = {name: [] for name in OBSERVATION_PARAMETERS}
    count = DEFAULT_COUNT
    seen: set[str] = set()
    for name, value in parameters:
        once = "_count" if name == "limit" else name
        if once in ("_count", "cursor", "start", "end"):
            if once in seen:
                raise SearchError(f"{once} is given twice: send it once")
            seen.add(once)
        if name in ("start", "end"):
            applied.append((name, value))
        elif name in _CONTROL:
            if name in ("_count", "limit"):
                count = parse_count(value)
            if name != "cursor":
                applied.append((name, value))
        elif name in OBSERVATION_PARAMETERS:
            words = [word for word in value.split(",") if word]
            if not words:
                raise SearchError(f"{name} has no value")
            is_date = OBSERVATION_PARAMETERS[name] == "date"
            lists[name].append([parse_date(word, zone) for word in words] if is_date else words)
            applied.append((name, value))
        elif not is_lenient:
            raise SearchError(
                f"the search parameter {name} is not served, only"
                f" {', '.join([*OBSERVATION_PARAMETERS, '_count', '_format'])}; with the header"
                " Prefer: handling=lenient it is left out",
                code="not-supported",
            )
    return Search(
        ids=lists["_id"],
        codes=lists["code"],
        categories=lists["category"],
        statuses=lists["status"],
        dates=lists["date"],
        updated=lists["_lastUpdated"],
        subjects=[*lists["patient"], *lists["subject"]],
        start_ns=start_ns,
        end_ns=end_ns,
        count=count,
        applied=tuple(applied),
    )


def parse_date(word: str, zone: str) -> DateFilter:
    """Parse a prefix and a date of any precision. Raises SearchError."""
    begins = re.match(r"([a-z]{2})\d", word)
    prefix, text = ("eq", word) if begins is None else (begins[1], word[2:])
    if prefix not in PREFIXES:
        raise SearchError(f"the prefix {prefix} is not served, only {', '.join(PREFIXES)}")
    match = _DATE.fullmatch(text.replace(" ", "+"))  # a + that was not encoded comes as a space
    if match is None:
        raise SearchError(f"{text} is no date, such as 2026-11-01 or 2026-11-01T08:00:00Z")
    low_ns, high_ns = _bounds(match, zone)
    return DateFilter(prefix, low_ns, high_ns)


def _bounds(match: re.Match[str], zone: str) -> tuple[int, int]:
    """The range of instants that a date covers: of a year, a month, a day, a minute and so on.

    Of years in which nothing can be stored an empty range at that end of time: le9999-12-31 is a
    common way to say "any time", and is beyond 64 bits of nanoseconds.
    """
    text = match.group()
    try:
        year, month, day = (int(match[name] or 1) for name in ("year", "month", "day"))
        low = datetime(year, month, day, tzinfo=ZoneInfo(zone))
        if match["time"] is not None:
            low = datetime.fromisoformat(text)
            low = low if low.tzinfo is not None else low.replace(tzinfo=ZoneInfo(zone))
            clock = match["time"]
            fraction = clock.partition(".")[2]
            if fraction:
                step = timedelta(microseconds=10 ** (6 - min(len(fraction), 6)))
            else:
                step = timedelta(seconds=1) if clock.count(":") == 2 else timedelta(minutes=1)
        if year not in _YEARS:
            end = FOREVER[year > _YEARS[0]]
            return end, end
        if match["time"] is not None:
            high = low + step
        elif match["day"] is not None:
            high = low + timedelta(days=1)
        elif match["month"] is not None:
            high = low.replace(year=year + month // 12, month=month % 12 + 1)
        else:
            high = low.replace(year=year + 1)
    except (ValueError, OverflowError) as error:
        raise SearchError(f"{text} is no date") from error
    return from_datetime(low), from_datetime(high)


def parse_count(value: str) -> int:
    """Parse ``_count``, at most MAX_COUNT. Raises SearchError."""
    if not (value.isascii() and value.isdecimal()):
        raise SearchError(f"_count is a whole number, not {value}")
    return MAX_COUNT if len(value) > len(str(MAX_COUNT)) else min(int(value), MAX_COUNT)


def _all_match(filters: list[list[DateFilter]], start_ns: int, end_ns: int) -> bool:
    return all(any(item.matches(start_ns, end_ns) for item in items) for items in filters)


def _token_matches(token: str, system: str, code: str) -> bool:
    """Whether a token (``code``, ``system|code``, ``system|`` or ``|code``) names this code."""
    if "|" not in token:
        return token == code
    wanted, _, value = token.partition("|")
    return terms.LEGACY.get(wanted, wanted) == system and value in ("", code)


def _is_reference(reference: str, person_id: str) -> bool:
    return reference == person_id or reference.split("/")[-2:] == ["Patient", person_id]
