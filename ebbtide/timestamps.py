"""Timestamps and durations: UTC nanoseconds since 1970, in an int."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from ebbtide.errors import EbbtideError

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Timestamps outside of this century come from a wrong unit or a clock with an empty battery.
EARLIEST = 946_684_800 * SECOND  # 2000-01-01
LATEST = 4_102_444_800 * SECOND  # 2100-01-01

# A half-open range of instants that every stored one lies in.
FOREVER = (0, 2**62)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_ns() -> int:
    """Read the wall clock, in UTC nanoseconds."""
    return time.time_ns()


def monotonic_ns() -> int:
    """Read a clock that is never set, in ns since an arbitrary moment.

    On Linux it also counts the time that the computer sleeps (``CLOCK_BOOTTIME``).
    """
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns() if boot is None else time.clock_gettime_ns(boot)


def floor_to_microsecond(instant_ns: int) -> int:
    """Cut an instant to whole microseconds, so that it survives the way through a datetime."""
    return instant_ns // 1000 * 1000


def to_datetime(instant_ns: int, zone: str = "UTC") -> datetime:
    """Convert a timestamp to an aware datetime, rounded down to microseconds.

    >>> to_datetime(1_790_000_000_123_456_789, "Europe/Berlin").isoformat()
    '2026-09-21T16:13:20.123456+02:00'
    """
    whole = _EPOCH + timedelta(microseconds=instant_ns // 1000)
    return whole if zone == "UTC" else whole.astimezone(ZoneInfo(zone))


def utc_offset_s(instant_ns: int, zone: str) -> int:
    """Compute by how many seconds the clock of ``zone`` is before UTC at an instant.

    >>> utc_offset_s(1_790_000_000_123_456_789, "Europe/Berlin")
    7200
    """
    return int((to_datetime(instant_ns, zone).utcoffset() or timedelta()).total_seconds())


def from_datetime(moment: datetime) -> int:
    """Convert an aware datetime to UTC nanoseconds. Raises ValueError for a naive one.

    >>> from_datetime(datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC))
    1790000000000000000
    """
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone, for example 2026-11-24T08:30:00+01:00")
    whole = moment.astimezone(UTC)
    seconds = int(whole.replace(microsecond=0).timestamp())
    return seconds * SECOND + whole.microsecond * 1000


def to_microseconds(time_ns: int) -> int:
    """Round a timestamp down to whole microseconds, as a datetime has them; still in ns.

    >>> to_microseconds(1_790_000_000_123_456_789)
    1790000000123456000
    """
    return time_ns // 1000 * 1000


@cache
def _zones() -> frozenset[str]:
    """List the names of zones once: to walk their folders takes 5 to 27 ms."""
    return frozenset(available_timezones())


def validate_zone(zone: str) -> str:
    """Return the zone if it is an IANA name. Raises EbbtideError otherwise."""
    if zone not in _zones():
        raise EbbtideError(
            f"'{zone}' is not a time zone.", "Use a name such as Europe/Berlin or America/Denver."
        )
    return zone
