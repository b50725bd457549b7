"""Instants and durations: UTC nanoseconds since 1970, in an int."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from ebbtide.errors import EbbtideError

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# What a clock of this century can show; anything outside is a mistake in units or a dead battery.
EARLIEST = 946_684_800 * SECOND  # 2000-01-01
LATEST = 4_102_444_800 * SECOND  # 2100-01-01

# A half-open range of instants that every stored one lies in.
FOREVER = (0, 2**62)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_ns() -> int:
    """The wall clock, in UTC nanoseconds."""
    return time.time_ns()


def monotonic_ns() -> int:
    """A clock that nobody sets and that goes on while the computer sleeps, where the system has
    one (Linux); in ns from some beginning.
    """
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns() if boot is None else time.clock_gettime_ns(boot)


def to_datetime(instant_ns: int, zone: str = "UTC") -> datetime:
    """An aware datetime in ``zone``; nanoseconds below the microsecond are cut off."""
    whole = _EPOCH + timedelta(microseconds=instant_ns // 1000)
    return whole if zone == "UTC" else whole.astimezone(ZoneInfo(zone))


def from_datetime(moment: datetime) -> int:
    """UTC nanoseconds of an aware datetime. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone, for example 2026-11-24T08:30:00+01:00")
    whole = moment.astimezone(UTC)
    seconds = int(whole.replace(microsecond=0).timestamp())
    return seconds * SECOND + whole.microsecond * 1000


def validate_zone(zone: str) -> str:
    """The zone itself if it is an IANA name. Raises EbbtideError otherwise."""
    if zone not in available_timezones():
        raise EbbtideError(
            f"'{zone}' is not a time zone.", "Use a name such as Europe/Berlin or America/Denver."
        )
    return zone
