"""HL7 FHIR R4 (4.0.1): rows as Observations, and Observations as ratings and heart rates.

Codes: LOINC where there are any; what has none (stress, RMSSD) has a code of ours. A rating is two
or three Observations that share its id. Mappings only: no store is read or written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.hrv.windows import WINDOW_NS
from api.http.text import PROBLEM, find_unstorable
from api.services.imported_records import HeartRate, ImportedRating, SkippedEntry
from ebbtide.timestamps import EARLIEST, LATEST, from_datetime, to_datetime

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
OURS = "urn:ebbtide:code"
RATING_ID, WINDOW_ID, RATE_ID = "urn:ebbtide:rating", "urn:ebbtide:window", "urn:ebbtide:rate"
HEART_RATE, SDNN, PAIN = "8867-4", "80404-7", "72514-3"
STRESS, PLEASANT, RMSSD = "stress-nrs", "pleasant-nrs", "rmssd"
MEDIA_TYPE = "application/fhir+json"
_ZONE = "http://hl7.org/fhir/StructureDefinition/tz-code"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_TEST_DATA = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
_TEXTS = {
    HEART_RATE: "Heart rate",
    SDNN: "R-R interval.standard deviation (Heart rate variability)",
    PAIN: "Pain severity - 0-10 verbal numeric rating [Score] - Reported",
    STRESS: "Stress, numerical rating scale from 0 to 10",
    PLEASANT: "A pleasant sensation, numerical rating scale from 0 to 10",
    RMSSD: "Root mean square of successive differences of NN intervals",
}
_UNITS = {HEART_RATE: ("beats/minute", "/min"), SDNN: ("ms", "ms"), RMSSD: ("ms", "ms")}
_SCORE = ("{score}", "{score}")
_RATED = {PAIN: "pain", STRESS: "stress", PLEASANT: "pleasant"}


# What an entry of any shape can raise while it is read.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)


@dataclass(frozen=True, slots=True)
class ParsedBundle:
    """The ratings and heart rates of a bundle, and the entries that were skipped."""

    ratings: list[ImportedRating]
    heart_rates: list[HeartRate]
    skipped: list[SkippedEntry]


def patient_resource(person_id: str, simulated: bool) -> dict[str, Any]:
    """Build the subject of all Observations; without a name, which the receiver knows."""
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "id": person_id,
        "identifier": [{"system": "urn:ebbtide:person", "value": person_id}],
    }
    if simulated:
        resource["meta"] = {"security": [_TEST_DATA]}
    return resource


def rating_resource(row: Mapping[str, Any], person_id: str) -> list[dict[str, Any]]:
    """Map a row of the ratings table to Observations."""
    about = to_datetime(row["about_ns"], row["zone"])
    status = "final" if row["version"] == 1 else "corrected"
    if row["withdrawn"]:
        status = "entered-in-error"
    return [
        {
            **_observation(code, "survey", person_id, status, row["simulated"]),
            "id": f"{row['rating']}-{name}",
            "identifier": [{"system": RATING_ID, "value": row["rating"]}],
            "effectiveDateTime": about.isoformat(),
            "_effectiveDateTime": {"extension": [{"url": _ZONE, "valueCode": row["zone"]}]},
            "issued": to_datetime(row["entered_ns"], row["zone"]).isoformat(),
            "valueQuantity": _quantity(code, row[name]),
        }
        for code, name in _RATED.items()
        if row[name] is not None
    ]


def window_resource(
    row: Mapping[str, Any], person_id: str, zone: str, method: str, simulated: bool
) -> list[dict[str, Any]]:
    """Map a row of the HRV table to Observations: none where it is not usable."""
    start = to_datetime(row["start_ns"], zone)
    end = to_datetime(row["start_ns"] + WINDOW_NS, zone)
    return [
        {
            **_observation(code, "vital-signs", person_id, "final", simulated),
            "id": f"window-{row['start_ns']}-{name}",
            "identifier": [{"system": WINDOW_ID, "value": f"{row['start_ns']}-{name}"}],
            "effectivePeriod": {"start": start.isoformat(), "end": end.isoformat()},
            "valueQuantity": _quantity(code, row[column]),
            "method": {"text": method},
        }
        for code, name, column in (
            (HEART_RATE, "hr", "mean_hr_bpm"),
            (SDNN, "sdnn", "sdnn_ms"),
            (RMSSD, "rmssd", "rmssd_ms"),
        )
        if row[column] is not None
    ]


def heart_rate_resource(
    rate: HeartRate, person_id: str, zone: str, simulated: bool
) -> dict[str, Any]:
    """Map a single heart rate to an Observation."""
    return {
        **_observation(HEART_RATE, "vital-signs", person_id, "final", simulated),
        "id": f"rate-{rate.time_ns}",
        "identifier": [{"system": RATE_ID, "value": str(rate.time_ns)}],
        "effectiveDateTime": to_datetime(rate.time_ns, zone).isoformat(),
        "valueQuantity": _quantity(HEART_RATE, rate.bpm),
    }


def build_bundle(resources: Iterable[dict[str, Any]], links: Mapping[str, str]) -> dict[str, Any]:
    """Build a searchset of these resources."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": relation, "url": url} for relation, url in links.items()],
        "entry": [
            {
                "fullUrl": f"urn:ebbtide:{resource['resourceType']}:{resource['id']}",
                "resource": resource,
                "search": {"mode": "match"},
            }
            for resource in resources
        ],
    }


