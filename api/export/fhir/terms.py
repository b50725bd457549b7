"""Codes, units and names of FHIR resources.

LOINC where it has a code; the rest is defined by the CodeSystem here. Systems of our own are
``urn:uuid:`` URIs (RFC 9562), which need no host. Those in ``LEGACY`` were sent by earlier versions
and are still read.
"""

from __future__ import annotations

from typing import Any

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
URI_SYSTEM = "urn:ietf:rfc:3986"  # of identifiers that are URIs themselves
# uuid5(NAMESPACE_URL, "urn:ebbtide:code") and so on
OURS = "urn:uuid:b19fc913-eb6d-5193-983f-66113b3b054d"
RATING_ID = "urn:uuid:3ac08c95-4c56-56d8-97c7-4bab123f9b46"
WINDOW_ID = "urn:uuid:444089a5-4c6f-5684-87dd-f0a60d29ae86"
INDEX_ID = "urn:uuid:b6e6c0b3-04ae-5b24-ba24-f671209aa7ab"  # its values are ids of ratings
NIGHT_ID = "urn:uuid:99162705-2a83-5192-ba87-d835f76d2edc"
RATE_ID = "urn:uuid:aa3f3bb9-eae0-51d7-aace-883a93d3e5c9"
PERSON_ID = "urn:uuid:2decb917-0bae-5b85-9f67-61e974768d24"
LEGACY = {
    "urn:ebbtide:code": OURS,
    "urn:ebbtide:rating": RATING_ID,
    "urn:ebbtide:window": WINDOW_ID,
    "urn:ebbtide:rate": RATE_ID,
    "urn:ebbtide:person": PERSON_ID,
}

HEART_RATE, SDNN, PAIN = "8867-4", "80404-7", "72514-3"
STRESS, PLEASANT, RMSSD = "stress-nrs", "pleasant-nrs", "rmssd"
STRESS_INDEX, INTERVAL_LOW, INTERVAL_HIGH = "stress-index", "interval-low", "interval-high"
ACTIVITY, MODALITY, IMPORTED = "activity", "modality", "imported"
LOCAL_CLOCK = "local-clock"
PROMPTED, VOLUNTEERED = "prompted", "volunteered"
VITAL_SIGNS, PROCEDURE, SURVEY = "vital-signs", "procedure", "survey"
MEDIA_TYPE = "application/fhir+json"
FHIR_VERSION = "4.0.1"
ZONE_EXTENSION = "http://hl7.org/fhir/StructureDefinition/tz-code"
CATEGORY_SYSTEM = "http://terminology.hl7.org/CodeSystem/observation-category"
TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
PSEUDONYMIZED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "PSEUDED",
    "display": "pseudonymized",
}
CODE_SYSTEM_ID, DEVICE_ID = "ebbtide", "ebbtide"
TEXTS = {
    HEART_RATE: "Heart rate",
    SDNN: "R-R interval.standard deviation (Heart rate variability)",
    PAIN: "Pain severity - 0-10 verbal numeric rating [Score] - Reported",
    STRESS: "Stress, numerical rating scale from 0 to 10",
    PLEASANT: "A pleasant sensation, numerical rating scale from 0 to 10",
    RMSSD: "Root mean square of successive differences of NN intervals",
    STRESS_INDEX: "Stress index: heart rate against one's own usual of the hour",
    INTERVAL_LOW: "Lower limit of the 95% interval",
    INTERVAL_HIGH: "Upper limit of the 95% interval",
    ACTIVITY: "What the person did",
    MODALITY: "Whether a value was sensed or self-reported",
    IMPORTED: "From another system",
    PROMPTED: "Given when asked",
    VOLUNTEERED: "Given unasked",
    LOCAL_CLOCK: "Times are local, without a zone, and moved by whole weeks",
}
_DEFINITIONS = {
    STRESS: "How stressed the person felt at a moment, as they report it, in whole numbers from 0"
    " (not at all) to 10 (as much as they can imagine).",
    PLEASANT: "How strong a pleasant or neutral sensation was that the person noticed, as they"
    " report it, in whole numbers from 0 (not noticeable) to 10 (as much as they can imagine).",
    RMSSD: "The square root of the mean of the squared differences between neighbouring NN"
    " intervals, in milliseconds, over a window of five minutes (Task Force of the European Society"
    " of Cardiology and NASPE, 1996), or the mean of these over a night; the period says which.",
    STRESS_INDEX: "The chance, in percent, that a random moment of the half hour before a rating"
    " had a faster heart, against the person's own usual of the hour, than a random usual one. 50"
    " is usual. It is no measure of felt stress; the method names its version.",
    INTERVAL_LOW: "The lower limit of the 95% interval of the value, in its unit.",
    INTERVAL_HIGH: "The upper limit of the 95% interval of the value, in its unit.",
    ACTIVITY: "What the person did when a heart rate was measured, in the words of Open mHealth's"
    " temporal-relationship-to-physical-activity, such as 'at rest'.",
    MODALITY: "How a value was obtained, in the words of IEEE 1752.1: 'sensed' by a device, or"
    " 'self-reported' by the person.",
    IMPORTED: "The resource came from another system, and was not recorded here.",
    PROMPTED: "The person gave the value in answer to a prompt of the service, within its time.",
    VOLUNTEERED: "The person gave the value at a moment of their own choice.",
    LOCAL_CLOCK: "Times of the resource are of a local clock without a zone, moved by a secret"
    " number of whole weeks. The offset +00:00 stands there since FHIR demands one, and says"
    " nothing.",
}
UNITS = {
    HEART_RATE: ("beats/minute", "/min"),
    SDNN: ("ms", "ms"),
    RMSSD: ("ms", "ms"),
    STRESS_INDEX: ("%", "%"),
    INTERVAL_LOW: ("%", "%"),
    INTERVAL_HIGH: ("%", "%"),
}
SCORE = ("{score}", "{score}")
CATEGORIES = {
    HEART_RATE: VITAL_SIGNS,
    SDNN: PROCEDURE,
    RMSSD: PROCEDURE,
    STRESS_INDEX: PROCEDURE,
    PAIN: SURVEY,
    STRESS: SURVEY,
    PLEASANT: SURVEY,
}
RATED = {PAIN: "pain", STRESS: "stress", PLEASANT: "pleasant"}


def code_system_of(code: str) -> str:
    """The system of a code: LOINC's begin with a digit, ours with a letter."""
    return LOINC if code[0].isdigit() else OURS


def concept(code: str) -> dict[str, Any]:
    """A code as a CodeableConcept."""
    text = TEXTS[code]
    coding = {"system": code_system_of(code), "code": code, "display": text}
    return {"coding": [coding], "text": text}


def code_system() -> dict[str, Any]:
    """Build the CodeSystem of the codes that LOINC does not have."""
    return {
        "resourceType": "CodeSystem",
        "id": CODE_SYSTEM_ID,
        "url": OURS,
        "version": "1",
        "name": "EbbtideObservations",
        "title": "Observations of Ebbtide that LOINC has no code for",
        "status": "active",
        "experimental": False,
        "caseSensitive": True,
        "content": "complete",
        "count": len(_DEFINITIONS),
        "concept": [
            {"code": code, "display": TEXTS[code], "definition": text}
            for code, text in _DEFINITIONS.items()
        ],
    }
