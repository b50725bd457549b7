"""The open stores and the clock, as one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ebbtide import timestamps
from ebbtide.errors import EbbtideError
from store.protocols.access import AccessStore
from store.protocols.beats import BeatStore
from store.protocols.programme import ProgrammeStore
from store.protocols.records import RecordStore

if TYPE_CHECKING:  # it takes a quarter of a second to load
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class Stores:
    """The four stores, the clock, and the SQL database of the last three stores.

    ``database`` is for maintenance, which copies whole tables; use cases go through the stores.
    """

    beats: BeatStore
    records: RecordStore
    access: AccessStore
    programme: ProgrammeStore
    now: Callable[[], int] = timestamps.now_ns
    database: Engine | None = field(default=None, repr=False)

    @property
    def engine(self) -> Engine:
        """The SQL database. Raises EbbtideError for stores that were put together without it."""
        if self.database is None:
            raise EbbtideError("These stores have no SQL database.", "Open them with open_stores.")
        return self.database

    def requiring_consent(self) -> Stores:
        """Return these stores, of which records and programme raise ConsentMissingError, in the
        transaction of each write, for what is of a person who does not agree to keeping.
        """
        return replace(
            self,
            records=self.records.requiring_consent(self.now),
            programme=self.programme.requiring_consent(self.now),
        )

    def close(self) -> None:
        """Close files and connections."""
        self.beats.close()
        self.records.close()
