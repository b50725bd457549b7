"""Store ratings and heart rates of other systems, and read the heart rates.

Heart rates come without RR intervals: no HRV is computed from them. Identity is by device and
moment, or by the sender's identifier (store.encoding.imports).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from api.schemas.common import ImportOut, SkippedOut
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import MINUTE, floor_to_microsecond, validate_zone
from store import Stores
from store.models import ImportedHeartRate, ImportedRating, ImportOutcome, Person
from store.models.imports import heart_rate_id, pack_identifiers

# Streams in which earlier versions stored heart rates of other systems, in whole beats/min.
EARLIER_SOURCES = ("FHIR heart rates", "Open mHealth heart rates")
# Nothing that is issued before that moment could correct it.
_ISSUED_LATER = "it was issued at a time that has not been yet"
_MAX_SKIPPED = 1000  # entries in an answer
# Of one request: 2 s of a core, or 4 s of corrections. As many entries as the largest page of our
# own exports, and of ratings, which take 0.4 ms each, 0.7 ms to correct, more than anybody gives in
# ten years.
MAX_ENTRIES, MAX_RATINGS = 10_000, 5_000
MAX_IDENTIFIER, MAX_DEVICE, MAX_WORDS, MAX_NOTE = 500, 300, 100, 500


@dataclass(frozen=True, slots=True)
class SentRating:
    """A rating of another system, or a part of one. ``key``: the id that it has there, or its
    moment; ``own_id``: its id here, if it comes from here; ``entries``: where it was in the list,
    and ``names`` what was there (pain, stress or pleasant).
    """

    key: str
    about_ns: int
    zone: str | None = None
    pain: int | None = None
    stress: int | None = None
    pleasant: int | None = None
    note: str | None = None
    pleasant_note: str | None = None
    is_simulated: bool = False
    status: str = "final"
    issued_ns: int | None = None
    identifiers: tuple[str, ...] = ()
    own_id: str | None = None
    entries: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SentHeartRate:
    """A heart rate of another system, without the intervals behind it."""

    time_ns: int
    bpm: float
    device: str = ""
    is_simulated: bool = False
    modality: str | None = None
    activity: str | None = None
    status: str = "final"
    issued_ns: int | None = None
    identifiers: tuple[str, ...] = ()
    entry: int = 0


@dataclass(frozen=True, slots=True)
class SkippedEntry:
    """An entry that could not be imported, and why."""

    entry: int
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedImport:
    """What a document holds, and the entries that were skipped."""

    ratings: list[SentRating]
    heart_rates: list[SentHeartRate]
    skipped: list[SkippedEntry]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of an import. ``records``: the id of each entry that was stored;
    ``new_entries``: those that changed anything; ``waiting``: parts of a rating, stored until the
    rest comes. ``is_stored`` is false when an atomic import was refused.
    """

    ratings: int
    heart_rates: int
    skipped: list[SkippedEntry]
    records: dict[int, str] = field(default_factory=dict)
    new_entries: frozenset[int] = frozenset()
    waiting: frozenset[int] = frozenset()
    is_stored: bool = True

    def to_out(self) -> ImportOut:
        """The report as a response."""
        return ImportOut(
            ratings=self.ratings,
            heart_rates=self.heart_rates,
            new=len(self.new_entries),
            stream_id=None,
            skipped=[
                SkippedOut(entry=item.entry, reason=item.reason)
                for item in self.skipped[:_MAX_SKIPPED]
            ],
            skipped_count=len(self.skipped),
        )


def require_few(entries: Sequence[object]) -> None:
    """Raise ValueError for more entries than one request may bring."""
    if len(entries) > MAX_ENTRIES:
        raise ValueError(
            f"has {len(entries):,} entries; at most {MAX_ENTRIES:,} are taken at once: send it in"
            " parts"
        )


def import_parsed(
    stores: Stores, person: Person, parsed: ParsedImport, *, is_atomic: bool = False
) -> ImportReport:
    """Store what was parsed, in one transaction. Idempotent. With ``is_atomic``, nothing is stored
    when one entry cannot be.
    """
    now = floor_to_microsecond(stores.now())
    skipped = list(parsed.skipped)
    ratings: list[tuple[SentRating, ImportedRating]] = []
    for rating in parsed.ratings:
        reason = _reason_against(rating, now)
        if reason is None:
            ratings.append((rating, _to_rating(person, rating, now)))
        else:
            skipped += [SkippedEntry(entry, reason) for entry in rating.entries]
    rates: list[tuple[SentHeartRate, ImportedHeartRate]] = []
    for rate in parsed.heart_rates:
        if rate.time_ns > now + MINUTE:
            skipped.append(SkippedEntry(rate.entry, "it is of a time that has not been yet"))
        elif rate.issued_ns is not None and rate.issued_ns > now + MINUTE:
            skipped.append(SkippedEntry(rate.entry, _ISSUED_LATER))
        else:
            rates.append((rate, _to_heart_rate(person, rate, now)))
    if is_atomic and skipped:
        return ImportReport(0, 0, _in_order(skipped), is_stored=False)
    result = stores.records.import_records(
        person.id,
        [item for _, item in ratings],
        [item for _, item in rates],
        is_atomic=is_atomic,
    )
    records: dict[int, str] = {}
    new: set[int] = set()
    waiting: set[int] = set()

    def note(entries: Iterable[int], outcome: ImportOutcome) -> bool:
        """Note the outcome of these entries. Returns whether they are stored."""
        reason = outcome.reason
        if outcome.waiting_for is not None:
            reason = f"a rating needs {outcome.waiting_for}, and has neither"
            if result.is_stored:
                waiting.update(entries)
                reason += ", and this waits until it comes"
        if reason is not None:
            skipped.extend(SkippedEntry(entry, reason) for entry in entries)
            return False
        records.update((entry, outcome.record_id or "") for entry in entries)
        if outcome.is_new:
            new.update(entries)
        return True

    pairs = zip(ratings, result.ratings, strict=True)
    # A rating and its correction are one rating.
    ratings_stored = len(
        {outcome.record_id for (sent, _), outcome in pairs if note(sent.entries, outcome)}
    )
    rate_pairs = zip(rates, result.heart_rates, strict=True)
    rates_stored = sum([note((sent.entry,), outcome) for (sent, _), outcome in rate_pairs])
    return ImportReport(
        ratings_stored,
        rates_stored,
        _in_order(skipped),
        records,
        frozenset(new),
        frozenset(waiting),
        result.is_stored,
    )


