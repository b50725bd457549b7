"""One face for every strap, real or simulated. Backends do not leak through it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from ebbtide.records import GapReason, Origin


@dataclass(frozen=True, slots=True)
class FoundStrap:
    """A strap that was heard. ``signal_dbm`` is None where the system does not tell."""

    name: str
    address: str
    signal_dbm: int | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """The bytes of one notification and when they arrived.

    ``received_ns`` is UTC; ``monotonic_ns`` is a clock that nobody sets, to notice when somebody
    sets the other one. It is None where arrival times are not of this machine.
    """

    payload: bytes
    received_ns: int
    monotonic_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Interruption:
    """The unbroken count of beats ended, for a reason that the strap's side knows."""

    reason: GapReason


class Strap(Protocol):
    """A source of Heart Rate Measurement notifications."""

    @property
    def name(self) -> str:
        """What a person calls it; also the stream's source."""
        ...

    @property
    def origin(self) -> Origin:
        """Real or simulated."""
        ...

    def events(self) -> AsyncIterator[Arrival | Interruption]:
        """Connect, subscribe, and yield what arrives until the strap leaves for good.

        Raises EbbtideError when it cannot be reached.
        """
        ...
