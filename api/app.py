"""Create the application: middleware, problems, routes."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from anyio import CapacityLimiter
from fastapi import Depends, FastAPI, Path
from fastapi.concurrency import run_in_threadpool
from starlette_compress import CompressMiddleware, add_compress_type
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.http import problems
from api.http.compute import Computations
from api.http.deps import MAX_CONCURRENT_UPLOADS
from api.http.jobs import JobTask
from api.http.password_hashing import PasswordHasher
from api.http.reminders import ReminderTask
from api.http.withdrawals import WithdrawalTask
from api.middleware.body_limits import BodyLimitMiddleware
from api.middleware.created import CreatedMiddleware
from api.middleware.etag import ETagMiddleware
from api.middleware.fhir_outcomes import FhirOutcomesMiddleware
from api.middleware.idempotency import IdempotencyMiddleware
from api.middleware.phone_files import PhoneFilesMiddleware
from api.middleware.rate_limit import RateLimitMiddleware
from api.middleware.representation import RepresentationMiddleware
from api.middleware.request_rules import RequestRulesMiddleware
from api.middleware.security_headers import SecurityHeadersMiddleware
from api.middleware.telemetry import TelemetryMiddleware
from api.middleware.text import TextMiddleware
from api.middleware.tracing import trace
from api.middleware.withdrawals import WithdrawalMiddleware
from api.openapi import DESCRIPTION, TAGS, describe
from api.routes import PATIENT_ROUTERS, ROUTERS
from api.services.access_tokens import find_caller
from api.services.cache.analysis import AnalysisCache
from api.services.compute import close_pool
from api.services.erasure_again import carry_out_erasures
from api.services.erasure_watch import WATCH_EVERY_S, ErasureWatch
from api.services.mail import mailer_from_settings
from api.services.oidc import provider_from_settings
from api.services.questionnaires import QuestionnaireService
from api.services.recorder import NoRecorder
from api.services.snapshots import Snapshots
from ebbtide import __version__
from ebbtide.settings import Settings
from store import Stores, open_stores
from store.maintenance import remove_stopped_restore, remove_stopped_trial

# A request meets the first one first; the response passes them from the last to the first.
MIDDLEWARE: tuple[type[Any], ...] = (
    FhirOutcomesMiddleware,
    TelemetryMiddleware,
    SecurityHeadersMiddleware,
    RequestRulesMiddleware,
    PhoneFilesMiddleware,
    BodyLimitMiddleware,
    RateLimitMiddleware,
    RepresentationMiddleware,
    CompressMiddleware,
    TextMiddleware,
    CreatedMiddleware,
    ETagMiddleware,
    IdempotencyMiddleware,
    WithdrawalMiddleware,
)
_SWEEP_EVERY_S = 300.0
_LOG = logging.getLogger("ebbtide.api")
for _media_type in ("text/csv", "application/vnd.apache.arrow.stream"):
    add_compress_type(_media_type)  # Parquet is compressed already


def create_app_from_settings() -> FastAPI:
    """Create the API of one of several worker processes."""
    settings = Settings()
    logging.captureWarnings(True)
    return create_app(open_stores(settings), settings)


def create_app(
    stores: Stores,
    settings: Settings | None = None,
    erase_local: Callable[[str], None] | None = None,
    replace_process: Callable[[], None] | None = None,
) -> FastAPI:
    """Create the API over these stores, which it closes when it ends.

    ``erase_local`` erases an account from this machine's outbox, which the API does not know;
    ``replace_process`` has another process go on in place of this one, once its requests ended.
    """
    settings = Settings() if settings is None else settings

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        folder = app.state.snapshots.folder
        await run_in_threadpool(
            remove_stopped_restore, [settings.beats_file, settings.records_file], stores.ledger
        )
        await run_in_threadpool(remove_stopped_trial, settings.data_dir)
        # Before the first request: the stores may be older than an erasure.
        await run_in_threadpool(carry_out_erasures, stores, folder, erase_local)
        watch = ErasureWatch(
            *(stores, app.state.cache, app.state.computations.forget_results),
            *(folder, erase_local, replace_process),
        )
        tasks = [
            asyncio.create_task(_sweep(app.state.snapshots)),
            asyncio.create_task(_watch_erasures(watch)),
            asyncio.create_task(app.state.withdrawals.run()),
            asyncio.create_task(app.state.reminders.run()),
            asyncio.create_task(app.state.jobs.run()),
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        close_pool()
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
    app.state.settings = settings
    app.state.erase_local = erase_local
    app.state.on_first_account = None  # set by whoever signs this machine in with it
    app.state.recorder = NoRecorder()  # another where this process records
    app.state.computer = None  # set by whoever runs all on one computer
    app.state.provider = provider_from_settings(settings)
    app.state.passwords = settings.passwords
    app.state.questionnaires = QuestionnaireService.from_settings(settings)
    app.state.cache = AnalysisCache(questionnaires=app.state.questionnaires.library)
    app.state.snapshots = Snapshots.from_settings(settings, stores)
    app.state.withdrawals = WithdrawalTask(stores, app.state.snapshots, settings.withdrawal_hours)
    app.state.computations = Computations()
    app.state.research_min_people = settings.research_min_people
    app.state.mailer = mailer_from_settings(settings)
    app.state.reminders = ReminderTask(stores, settings, app.state.mailer)
    app.state.jobs = JobTask(stores, settings, erase_local)
    app.state.password_hasher = PasswordHasher(settings.password_hashes_at_once)
    app.state.upload_limiter = CapacityLimiter(MAX_CONCURRENT_UPLOADS)
    options: dict[type[Any], dict[str, Any]] = {
        RequestRulesMiddleware: {"routes": app},
        TelemetryMiddleware: {"on_error": problems.unhandled_problem},
        BodyLimitMiddleware: {
            "is_valid_token": lambda token: find_caller(stores, token) is not None
        },
        RateLimitMiddleware: {
            "stores": stores,
            "signed_in": settings.requests_a_minute,
            "anonymous": settings.anonymous_requests_a_minute,
        },
        CompressMiddleware: {"brotli": False},
        TextMiddleware: {"read_by_entry": ("/fhir", "/open-mhealth/heart-rate")},
        IdempotencyMiddleware: {"stores": stores, "routes": app},
        WithdrawalMiddleware: {"stores": stores},
    }
    for middleware in reversed(MIDDLEWARE):  # the last one added is the outermost
        app.add_middleware(middleware, **options.get(middleware, {}))
    if settings.trusted_networks:
        # Here and not in Uvicorn, which would trust 127.0.0.1: whoever serves the application,
        # nobody's X-Forwarded-For is read but that of the proxies that are set.
        app.add_middleware(
            ProxyHeadersMiddleware,
            trusted_hosts=settings.trusted_networks,
        )
    problems.install_handlers(app)
    # Included directly: a router inside a router is searched once more at each request.
    for router in ROUTERS:
        app.include_router(router, prefix="/v1")
    for router in PATIENT_ROUTERS:
        app.include_router(
            router, prefix="/v1/patients/{patient}", dependencies=[Depends(_patient_parameter)]
        )
    describe(app)
    trace(app)
    return app


async def _sweep(snapshots: Snapshots) -> None:
    """Delete exports that have ended, also where nobody asks for another."""
    while True:
        await run_in_threadpool(snapshots.make_room, 0)
        await asyncio.sleep(_SWEEP_EVERY_S)


async def _watch_erasures(watch: ErasureWatch) -> None:
    """Drop what this process holds of people who were erased, by whichever process."""
    while True:
        await asyncio.sleep(WATCH_EVERY_S)
        try:
            await run_in_threadpool(watch.poll)
        except Exception as error:  # whatever a store or the ledger's disk raises: it goes on
            _LOG.warning("erasures cannot be read: %s", type(error).__name__)


async def _patient_parameter(
    patient: Annotated[uuid.UUID, Path(description="A patient in your care, who has agreed")],
) -> None:
    """Declare the path parameter for OpenAPI and check its form; ``deps.get_patient_in_scope``
    checks whether the caller may see the patient.
    """
