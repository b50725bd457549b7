"""People as analysts see them: a pseudonym, and a clock that says neither date nor zone.

The clock shows local time, moved back by whole weeks and by a part of five minutes. A week of it
runs from Sunday 04:00 to Saturday 22:00 with one offset from UTC, and what lies in the night
between two weeks is not exported: nearly everywhere clocks change in that night, so that neither an
hour that comes twice nor one that is missing can be seen. A week is released a number of weeks
later that is secret, too: else the newest row of a person would be of today, and tell the weeks.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ebbtide.timestamps import DAY, HOUR, MILLISECOND, MINUTE, SECOND

WEEK = 7 * DAY
GRID = 5 * MINUTE
# Dates are moved back by one of 1,024 numbers of weeks (10 bits).
MIN_SHIFT_WEEKS, SHIFTS = 104, 1024
# A week is released after one of 32 numbers of weeks (5 bits), which no analyst may have anew.
MIN_DELAY_WEEKS, DELAYS = 4, 32
BETWEEN_WEEKS = 6 * HOUR  # from Saturday 22:00, not exported
_WEEK_LENGTH = WEEK - BETWEEN_WEEKS
_FIRST_WEEK = 3 * DAY + 4 * HOUR  # Sunday 1970-01-04, 04:00
# All weeks that ended, in whatever zone, are released on Wednesday at 00:00 UTC.
_RELEASE = _FIRST_WEEK + 2 * DAY + 20 * HOUR
_SATURDAY, _SUNDAY = 2, 3  # the day modulo 7: 1970-01-01 was a Thursday
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (local, without a zone)

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class ResearchClock:
    """How times of one person become times of the clock that analysts see, as nanoseconds.

    ``shift_weeks``: by how many weeks it is behind; ``jitter_ns``: by which part of five minutes
    more, so that seconds say nothing; ``delay_weeks``: how much later a week is released.
    """

    zone: str
    shift_weeks: int
    jitter_ns: int
    delay_weeks: int

    def released_end(self, at_ns: int) -> int:
        """The moment of this clock before which rows are released at a true moment."""
        ended = (at_ns - _RELEASE) // WEEK
        return _FIRST_WEEK + (ended - self.delay_weeks - self.shift_weeks) * WEEK

    def to_research(self, time_ns: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
        """Convert true times, shape (n,), to times of this clock and whether they lie in a week
        rather than in the night between two.
        """
        times = np.asarray(time_ns, dtype=np.int64)
        if not len(times):
            return times, np.zeros(0, dtype=bool)
        first = self._week_of_utc(int(times.min())) - 1
        last = self._week_of_utc(int(times.max())) + 1
        offsets = np.array([self._offset(week) for week in range(first, last + 1)], dtype=np.int64)
        weeks = np.arange(first, last + 1, dtype=np.int64)
        starts = _FIRST_WEEK + weeks * WEEK - offsets + self.jitter_ns
        which = np.searchsorted(starts, times, "right") - 1
        inside = times < starts[which] + _WEEK_LENGTH
        moved = times + offsets[which] - self.jitter_ns - self.shift_weeks * WEEK
        return moved, inside

    def to_true(self, moment_ns: int) -> int:
        """Convert a moment of this clock to the true one. In the night between two weeks: to that
        of a clock which goes on as in the week before.
        """
        local = moment_ns + self.shift_weeks * WEEK
        return local - self._offset((local - _FIRST_WEEK) // WEEK) + self.jitter_ns

    def true_range(self, day: int) -> tuple[int, int]:
        """The true times that the part of a day of this clock which lies in a week lies in."""
        start, end = self.span_of_day(day)
        begin = self.to_true(start)
        return begin, begin + end - start

    def days_of(self, utc_days: Iterable[int]) -> dict[int, list[int]]:
        """The days of this clock that these UTC days reach into, each with those UTC days."""
        found: dict[int, list[int]] = {}
        for utc_day in utc_days:
            ends = np.array([utc_day * DAY, (utc_day + 1) * DAY - 1], dtype=np.int64)
            moved, _ = self.to_research(ends)
            for day in range(int(moved[0]) // DAY, int(moved[1]) // DAY + 1):
                found.setdefault(day, []).append(utc_day)
        return found

    def begins_week(self, day: int) -> bool:
        """Whether a week of this clock begins on a day of it."""
        return day % 7 == _SUNDAY

    def span_of_day(self, day: int) -> tuple[int, int]:
        """The part of a day of this clock that lies in a week: [start, end)."""
        start = day * DAY + (4 * HOUR if day % 7 == _SUNDAY else 0)
        return start, (day + 1) * DAY - (2 * HOUR if day % 7 == _SATURDAY else 0)

    def _week_of_utc(self, time_ns: int) -> int:
        return (time_ns - _FIRST_WEEK) // WEEK

    def _offset(self, week: int) -> int:
        return self._offsets.setdefault(week, _offset_ns(self.zone, _FIRST_WEEK + week * WEEK))

    @cached_property
    def _offsets(self) -> dict[int, int]:
        return {}


@dataclass(frozen=True)
class ResearchIdentity:
    """A person for one analyst: ``name`` is the pseudonym. ``clock`` is the same for all analysts
    but for the weeks it is moved by: several analysts together then know no more than one.
    """

    name: str
    clock: ResearchClock
    _key: bytes = field(repr=False)

    def hide_id(self, own_id: str) -> str:
        """Make an id of this one that leads to no other data, and that nobody else can make."""
        return _make_uuid(_derive(self._key, "id", own_id))

    def hide_content(self, words: str) -> str:
        """Hash words, so that nobody else can compare the result with a guess."""
        return _derive(self._key, "content", words).hex()


def make_identity(secret: bytes, analyst_id: str, person_id: str, zone: str) -> ResearchIdentity:
    """Make the identity of a person for an analyst from the secret of the store."""
    person_key = _derive(secret, "person", person_id)
    key = _derive(secret, "analyst", analyst_id, person_id)
    clock = ResearchClock(
        zone,
        MIN_SHIFT_WEEKS + _choose(_derive(key, "shift"), SHIFTS),
        _choose(_derive(person_key, "jitter"), GRID // MILLISECOND) * MILLISECOND,
        MIN_DELAY_WEEKS + _choose(_derive(person_key, "delay"), DELAYS),
    )
    return ResearchIdentity(_make_uuid(_derive(key, "name")), clock, key)


def derive_key(secret: bytes, purpose: str, analyst_id: str) -> bytes:
    """Make the key of an analyst for a purpose."""
    return _derive(secret, purpose, analyst_id)


def _derive(secret: bytes, *words: str) -> bytes:
    return hmac.digest(secret, "\n".join(words).encode(), "sha256")


def _choose(digest: bytes, count: int) -> int:
    return int.from_bytes(digest, "big") % count


def _make_uuid(digest: bytes) -> str:
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _offset_ns(zone: str, local_ns: int) -> int:
    local = (_EPOCH + timedelta(seconds=local_ns // SECOND)).replace(tzinfo=ZoneInfo(zone))
    return round((local.utcoffset() or timedelta()).total_seconds()) * SECOND
