"""Metrics, a log line and an id for every request. Neither query, body, address nor person is
logged: a route is named by its template. Only sign-ins, changes of accounts and refusals are
logged with the account's random id and the network, by a logger of their own.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.client_address import client_network
from api.http.metrics import IN_PROGRESS, observe_request, route_template
from api.http.request_state import ACCOUNT_ID

log = logging.getLogger("ebbtide.access")
errors = logging.getLogger("ebbtide.api")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
security = logging.getLogger("ebbtide.security")
# Refusals: of who it is, of what they may, of bodies, and of how often (OWASP ASVS 5.0, 16.3).
_REFUSED = frozenset({401, 403, 413, 429})
# Changes of who may do what, whether or not they were made.
_ACCOUNT_ROUTES = re.compile(
    r"/v1/(sign-in|sign-out|oidc|me/password|me/verify|me/passkeys|me/app|me/recovery-codes|password-reset|second-factor-reset|invitations|tokens|devices|device-codes|accounts|consents"
    r"|therapists|me$)"
)


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
        state: dict[str, object] = scope.setdefault("state", {})
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
            is_change = method not in _READING and _ACCOUNT_ROUTES.match(route)
            if is_change or status in _REFUSED:
                _log_security(method, route, status, request_id, scope, state.get(ACCOUNT_ID))


def _log_security(
    method: str, route: str, status: int, request_id: str, scope: Scope, account: object
) -> None:
    network = client_network(scope)
    security.info(
        "%s %s %d account %s from %s",
        method,
        route,
        status,
        account or "unknown",
        network,
        extra={
            "method": method,
            "route": route,
            "status": status,
            "account": account,
            "network": network,
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
