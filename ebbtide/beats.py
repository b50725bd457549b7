"""Types that all packages share: streams, notifications, gaps, activity."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from ebbtide.rr_units import STRAP_TICKS_PER_SECOND


class Origin(StrEnum):
    """Where beats come from. Everything computed from them names it too."""

    STRAP = "strap"
    FILE = "file"
    # Pulse-to-pulse intervals of an optical sensor, live or from a file: what is computed from
    # them is pulse rate variability (Schaefer and Vagedes 2013, Int J Cardiol 166:15).
    PULSE = "pulse"
    SIMULATED = "simulated"


class GapReason(StrEnum):
    """Why there are no beats for a while."""

    LINK_LOST = "link lost"
    # The last battery level that was read before the link was lost was at most LOW_BATTERY_PERCENT.
    BATTERY_LOW = "battery low"
    # It was heard all the while, and took no connection.
    CONNECTION_REFUSED = "connection refused"
    CONTACT_LOST = "contact lost"
    NO_RR_SENT = "no RR sent"
    PAUSED = "paused"
    PERMISSION_LOST = "permission taken away"
    CLOCK_STEPPED = "clock stepped"
    DISK_FULL = "disk full"
    OFF_THE_CLOCK = "intervals off the clock"
    LOST_AT_A_RESTORE = "lost at a restore"


# A strap that reads this or less before it is lost may well be empty. Straps report coarse steps,
# and a coin cell falls fast at its end.
LOW_BATTERY_PERCENT = 10
# What is known of a lost link may become more, or less, until the strap is there again.
LINK_REASONS = frozenset({GapReason.LINK_LOST, GapReason.BATTERY_LOW, GapReason.CONNECTION_REFUSED})


@dataclass(frozen=True, slots=True)
class Stream:
    """The beats of one person from one source."""

    id: str
    origin: Origin
    source: str
    created_ns: int
    ticks_per_second: int = STRAP_TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification of a strap, placed in time.

    ``rr_ticks`` and ``beat_times_ns`` have the same length, which may be 0; beat times are
    strictly increasing within the stream. ``contact`` is None where the strap does not report it.
    """

    sequence: int
    received_ns: int
    heart_rate_bpm: int
    rr_ticks: tuple[int, ...]
    beat_times_ns: tuple[int, ...]
    contact: bool | None = None
    energy_kj: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without beats, ended by the first beat of notification ``sequence``.

    It is half-open, [start_ns, end_ns), and may be empty: then two beats touch that are not
    neighbours, and no difference may be taken between them. With ``OFF_THE_CLOCK`` there may be
    beats in it, received before the fault was noticed: they are stored and enter no metric.
    """

    sequence: int
    start_ns: int
    end_ns: int
    reason: GapReason


@dataclass(frozen=True, slots=True)
class Activity:
    """Movement of the wearer in the five seconds from ``start_ns``.

    It is the mean amplitude deviation of acceleration, in thousandths of g. Motion disturbs HRV, so
    it is stored beside the beats.
    """

    start_ns: int
    mad_mg: float


ACTIVITY_SPAN_NS = 5_000_000_000


def new_id() -> str:
    """Make a random UUID for a stream, a person, a subject or a rating."""
    return str(uuid.uuid4())
