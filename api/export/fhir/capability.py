"""What is served, as a CapabilityStatement; a test compares it with the routes."""

from __future__ import annotations

from typing import Any

from api.export.fhir import terms
from api.export.fhir.search import OBSERVATION_PARAMETERS, PATIENT_PARAMETERS
from ebbtide import __version__

RELEASED = "2026-11-27"
_EXPORT = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"
_PATIENT_EXPORT = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export"


def capability_statement(base: str) -> dict[str, Any]:
    """Build the CapabilityStatement of the server below this URL."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        "software": {"name": "Ebbtide", "version": __version__},
        "implementation": {"description": "Ebbtide", "url": base},
        "fhirVersion": terms.FHIR_VERSION,
        "format": [terms.MEDIA_TYPE],
        "instantiates": ["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Observations are created by a batch, a transaction or any other"
                " Bundle that is sent to the base. A patient reads and writes their own data; their"
                " therapist reads below /v1/patients/{patient}/fhir; analysts use $export.",
                "security": {
                    "cors": False,
                    "description": "An access token as Authorization: Bearer (POST /v1/sign-in).",
                },
                "resource": [
                    _resource("CodeSystem", {}, ["read"]),
                    _resource("Communication", {}, ["read", "search-type"]),
                    _resource("Device", {}, ["read"]),
                    _resource("Observation", OBSERVATION_PARAMETERS, ["read", "search-type"]),
                    {
                        **_resource("Patient", PATIENT_PARAMETERS, ["read", "search-type"]),
                        "operation": [{"name": "export", "definition": _PATIENT_EXPORT}],
                    },
                    _resource("Questionnaire", {}, ["read"]),
                    _resource("QuestionnaireResponse", {}, ["read", "search-type"]),
                ],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "operation": [{"name": "export", "definition": _EXPORT}],
            }
        ],
    }


def _resource(kind: str, parameters: dict[str, str], interactions: list[str]) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "type": kind,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "no-version",
    }
    if parameters:
        resource["searchParam"] = [
            {"name": name, "type": word} for name, word in parameters.items()
        ]
    return resource
