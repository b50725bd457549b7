"""Records as FHIR R4 resources. Mappings only: no store is read.

A rating is up to three Observations that share its identifier; five minutes of beats are up to
three with the same period.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analytics.hrv.windows import METHOD, WINDOW_NS
from api.export.fhir import terms
from api.services.research_identity import ResearchIdentity
from ebbtide import __version__
from ebbtide.timestamps import to_datetime
from store.models import ImportedHeartRate, Person, Rating
from store.models.imports import unpack_identifiers

Resource = dict[str, Any]
WINDOW_CODES = ((terms.HEART_RATE, "hr"), (terms.SDNN, "sdnn"), (terms.RMSSD, "rmssd"))
_DECIMALS = 3  # of what is computed; a float of 32 bits has no more


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose resources they are: a person's own, or as an analyst sees them, of records with times
    of the analysts' clock, without zone, words and identifiers. ``with_notes``: words are included,
    which are for the person alone.
    """

    person: Person
    is_simulated: bool
    research: ResearchIdentity | None = None
    with_notes: bool = False

    @property
    def id(self) -> str:
        """The id of the Patient."""
        return self.person.id if self.research is None else self.research.name

    @property
    def reference(self) -> Resource:
        """The reference of their Observations."""
        return {"reference": f"Patient/{self.id}"}

    def time(self, instant_ns: int, zone: str) -> str:
        """A moment as it is sent."""
        return to_datetime(instant_ns, zone if self.research is None else "UTC").isoformat()

    def resource_id(self, own_id: str) -> str:
        """An id as it is sent."""
        return own_id if self.research is None else self.research.hide_id(own_id)

    def meta(
        self, is_simulated: bool, *, is_imported: bool = False, updated: str | None = None
    ) -> Resource:
        """The ``meta`` of a resource of theirs. When it was updated is not for analysts."""
        meta: Resource = {}
        if updated is not None and self.research is None:
            meta["lastUpdated"] = updated
        security = [terms.TEST_DATA] if is_simulated else []
        tags = [terms.IMPORTED] if is_imported else []
        if self.research is not None:
            security.append(terms.PSEUDONYMIZED)
            tags.append(terms.LOCAL_CLOCK)
        if security:
            meta["security"] = security
        if tags:
            meta["tag"] = [terms.concept(code)["coding"][0] for code in tags]
        return {"meta": meta} if meta else {}


@dataclass(frozen=True, slots=True)
class Window:
    """Five minutes of beats; metrics are None where they are not usable."""

    start_ns: int
    hr: float | None
    sdnn: float | None
    rmssd: float | None


def patient_resource(subject: Subject) -> Resource:
    """Build the subject of all Observations; without a name, which the receiver knows."""
    resource: Resource = {
        "resourceType": "Patient",
        "id": subject.id,
        **subject.meta(subject.is_simulated),
        "identifier": [{"system": terms.PERSON_ID, "value": subject.id}],
    }
    return resource


def device_resource() -> Resource:
    """Build the Device that windows are computed by: this software."""
    return {
        "resourceType": "Device",
        "id": terms.DEVICE_ID,
        "status": "active",
        "deviceName": [{"name": "Ebbtide", "type": "user-friendly-name"}],
        "version": [{"value": __version__}],
    }


def rating_resources(rating: Rating, subject: Subject) -> list[tuple[str, Resource]]:
    """Map a rating to Observations, each with its code."""
    status = rating.status or ("final" if rating.version == 1 else "corrected")
    if rating.withdrawn:
        status = "entered-in-error"
    issued_ns = rating.issued_ns if rating.imported else rating.entered_ns
    when: Resource = {"effectiveDateTime": subject.time(rating.about_ns, rating.zone)}
    if subject.research is None:
        when["_effectiveDateTime"] = {
            "extension": [{"url": terms.ZONE_EXTENSION, "valueCode": rating.zone}]
        }
    noted = terms.STRESS if rating.pain is None else terms.PAIN
    notes = {noted: rating.note, terms.PLEASANT: rating.pleasant_note}
    found = []
    for code, name in terms.RATED.items():
        value = getattr(rating, name)
        if value is None:
            continue
        resource: Resource = {
            "resourceType": "Observation",
            "id": subject.resource_id(f"{rating.id}-{name}"),
            **subject.meta(
                rating.simulated,
                is_imported=rating.imported,
                updated=subject.time(rating.entered_ns, rating.zone),
            ),
            **identified(subject, terms.RATING_ID, rating.id, rating.identifiers),
            **observation(code, status, subject),
            **when,
            "valueQuantity": quantity(code, value),
        }
        if issued_ns is not None and subject.research is None:
            resource["issued"] = subject.time(issued_ns, rating.zone)
        if not rating.imported:
            asked = terms.VOLUNTEERED if rating.prompt_id is None else terms.PROMPTED
            resource["method"] = terms.concept(asked)
        words = notes.get(code)
        if subject.with_notes and words is not None:
            resource["note"] = [{"text": words}]
        found.append((code, resource))
    return found


