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
from api.http.upload_limiter import MAX_CONCURRENT_UPLOADS
from api.middleware.body_limits import BodyLimitMiddleware
from api.middleware.etag import ETagMiddleware
from api.middleware.idempotency import IdempotencyMiddleware
from api.middleware.rate_limit import RateLimitMiddleware
from api.middleware.telemetry import TelemetryMiddleware
from api.middleware.tracing import trace
from api.openapi import DESCRIPTION, TAGS, describe
from api.routes import PATIENT_ROUTERS, ROUTERS
from api.routes.auth.oidc import provider_from_settings
from api.services.cache.analysis import AnalysisCache
from ebbtide import __version__
from ebbtide.settings import Settings
from store import Stores, open_stores


def from_settings() -> FastAPI:
    """The API of one of several workers."""
    settings = Settings()
    logging.captureWarnings(True)
    return create_app(open_stores(settings), settings)


def create_app(stores: Stores, settings: Settings | None = None) -> FastAPI:
    """The API over these stores, which it closes when it ends."""
    asked = Settings() if settings is None else settings

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        stores.close()

    # Swagger UI would load scripts from a third party; docs/reference/http-api.md names
    # other tools.
    app = FastAPI(
        title="Ebbtide",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.stores = stores
    app.state.provider = provider_from_settings(asked)
    # The last one added is the first that a request meets.
    app.add_middleware(IdempotencyMiddleware, stores=stores, routes=app)
    app.add_middleware(ETagMiddleware)
    app.add_middleware(CompressMiddleware, brotli=False)
    app.add_middleware(
        RateLimitMiddleware,
        signed_in=asked.requests_a_minute,
        anonymous=asked.anonymous_requests_a_minute,
    )
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(TelemetryMiddleware, on_error=problems.unhandled_problem)
    app.state.known = AnalysisCache()
    app.state.uploads_at_once = CapacityLimiter(MAX_CONCURRENT_UPLOADS)
    problems.install_handlers(app)
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
