"""Verify a password or code whose attempt was counted (``api.services.lockout``)."""

from __future__ import annotations

from collections.abc import Awaitable

from fastapi.concurrency import run_in_threadpool

from api.http.problems import ProblemError
from api.services.lockout import Attempt
from store import Stores


async def verify_counted(stores: Stores, attempt: Attempt, verifying: Awaitable[bool]) -> bool:
    """Await whether it was right. An attempt that was not verified, because the service was too
    busy, does not count.
    """
    try:
        return await verifying
    except ProblemError:
        await run_in_threadpool(attempt.undo, stores)
        raise


async def require_counted(
    stores: Stores, attempt: Attempt, verifying: Awaitable[bool], field: str = "body.password"
) -> None:
    """Refuse a wrong password of somebody who is signed in, or has a link, with 422; after a right
    one, forget the wrong ones before it.
    """
    if not await verify_counted(stores, attempt, verifying):
        raise ProblemError(422, "is not your password.", field=field)
    await run_in_threadpool(attempt.succeed, stores)
