"""The application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from api import (
    consents,
    health,
    hrv,
    link,
    problems,
    ratings,
    sessions,
    sign_in,
    streams,
    therapy,
    trend,
)
from api.histories import Histories
from api.house import House
from api.observed import Observed
from api.stores import open_house
from api.tracing import trace
from ebbtide import __version__
from ebbtide.settings import Settings

_DESCRIPTION = """\
Heartbeats and ratings during Pain Reprocessing Therapy.

Times are RFC 3339 with a zone; fields that end in `_ns` are UTC nanoseconds as integers. Ranges
are half-open. Errors are `application/problem+json`. Figures come with interval, n, method and
caveats, or with the reason why there is none. Not a medical device.
"""


def from_settings() -> FastAPI:
    """The API of one of several workers."""
    return create_app(open_house(Settings()))


def create_app(house: House) -> FastAPI:
    """The API over these stores, which it closes when it ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        house.beats.close()
        house.records.close()

    app = FastAPI(title="Ebbtide", version=__version__, description=_DESCRIPTION, lifespan=lifespan)
    app.state.house = house
    app.add_middleware(Observed, on_error=problems.unexpected)
    app.state.histories = Histories()
    problems.install(app)
    v1 = APIRouter(prefix="/v1")
    for part in (sign_in, consents, ratings, sessions, streams, hrv, trend, link, therapy, health):
        v1.include_router(part.router)
    app.include_router(v1)
    _describe_problems(app)
    trace(app)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Put the Problem schema into OpenAPI, where the routes' responses point to it."""
    plain = app.openapi

    def described() -> dict[str, object]:
        schema = plain()
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        template = "#/components/schemas/{model}"
        for model in (problems.Problem, problems.FieldProblem):
            body = model.model_json_schema(ref_template=template)
            body.pop("$defs", None)
            schemas.setdefault(model.__name__, body)
        # FastAPI announces its own form of a validation error, which ours replaces.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for methods in schema["paths"].values():
            for method in methods.values():
                if "422" in method["responses"]:
                    method["responses"]["422"] = problems.described(422)[422]
        return schema

    app.openapi = described  # type: ignore[method-assign]
