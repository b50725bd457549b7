"""End responses about people who take their consent back while they are made and sent."""

from __future__ import annotations

import time

from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.deps import WATCHED
from api.http.problems import problem_response
from store import Stores

_EVERY_S = 1.0


class ConsentWithdrawnError(Exception):
    """Cuts a response short: someone whose data are in it took consent back."""


class WithdrawalMiddleware:
    """Ask the store once a second, while a response is made and sent, whether someone whose data it
    holds took consent back (in whatever worker), and cut it short. A route says through
    ``deps.watch_consent`` who that is.

    The end of a response in several parts is not sent without asking: rows that were erased while
    it was made are missing from it, and it must not end as if it were whole. A short response is
    one part, and costs no query.
    """

    def __init__(self, app: ASGIApp, stores: Stores) -> None:
        self._app = app
        self._stores = stores

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun_ns, checked_s = self._stores.now(), time.monotonic()
        is_refused = is_streamed = False

        async def watched_send(message: Message) -> None:
            nonlocal checked_s, is_refused, is_streamed
            if is_refused:
                return
            has_more = bool(message.get("more_body", False))
            is_end = is_streamed and message["type"] == "http.response.body" and not has_more
            is_streamed = is_streamed or has_more
            is_due = is_end or time.monotonic() - checked_s >= _EVERY_S
            if WATCHED in scope and is_due:
                if await run_in_threadpool(self._is_withdrawn, scope, begun_ns):
                    if message["type"] != "http.response.start":
                        raise ConsentWithdrawnError
                    is_refused = True
                    detail = "Consent was taken back while this was made. Ask again for the rest."
                    refusal = problem_response(403, detail, kind="consent")
                    await refusal(scope, receive, send)
                    return
                checked_s = time.monotonic()
            await send(message)

        await self._app(scope, receive, watched_send)

    def _is_withdrawn(self, scope: Scope, begun_ns: int) -> bool:
        people, purposes = scope[WATCHED]
        withdrawn = self._stores.records.withdrawn_since(begun_ns, purposes)
        return bool(withdrawn if people is None else withdrawn & people)
