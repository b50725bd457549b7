"""The application."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, FastAPI, Path
from starlette_compress import CompressMiddleware

from api.http import problems
from api.http.upload_limiter import AT_ONCE
from api.middleware.body_limits import Guard
from api.middleware.etag import ETags
from api.middleware.idempotency import Idempotency
from api.middleware.rate_limit import RateLimits
from api.middleware.telemetry import Observed
from api.middleware.tracing import trace
from api.openapi import DESCRIPTION, TAGS, describe
from api.routes import PATIENT_ROUTERS, ROUTERS
from api.routes.auth.oidc import provider_of
from api.services.cache.analysis import Known
from ebbtide import __version__
from ebbtide.settings import Settings
from store.factory import open_house
from store.stores import House


def from_settings() -> FastAPI:
    """The API of one of several workers."""
    settings = Settings()
    logging.captureWarnings(True)
    return create_app(open_house(settings), settings)


def create_app(house: House, settings: Settings | None = None) -> FastAPI:
    """The API over these stores, which it closes when it ends."""
    asked = Settings() if settings is None else settings

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        house.close()

    # Swagger UI would load scripts from a third party; docs/reference/http-api.md names other tools.
    app = FastAPI(
        title="Ebbtide",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.house = house
    app.state.provider = provider_of(asked)
    # The last one added is the first that a request meets.
    app.add_middleware(Idempotency, house=house, routes=app)
    app.add_middleware(ETags)
    app.add_middleware(CompressMiddleware, brotli=False)
    app.add_middleware(
        RateLimits,
        signed_in=asked.requests_a_minute,
        anonymous=asked.anonymous_requests_a_minute,
    )
    app.add_middleware(Guard)
    app.add_middleware(Observed, on_error=problems.unexpected)
    app.state.known = Known()
    app.state.uploads_at_once = CapacityLimiter(AT_ONCE)
    problems.install(app)
    # Routers are included directly: a router inside a router is searched once more at each request.
    for router in ROUTERS:
        app.include_router(router, prefix="/v1")
    for router in PATIENT_ROUTERS:
        app.include_router(
            router, prefix="/v1/patients/{patient}", dependencies=[Depends(_patient)]
        )
    describe(app)
    trace(app)
    return app


async def _patient(
    patient: Annotated[uuid.UUID, Path(description="A patient in your care, who has agreed")],
) -> None:
    """Tells OpenAPI of the parameter, and checks its form; ``access.whose`` does the rest."""
