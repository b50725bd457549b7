"""What an export covers: the range of time, whose rows, and under which name."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass

from analytics.association.hrv_before_rating import Span
from api.services.research_identity import ResearchIdentity
from ebbtide.beats import Origin
from ebbtide.timestamps import FOREVER
from store import Stores
from store.models import Person


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """The range [start_ns, end_ns), and only what changed from ``since_ns`` on."""

    start_ns: int
    end_ns: int
    since_ns: int | None = None
    span: Span = Span.MINUTES_30

    @classmethod
    def of_all(cls) -> ExportQuery:
        """Everything that is stored."""
        return cls(*FOREVER)


@dataclass(frozen=True, slots=True)
class ExportSubject:
    """A person under their own name, or as an analyst sees them at the moment ``read_ns``."""

    person: Person
    research: ResearchIdentity | None = None
    read_ns: int = 0
    # When the person joined the cohort: an increment from before holds all of theirs.
    joined_ns: int | None = None

    @property
    def name(self) -> str:
        """The pseudonym; empty for a person's own export."""
        return "" if self.research is None else self.research.name


class IncrementTokens:
    """Moments as words that an analyst can pass back and cannot make.

    A filter on true times that takes any time would, by bisection, say when a row was entered, and
    so by how many weeks the dates of a person are moved. ``key``: the account's, of 256 bits.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

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
