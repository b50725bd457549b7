"""What an export covers: the range of time, whose rows, and under which name."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, replace

from analytics.association.hrv_before_rating import Span
from ebbtide.beats import Origin
from ebbtide.timestamps import EARLIEST, LATEST
from store import Stores
from store.models import Person, Pseudonym


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """The range [start_ns, end_ns), and only what changed from ``since_ns`` on."""

    start_ns: int
    end_ns: int
    since_ns: int | None = None
    span: Span = Span.MINUTES_30


@dataclass(frozen=True, slots=True)
class ExportSubject:
    """A person under their own name, or for analysts under a pseudonym, with all times moved back
    by ``shift_ns``.
    """

    person: Person
    pseudonym: Pseudonym | None = None
    # When the person agreed to research: an increment from before holds all of theirs.
    agreed_ns: int | None = None

    @property
    def name(self) -> str:
        """The pseudonym; empty for a person's own export."""
        return "" if self.pseudonym is None else self.pseudonym.pseudonym

    @property
    def shift_ns(self) -> int:
        """By how much times are moved back."""
        return 0 if self.pseudonym is None else self.pseudonym.shift_ns

    def to_real_time(self, query: ExportQuery) -> ExportQuery:
        """Move the range of a query to real time. An open end stays open."""
        start, end, since = query.start_ns, query.end_ns, query.since_ns
        if since is not None and self.agreed_ns is not None and self.agreed_ns >= since:
            since = 0  # all, with what was withdrawn since a copy was made
        return replace(
            query,
            since_ns=since,
            start_ns=start if start <= EARLIEST else start + self.shift_ns,
            end_ns=min(end + self.shift_ns, LATEST),
        )


class IncrementTokens:
    """Moments as words that an analyst can pass back and cannot make.

    A filter on true times that takes any time would, by bisection, say when a row was entered, and
    so by how many weeks the dates of a person are moved. ``secret``: the account's, in no answer.
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(f"increments {secret}".encode()).digest()

    def encode(self, moment_ns: int) -> str:
        """The word of a moment."""
        moment = moment_ns.to_bytes(8, "big")
        return base64.urlsafe_b64encode(moment + self._sign(moment)).decode()

    def decode(self, word: str) -> int | None:
        """The moment of a word, or None for one that was not made here."""
        try:
            content = base64.b64decode(word, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        moment, signature = content[:8], content[8:]
        if not hmac.compare_digest(signature, self._sign(moment)):
            return None
        return int.from_bytes(moment, "big")

    def _sign(self, moment: bytes) -> bytes:
        return hmac.digest(self._key, moment, "sha256")[:16]


def resolve_origins(stores: Stores, person: Person) -> set[Origin]:
    """Find where a person's beats come from."""
    return {item.stream.origin for item in stores.beats.coverage(person.subject_id)}


def is_simulated(stores: Stores, person: Person) -> bool:
    """Whether the person is a sample, or any of their beats are simulated."""
    return person.simulated or Origin.SIMULATED in resolve_origins(stores, person)
