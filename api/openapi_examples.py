"""Examples for OpenAPI, made from the schemas: of each field its own example, else one by its name.

A test validates each against its schema, so that an example cannot be left behind by a change.
"""

from __future__ import annotations

from typing import Any

_BY_NAME: dict[str, Any] = {
    "email": "ann@example.org",
    "name": "Ann Example",
    "zone": "Europe/Berlin",
    "password": "correct horse battery staple",
    "token": "q3Jr0Jb0nWn1m9T2v0c1xw",
    "unit": "one point of stress",
    "missing": None,
    "next": None,
    "method": "detrended within-person regression, 1",
    "source": "Polar H10 12345678",
    "until": "2026-11-24T08:20:00+00:00",
}
_BY_FORMAT = {
    "date-time": "2026-11-24T08:30:00Z",
    "date": "2026-11-24",
    "uuid": "0d6b0a1e-6f1c-4b9e-8d0f-2f8f3f0c7a11",
    "email": "ann@example.org",
    "uri": "https://example.org/",
    "binary": "",
}
_NOON_NS = 1_795_521_600_000_000_000


def complete_examples(document: dict[str, Any]) -> None:
    """Give every body of a request and of a response an example that has none."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if "example" not in parameter and "examples" not in parameter:
                    parameter["example"] = build_example(
                        parameter["schema"], document, parameter["name"]
                    )
                    if parameter["example"] is None:
                        del parameter["example"]
            bodies = [
                response
                for status, response in operation["responses"].items()
                if status.startswith("2")
            ]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if "example" not in content and "examples" not in content:
                    content["example"] = _leave_out_optional(
                        content.get("schema", {}),
                        document,
                        build_example(content["schema"], document),
                    )
            for body in bodies:
                for kind, content in body.get("content", {}).items():
                    if "json" in kind and "example" not in content and "examples" not in content:
                        content["example"] = build_example(content.get("schema", {}), document)


def _leave_out_optional(schema: dict[str, Any], document: dict[str, Any], example: Any) -> Any:
    """Of a request, what has to be sent: an optional `version` would name one that is not there."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if not isinstance(example, dict) or schema.get("examples") or "properties" not in schema:
        return example
    required = schema.get("required", [])
    return {key: value for key, value in example.items() if key in required}


def build_example(schema: dict[str, Any], document: dict[str, Any], name: str = "") -> Any:
    """Build a value that the schema allows."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        is_nullable = any(choice.get("type") == "null" for choice in choices)
        if is_nullable and name in _BY_NAME and _BY_NAME[name] is None:
            return None
        first = next((choice for choice in choices if choice.get("type") != "null"), choices[0])
        return build_example(first, document, name)
    if "allOf" in schema:
        return build_example(schema["allOf"][0], document, name)
    return _build_by_type(schema, document, name)


def _build_by_type(schema: dict[str, Any], document: dict[str, Any], name: str) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else None)
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object" or (kind is None and not name):
        return {
            key: build_example(inner, document, key)
            for key, inner in schema.get("properties", {}).items()
        }
    if kind == "array" and "prefixItems" in schema:
        return [build_example(inner, document) for inner in schema["prefixItems"]]
    if kind == "array":
        return [build_example(schema.get("items", {}), document, name)] * max(
            1, schema.get("minItems", 0)
        )
    if kind == "integer":
        return _within(schema, _NOON_NS if name.endswith("_ns") else 4)
    if kind == "number":
        return _within(schema, 0.34)
    if kind == "boolean":
        return bool(schema.get("default", False))
    if kind == "string":
        if "pattern" in schema:  # all there are describe ids
            return _BY_FORMAT["uuid"]
        text = _BY_FORMAT.get(schema.get("format", "")) or _BY_NAME.get(name) or "as it was given"
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", len(text))
        return str(text)[:longest].ljust(shortest, "x")
    return None


def _within(schema: dict[str, Any], number: float) -> float:
    lowest = schema.get("minimum", schema.get("exclusiveMinimum", number))
    if "exclusiveMinimum" in schema:
        lowest = schema["exclusiveMinimum"] + 1
    highest = schema.get("maximum", number)
    bounded = max(lowest, min(number, highest))
    return float(bounded) if isinstance(number, float) else int(bounded)
