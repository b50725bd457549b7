"""A night as a watch or a ring measured it, named by the local date on which it ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from ebbtide.timestamps import DAY, EARLIEST, HOUR, LATEST, SECOND, to_datetime

#: Steps of five minutes, by which devices average RMSSD; a night has at most a day of them.
STEP_S = 300
MAX_STEPS = 2000
#: A shorter sleep is a nap, and what a person slept that night is not known.
MIN_NIGHT_NS = 3 * HOUR
MAX_NIGHT_NS = 20 * HOUR
MAX_SOURCE_LETTERS = 120


class NightBasis(StrEnum):
    """What the metrics of a night were made of."""

    VALUES = "five-minute values"
    DEVICE = "the device's own average"
    RECORDING = "found in an own recording"


@dataclass(frozen=True, slots=True)
class NightValue:
    """One step asleep, ``at_s`` seconds after the night began; None where nothing was measured."""

    at_s: int
    rmssd_ms: float | None = None
    sdnn_ms: float | None = None
    hr_bpm: float | None = None


@dataclass(frozen=True, slots=True)
class Night:
    """One night of one source.

    ``day``: the local date on which it ends (ISO 8601), at ``offset_s`` seconds from UTC.
    ``basis``: whether the metrics are means over ``values`` or the device's own. ``windows`` of
    ``steps`` have a value of heart rate variability. ``low_quarter_hr_bpm``: mean of the lowest
    quarter of heart rates. RMSSD and SDNN are different quantities and never stand for each other.
    ``missing_reason``: why a night has no metric, as far as the export says.
    """

    day: str
    source: str
    start_ns: int
    end_ns: int
    offset_s: int
    basis: NightBasis
    rmssd_ms: float | None = None
    sdnn_ms: float | None = None
    mean_hr_bpm: float | None = None
    low_quarter_hr_bpm: float | None = None
    windows: int = 0
    steps: int = 0
    values: tuple[NightValue, ...] = ()
    missing_reason: str | None = None

    @property
    def is_measured(self) -> bool:
        """Whether it has heart rate variability or a heart rate."""
        return any(value is not None for value in (self.rmssd_ms, self.sdnn_ms, self.mean_hr_bpm))


#: Of a night of which only the date is known: from midnight to six, by convention.
OF_DATE_NS = 6 * HOUR


def is_of_date(night: Night) -> bool:
    """Whether a night has the times that stand for a date alone: an export said no others."""
    begins_at_midnight = (night.end_ns - OF_DATE_NS + night.offset_s * SECOND) % DAY == 0
    is_whole = abs(night.end_ns - night.start_ns - OF_DATE_NS) <= HOUR  # clocks may change in it
    return begins_at_midnight and is_whole and not night.values


def find_fault(night: Night) -> tuple[str, str] | None:
    """Find what no stored night may be: the name of a field, and what it must be; None without.

    The API refuses such a night, and readers of files leave it out: one of them would otherwise
    keep all that are sent with it from being stored.
    """
    length = night.end_ns - night.start_ns
    if not EARLIEST <= night.start_ns < LATEST or not EARLIEST <= night.end_ns < LATEST:
        return "start", "must lie between the years 2000 and 2100."
    if not MIN_NIGHT_NS <= length <= DAY:
        return "end", "must be three to 24 hours after start: a shorter sleep is a nap."
    if local_date(night.end_ns, night.offset_s) != night.day:
        return "day", "must be the date of end, by its clock."
    if not night.source.isprintable() or not 1 <= len(night.source) <= MAX_SOURCE_LETTERS:
        return "source", f"must be printable, of at most {MAX_SOURCE_LETTERS} letters."
    if max(night.windows, night.steps, len(night.values)) > MAX_STEPS:
        return "values", f"must be at most {MAX_STEPS}."
    times = [value.at_s for value in night.values]
    if times != sorted(set(times)) or (times and not 0 <= times[0] <= times[-1] <= DAY // SECOND):
        return "values", "must be in order of time, each once, within a day."
    return None


def encode_values(values: Sequence[NightValue]) -> str:
    """Write values as JSON: ``[[at_s, rmssd, sdnn, hr], ...]``, to 0.001."""

    def cut(value: float | None) -> float | None:
        return None if value is None else round(value, 3)

    rows = [[v.at_s, cut(v.rmssd_ms), cut(v.sdnn_ms), cut(v.hr_bpm)] for v in values]
    return json.dumps(rows, separators=(",", ":"))


def decode_values(text: str) -> tuple[NightValue, ...]:
    """Read what ``encode_values`` wrote."""
    return tuple(NightValue(int(row[0]), *row[1:]) for row in json.loads(text or "[]"))


def local_date(instant_ns: int, offset_s: int) -> str:
    """Read the date of a clock that is ``offset_s`` before UTC.

    >>> local_date(1_790_000_000_000_000_000, 7200)
    '2026-09-21'
    """
    moment: datetime = to_datetime(instant_ns + offset_s * SECOND)
    return moment.date().isoformat()


def days_between(first: str, last: str) -> list[str]:
    """All dates from ``first`` to ``last``, both with them.

    >>> days_between("2026-02-27", "2026-03-01")
    ['2026-02-27', '2026-02-28', '2026-03-01']
    """
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [(start + timedelta(days=n)).isoformat() for n in range((end - start).days + 1)]


def is_fuller(new: Night, stored: Night) -> bool:
    """Whether a night of a later export says more than the one that is stored.

    An export may end within a night, and the next one has all of it. Of the same content the stored
    one stays.
    """
    return _content(new) > _content(stored)


def _content(night: Night) -> tuple[bool, int, int, int]:
    return night.is_measured, night.windows, night.steps, night.end_ns - night.start_ns
