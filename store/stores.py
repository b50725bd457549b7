"""The open stores and the clock, as one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ebbtide import timestamps
from ebbtide.errors import EbbtideError
from store.ledger import ErasureLedger
from store.protocols.access import AccessStore
from store.protocols.beats import BeatStore
from store.protocols.jobs import JobStore
from store.protocols.nights import NightStore
from store.protocols.offers import OfferStore
from store.protocols.programme import ProgrammeStore
from store.protocols.prompts import PromptStore
from store.protocols.records import RecordStore

if TYPE_CHECKING:  # it takes a quarter of a second to load
    from sqlalchemy import Engine


__all__ = ["ErasureLedger", "Stores"]


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores, the clock, and the SQL database of all of them but the beats.

    ``database`` is for maintenance, which copies whole tables; use cases go through the stores.
    ``ledger`` lies outside of them: each erasure is noted there before it begins. ``jobs``: the
    queue that several machines share; None where there is none, as in the embedded store.
    """

    beats: BeatStore
    records: RecordStore
    access: AccessStore
    programme: ProgrammeStore
    prompts: PromptStore
    offers: OfferStore
    nights: NightStore
    now: Callable[[], int] = timestamps.now_ns
    database: Engine | None = field(default=None, repr=False)
    ledger: ErasureLedger | None = field(default=None, repr=False)
    jobs: JobStore | None = None

    @property
    def engine(self) -> Engine:
        """The SQL database. Raises EbbtideError for stores that were put together without it."""
        if self.database is None:
            raise EbbtideError("These stores have no SQL database.", "Open them with open_stores.")
        return self.database

    @property
    def is_on_server(self) -> bool:
        """Whether the SQL database is on a server, which processes of several machines may use."""
        return self.database is not None and self.database.dialect.name != "sqlite"

    def requiring_consent(self) -> Stores:
        """Return these stores, of which records, programme, prompts, offers and nights raise
        ConsentMissingError, in the transaction of each write, for what is of a person who does not
        agree to keeping.
        """
        return replace(
            self,
            records=self.records.requiring_consent(self.now),
            programme=self.programme.requiring_consent(self.now),
            prompts=self.prompts.requiring_consent(self.now),
            offers=self.offers.requiring_consent(self.now),
            nights=self.nights.requiring_consent(self.now),
        )

    def close(self) -> None:
        """Close files and connections."""
        self.beats.close()
        self.records.close()
