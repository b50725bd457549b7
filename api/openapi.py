"""Complete the OpenAPI document: description, tags, problems, and the headers of every write."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI

from api.http import problems
from api.http.fhir import describe_outcomes
from api.middleware.idempotency import HEADER
from api.openapi_examples import complete_examples

DESCRIPTION = """\
Heartbeats and ratings during Pain Reprocessing Therapy, and how pain moved with stress.
Not a medical device.

**Sign in.** `POST /v1/sign-in` gives a token; send it as `Authorization: Bearer ...`. For a script,
make a token with a scope and an end (`POST /v1/tokens`).

**Who sees what.** A *patient* sees their own data. A *therapist* sees, below
`/v1/patients/{patient}`, the same of patients in their care who have agreed; every access is
logged, and the patient can read the log (`/v1/me/looks`). An *analyst* sees people who agreed to
research, at least five, under pseudonyms, in local time moved back by a number of weeks of their
own (`/v1/research`). An *administrator* sees accounts and no health data.

**Time.** RFC 3339 with a zone; fields that end in `_ns` are UTC nanoseconds as integers, which need
a JSON parser that keeps 64 bits. Ranges are half-open: `start` is in, `end` is not. Times of
`/v1/research` are local, without a zone.

**Results** come with interval, n, method and caveats, or with the reason why there is none. "Moved
together" never means that one caused the other.

**Bulk.** `/v1/export/...` and `/v1/research/...` give JSON pages, CSV, Parquet or an Arrow stream
(`format`, or `Accept`, or by an address of its own: `/v1/export/beats.parquet`), compressed as you
ask (`Accept-Encoding: zstd, gzip`), and files also by `Range`. `HEAD` works wherever `GET` does.

**Errors** are `application/problem+json` (RFC 9457): `type` is stable, `errors` names the fields.
Those of `/v1/fhir` are OperationOutcomes.
`429` and `503` say in `Retry-After` when to come back.

**Repeating.** Send writes with an `Idempotency-Key` of your own making (a UUID): a repeated
request is done once, for a day. Responses have an `ETag`; send it back as `If-None-Match`.

**Versions.** Below `/v1`, fields and routes are added and never taken away or given another
meaning; what must change gets a `/v2`, and `/v1` stays for a year after that. Ignore fields that
you do not know.
"""

TAGS = [
    {"name": "sign in", "description": "Tokens, passwords, and the clinic's own sign-in"},
    {"name": "people", "description": "Invitations, accounts, care, and the access log"},
    {"name": "consent", "description": "What a patient agreed to, with dates"},
    {"name": "ratings", "description": "Pain, stress and pleasant sensations, 0 to 10"},
    {"name": "offers", "description": "Practice by lot: a draw decides what is offered"},
    {
        "name": "nights",
        "description": "Nights that watches and rings measured, and the days around",
    },
    {"name": "beats", "description": "Beats in, and what is stored of them"},
    {"name": "recorder", "description": "Straps of the computer that runs the service"},
    {"name": "HRV", "description": "Heart rate variability of windows, and the stress index"},
    {"name": "live", "description": "A running session as server-sent events"},
    {"name": "link", "description": "Whether pain moved with stress, and with the heart"},
    {"name": "therapy", "description": "Sessions, and the course of the programme"},
    {"name": "programme", "description": "Where a patient is: plan, readings, notes, practices"},
    {"name": "questionnaires", "description": "Questionnaires, answers, scores and change"},
    {"name": "bulk", "description": "One's data as tables: JSON, CSV, Parquet, Arrow"},
    {"name": "standards", "description": "FHIR R4 and Open mHealth, out and in"},
    {"name": "research", "description": "For analysts: pseudonyms, moved dates, consent"},
    {"name": "computer", "description": "A computer of one's own that runs `ebbtide start`"},
    {"name": "operation", "description": "Whether the API lives, and whether it can work"},
]
_ANYWHERE = (400, 405, 414, 429, 500, 503)
_TABLES = ("/export/{table}", "/research/{table}")
_PROBLEM = {
    "type": "urn:ebbtide:problem:invalid",
    "title": "Unprocessable Content",
    "status": 422,
    "detail": "body.pain: Input should be less than or equal to 10",
    "errors": [
        {"field": "body.pain", "problem": "Input should be less than or equal to 10"},
    ],
}
# FastAPI leaves nulls out of examples.
_PAGE = {
    "rows": [
        {
            "rating": "0d6b0a1e-6f1c-4b9e-8d0f-2f8f3f0c7a11",
            "version": 1,
            "about_ns": 1793520000000000000,
            "pain": 4,
            "stress": 6,
            "pleasant": None,
            "withdrawn": False,
            "about": "2026-11-01T08:00:00.000000000Z",
        }
    ],
    "next": None,
    "until": "2026-11-24T08:20:00+00:00",
}
_WRITES = {"post", "put", "patch", "delete"}


def describe(app: FastAPI) -> None:
    """Complete the document that FastAPI makes."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        schema = plain()
        schema["info"]["license"] = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
        schema["info"]["contact"] = {"name": "Those who run this server"}
        schema["servers"] = [{"url": "/", "description": "The server that gives this document"}]
        _add_problem_schemas(schema)
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                _complete(method, operation)
                _declare_path_parameters(path, operation)
                if "/fhir" in path:
                    _declare_outcomes(operation)
                if path.endswith(_TABLES):
                    operation["responses"]["200"]["content"]["application/json"]["example"] = _PAGE
        _conform_to_3_1(schema)
        complete_examples(schema)
        return schema

    app.openapi = described  # type: ignore[method-assign]


