"""Bulk Data Access (STU 2) for analysts: everybody who agreed to research, as NDJSON.

Files are made while they are read, from what is released then, under pseudonyms and with times as
in the research tables. ``_since`` is not served: it would compare with true times.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from api.export.fhir.resources import (
    Subject,
    Window,
    device_resource,
    heart_rate_resource,
    patient_resource,
    rating_resources,
    window_resources,
)
from api.export.fhir.search import SearchError
from api.export.fhir.stress_index import index_resource, known_indices
from api.export.research_tables import research_stress_before
from api.services.cache.analysis import AnalysisCache
from api.services.export_scope import ExportQuery, ExportSubject
from api.services.research_rows import ReleasedRows
from api.services.research_windows import load_research_windows
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


def export_lines(
    stores: Stores, cache: AnalysisCache, subjects: list[ExportSubject], kind: str
) -> Iterator[str]:
    """Yield the lines of a file."""
    if kind == "Device":
        yield _line(device_resource())
        return
    for item in subjects:
        rows = ReleasedRows(stores, item, ExportQuery.of_all())
        subject = Subject(item.person, rows.is_simulated(), item.research)
        if kind == "Patient":
            yield _line(patient_resource(subject))
            continue
        for rating in rows.ratings():
            yield from (_line(resource) for _, resource in rating_resources(rating, subject))
        for window in _windows(rows, cache):
            yield from (_line(resource) for _, resource in window_resources(window, subject))
        for rate in rows.heart_rates():
            yield _line(heart_rate_resource(rate, subject))
        for index in known_indices(research_stress_before(rows, cache)):
            yield _line(index_resource(index, subject, subject.person.zone))


def _windows(rows: ReleasedRows, cache: AnalysisCache) -> Iterator[Window]:
    """The usable windows, of the analysts' clock."""
    for day, name in sorted(rows.days().items()):
        found = load_research_windows(
            rows.stores, cache.research, rows.subject.person, rows.clock, {day: name}
        )
        columns = (found.start_ns, found.mean_hr_bpm, found.sdnn_ms, found.rmssd_ms)
        for start, *values in zip(*(column.tolist() for column in columns), strict=True):
            if start < rows.end and math.isfinite(values[0]):
                yield Window(start, *(v if math.isfinite(v) else None for v in values))


def _line(resource: dict[str, Any]) -> str:
    return json.dumps(resource, ensure_ascii=False) + "\n"
