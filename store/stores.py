"""What the API works with, handed to each request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from ebbtide import timestamps
from store.protocols.access import RightsStore
from store.protocols.beats import BeatStore
from store.protocols.programme import ProgrammeStore
from store.protocols.records import RecordStore


@dataclass(frozen=True, slots=True)
class House:
    """The stores, and the clock."""

    beats: BeatStore
    records: RecordStore
    rights: RightsStore
    programme: ProgrammeStore
    now: Callable[[], int] = timestamps.now

    def close(self) -> None:
        """Let go of files and connections."""
        self.beats.close()
        self.records.close()


async def house_of(request: Request) -> House:
    """The house that this application was made with."""
    house: House = request.app.state.house
    return house