def _declare_path_parameters(path: str, operation: dict[str, Any]) -> None:
    """Declare what a dependency reads from the path of the request itself."""
    parameters = operation.setdefault("parameters", [])
    declared = {item["name"] for item in parameters if item["in"] == "path"}
    for name in re.findall(r"{(\w+)}", path):
        if name not in declared:
            parameters.append(
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "format": "uuid"},
                }
            )
    if not parameters:
        del operation["parameters"]


def _declare_outcomes(operation: dict[str, Any]) -> None:
    """Declare that errors are OperationOutcomes, whatever refuses the request."""
    for status, response in operation["responses"].items():
        if status.startswith(("4", "5")):
            response["content"] = describe_outcomes(int(status))[int(status)]["content"]


def _conform_to_3_1(node: Any) -> None:
    """Take out what only OpenAPI 3.2 has, and say that integers have 64 bits.

    Generators for Java, C# and Go take an integer without a format for 32 bits.
    """
    if isinstance(node, list):
        for item in node:
            _conform_to_3_1(item)
    elif isinstance(node, dict):
        if "itemSchema" in node:
            # 3.1 cannot describe the items of a stream: they are text there.
            node["x-item-schema"] = node.pop("itemSchema")
            node["schema"] = {"type": "string"}
        kind = node.get("type")
        if kind == "integer" or (isinstance(kind, list) and "integer" in kind):
            node.setdefault("format", "int64")
        if "prefixItems" in node:
            # Linters and generators ask for `items` of every array; `maxItems` says there is none.
            node.setdefault("items", {})
        for key, value in node.items():
            if key not in ("example", "examples", "default"):
                _conform_to_3_1(value)


def _add_problem_schemas(schema: dict[str, Any]) -> None:
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    template = "#/components/schemas/{model}"
    for model in (problems.Problem, problems.FieldProblem):
        body = model.model_json_schema(ref_template=template)
        body.pop("$defs", None)
        schemas.setdefault(model.__name__, body)
    schemas["Problem"]["examples"] = [_PROBLEM]
    # FastAPI declares its own body of a validation error, which Problem replaces.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def _complete(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "security" not in operation:
        operation["security"] = []  # public
    is_public = not operation["security"]
    for requirement in operation["security"]:
        for name, scopes in requirement.items():
            if scopes:  # only OAuth 2 has scopes that tools understand
                operation["x-required-scopes"] = "one of " + ", ".join(sorted(scopes))
            requirement[name] = []
    if "422" in responses:
        responses["422"] = problems.describe_problems(422)[422]
    for status in _ANYWHERE:
        responses.setdefault(str(status), problems.describe_problems(status)[status])
    if method in _WRITES:
        broken = (400,) if "requestBody" in operation else ()
        for status in (*broken, 408, 413):
            responses.setdefault(str(status), problems.describe_problems(status)[status])
        for status in (412, *((415,) if "requestBody" in operation else ())):
            responses.setdefault(str(status), problems.describe_problems(status)[status])
        if not is_public:
            for status in (409, 422):
                responses.setdefault(str(status), problems.describe_problems(status)[status])
            parameters = operation.setdefault("parameters", [])
            if not any(parameter["name"] == HEADER for parameter in parameters):
                parameters.append(
                    {
                        "name": HEADER,
                        "in": "header",
                        "required": False,
                        "description": "Of your own making; the same request again is done once",
                        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                        "example": "0d6b0a1e-6f1c-4b9e-8d0f-2f8f3f0c7a11",
                    }
                )
    else:
        responses.setdefault("412", problems.describe_problems(412)[412])
    if method == "get" and "304" not in responses and "200" in responses:
        responses["304"] = {"description": "You have it already (If-None-Match)"}