def load_heart_rates(
    stores: Stores,
    person: Person,
    start_ns: int,
    end_ns: int,
    limit: int | None = None,
    after: tuple[int, str] | None = None,
) -> list[ImportedHeartRate]:
    """Load the heart rates of other systems in [start_ns, end_ns), by time then id; ``after`` is
    the (time_ns, id) of the last one seen.
    """
    earlier = [
        rate
        for rate in _earlier_heart_rates(stores, person)
        if start_ns <= rate.time_ns < end_ns and (after is None or (rate.time_ns, rate.id) > after)
    ]
    # The same moment may have come again since, with its provenance.
    more = None if limit is None else limit + len(earlier)
    stored = stores.records.heart_rates(person.id, start_ns, end_ns, more, after)
    if not earlier:
        return stored
    by_id = {rate.id: rate for rate in [*earlier, *stored]}
    return sorted(by_id.values(), key=lambda rate: (rate.time_ns, rate.id))[:limit]


def heart_rate_days(
    stores: Stores, person: Person, start_ns: int, end_ns: int
) -> tuple[dict[int, tuple[int, int]], bool]:
    """Of each UTC day that the range touches, how many heart rates of other systems there are and
    when the last of them came; and whether earlier versions stored more, as streams.
    """
    has_earlier = any(
        covered.stream.source in EARLIER_SOURCES
        for covered in stores.beats.coverage(person.subject_id)
    )
    return stores.records.heart_rate_days(person.id, start_ns, end_ns), has_earlier


def find_heart_rate(stores: Stores, person: Person, rate_id: str) -> ImportedHeartRate | None:
    """Find the heart rate of another system with this id."""
    stored = stores.records.heart_rate(person.id, rate_id)
    if stored is not None:
        return stored
    earlier = _earlier_heart_rates(stores, person)
    return next((rate for rate in earlier if rate.id == rate_id), None)


def _reason_against(rating: SentRating, now: int) -> str | None:
    if rating.about_ns > now + MINUTE:
        return "it is about a time that has not been yet"
    if rating.issued_ns is not None and rating.issued_ns > now + MINUTE:
        return _ISSUED_LATER
    if rating.zone is not None:
        try:
            validate_zone(rating.zone)
        except EbbtideError as error:
            return str(error)
    return None


def _to_rating(person: Person, sent: SentRating, now: int) -> ImportedRating:
    return ImportedRating(
        id=str(uuid.uuid5(uuid.UUID(person.id), sent.key)),
        person_id=person.id,
        about_ns=floor_to_microsecond(sent.about_ns),
        zone=sent.zone,
        pain=sent.pain,
        stress=sent.stress,
        pleasant=sent.pleasant,
        note=sent.note,
        pleasant_note=sent.pleasant_note,
        simulated=sent.is_simulated,
        status=sent.status,
        issued_ns=sent.issued_ns,
        identifiers=pack_identifiers(sent.identifiers),
        entered_ns=now,
        own_id=sent.own_id,
    )


def _to_heart_rate(person: Person, sent: SentHeartRate, now: int) -> ImportedHeartRate:
    time_ns = floor_to_microsecond(sent.time_ns)
    return ImportedHeartRate(
        id=heart_rate_id(person.id, sent.device, time_ns),
        person_id=person.id,
        time_ns=time_ns,
        bpm=float(sent.bpm),
        device=sent.device,
        simulated=sent.is_simulated or person.simulated,
        modality=sent.modality,
        activity=sent.activity,
        status=sent.status,
        issued_ns=sent.issued_ns,
        identifiers=pack_identifiers(sent.identifiers),
        entered_ns=now,
    )


def _earlier_heart_rates(stores: Stores, person: Person) -> list[ImportedHeartRate]:
    """The heart rates that earlier versions stored as streams; the same moment once."""
    found: dict[str, ImportedHeartRate] = {}
    for covered in stores.beats.coverage(person.subject_id):
        if covered.stream.source not in EARLIER_SOURCES:
            continue
        after = 0
        while batch := stores.beats.notifications(person.subject_id, covered.stream.id, after):
            for item in batch:
                rate = SentHeartRate(item.received_ns, float(item.heart_rate_bpm))
                made = _to_heart_rate(person, rate, 0)
                found.setdefault(made.id, made)
            after = batch[-1].sequence
    return list(found.values())


def _in_order(skipped: Sequence[SkippedEntry]) -> list[SkippedEntry]:
    return sorted(skipped, key=lambda item: item.entry)
