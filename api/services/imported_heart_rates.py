"""Heart rates from elsewhere, without intervals: kept as a stream of notifications without RR. No
HRV is worked out from them, and nothing is invented.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from api.export.fhir import HeartRate
from ebbtide.beats import Notification, Origin, Stream
from ebbtide.upload_schema import LARGEST_BATCH
from store.protocols.records import Person
from store.stores import House

SOURCES = ("FHIR heart rates", "Open mHealth heart rates")


def keep_rates(house: House, person: Person, source: str, rates: Sequence[HeartRate]) -> str | None:
    """Keep them; the id of their stream, which is made of what they are: twice is once."""
    once = sorted({(rate.time_ns, round(rate.bpm)) for rate in rates})
    if not once:
        return None
    stream_id = str(uuid.uuid5(uuid.UUID(person.subject_id), repr((source, once))))
    stream = Stream(stream_id, Origin.FILE, source, once[0][0])
    house.beats.put_stream(person.subject_id, stream)
    items = [
        Notification(number, time_ns, bpm, (), ()) for number, (time_ns, bpm) in enumerate(once, 1)
    ]
    for begin in range(0, len(items), LARGEST_BATCH):
        house.beats.append(person.subject_id, stream_id, items[begin : begin + LARGEST_BATCH])
    return stream_id


def kept_rates(house: House, person: Person, start_ns: int, end_ns: int) -> list[HeartRate]:
    """Those of a range, by time."""
    return sorted(
        (rate for rate in _all(house, person) if start_ns <= rate.time_ns < end_ns),
        key=lambda rate: (rate.time_ns, rate.bpm),
    )


def _all(house: House, person: Person) -> Iterator[HeartRate]:
    for covered in house.beats.coverage(person.subject_id):
        if covered.stream.source not in SOURCES:
            continue
        after = 0
        while batch := house.beats.notifications(person.subject_id, covered.stream.id, after):
            for item in batch:
                yield HeartRate(item.received_ns, float(item.heart_rate_bpm))
            after = batch[-1].sequence
