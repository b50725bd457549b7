"""Bulk Data Access (STU 2) for analysts: everybody who agreed to research, as NDJSON.

Files are made while they are read, from what is stored then, under pseudonyms and with dates moved
back as in the research tables. ``_since`` is not served: it would compare with true times.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from api.export.fhir.pages import Key, observations
from api.export.fhir.resources import Subject, device_resource, patient_resource
from api.export.fhir.search import Search, SearchError
from api.services.export_scope import ExportSubject, is_simulated
from ebbtide.timestamps import DAY, to_datetime
from store import Stores
from store.models import FhirExport

NDJSON = "application/fhir+ndjson"
EXPORT_LIFETIME_NS = DAY
MAX_EXPORTS = 20  # of an analyst at a time
_TYPES = ("Patient", "Device", "Observation")
_FORMS = (NDJSON, "application/fhir ndjson", "application/ndjson", "ndjson")
MANIFEST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "transactionTime": {"type": "string", "format": "date-time"},
        "request": {"type": "string"},
        "requiresAccessToken": {"type": "boolean"},
        "output": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"type": {"type": "string"}, "url": {"type": "string"}},
                "required": ["type", "url"],
            },
        },
        "error": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["transactionTime", "request", "requiresAccessToken", "output", "error"],
}


def export_types(parameters: Iterable[tuple[str, str]], is_lenient: bool) -> list[str]:
    """Parse the parameters of a kick-off request: the types to export. Raises SearchError."""
    types: set[str] = set()
    for name, value in parameters:
        if name == "_outputFormat":
            if value not in _FORMS:
                raise SearchError(f"{value} is not served, only {NDJSON}", code="not-supported")
        elif name == "_type":
            types |= set(value.split(","))
        elif not is_lenient:
            raise SearchError(
                f"{name} is not served, only _type and _outputFormat", code="not-supported"
            )
    unknown = sorted(types - set(_TYPES))
    if unknown and not is_lenient:
        raise SearchError(
            f"{unknown[0]} is not exported, only {', '.join(_TYPES)}", code="not-supported"
        )
    return [kind for kind in _TYPES if not types or kind in types]


def export_manifest(export: FhirExport, url: str) -> dict[str, Any]:
    """Build the manifest of an export, of which this is the address."""
    return {
        "transactionTime": to_datetime(export.created_ns).isoformat(),
        "request": export.request,
        "requiresAccessToken": True,
        "output": [{"type": kind, "url": f"{url}/{kind}"} for kind in export.types.split()],
        "error": [],
    }


def export_lines(stores: Stores, subjects: list[ExportSubject], kind: str) -> Iterator[str]:
    """Yield the lines of a file."""
    if kind == "Device":
        yield _line(device_resource())
        return
    for item in subjects:
        subject = Subject(item.person, is_simulated(stores, item.person), item.pseudonym)
        if kind == "Patient":
            yield _line(patient_resource(subject))
            continue
        for _, resource in observations(stores, subject, Search(), Key()):
            yield _line(resource)


def _line(resource: dict[str, Any]) -> str:
    return json.dumps(resource, ensure_ascii=False) + "\n"
