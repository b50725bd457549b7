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

from api import (
    accounts,
    caseload,
    clinic_link,
    consents,
    exports,
    health,
    hrv,
    invitations,
    link,
    live,
    looks,
    notes,
    oidc,
    own_account,
    practices,
    problems,
    programme,
    ratings,
    research,
    session_notes,
    sessions,
    sign_in,
    standards,
    streams,
    therapy,
    tokens,
    trend,
)
from api.etags import ETags
from api.guard import Guard
from api.house import House
from api.idempotency import Idempotency
from api.known import Known
from api.limits import RateLimits
from api.observed import Observed
from api.openapi import DESCRIPTION, TAGS, describe
from api.stores import open_house
from api.tracing import trace
from api.uploads_at_once import AT_ONCE
from ebbtide import __version__
from ebbtide.settings import Settings

_SHARED = (
    ratings,
    sessions,
    streams,
    hrv,
    trend,
    link,
    therapy,
    live,
    exports,
    standards,
    notes,
    practices,
    programme,
)


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

    # Swagger's pages would load scripts from elsewhere: docs/api.md says what to use instead.
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
    app.state.provider = oidc.provider_of(asked)
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
    # Straight into the application: a router within a router is looked through once more at each
    # request. Those that are asked most come first.
    for part in (
        streams,
        sign_in,
        ratings,
        live,
        notes,
        practices,
        programme,
        session_notes,
        tokens,
        oidc,
        invitations,
        accounts,
        caseload,
        looks,
        consents,
        own_account,
        clinic_link,  # before the tables of research, whose names are in the path
        research,
        standards,
        health,
    ):
        app.include_router(part.router, prefix="/v1")
    # What a patient reads of themselves, their therapist may read below their id.
    for shared in _SHARED:
        app.include_router(shared.shared, prefix="/v1")
    for router in (*(shared.shared for shared in _SHARED), session_notes.of_patient):
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
