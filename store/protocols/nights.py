"""The store of nights that watches and rings measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ebbtide.nights import Night
from store.models.nights import NightsPut, StoredNight


class NightStore(Protocol):
    """Nights of people, each of a source and a day once."""

    def requiring_consent(self, now: Callable[[], int]) -> NightStore:
        """Return this store, of which writes raise ConsentMissingError for a person who does not
        agree to keeping then.
        """
        ...

    def put_nights(self, person_id: str, nights: Sequence[Night], now_ns: int) -> NightsPut:
        """Store nights. Of a source and day that is there, the fuller one stays
        (``ebbtide.nights.is_fuller``): an export again, or a shorter one, changes nothing.
        """
        ...

    def replace_recorded(self, person_id: str, nights: Sequence[Night], now_ns: int) -> NightsPut:
        """Store the nights that were found in the person's own recordings, all of them: those of
        that basis that are not among them are removed, and the same ones are not touched.

        A night of the same source and day that was imported stays.
        """
        ...

    def remove_recorded(self, person_id: str, start_ns: int, end_ns: int) -> int:
        """Remove the nights that were found in own recordings and touch [start_ns, end_ns]; how
        many there were. What other recordings hold of them is found again.
        """
        ...

    def nights(
        self, person_id: str, first: str = "", last: str = "9999", *, values: bool = True
    ) -> list[StoredNight]:
        """List the nights that end on the days from ``first`` to ``last``, by day then source;
        without their five-minute values where ``values`` is false.
        """
        ...

    def count_nights(self, person_id: str) -> dict[str, int]:
        """Count the nights of each source."""
        ...

    def remove_nights(self, person_id: str, source: str) -> int:
        """Remove all nights of a source; how many there were."""
        ...