def window_resources(window: Window, subject: Subject) -> list[tuple[str, Resource]]:
    """Map five minutes to Observations, each with its code: none where they are not usable."""
    zone = subject.person.zone
    found = []
    for code, name in WINDOW_CODES:
        value = getattr(window, name)
        if value is None:
            continue
        own_id = f"window-{window.start_ns}-{name}"
        resource: Resource = {
            "resourceType": "Observation",
            "id": subject.resource_id(own_id),
            **subject.meta(subject.is_simulated),
            **identified(subject, terms.WINDOW_ID, own_id.removeprefix("window-")),
            **observation(code, "final", subject),
            "effectivePeriod": {
                "start": subject.time(window.start_ns, zone),
                "end": subject.time(window.start_ns + WINDOW_NS, zone),
            },
            "valueQuantity": quantity(code, round(value, _DECIMALS)),
            "method": {"text": METHOD},
            "device": {"reference": f"Device/{terms.DEVICE_ID}"},
        }
        found.append((code, resource))
    return found


def heart_rate_resource(rate: ImportedHeartRate, subject: Subject) -> Resource:
    """Map a heart rate of another system to an Observation."""
    zone = subject.person.zone
    resource: Resource = {
        "resourceType": "Observation",
        "id": subject.resource_id(f"rate-{rate.id}"),
        **subject.meta(
            rate.simulated or subject.person.simulated,
            is_imported=True,
            updated=subject.time(rate.entered_ns, zone) if rate.entered_ns else None,
        ),
        **identified(subject, terms.RATE_ID, rate.id, rate.identifiers),
        **observation(terms.HEART_RATE, rate.status, subject),
        "effectiveDateTime": subject.time(rate.time_ns, zone),
    }
    if rate.issued_ns is not None and subject.research is None:
        resource["issued"] = subject.time(rate.issued_ns, zone)
    resource["valueQuantity"] = quantity(terms.HEART_RATE, rate.bpm)
    if rate.device and subject.research is None:
        resource["device"] = {"display": rate.device}
    components = [
        {"code": terms.concept(code), "valueString": value}
        for code, value in ((terms.ACTIVITY, rate.activity), (terms.MODALITY, rate.modality))
        if value is not None
    ]
    if components:
        resource["component"] = components
    return resource


def plain_number(value: float) -> float | int:
    """A number as it is written: 61 and 61.4, not 61.0."""
    return int(value) if float(value).is_integer() else value


def identified(subject: Subject, system: str, own: str, packed: str | None = None) -> Resource:
    """The ``identifier`` of a resource: our own and those it came with. None for analysts."""
    if subject.research is not None:
        return {}
    found = [{"system": system, "value": own}]
    for identifier in unpack_identifiers(packed):
        name, _, value = identifier.partition("|")
        found.append({"system": name, "value": value} if name else {"value": value})
    return {"identifier": found}


def observation(code: str, status: str, subject: Subject) -> Resource:
    """What all Observations have."""
    category = {"system": terms.CATEGORY_SYSTEM, "code": terms.CATEGORIES[code]}
    return {
        "status": status,
        "category": [{"coding": [category]}],
        "code": terms.concept(code),
        "subject": subject.reference,
    }


def quantity(code: str, value: float) -> Resource:
    """A value with the unit of its code."""
    unit, ucum = terms.UNITS.get(code, terms.SCORE)
    return {"value": plain_number(value), "unit": unit, "system": terms.UCUM, "code": ucum}
