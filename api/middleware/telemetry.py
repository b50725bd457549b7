"""Metrics, a log line and an id for every request. Neither query, body, address nor person is
logged: a route is named by its template.
"""

from __future__ import annotations

import logging
import secrets
import time
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.metrics import IN_PROGRESS, observe_request, route_template

log = logging.getLogger("ebbtide.access")
errors = logging.getLogger("ebbtide.api")


class CutShortError(Exception):
    """A response could not be finished; the log has the reason."""


class TelemetryMiddleware:
    """Count, time and log every request, and give it an id that the response carries.

    ``on_error`` responds to an exception that nothing else handled.
    """

    def __init__(self, app: ASGIApp, on_error: ASGIApp) -> None:
        self._app = app
        self._on_error = on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, request_id = time.perf_counter(), 500, secrets.token_hex(8)
        response_started = False

        async def observed_send(message: Message) -> None:
            nonlocal status, response_started
            if message["type"] == "http.response.start":
                response_started = True
                status = message["status"]
                message.setdefault("headers", [])
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        IN_PROGRESS.inc()
        try:
            await self._app(scope, receive, observed_send)
        except Exception as error:
            # Its text may hold what a person entered: only its type is logged, and it is not
            # raised again, since the server would log it whole.
            _log_error(scope, error)
            if response_started:
                raise CutShortError from None
            await self._on_error(scope, receive, observed_send)
        finally:
            IN_PROGRESS.dec()
            seconds = time.perf_counter() - began
            method, route = observe_request(scope, status, seconds)
            log.info(
                "%s %s %d",
                method,
                route,
                status,
                extra={
                    "method": method,
                    "route": route,
                    "status": status,
                    "milliseconds": round(seconds * 1000, 1),
                    "request_id": request_id,
                },
            )


def _log_error(scope: Scope, error: Exception) -> None:
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__)[-8:])
    errors.error(
        "%s %s failed: %s\n%s",
        scope["method"],
        route_template(scope),
        type(error).__name__,
        "".join(frames),
    )
