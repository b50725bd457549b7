"""The protocols of stores of access, each with one subject, and AccessStore, which is all of them.

Type a parameter by the part that it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from store.models.access import (
    AccessLogEntry,
    AccessToken,
    AttemptLimit,
    Attempts,
    CareProposal,
    CareRecords,
    ExportPin,
    FhirExport,
    IdempotentResponse,
    OneTimePurpose,
    OneTimeToken,
    RequestCount,
)
from store.models.records import Person, Role
from store.protocols.second_factors import SecondFactorStore


class TokenStore(Protocol):
    """Stores the tokens that people have signed in with, and one-time tokens."""

    def add_token(self, token: AccessToken) -> None:
        """Store a token, and delete those that have expired by its creation."""
        ...

    def add_session(self, token: AccessToken, password_hash: str) -> bool:
        """Store a token where its person may sign in and still has this password; whether it was
        stored. A password that was changed while the old one was verified signs nobody in.
        """
        ...

    def find_token(self, token_hash: str, at_ns: int) -> tuple[Person, AccessToken] | None:
        """Find the token that is valid at this time, and its person; None also where the person
        may not sign in.
        """
        ...

    def is_erased_token(self, token_hash: str) -> bool:
        """Whether the token, of a device or a program, was valid until its person was erased."""
        ...

    def add_erased_tokens(self, tokens: Sequence[tuple[str, int]], at_ns: int) -> None:
        """Store hashes of tokens of people who were erased, and when they end, if after ``at_ns``.
        Idempotent.
        """
        ...

    def mark_token_used(self, token_hash: str, at_ns: int) -> None:
        """Set when a token was last used."""
        ...

    def mark_token_verified(self, token_hash: str, at_ns: int, second_factor: bool) -> None:
        """Set when the token's person proved again who they are; ``second_factor``: with more than
        a password, which stays with the token.
        """
        ...

    def end_token(self, token_hash: str) -> None:
        """Delete a token, at signing out."""
        ...

    def tokens(self, person_id: str) -> list[AccessToken]:
        """List all tokens of a person, oldest first."""
        ...

    def revoke_token(self, person_id: str, token_id: str) -> bool:
        """Delete a token by its id; whether there was one."""
        ...

    def end_tokens(self, person_id: str, but: str | None = None) -> None:
        """Delete all tokens of a person, but for the one with this hash."""
        ...

    def put_one_time_token(self, one_time: OneTimeToken) -> None:
        """Store a one-time token, and delete those that have expired; of password links,
        links that remove second factors and codes for phones, also the earlier ones of the same
        person.
        """
        ...

    def find_one_time_token(
        self, token_hash: str, purpose: OneTimePurpose, at_ns: int
    ) -> OneTimeToken | None:
        """Find a one-time token that could be used now, and leave it."""
        ...

    def take_one_time_token(
        self, token_hash: str, purpose: OneTimePurpose, at_ns: int
    ) -> OneTimeToken | None:
        """Use a one-time token: of two who use it at once, one gets it."""
        ...


class StorageKeyStore(Protocol):
    """Stores with what people's phones encrypt what they hold of them."""

    def storage_key(self, person_id: str, at_ns: int) -> bytes | None:
        """Return the 32 bytes of a person: random, made with a patient's account, for others at the
        first call, and the same from then on. None where there is no such person.
        """
        ...


class PasswordStore(Protocol):
    """Stores passwords, and who may sign in."""

    def set_password(
        self, person_id: str, password_hash: str, but: str | None = None, *, was: str | None = None
    ) -> bool:
        """Replace the password. In the same transaction end the person's tokens but for the one
        with the hash ``but``, their password links and sign-ins under way, and what is stored of
        their devices. ``was``: only where the password is still that one; whether it was replaced.
        """
        ...

    def renew_password_hash(self, person_id: str, password_hash: str, *, was: str) -> None:
        """Replace the hash of the same password, where it is still ``was``; nothing else ends."""
        ...

    def set_active(self, person_id: str, active: bool) -> None:
        """Let a person sign in, or no more; then their tokens, one-time tokens and devices end, and
        the one-time tokens that they issued.
        """
        ...

    def set_role(self, person_id: str, role: Role) -> None:
        """Give a person another role. Their tokens end, the one-time tokens that they issued, and
        the care and proposals that came with the role before.
        """
        ...

    def set_language(self, person_id: str, language: str) -> None:
        """Set the language in which mail and prompts are written to a person."""
        ...

    def is_active(self, person_id: str) -> bool:
        """Whether a person may sign in."""
        ...


class LockoutStore(Protocol):
    """Counts attempts to sign in, and remembers devices that signed in before."""

    def attempts(self, key: str) -> Attempts:
        """Return the failed attempts with this key."""
        ...

    def begin_attempt(
        self, limits: Sequence[AttemptLimit], at_ns: int, forget_after_ns: int
    ) -> int:
        """Count an attempt under each key, before it is verified, and return 0. Where one of the
        keys has to wait, count nothing and return for how long, in ns. A count is forgotten
        ``forget_after_ns`` after its last attempt.
        """
        ...

    def undo_attempt(self, keys: Sequence[str]) -> None:
        """Count one less under each key: it was right, or it was not verified."""
        ...

    def clear_failures(self, key: str) -> None:
        """Delete the failed attempts with this key."""
        ...

    def add_known_device(
        self, device_hash: str, person_id: str, at_ns: int, expires_ns: int
    ) -> None:
        """Store that a person signed in with a device. The oldest beyond 20 are deleted."""
        ...

    def find_known_device(self, device_hash: str, at_ns: int) -> str | None:
        """Find whose device this is, by their id."""
        ...


