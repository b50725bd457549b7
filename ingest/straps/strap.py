"""The protocol of every strap, real or simulated, and the events that it yields."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ebbtide.beats import GapReason, Origin
from ingest.straps.heart_rate import HeartRateMeasurement


@dataclass(frozen=True, slots=True)
class RawNotification:
    """The bytes of one notification and when they arrived.

    ``received_ns`` is UTC; ``monotonic_ns`` shows when that clock is set. It is None where arrival
    times are not of this machine.
    """

    payload: bytes
    received_ns: int
    monotonic_ns: int | None = None


@dataclass(frozen=True, slots=True)
class SignalBreak:
    """The unbroken count of beats ended, for a reason that is known on the strap's side."""

    reason: GapReason


@dataclass(frozen=True, slots=True)
class RawMotion:
    """Acceleration: samples of (x, y, z) in thousandths of g, the last one taken just before
    ``received_ns``, ``rate_hz`` of them a second.
    """

    received_ns: int
    rate_hz: int
    samples_mg: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class RawEcg:
    """Electrocardiogram: samples in microvolts, the last one taken just before ``received_ns``."""

    received_ns: int
    rate_hz: int
    samples_uv: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """The connection changed. ``detail`` says more, for a person."""

    state: ConnectionState
    detail: str = ""


class ConnectionState(StrEnum):
    """Where the connection to a strap stands."""

    SEARCHING = "looking for it"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    SILENT = "connected but silent: reconnecting"
    LOST = "link lost"
    TROUBLE = "in trouble"


StrapEvent = RawNotification | SignalBreak | RawMotion | RawEcg | ConnectionChange


class Strap(Protocol):
    """A source of heartbeats."""

    @property
    def name(self) -> str:
        """The name that a person gave it; also the stream's source."""
        ...

    @property
    def origin(self) -> Origin:
        """Real or simulated."""
        ...

    @property
    def ticks_per_second(self) -> int:
        """Scale of the intervals that ``decode`` gives."""
        ...

    def decode(self, payload: bytes) -> HeartRateMeasurement:
        """Decode the bytes of a RawNotification. Raises MalformedMeasurementError."""
        ...

    def events(self) -> AsyncIterator[StrapEvent]:
        """Connect, subscribe, and yield what arrives until the strap has no more or ``stop``."""
        ...

    def stop(self) -> None:
        """End ``events`` after what has already arrived."""
        ...
