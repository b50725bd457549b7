"""The protocol of what says who may do what, and who did: sign-ins, care, one-time links, looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from store.models.access import (
    AccessLogEntry,
    AccessToken,
    Attempts,
    IdempotentResponse,
    OneTimePurpose,
    OneTimeToken,
    Pseudonym,
)
from store.models.records import Person


class AccessStore(Protocol):
    """Keeps who may do what. Safe with several threads and processes."""

    def add_token(self, sign_in: AccessToken) -> None:
        """Keep a sign-in, and forget those that have expired by its creation."""
        ...

    def signed_in(self, token_hash: str, at_ns: int) -> tuple[Person, AccessToken] | None:
        """Who holds this token at this time; None also where the person may not sign in."""
        ...

    def used(self, token_hash: str, at_ns: int) -> None:
        """Note that a token was used."""
        ...

    def end_token(self, token_hash: str) -> None:
        """Sign out."""
        ...

    def sign_ins(self, person_id: str) -> list[AccessToken]:
        """All tokens of a person, oldest first."""
        ...

    def revoke(self, person_id: str, sign_in_id: str) -> bool:
        """End a token by its id; whether there was one."""
        ...

    def end_tokens(self, person_id: str, but: str | None = None) -> None:
        """End all tokens of a person, but for the one with this hash."""
        ...

    def set_password(self, person_id: str, password_hash: str) -> None:
        """Keep another password."""
        ...

    def set_active(self, person_id: str, active: bool) -> None:
        """Let a person sign in, or no more; then all their tokens end."""
        ...

    def active(self, person_id: str) -> bool:
        """Whether a person may sign in."""
        ...

    def put_one_time_token(self, one_time: OneTimeToken) -> None:
        """Keep a one-time token, and forget those that have expired."""
        ...

    def take_one_time_token(
        self, token_hash: str, purpose: OneTimePurpose, at_ns: int
    ) -> OneTimeToken | None:
        """Use a one-time token: of two who use it at once, one gets it."""
        ...

    def put_care(self, therapist_id: str, person_id: str, at_ns: int) -> None:
        """Put a patient into a therapist's care; twice is once."""
        ...

    def end_care(self, therapist_id: str, person_id: str) -> None:
        """End it."""
        ...

    def in_care_of(self, therapist_id: str) -> list[str]:
        """The ids of the patients in a therapist's care."""
        ...

    def carers_of(self, person_id: str) -> list[str]:
        """The ids of the therapists of a patient."""
        ...

    def add_access_log(self, looks: Sequence[AccessLogEntry]) -> None:
        """Keep who read what."""
        ...

    def looks(
        self, person_id: str, limit: int, before: int | None = None
    ) -> list[tuple[int, AccessLogEntry]]:
        """Who read something of this person, newest first, each with its number; ``before``: only
        lower numbers.
        """
        ...

    def attempts(self, key: str) -> Attempts:
        """Failed attempts with this key."""
        ...

    def add_failure(self, key: str, at_ns: int, forget_after_ns: int) -> None:
        """One more; those before ``at_ns - forget_after_ns`` do not count any more."""
        ...

    def clear_failures(self, key: str) -> None:
        """It went well."""
        ...

    def begin_idempotent(
        self, person_id: str, key: str, request_hash: str, at_ns: int, forget_ns: int
    ) -> IdempotentResponse | None:
        """Note that a request with this idempotency key is under way, and forget those from before
        ``forget_ns``. Where there is one already, it is returned and nothing noted.
        """
        ...

    def finish_idempotent(self, person_id: str, key: str, status: int, body: str | None) -> None:
        """Keep the answer."""
        ...

    def drop_idempotent(self, person_id: str, key: str) -> None:
        """Nothing was done: the key may be used again."""
        ...

    def pseudonym(self, person_id: str) -> Pseudonym:
        """The person's pseudonym; made at random the first time, and then always the same."""
        ...

    def share_live(self, person_id: str, until_ns: int) -> None:
        """Until when therapists may watch live; a time that was ends it."""
        ...

    def live_until(self, person_id: str) -> int:
        """Until when therapists may watch live; 0 never."""
        ...
