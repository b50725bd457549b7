"""Heart rates from elsewhere, without intervals: kept as a stream of notifications without RR. No
HRV is worked out from them, and nothing is invented.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from api.export.fhir import HeartRate
from ebbtide.beats import Notification, Origin, Stream
from ebbtide.upload_schema import MAX_BATCH
from store import Stores
from store.models import Person

SOURCES = ("FHIR heart rates", "Open mHealth heart rates")


def store_heart_rates(
    stores: Stores, person: Person, source: str, rates: Sequence[HeartRate]
) -> str | None:
    """Keep them; the id of their stream, which is made of what they are: twice is once."""
    once = sorted({(rate.time_ns, round(rate.bpm)) for rate in rates})
    if not once:
        return None
    stream_id = str(uuid.uuid5(uuid.UUID(person.subject_id), repr((source, once))))
    stream = Stream(stream_id, Origin.FILE, source, once[0][0])
    stores.beats.put_stream(person.subject_id, stream)
    items = [
        Notification(number, time_ns, bpm, (), ()) for number, (time_ns, bpm) in enumerate(once, 1)
    ]
    for begin in range(0, len(items), MAX_BATCH):
        stores.beats.append(person.subject_id, stream_id, items[begin : begin + MAX_BATCH])
    return stream_id


def load_heart_rates(stores: Stores, person: Person, start_ns: int, end_ns: int) -> list[HeartRate]:
    """Those of a range, by time."""
    return sorted(
        (rate for rate in _all(stores, person) if start_ns <= rate.time_ns < end_ns),
        key=lambda rate: (rate.time_ns, rate.bpm),
    )


def _all(stores: Stores, person: Person) -> Iterator[HeartRate]:
    for covered in stores.beats.coverage(person.subject_id):
        if covered.stream.source not in SOURCES:
            continue
        after = 0
        while batch := stores.beats.notifications(person.subject_id, covered.stream.id, after):
            for item in batch:
                yield HeartRate(item.received_ns, float(item.heart_rate_bpm))
            after = batch[-1].sequence
