"""Every route as every role, on the data of ``clinic.py``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
from answers import BACKWARDS, DAYS, HOUR, WHOLE, request_text
from clinic import ROLES, Clinic, fixed_id, open_clinic
from normalising import write
from product import Product
from writes import record_writes

METHODS = ("get", "post", "put", "patch", "delete")

_TABLES: list[dict[str, Any]] = [
    {"format": "csv"},
    {"format": "parquet", **DAYS},
    {"format": "arrow", **DAYS},
    {"format": "json", "limit": 5, **DAYS},
    {"format": "nonsense"},
    {"since": "2026-11-25T00:00:00Z", "limit": 5},
]
# Of analysts, whose dates are moved: all the rows.
_MOVED: list[dict[str, Any]] = [
    *({"format": "csv"}, {"format": "parquet"}, {"person": "nobody"}, {"cursor": "nonsense"}),
]
# By the route without its prefix: parameters of the first request, which every role makes, and of
# others, which are made by those whose first one was answered.
QUERIES: dict[str, list[dict[str, Any]]] = {
    "/ratings": [
        *({"limit": 3}, {}, {"limit": 5, **DAYS}, {"since": "2026-11-25T00:00:00Z"}),
        *({"limit": 0}, {"cursor": "nonsense"}, BACKWARDS, {"start": "2026-11-20T00:00:00"}),
    ],
    "/notes": [{}, {"kind": "trigger"}, {"kind": "nonsense"}],
    "/activity": [HOUR, {}, BACKWARDS],
    "/gaps": [{}, DAYS],
    "/hrv": [
        *(HOUR, {}, BACKWARDS, {"window_s": 0, **HOUR}, {"window_s": 300, **HOUR}),
        {"domain": ["time", "frequency", "nonlinear"], **HOUR},
        {"domain": ["time", "frequency", "nonlinear"], "window_s": 300, "step_s": 150, **HOUR},
        {"window_s": 300, "with_stress_index": True, "from_first_beat": True, **DAYS},
    ],
    "/hrv/trend": [{"bucket_s": 86_400, **WHOLE}, DAYS, {"bucket_s": 1, **DAYS}],
    "/link": [
        *({}, {"span": "5 minutes"}, {"span": "60 minutes"}, {"span": "night before"}),
        *(WHOLE, DAYS, {"span": "nonsense"}),
    ],
    "/therapy": [{}, WHOLE, DAYS],
    "/live": [{"seconds": 1}],
    "/export/{table}": [{"format": "json", "limit": 5}, *_TABLES],
    "/research/{table}": [{"format": "json", "limit": 5}, *_MOVED],
    "/fhir/Observation": [{"limit": 5}, {"limit": 400, **DAYS}, {"cursor": "nonsense"}],
    "/open-mhealth/heart-rate": [{"limit": 5, **HOUR}, {"limit": 50, **DAYS}],
    "/oidc/callback": [{"state": "x", "code": "y"}],
    "/me/looks": [{"limit": 100}, {"limit": 0}],
}


def record_routes(product: Product, out: Path) -> None:
    """Every GET route as every role, then writes and typical problems in a fixed order."""
    with open_clinic(product) as clinic:
        document = httpx.get(f"{product.url}/openapi.json", timeout=120).json()
        templates = sorted(document["paths"])
        for template in templates:
            if "get" in document["paths"][template] and template != "/v1/me/looks":
                record_get(clinic, template, out)
        record_refusals(clinic, document, out)
        record_writes(clinic, out)
        record_get(clinic, "/v1/me/looks", out)


def paths_of(clinic: Clinic, template: str) -> list[str]:
    """A template with values for its parameters; one path for each table."""
    values = {
        "{patient}": clinic.ids["ada"],
        "{rating_id}": fixed_id("ada rating 29 1"),
        "{stream_id}": fixed_id("ada stream"),
        "{note_id}": fixed_id("note 0"),
        "{practice_id}": fixed_id("practice 0"),
        "{person_id}": clinic.ids["ada"],
        "{therapist_id}": clinic.ids["tom"],
        "{patient_id}": clinic.ids["ada"],
        "{number}": "1",
        "{reading}": "setbacks",
    }
    path = template
    for name, value in values.items():
        path = path.replace(name, value)
    tables = ("beats", "hrv", "ratings", "sessions", "link")
    return [path.replace("{table}", t) for t in tables] if "{table}" in path else [path]


def variants_of(template: str, path: str) -> list[dict[str, Any]]:
    """Parameters to ask a route with."""
    found = QUERIES.get(template.removeprefix("/v1").removeprefix("/patients/{patient}"), [{}])
    if not path.endswith("/beats"):
        return found
    # All beats would take most of the time of a recording.
    return found[:2] if "research" in path else [{**more, **HOUR} for more in found[:4]]


def record_get(clinic: Clinic, template: str, out: Path) -> None:
    """One GET route."""
    below_patient = "{patient}" in template
    parts = []
    for path in paths_of(clinic, template):
        variants = variants_of(template, path)
        for who in ROLES:
            text, worked = request_text(clinic, who, "GET", path, params=variants[0])
            parts.append(text)
            # What a therapist sees of a patient is worked out as the patient's own: fewer there.
            others = variants[1 : 3 if below_patient else None] if worked else []
            parts += [request_text(clinic, who, "GET", path, params=more)[0] for more in others]
    parts += [
        request_text(clinic, "tom", "GET", template.replace("{patient}", other))[0]
        for other in (clinic.ids["eve"], fixed_id("nobody"), "nonsense")
        if template.removeprefix("/v1/patients/{patient}") in ("/ratings", "/sessions")
    ]
    write(out, file_name("get", template), "\n".join(parts))


def file_name(method: str, template: str) -> str:
    """The name of a route's file."""
    return f"{method}{re.sub(r'[^A-Za-z0-9]+', '-', template.removeprefix('/v1'))}.txt"


def record_refusals(clinic: Clinic, document: dict[str, Any], out: Path) -> None:
    """Every other route: as every role, with nothing in the body, for an unknown person."""
    for template in sorted(document["paths"]):
        for method in sorted(document["paths"][template].keys() & set(METHODS) - {"get"}):
            # These two would end the sign-ins that the others need.
            ends = template.endswith("/sign-out") or (method, template) == ("delete", "/v1/tokens")
            path = re.sub(r"\{(\w+)\}", lambda found: fixed_id(f"no {found[1]}"), template)
            path = path.replace(fixed_id("no number"), "99").replace(fixed_id("no reading"), "none")
            parts = [
                request_text(clinic, who, method.upper(), path, json={})[0]
                for who in ROLES
                if not ends or who == "anonymous"
            ]
            write(out, file_name(method, template), "\n".join(parts))
