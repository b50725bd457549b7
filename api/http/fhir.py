"""Routes of FHIR: errors as OperationOutcome, ``Accept`` and ``_format`` honoured."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from api.http.accept import negotiate
from api.http.problems import STATUS_OF, ProblemError
from ebbtide.errors import EbbtideError
from store.errors import UNAVAILABLE

MEDIA_TYPE = "application/fhir+json"
_OFFERS = (MEDIA_TYPE, "application/json")
_NDJSON = ("application/fhir+ndjson", "application/ndjson", "application/x-ndjson")
_FORMS = ("json", "application/json", MEDIA_TYPE, "application/fhir json")
_VERSIONS = ("4.0", "4.0.1")
# https://hl7.org/fhir/R4/valueset-issue-type.html
_ISSUE_OF_STATUS = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    408: "timeout",
    409: "conflict",
    410: "deleted",
    412: "conflict",
    413: "too-long",
    414: "too-long",
    415: "not-supported",
    422: "processing",
    429: "throttled",
    500: "exception",
    503: "transient",
}
_PATH = re.compile(r"/v1/(patients/[^/]+/)?fhir(/|$)")
# The values of a search parameter, which may be given several times.
Words = Annotated[list[Annotated[str, Query(max_length=1000)]] | None, Query(max_length=20)]
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
        served = self.responses.get(200, {}).get("content", ())
        offers = (*_NDJSON, *_OFFERS) if _NDJSON[0] in served else _OFFERS

        async def handle(request: Request) -> Response:
            try:
                require_acceptable(request.headers.get("accept", ""), offers)
                for form in request.query_params.getlist("_format"):
                    if not is_json(form):
                        raise FhirError(406, f"{form} is not served, only {MEDIA_TYPE}")
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


def is_fhir_path(path: str) -> bool:
    """Whether a path is of FHIR's."""
    return _PATH.match(path) is not None


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
    return fhir_response(outcome_of(status, detail, code), status, headers)


def outcome_of(status: int, detail: str, code: str | None = None) -> dict[str, Any]:
    """Build the OperationOutcome of an error with this status."""
    code = code or _ISSUE_OF_STATUS.get(status, "processing")
    issue = {"severity": "error", "code": code, "diagnostics": detail}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def require_acceptable(accept: str, offers: tuple[str, ...] = _OFFERS) -> None:
    """Raise FhirError where ``Accept`` has no form that is served, or another version of FHIR."""
    ranges = [word for word in accept.split(",") if word.strip()]
    wanted = [word for word in ranges if _is_version_served(word)]
    if ranges and (not wanted or negotiate(",".join(wanted), offers) is None):
        raise FhirError(406, f"Only {offers[0]} is served, of FHIR 4.0.")


def is_json(form: str) -> bool:
    """Whether a ``_format`` is JSON of this version."""
    # A + that was not encoded comes as a space.
    kind = form.partition(";")[0].strip().lower()
    return kind in _FORMS and _is_version_served(form)


def preferences(request: Request) -> set[str]:
    """What ``Prefer`` asks for (RFC 7240), in lower case and without quotes."""
    words = ",".join(request.headers.getlist("prefer")).lower().replace('"', "").split(",")
    return {"=".join(part.strip() for part in word.split(";")[0].split("=")) for word in words}


def is_lenient(request: Request) -> bool:
    """Whether ``Prefer`` asks to leave out what is not served."""
    return "handling=lenient" in preferences(request)


def _is_version_served(media_range: str) -> bool:
    """Whether the parameter ``fhirVersion`` of a media type, if there is one, is served."""
    for parameter in media_range.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.strip().lower() == "fhirversion" and value.strip().strip('"') not in _VERSIONS:
            return False
    return True


def base_url(request: Request, end: str) -> str:
    """The URL of the FHIR server that a request came to: its path without this end."""
    path = request.url.path.removesuffix("/")
    return str(request.url.replace(path=path.removesuffix(end), query="", fragment=""))
