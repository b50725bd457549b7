"""Limit how many requests an account, or an address without a valid token, may send in a minute.

Only a token that is valid counts by account. Any other header counts by the address that the
request comes from, so that made-up ones gain nothing.
"""

from __future__ import annotations

import hashlib
import math

from anyio import CapacityLimiter, Lock, to_thread
from cachetools import LRUCache, TTLCache
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.client_address import client_network
from api.http.problems import problem_response
from api.services.access_tokens import token_hash
from api.services.request_limits import SharedRequestLimit
from ebbtide.timestamps import MINUTE
from store import UNAVAILABLE, Stores

# Monitoring polls these often and without a token.
_EXEMPT_PATHS = frozenset({"/v1/health", "/v1/ready"})
_MAX_STORE_CALLS = 4  # at once, in threads that no other request uses
_UNWRITTEN_SHARE = 30  # see api/services/request_limits.py
_REMEMBERED_TOKENS = 10_000


class RateLimitMiddleware:
    """Refuse with 429 beyond the limits, which hold over all workers together."""

    def __init__(self, app: ASGIApp, stores: Stores, signed_in: int, anonymous: int) -> None:
        self._app = app
        self._stores = stores
        self._signed_in = SharedRequestLimit(signed_in, signed_in // _UNWRITTEN_SHARE, stores.now)
        self._anonymous = SharedRequestLimit(anonymous, 0, stores.now)
        # Of valid tokens, for counting alone: whether one is valid is asked again at each request.
        self._accounts: TTLCache[str, str] = TTLCache(_REMEMBERED_TOKENS, MINUTE, timer=stores.now)
        # So many tokens of an address may be looked up in the store in vain, in each minute;
        # beyond, none is. By minute in the key, since to set an entry renews its time.
        self._vain: TTLCache[tuple[str, int], int] = TTLCache(
            _REMEMBERED_TOKENS, 2 * MINUTE, timer=stores.now
        )
        self._max_vain = signed_in
        self._threads = CapacityLimiter(_MAX_STORE_CALLS)
        self._locks: LRUCache[str, Lock] = LRUCache(_REMEMBERED_TOKENS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _EXEMPT_PATHS:
            await self._app(scope, receive, send)
            return
        network = client_network(scope)
        account_id = await self._find_account(scope, network)
        if account_id is None:
            limit, key = self._anonymous, _key("network", network)
        else:
            limit, key = self._signed_in, _key("account", account_id)
        wait_s = await self._spend(limit, key)
        if wait_s == 0:
            await self._app(scope, receive, send)
            return
        wait = max(1, math.ceil(wait_s))
        refused = problem_response(
            429,
            f"More than {limit.limit} requests in a minute. Wait {wait} s.",
            headers={"Retry-After": str(wait)},
        )
        await refused(scope, receive, send)

    async def _find_account(self, scope: Scope, network: str) -> str | None:
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        hashed = token_hash(token)
        account_id = self._accounts.get(hashed)
        if account_id is not None:
            return account_id
        this_minute = (network, self._stores.now() // MINUTE)
        # Before the store answers: of many at once no more are looked up than of many in a row.
        self._vain[this_minute] = self._vain.get(this_minute, 0) + 1
        if self._vain[this_minute] > self._max_vain:
            return None
        try:
            holder = await to_thread.run_sync(
                self._stores.access.find_token, hashed, self._stores.now(), limiter=self._threads
            )
        except UNAVAILABLE:
            return None
        if holder is None:
            return None
        self._vain[this_minute] = max(0, self._vain.get(this_minute, 1) - 1)
        self._accounts[hashed] = holder[0].id
        return holder[0].id

    async def _spend(self, limit: SharedRequestLimit, key: str) -> float:
        wait_s = limit.spend(key)
        if wait_s is not None:
            return wait_s
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = Lock()
        async with lock:  # of many requests at once one asks the store, and the others spend that
            while (wait_s := limit.spend(key)) is None:
                try:
                    await to_thread.run_sync(
                        limit.lease,
                        limit.current(key),
                        key,
                        self._stores.access,
                        limiter=self._threads,
                    )
                except UNAVAILABLE:
                    limit.lease_alone(key)
            return wait_s


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(("requests", *parts)).encode()).hexdigest()
