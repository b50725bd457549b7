"""The protocol of a store of offers by lot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from store.models.offers import DecisionPoint, OfferPlan


class OfferStore(Protocol):
    """Stores plans of offers and decision points. Draws are stored by ``PromptStore.take_turn``, in
    the transaction that decides about the prompt.
    """

    def requiring_consent(self, now: Callable[[], int]) -> OfferStore:
        """Return this store, as RecordStore.requiring_consent does."""
        ...

    def plans(self, person_id: str) -> list[OfferPlan]:
        """List all plans of a person, by number."""
        ...

    def change_plans(
        self, person_id: str, change: Callable[[Sequence[OfferPlan]], Sequence[OfferPlan]]
    ) -> list[OfferPlan]:
        """Store the plans that ``change`` gives, which no other can change meanwhile; those that it
        leaves out stay. Returns all, by number.
        """
        ...

    def points(self, person_id: str, start_ns: int, end_ns: int) -> list[DecisionPoint]:
        """List the decision points planned in [start_ns, end_ns), by time then id."""
        ...

    def change_point(
        self,
        person_id: str,
        point_id: str,
        change: Callable[[DecisionPoint], DecisionPoint | None],
    ) -> DecisionPoint | None:
        """Store what ``change`` makes of a point, which no other can change meanwhile; None where
        there is no such point. Where ``change`` gives None it stays as it is.
        """
        ...

    def put_points(self, points: Sequence[DecisionPoint]) -> None:
        """Store points of a sample or of another store; those whose id is there stay."""
        ...