class CareStore(Protocol):
    """Stores which patients are in the care of which therapists, and what they share live."""

    def put_care(self, therapist_id: str, person_id: str, at_ns: int) -> None:
        """Put a patient into a therapist's care. Idempotent: the first time counts."""
        ...

    def end_care(self, therapist_id: str, person_id: str) -> None:
        """End the care, or the proposal of it."""
        ...

    def propose_care(self, proposal: CareProposal) -> None:
        """Store a proposal that the patient may agree to. Idempotent: the first one counts."""
        ...

    def accept_care(self, therapist_id: str, person_id: str, at_ns: int) -> bool:
        """Make care of a proposal; whether there was one."""
        ...

    def care_proposals(self, person_id: str) -> list[CareProposal]:
        """List what a patient is asked to agree to, oldest first."""
        ...

    def patients_of(self, therapist_id: str) -> list[str]:
        """List the ids of the patients in a therapist's care."""
        ...

    def care_records(self, therapist_id: str, since_ns: int, kind: str) -> list[CareRecords]:
        """List what is stored of the patients in a therapist's care, as ``patients_of`` lists them:
        ratings from ``since_ns`` on, and the stored report of this ``kind``. A query for each kind
        of record, however many patients there are.
        """
        ...

    def therapists_of(self, person_id: str) -> list[str]:
        """List the ids of the therapists of a patient."""
        ...

    def share_live(self, person_id: str, until_ns: int) -> None:
        """Set until when therapists may watch live; a time that has passed ends it."""
        ...

    def live_until(self, person_id: str) -> int:
        """Return until when therapists may watch live; 0 never."""
        ...


class AccessLogStore(Protocol):
    """Stores who read what of a person."""

    def add_access_log(self, entries: Sequence[AccessLogEntry]) -> None:
        """Store who read what."""
        ...

    def access_log(
        self, person_id: str, limit: int, before: int | None = None
    ) -> list[tuple[int, AccessLogEntry]]:
        """List who read something of this person, newest first, each with its number; ``before``:
        only lower numbers.
        """
        ...

    def whole_access_log(
        self, limit: int, before: int | None = None
    ) -> list[tuple[int, AccessLogEntry]]:
        """List who read something of anybody, as ``access_log``."""
        ...


class IdempotencyStore(Protocol):
    """Stores the responses to requests that have an idempotency key."""

    def begin_idempotent(
        self,
        person_id: str,
        key: str,
        request_hash: str,
        at_ns: int,
        forget_ns: int,
        about_id: str | None = None,
    ) -> IdempotentResponse | None:
        """Store that a request with this key is under way, and delete those from before
        ``forget_ns``. Where there is one already, it is returned and nothing stored. ``about_id``:
        whom it is about, if it is another person, with whom it is erased.
        """
        ...

    def finish_idempotent(self, person_id: str, key: str, status: int, body: str | None) -> None:
        """Store the response."""
        ...

    def drop_idempotent(self, person_id: str, key: str) -> None:
        """Let the key be used again, since nothing was done."""
        ...


class FhirExportStore(Protocol):
    """Stores the exports that analysts began."""

    def add_fhir_export(self, export: FhirExport, expired_ns: int) -> None:
        """Store an export, and delete those from before ``expired_ns``."""
        ...

    def fhir_exports(self, person_id: str) -> list[FhirExport]:
        """List the exports of this analyst, oldest first."""
        ...

    def delete_fhir_export(self, person_id: str, export_id: str) -> bool:
        """Delete an export of this analyst; returns whether there was one."""
        ...


class ResearchStore(Protocol):
    """Stores what analysts' pseudonyms are made from, and who is in the cohort."""

    def research_secret(self) -> bytes:
        """Return 32 bytes from which pseudonyms and moved dates are made: random at the first call,
        and the same from then on.
        """
        ...

    def update_cohort(self, agreed: Collection[str], min_people: int, at_ns: int) -> dict[str, int]:
        """Return those of the people who agreed, by id, that are in the cohort, and since when.

        Who is new waits until there are ``min_people`` of them, and all who wait enter together.
        Whoever is not among ``agreed``, as read at ``at_ns``, leaves at once, and would wait again.
        """
        ...


class RequestCountStore(Protocol):
    """Counts the requests of accounts and addresses, for all workers together."""

    def take_requests(
        self, key: str, minute: int, choose: Callable[[RequestCount], int]
    ) -> RequestCount:
        """Add requests to a minute, as many as ``choose`` returns for the counts from before, which
        are returned. Rows that are older than the minute before may be deleted.
        """
        ...


class ExportPinStore(Protocol):
    """Stores with which file each reading by ranges began, for all machines together."""

    def find_export_pin(self, reader: str) -> ExportPin | None:
        """Find the file that this reading began with."""
        ...

    def put_export_pin(self, pin: ExportPin, expired_ns: int) -> None:
        """Store a pin in place of the reader's last one, and delete those not used since
        ``expired_ns``.
        """
        ...


class AccessStore(
    TokenStore,
    StorageKeyStore,
    PasswordStore,
    LockoutStore,
    CareStore,
    AccessLogStore,
    IdempotencyStore,
    ResearchStore,
    RequestCountStore,
    ExportPinStore,
    FhirExportStore,
    SecondFactorStore,
    Protocol,
):
    """Stores who may do what, and who did. Safe with several threads and processes."""
