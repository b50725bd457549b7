"""The open stores and the clock, as one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ebbtide import timestamps
from store.protocols.access import AccessStore
from store.protocols.beats import BeatStore
from store.protocols.programme import ProgrammeStore
from store.protocols.records import RecordStore


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores, and the clock."""

    beats: BeatStore
    records: RecordStore
    access: AccessStore
    programme: ProgrammeStore
    now: Callable[[], int] = timestamps.now_ns

    def close(self) -> None:
        """Let go of files and connections."""
        self.beats.close()
        self.records.close()
