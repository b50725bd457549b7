"""What an operator sees of the API: metrics and a line a request. Never what a request holds: a
route is named by its template, and neither query, body, address nor person is kept.
"""

from __future__ import annotations

import logging
import secrets
import time
import traceback

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("ebbtide.access")
errors = logging.getLogger("ebbtide.api")

_SECONDS = Histogram(
    "ebbtide_request_seconds",
    "How long answers took",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_RESPONSES = Counter("ebbtide_answers", "Answers", ["method", "route", "status"])
_IN_PROGRESS = Gauge(
    "ebbtide_requests_under_way", "Requests under way", multiprocess_mode="livesum"
)
NOTIFICATIONS = Counter("ebbtide_notifications", "Notifications that were acknowledged")
BEATS = Counter("ebbtide_beats", "Beats in them, repeated ones too")
STORE_UNAVAILABLE = Counter("ebbtide_store_away", "Answers that a store was away", ["kind"])


def route_template(scope: Scope) -> str:
    """The template of the route. Unknown paths are one: anybody can invent a million of them."""
    # With its prefix, which FastAPI keeps there for routers that are included.
    whole = scope.get("fastapi", {}).get("effective_route_context")
    return str(getattr(whole or scope.get("route"), "path", "none"))


class CutShortError(Exception):
    """An answer could not be finished; why is in the log."""


def _log_error(scope: Scope, error: Exception) -> None:
    where = traceback.format_list(traceback.extract_tb(error.__traceback__)[-8:])
    errors.error(
        "%s %s failed: %s\n%s",
        scope["method"],
        route_template(scope),
        type(error).__name__,
        "".join(where),
    )


class TelemetryMiddleware:
    """Counts and times every request, logs it, and gives it an id that the answer carries.
    ``on_error`` answers where nobody had expected an error.
    """

    def __init__(self, app: ASGIApp, on_error: ASGIApp) -> None:
        self._app = app
        self._on_error = on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, request_id = time.perf_counter(), 500, secrets.token_hex(8)
        began_answering = False

        async def observed(message: Message) -> None:
            nonlocal status, began_answering
            if message["type"] == "http.response.start":
                began_answering = True
                status = message["status"]
                message.setdefault("headers", [])
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        _IN_PROGRESS.inc()
        try:
            await self._app(scope, receive, observed)
        except Exception as error:
            # Its words may hold what somebody entered: they go no further than here, and neither
            # does the error itself, which the server would log with them.
            _log_error(scope, error)
            if began_answering:
                raise CutShortError from None
            await self._on_error(scope, receive, observed)
        finally:
            _IN_PROGRESS.dec()
            took = time.perf_counter() - began
            route = route_template(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            _SECONDS.labels(method, route).observe(took)
            _RESPONSES.labels(method, route, str(status)).inc()
            log.info(
                "%s %s %d",
                method,
                route,
                status,
                extra={
                    "method": method,
                    "route": route,
                    "status": status,
                    "milliseconds": round(took * 1000, 1),
                    "request_id": request_id,
                },
            )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
