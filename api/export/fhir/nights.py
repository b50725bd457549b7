"""Nights of watches and rings as Observations: RMSSD, SDNN and heart rate of each night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta, timezone
from hashlib import sha256
from typing import Any

from api.export.fhir import terms
from api.export.fhir.resources import Resource, Subject, identified, observation, quantity
from ebbtide.nights import Night, NightBasis
from ebbtide.timestamps import to_datetime
from store import Stores
from store.models import Person, StoredNight

NIGHT_PREFIX = "night-"  # of their ids
NIGHT_CODES = (
    (terms.RMSSD, "rmssd", "rmssd_ms"),
    (terms.SDNN, "sdnn", "sdnn_ms"),
    (terms.HEART_RATE, "hr", "mean_hr_bpm"),
)
_METHODS = {
    NightBasis.VALUES: "mean over five-minute values asleep, as the device gave them",
    NightBasis.DEVICE: "the device's own average of the night",
    NightBasis.RECORDING: "mean over five-minute values of a rest period that was found in the "
    "person's own recording, from heart rate and movement",
}
_DECIMALS = 3
_DATE_LENGTH = len("2026-03-02")


def load_nights(stores: Stores, person: Person, after_ns: int) -> Iterator[StoredNight]:
    """Yield a person's nights that do not end before a moment, by their end."""
    found = stores.nights.nights(person.id, values=False)
    for item in sorted(found, key=lambda one: (one.night.end_ns, night_key(one.night))):
        if item.night.end_ns >= after_ns:
            yield item


def night_key(night: Night) -> str:
    """Name a night within FHIR's 64 characters of letters and digits: a source has a day once."""
    return f"{night.day}-{sha256(night.source.encode()).hexdigest()[:12]}"


def night_resources(item: StoredNight, subject: Subject) -> list[tuple[str, Resource]]:
    """Map a night to Observations, each with its code; none of what was not measured.

    Times have the offset of where the person woke.
    """
    night, key = item.night, night_key(item.night)
    there = timezone(timedelta(seconds=night.offset_s))
    found = []
    for code, name, field in NIGHT_CODES:
        value = getattr(night, field)
        if value is None:
            continue
        resource: dict[str, Any] = {
            "resourceType": "Observation",
            "id": f"{NIGHT_PREFIX}{key}-{name}",
            **subject.meta(
                subject.is_simulated, updated=subject.time(item.stored_ns, subject.person.zone)
            ),
            **identified(subject, terms.NIGHT_ID, f"{key}-{name}"),
            **observation(code, "final", subject),
            "effectivePeriod": {
                "start": to_datetime(night.start_ns).astimezone(there).isoformat(),
                "end": to_datetime(night.end_ns).astimezone(there).isoformat(),
            },
            "valueQuantity": quantity(code, round(value, _DECIMALS)),
            "method": {"text": _METHODS[night.basis]},
            "device": {"display": night.source},
        }
        found.append((code, resource))
    return found


def find_night(stores: Stores, subject: Subject, resource_id: str) -> Resource | None:
    """Find one Observation of a night by its id."""
    day = resource_id.removeprefix(NIGHT_PREFIX)[:_DATE_LENGTH]
    try:
        date.fromisoformat(day)
    except ValueError:
        return None
    return next(
        (
            resource
            for item in stores.nights.nights(subject.person.id, day, day, values=False)
            for _, resource in night_resources(item, subject)
            if resource["id"] == resource_id
        ),
        None,
    )
