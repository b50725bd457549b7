"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from api.http.metrics import STORE_UNAVAILABLE
from api.http.problem_texts import translate_problem, translate_title
from api.http.routing import allowed_methods
from api.services.errors import (
    AccountErasedError,
    IdentityError,
    LockedOutError,
    PasskeyAddressError,
    PasskeyError,
    ProviderError,
    TooFewPeopleError,
    TooManyPhonesError,
    UnknownPseudonymError,
)
from api.services.recorder import (
    NoRecorderError,
    NotTheirsError,
    RecorderBusyError,
    UnknownStrapError,
)
from ebbtide.errors import EbbtideError
from ebbtide.i18n import DEFAULT, choose_language
from store import UNAVAILABLE
from store.errors import (
    BeatsOutOfOrderError,
    ConsentMissingError,
    DamagedStoreError,
    EmailTakenError,
    ErasedSubjectError,
    NotesConflictError,
    RatingConflictError,
    ResponseConflictError,
    SessionConflictError,
    StreamTakenError,
    UnknownStreamError,
)

log = logging.getLogger("ebbtide.api")

# Status and ``type`` suffix of each error; 422 "invalid" for those that are not listed.
STATUS_OF: dict[type[EbbtideError], tuple[int, str]] = {
    UnknownStreamError: (404, "not-found"),
    StreamTakenError: (409, "stream-taken"),
    ErasedSubjectError: (410, "erased"),
    RatingConflictError: (409, "changed-meanwhile"),
    SessionConflictError: (409, "changed-meanwhile"),
    NotesConflictError: (409, "changed-meanwhile"),
    ResponseConflictError: (409, "changed-meanwhile"),
    ConsentMissingError: (403, "consent"),
    EmailTakenError: (409, "address-taken"),
    BeatsOutOfOrderError: (422, "beats-out-of-order"),
    DamagedStoreError: (500, "damaged-store"),
    LockedOutError: (429, "locked"),
    TooManyPhonesError: (409, "too-many-phones"),
    AccountErasedError: (410, "account-erased"),
    PasskeyError: (422, "wrong-passkey"),
    PasskeyAddressError: (422, "passkey-address"),
    UnknownPseudonymError: (404, "not-found"),
    TooFewPeopleError: (403, "few-people"),
    IdentityError: (403, "not-allowed"),
    ProviderError: (503, "away"),
    NoRecorderError: (404, "no-recorder"),
    NotTheirsError: (403, "not-allowed"),
    RecorderBusyError: (409, "conflict"),
    UnknownStrapError: (404, "not-found"),
}
# Default ``type`` suffix of a status; docs/reference/http-api.md lists them all.
_TYPE_OF_STATUS = {
    400: "invalid",
    401: "sign-in",
    403: "not-allowed",
    404: "not-found",
    405: "method",
    406: "format",
    408: "too-slow",
    409: "conflict",
    410: "erased",
    412: "changed-meanwhile",
    413: "too-large",
    414: "too-large",
    415: "format",
    416: "range",
    422: "invalid",
    429: "too-many",
    500: "unexpected",
    503: "away",
}
TYPE = "urn:ebbtide:problem:"
_RETRY_AFTER_S = "5"  # when a store is unavailable


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str = Field(examples=["body.pain"])
    problem: str = Field(examples=["Input should be less than or equal to 10"])


class Problem(BaseModel):
    """What went wrong and what to do about it."""

    type: str = Field(
        description="Stable: programs may go by it", examples=["urn:ebbtide:problem:invalid"]
    )
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["body.pain: Input should be less than or equal to 10"])
    errors: list[FieldProblem] = Field(default_factory=list)


class ProblemResponse(JSONResponse):
    """A problem, in the language that the request asks for."""

    media_type = "application/problem+json"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        language = choose_language(headers.get("accept-language", ""))
        self.headers.add_vary_header("Accept-Language")
        self.headers["Content-Language"] = language
        if language != DEFAULT:
            self.body = self._translate(language)
            self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)

    def _translate(self, language: str) -> bytes:
        problem = Problem.model_validate_json(bytes(self.body))
        problem.title = translate_title(problem.status, problem.title, language)
        problem.detail = translate_problem(problem.detail, language)
        for field in problem.errors:
            field.problem = translate_problem(field.problem, language)
        return bytes(self.render(problem.model_dump()))


class ProblemError(Exception):
    """Raised by a route to respond with a problem."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: dict[str, str] | None = None,
        *,
        kind: str | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail if field is None else f"{field}: {detail}"
        self.headers = headers
        self.kind = kind
        self.errors = [] if field is None else [FieldProblem(field=field, problem=detail)]


def describe_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe problems of these statuses as the ``responses`` of a route, for OpenAPI."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
        for status in statuses
    }


def install_handlers(app: FastAPI) -> None:
    """Respond to every error with a problem."""

    @app.exception_handler(ProblemError)
    async def _problem(_: Request, error: ProblemError) -> JSONResponse:
        return problem_response(
            error.status, error.detail, error.errors, headers=error.headers, kind=error.kind
        )

    async def _store_unavailable(_: Request, error: Exception) -> JSONResponse:
        log.warning("a store is away: %s", type(error).__name__)
        STORE_UNAVAILABLE.labels(type(error).__name__).inc()
        return problem_response(
            503,
            "A store does not answer, or has no room. Nothing was lost; try again.",
            headers={"Retry-After": _RETRY_AFTER_S},
            kind="away",
        )

    for kind in UNAVAILABLE:
        app.add_exception_handler(kind, _store_unavailable)

    @app.exception_handler(EbbtideError)
    async def _ebbtide(_: Request, error: EbbtideError) -> JSONResponse:
        status, kind = STATUS_OF.get(type(error), (422, "invalid"))
        wait = {"Retry-After": str(error.wait_s)} if isinstance(error, LockedOutError) else None
        return problem_response(status, str(error), headers=wait, kind=kind)

    async def _out_of_range(_: Request, error: Exception) -> JSONResponse:
        # Of a number beyond what the store's columns hold (64 bits) or a date beyond the calendar.
        log.warning("a value is out of range: %s", type(error).__name__)
        return problem_response(422, "A number or a time is beyond what can be stored.")

    for kind in (OverflowError, DataError):
        app.add_exception_handler(kind, _out_of_range)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers) if error.headers else None
        if error.status_code == 405:
            headers = {"Allow": ", ".join(allowed_methods(request.app, request.scope))}
        return problem_response(error.status_code, str(error.detail), headers=headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        fields = [
            FieldProblem(field=".".join(str(part) for part in e["loc"]), problem=str(e["msg"]))
            for e in error.errors()[:20]
        ]
        # Never repeat the input: it may hold a password.
        detail = "; ".join(f"{f.field}: {f.problem}" for f in fields[:5])
        return problem_response(422, detail, fields)


async def unhandled_problem(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond to an exception that nothing else handled."""
    detail = "Something went wrong here, not with your request. Try again later."
    await problem_response(500, detail)(scope, receive, send)


def problem_response(
    status: int,
    detail: str,
    errors: list[FieldProblem] | None = None,
    headers: dict[str, str] | None = None,
    kind: str | None = None,
) -> JSONResponse:
    """Build the response of a problem."""
    problem = Problem(
        type=TYPE + (kind or _TYPE_OF_STATUS.get(status, "other")),
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=errors or [],
    )
    return ProblemResponse(problem.model_dump(), status_code=status, headers=headers)
