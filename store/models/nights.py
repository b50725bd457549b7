"""Stored nights of watches, rings and own recordings."""

from __future__ import annotations

from dataclasses import dataclass

from ebbtide.nights import Night


@dataclass(frozen=True, slots=True)
class StoredNight:
    """A night of a person, and when it was stored or changed last."""

    person_id: str
    night: Night
    stored_ns: int


@dataclass(frozen=True, slots=True)
class NightsPut:
    """What storing nights did: new ones, fuller ones in place of others, and what was there."""

    new: int
    grown: int
    known: int
