"""Store ratings and heart rates that were imported from FHIR or Open mHealth.

Heart rates come without RR intervals: they are stored as a stream of notifications without RR, and
no HRV is computed from them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.schemas.common import ImportOut, SkippedOut
from ebbtide.beats import Notification, Origin, Stream
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import floor_to_microsecond, validate_zone
from ebbtide.upload_schema import MAX_BATCH
from store import Stores
from store.errors import RatingConflictError
from store.models import Person, Rating

FHIR_SOURCE, OPEN_MHEALTH_SOURCE = "FHIR heart rates", "Open mHealth heart rates"
_SOURCES = (FHIR_SOURCE, OPEN_MHEALTH_SOURCE)
_MAX_SKIPPED = 1000  # entries in an answer


@dataclass(frozen=True, slots=True)
class ImportedRating:
    """A rating of another system. ``id``: the one that it has there."""

    id: str
    about_ns: int
    zone: str | None
    pain: int
    stress: int
    pleasant: int | None


@dataclass(frozen=True, slots=True)
class HeartRate:
    """A heart rate without the intervals behind it."""

    time_ns: int
    bpm: float


@dataclass(frozen=True, slots=True)
class SkippedEntry:
    """An entry that could not be imported, and why."""

    entry: int
    reason: str


def store_rating(stores: Stores, person: Person, imported: ImportedRating) -> str | None:
    """Store an imported rating, once. Returns why it could not be stored, or None."""
    now = floor_to_microsecond(stores.now())
    if imported.about_ns > now:
        return "it is about a time that has not been yet"
    try:
        zone = person.zone if imported.zone is None else validate_zone(imported.zone)
    except EbbtideError as error:
        return str(error)
    # A rating that was exported from here is stored already. Others get an id made of their own.
    if stores.records.rating(person.id, imported.id) is not None:
        return None
    rating = Rating(
        str(uuid.uuid5(uuid.UUID(person.id), imported.id)),
        1,
        person.id,
        floor_to_microsecond(imported.about_ns),
        now,
        zone,
        imported.pain,
        imported.stress,
        imported.pleasant,
        person.simulated,
    )
    try:
        stores.records.add_rating(rating)
    except RatingConflictError:
        return "it was imported before, and says something else now"
    return None


def finish_import(
    stores: Stores,
    person: Person,
    source: str,
    rates: Sequence[HeartRate],
    *,
    ratings: int = 0,
    skipped: Sequence[SkippedEntry] = (),
) -> ImportOut:
    """Store the heart rates of an import, and report it. ``ratings``: how many were stored."""
    return ImportOut(
        ratings=ratings,
        heart_rates=len(rates),
        stream_id=store_heart_rates(stores, person, source, rates),
        skipped=[
            SkippedOut(entry=item.entry, reason=item.reason) for item in skipped[:_MAX_SKIPPED]
        ],
    )


def store_heart_rates(
    stores: Stores, person: Person, source: str, rates: Sequence[HeartRate]
) -> str | None:
    """Store heart rates, idempotently: the id of their stream is made of their content. Returns it,
    or None for no heart rates.
    """
    unique = sorted({(rate.time_ns, round(rate.bpm)) for rate in rates})
    if not unique:
        return None
    stream_id = str(uuid.uuid5(uuid.UUID(person.subject_id), repr((source, unique))))
    stream = Stream(stream_id, Origin.FILE, source, unique[0][0])
    stores.beats.put_stream(person.subject_id, stream)
    items = [
        Notification(number, time_ns, bpm, (), ())
        for number, (time_ns, bpm) in enumerate(unique, 1)
    ]
    for begin in range(0, len(items), MAX_BATCH):
        stores.beats.append(person.subject_id, stream_id, items[begin : begin + MAX_BATCH])
    return stream_id


def load_heart_rates(stores: Stores, person: Person, start_ns: int, end_ns: int) -> list[HeartRate]:
    """Load the imported heart rates in [start_ns, end_ns), by time."""
    return sorted(
        (rate for rate in _all(stores, person) if start_ns <= rate.time_ns < end_ns),
        key=lambda rate: (rate.time_ns, rate.bpm),
    )


def _all(stores: Stores, person: Person) -> Iterator[HeartRate]:
    for covered in stores.beats.coverage(person.subject_id):
        if covered.stream.source not in _SOURCES:
            continue
        after = 0
        while batch := stores.beats.notifications(person.subject_id, covered.stream.id, after):
            for item in batch:
                yield HeartRate(item.received_ns, float(item.heart_rate_bpm))
            after = batch[-1].sequence
