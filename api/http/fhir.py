"""Routes of FHIR: errors as OperationOutcome, ``Accept`` and ``_format`` honoured."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from api.http.problems import STATUS_OF, ProblemError
from ebbtide.errors import EbbtideError
from store.errors import UNAVAILABLE

MEDIA_TYPE = "application/fhir+json"
_ACCEPTED = ("application/fhir+json", "application/json", "application/*", "*/*")
# https://hl7.org/fhir/R4/valueset-issue-type.html
_ISSUE_OF_STATUS = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    415: "not-supported",
    422: "processing",
    429: "throttled",
    503: "transient",
}
OUTCOME_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["resourceType", "issue"],
}


class FhirError(Exception):
    """Raised by a route to answer with an OperationOutcome."""

    def __init__(self, status: int, detail: str, code: str | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.code = code or _ISSUE_OF_STATUS.get(status, "processing")


class FhirRoute(APIRoute):
    """A route of which every error is an OperationOutcome."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler, so that what it raises is answered here."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                require_acceptable(request.headers.get("accept", ""))
                return await handler(request)
            except FhirError as error:
                return outcome_response(error.status, error.detail, error.code)
            except ProblemError as error:
                return outcome_response(error.status, error.detail, headers=error.headers)
            except UNAVAILABLE:
                raise  # counted and answered as everywhere: a 503 to try again
            except EbbtideError as error:
                status, _ = STATUS_OF.get(type(error), (422, "invalid"))
                return outcome_response(status, str(error))
            except RequestValidationError as error:
                # Never repeat the input: it may hold what somebody entered.
                places = [
                    f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
                    for item in error.errors()[:5]
                ]
                return outcome_response(422, "; ".join(places), "invalid")
            except HTTPException as error:
                return outcome_response(error.status_code, str(error.detail))

        return handle


def describe_outcomes(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe OperationOutcomes of these statuses as the ``responses`` of a route."""
    content = {MEDIA_TYPE: {"schema": OUTCOME_SCHEMA}}
    return {
        status: {"description": "An OperationOutcome", "content": content} for status in statuses
    }


def fhir_response(
    resource: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Answer with a resource."""
    return Response(
        json.dumps(resource, ensure_ascii=False, allow_nan=False),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def outcome_response(
    status: int, detail: str, code: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Answer with an OperationOutcome."""
    code = code or _ISSUE_OF_STATUS.get(status, "processing")
    issue = {"severity": "error", "code": code, "diagnostics": detail}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return fhir_response(outcome, status, headers)


def require_acceptable(accept: str) -> None:
    """Raise FhirError where ``Accept`` has no form that is served."""
    kinds = [word.split(";")[0].strip().lower() for word in accept.split(",") if word.strip()]
    if kinds and not any(kind in _ACCEPTED for kind in kinds):
        raise FhirError(406, f"Only {MEDIA_TYPE} is served.")


def is_lenient(request: Request) -> bool:
    """Whether ``Prefer`` asks to leave out what is not served."""
    words = [word.strip() for word in request.headers.get("prefer", "").split(",")]
    return "handling=lenient" in words


def base_url(request: Request, end: str) -> str:
    """The URL of the FHIR server that a request came to: its path without this end."""
    path = request.url.path.removesuffix("/")
    return str(request.url.replace(path=path.removesuffix(end), query="", fragment=""))
