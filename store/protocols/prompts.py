"""The protocol of a store of prompts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from store.models.prompts import Prompt, PushSubscription, ReminderPlan, Turn, TurnResult


class PromptStore(Protocol):
    """Stores plans of prompts, prompts and push subscriptions. Safe with several processes."""

    def requiring_consent(self, now: Callable[[], int]) -> PromptStore:
        """Return this store, as RecordStore.requiring_consent does."""
        ...

    def plan(self, person_id: str) -> ReminderPlan | None:
        """Return the plan of a person; None before the first."""
        ...

    def plan_of_calendar(self, calendar_hash: str) -> ReminderPlan | None:
        """Find the plan whose calendar has this secret, by its hash."""
        ...

    def change_plan(
        self, person_id: str, change: Callable[[ReminderPlan | None], ReminderPlan]
    ) -> ReminderPlan:
        """Store what ``change`` makes of the plan, which no other can change meanwhile."""
        ...

    def by_heart(self) -> list[str]:
        """List who has reminders and wishes to be asked by their heart, too; by id."""
        ...

    def wake(self, person_id: str, at_ns: int) -> None:
        """Have the person's next turn at this time, where it would be later."""
        ...

    def take_turn(
        self, now_ns: int, decide: Callable[[Turn], TurnResult], person_id: str | None = None
    ) -> tuple[bool, Prompt | None]:
        """Take a person who is due, whom no other worker has at this moment, and store what
        ``decide`` says, in one transaction. Returns whether there was one, and what to send.
        """
        ...

    def next_turn_ns(self) -> int | None:
        """Return when there is next something to do; None where nobody has a plan."""
        ...

    def change_prompt(
        self, person_id: str, prompt_id: str, change: Callable[[Prompt], Prompt | None]
    ) -> Prompt | None:
        """Store what ``change`` makes of a prompt, which no other can change meanwhile; None where
        there is no such prompt. Where ``change`` gives None it stays as it is.
        """
        ...

    def prompt(self, person_id: str, prompt_id: str) -> Prompt | None:
        """Find a prompt of this person."""
        ...

    def prompt_of_receipt(self, receipt_hash: str) -> Prompt | None:
        """Find the prompt that was sent with this secret, by its hash."""
        ...

    def import_prompt(self, prompt: Prompt) -> bool:
        """Store a prompt of another system, which is over; False where its id or slot is there."""
        ...

    def prompts(self, person_id: str, start_ns: int, end_ns: int) -> list[Prompt]:
        """List the prompts planned in [start_ns, end_ns), by time then id."""
        ...

    def prompts_fingerprint(self, person_id: str) -> str:
        """Name the content of a person's prompts: it changes with every change."""
        ...

    def put_subscription(self, subscription: PushSubscription, most: int) -> None:
        """Store where to push; the same endpoint again replaces it, whoever had it before. Beyond
        ``most`` of a person the oldest go.
        """
        ...

    def subscriptions(self, person_id: str) -> list[PushSubscription]:
        """List where to push to this person, of sign-ins that have not ended, oldest first."""
        ...

    def delete_subscription(self, person_id: str, subscription_id: str) -> bool:
        """Remove a subscription; whether there was one."""
        ...

    def server_key(self, name: str, make: Callable[[], str], at_ns: int) -> str:
        """Return a secret key of the service: made at the first call, the same from then on."""
        ...
