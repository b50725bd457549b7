"""What an export covers: the range of time, whose rows, and under which name."""

from __future__ import annotations

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
        start, end = query.start_ns, query.end_ns
        return replace(
            query,
            start_ns=start if start <= EARLIEST else start + self.shift_ns,
            end_ns=min(end + self.shift_ns, LATEST),
        )


def resolve_origins(stores: Stores, person: Person) -> set[Origin]:
    """Find where a person's beats come from."""
    return {item.stream.origin for item in stores.beats.coverage(person.subject_id)}


def is_simulated(stores: Stores, person: Person) -> bool:
    """Whether the person is a sample, or any of their beats are simulated."""
    return person.simulated or Origin.SIMULATED in resolve_origins(stores, person)
