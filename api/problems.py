"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from api.observed import STORE_AWAY
from ebbtide.errors import EbbtideError
from store.away import AWAY
from store.beats import (
    BeatsOutOfOrderError,
    DamagedStoreError,
    ErasedSubjectError,
    StreamTakenError,
    UnknownStreamError,
)
from store.records import EmailTakenError, RatingConflictError

log = logging.getLogger("ebbtide.api")

_STATUS_OF: dict[type[EbbtideError], int] = {
    UnknownStreamError: 404,
    StreamTakenError: 409,
    ErasedSubjectError: 410,
    RatingConflictError: 409,
    EmailTakenError: 409,
    BeatsOutOfOrderError: 422,
    DamagedStoreError: 500,
}
_AWAY_S = "5"  # after which asking again is worth it


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str = Field(examples=["body.pain"])
    problem: str = Field(examples=["Input should be less than or equal to 10"])


class Problem(BaseModel):
    """What went wrong and what to do about it."""

    type: str = "about:blank"
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["body.pain: Input should be less than or equal to 10"])
    errors: list[FieldProblem] = Field(default_factory=list)


class ProblemError(Exception):
    """Raise to answer with a problem."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route, for OpenAPI."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Answer every error with a problem."""

    @app.exception_handler(ProblemError)
    async def _problem(_: Request, error: ProblemError) -> JSONResponse:
        return _answer(error.status, error.detail, headers=error.headers)

    async def _away(_: Request, error: Exception) -> JSONResponse:
        log.warning("a store is away: %s", type(error).__name__)
        STORE_AWAY.labels(type(error).__name__).inc()
        return _answer(
            503,
            "A store does not answer, or has no room. Nothing was lost; try again.",
            headers={"Retry-After": _AWAY_S},
        )

    for kind in AWAY:
        app.add_exception_handler(kind, _away)

    @app.exception_handler(EbbtideError)
    async def _ebbtide(_: Request, error: EbbtideError) -> JSONResponse:
        return _answer(_STATUS_OF.get(type(error), 400), str(error))

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers) if error.headers else None
        return _answer(error.status_code, str(error.detail), headers=headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        fields = [
            FieldProblem(field=".".join(str(part) for part in e["loc"]), problem=str(e["msg"]))
            for e in error.errors()[:20]
        ]
        # Never repeat the input: it may hold a password.
        detail = "; ".join(f"{f.field}: {f.problem}" for f in fields[:5])
        return _answer(422, detail, fields)


async def unexpected(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer where nobody had expected an error."""
    detail = "Something went wrong here, not with your request. Try again later."
    await _answer(500, detail)(scope, receive, send)


def _answer(
    status: int,
    detail: str,
    errors: list[FieldProblem] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or []
    )
    return JSONResponse(
        problem.model_dump(),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )
