"""Hash and verify passwords for requests: few at once, in threads of their own.

An Argon2 hash takes 64 MiB and 0.1 s of a core or more. Without a bound, 80 sign-ins at once took
1.16 GB and all threads of the process, and its health was answered after 15 s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request

from api.http.problems import ProblemError
from api.services import passwords

MAX_WAIT_S = 5.0  # for a turn; then 503
_RETRY_AFTER_S = 5
Result = TypeVar("Result")


class PasswordHasher:
    """Run work on passwords, at most ``at_once`` in this process; the rest wait ``MAX_WAIT_S``."""

    def __init__(self, at_once: int) -> None:
        self._turns = CapacityLimiter(at_once)
        # Not the threads of other requests: those that wait for a turn hold none.
        self._threads = CapacityLimiter(at_once)

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether this is the password; None stands for an account that does not exist."""
        return await self.run(passwords.verify_password, password, password_hash)

    async def hash(self, password: str) -> str:
        """Hash a password to store."""
        return await self.run(passwords.hash_password, password)

    async def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call a function in its turn. Raises ProblemError (503) where that would take too long."""
        borrower = object()
        with anyio.move_on_after(MAX_WAIT_S) as wait:
            await self._turns.acquire_on_behalf_of(borrower)
        if wait.cancelled_caught:
            raise ProblemError(
                503,
                "Too many passwords are being checked at once. Try again in a moment.",
                headers={"Retry-After": str(_RETRY_AFTER_S)},
                kind="busy",
            )
        try:
            return await to_thread.run_sync(function, *arguments, limiter=self._threads)
        finally:
            self._turns.release_on_behalf_of(borrower)


async def get_password_hasher(request: Request) -> PasswordHasher:
    """The hasher of this application."""
    hasher: PasswordHasher = request.app.state.password_hasher
    return hasher


HasherDep = Annotated[PasswordHasher, Depends(get_password_hasher)]
