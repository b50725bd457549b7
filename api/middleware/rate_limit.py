"""Limit how many requests one token, or one address without a token, may send in a minute."""

from __future__ import annotations

import hashlib
import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.problems import problem_response

# Monitoring polls these often and without a token.
_EXEMPT_PATHS = frozenset({"/v1/health", "/v1/ready"})


class RateLimitMiddleware:
    """Refuse with 429 beyond the limits; each of several processes counts for itself."""

    def __init__(self, app: ASGIApp, signed_in: int, anonymous: int) -> None:
        self._app = app
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._signed_in = RateLimitItemPerMinute(signed_in)
        self._anonymous = RateLimitItemPerMinute(anonymous)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _EXEMPT_PATHS:
            await self._app(scope, receive, send)
            return
        authorization = Headers(scope=scope).get("authorization")
        if authorization:
            limit, who = self._signed_in, hashlib.sha256(authorization.encode()).hexdigest()
        else:
            client = scope.get("client")
            limit, who = self._anonymous, str(client[0]) if client else "unknown"
        if self._limiter.hit(limit, who):
            await self._app(scope, receive, send)
            return
        reset = self._limiter.get_window_stats(limit, who).reset_time
        wait = max(1, math.ceil(reset - time.time()))
        refused = problem_response(
            429,
            f"More than {limit.amount} requests in a minute. Wait {wait} s.",
            headers={"Retry-After": str(wait)},
        )
        await refused(scope, receive, send)