def parse_bundle(document: Any) -> ParsedBundle:
    """Parse the ratings and heart rates of a Bundle, or of one Observation. Entries that cannot be
    read are returned as skipped. Raises ValueError for a document that is no FHIR at all.
    """
    if not isinstance(document, dict) or document.get("resourceType") not in (
        "Bundle",
        "Observation",
    ):
        raise ValueError("is neither a FHIR Bundle nor an Observation")
    entries = [{"resource": document}]
    if document["resourceType"] == "Bundle":
        entries = document.get("entry") or []
        if not isinstance(entries, list):
            raise ValueError("entry is not a list")
    rated: dict[str, dict[str, Any]] = {}
    rates: list[HeartRate] = []
    skipped: list[SkippedEntry] = []
    for number, entry in enumerate(entries):
        try:
            require_storable(entry)
            _parse_entry(entry, number, rated, rates)
        except UNREADABLE as error:
            reason = describe_skipped(error)
            skipped.append(SkippedEntry(number, reason))
    ratings = []
    for key, values in rated.items():
        absent = [name for name in ("pain", "stress") if name not in values]
        if absent:
            skipped.append(
                SkippedEntry(
                    values["entry"], f"a rating needs pain and stress; {absent[0]} is missing"
                )
            )
            continue
        ratings.append(
            ImportedRating(
                key,
                values["about_ns"],
                values["zone"],
                values["pain"],
                values["stress"],
                values.get("pleasant"),
            )
        )
    return ParsedBundle(ratings, rates, sorted(skipped, key=lambda item: item.entry))


def require_storable(entry: Any) -> None:
    """Raise ValueError for an entry with text that no store can hold."""
    at = find_unstorable(entry, "it")
    if at is not None:
        raise ValueError(f"it {PROBLEM.rstrip('.')}")


def describe_skipped(error: Exception) -> str:
    """Why an entry was skipped."""
    if isinstance(error, KeyError):
        return f"it lacks {error}"
    if isinstance(error, ValueError):
        return str(error)
    return f"it has another form than it should ({error})"


def _parse_entry(
    entry: Any, number: int, rated: dict[str, dict[str, Any]], rates: list[HeartRate]
) -> None:
    resource = entry["resource"]
    kind = resource["resourceType"]
    if kind == "Patient":
        return
    if kind != "Observation":
        raise ValueError(f"{kind} is not read, only Observation")
    if resource.get("status") not in ("final", "amended", "corrected"):
        raise ValueError(f"its status is {resource.get('status')}")
    identifiers = {item.get("system"): item.get("value") for item in resource.get("identifier", [])}
    if WINDOW_ID in identifiers:
        raise ValueError("a figure that Ebbtide worked out: it is made again from the beats")
    codes = {
        coding.get("code")
        for coding in resource["code"].get("coding", [])
        if coding.get("system") in (LOINC, OURS)
    }
    value = resource["valueQuantity"]["value"]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("its value is no number")
    if HEART_RATE in codes:
        unit = resource["valueQuantity"].get("code", "/min")
        if unit not in ("/min", "{beats}/min", "{Beats}/min"):
            raise ValueError(f"heart rate in {unit}, not in /min")
        if not 0 < value < 400:
            raise ValueError(f"a heart rate of {value} cannot be")
        rates.append(HeartRate(_time_of(resource), float(value)))
        return
    names = [name for code, name in _RATED.items() if code in codes]
    if not names:
        raise ValueError("its code is none that Ebbtide reads")
    if not 0 <= value <= 10 or value != int(value):
        raise ValueError("a rating is a whole number from 0 to 10")
    about = _time_of(resource)
    key = identifiers.get(RATING_ID) or f"at {about}"
    rating = rated.setdefault(
        str(key), {"about_ns": about, "zone": _zone_of(resource), "entry": number}
    )
    if rating["about_ns"] != about:
        raise ValueError("it has another time than the rest of its rating")
    rating[names[0]] = int(value)


def _time_of(resource: Mapping[str, Any]) -> int:
    text = resource.get("effectiveDateTime") or (resource.get("effectivePeriod") or {}).get("start")
    if not isinstance(text, str):
        raise ValueError("it has no effectiveDateTime")
    return parse_time(text)


def parse_time(text: str) -> int:
    """Parse an ISO 8601 time with a zone to UTC ns. Raises ValueError where it cannot be."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("its time has no zone")
    try:
        instant_ns = from_datetime(moment)
    except OverflowError:  # beyond the year 9999 in UTC
        instant_ns = LATEST
    if not EARLIEST <= instant_ns < LATEST:
        raise ValueError("its time is not of this century")
    return instant_ns


def _zone_of(resource: Mapping[str, Any]) -> str | None:
    for extension in (resource.get("_effectiveDateTime") or {}).get("extension", []):
        if extension.get("url") == _ZONE:
            return str(extension.get("valueCode"))
    return None


def _observation(
    code: str, category: str, person_id: str, status: str, simulated: bool
) -> dict[str, Any]:
    system = LOINC if code[0].isdigit() else OURS
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "status": status,
        "category": [{"coding": [{"system": _CATEGORY, "code": category}]}],
        "code": {
            "coding": [{"system": system, "code": code, "display": _TEXTS[code]}],
            "text": _TEXTS[code],
        },
        "subject": {"reference": f"urn:ebbtide:Patient:{person_id}"},
    }
    if simulated:
        resource["meta"] = {"security": [_TEST_DATA]}
    return resource


def _quantity(code: str, value: float) -> dict[str, Any]:
    unit, ucum = _UNITS.get(code, _SCORE)
    return {"value": value, "unit": unit, "system": UCUM, "code": ucum}
